#include "frontend/evaluate.h"

#include <algorithm>
#include <exception>
#include <limits>

#include "frontend/access.h"
#include "frontend/check.h"
#include "frontend/compile.h"
#include "frontend/complaint.h"
#include "frontend/devices.h"
#include "frontend/environment.h"
#include "frontend/host_memory.h"
#include "frontend/nan_trap.h"
#include "frontend/snapshot.h"
#include "frontend/state.h"
#include "frontend/translate.h"
#include "frontend/views_of_values.h"
#include "ir/bytes.h"
#include "ir/mutant.h"
#include "ir/scalar.h"

namespace kiln::inline v0::frontend {

namespace {

Value* make_value(runtime::Device& device, runtime::Block block, std::int64_t bytes) {
  auto value = std::make_unique<Value>();
  value->storage = std::make_shared<Storage>(device, std::move(block), bytes);
  return value.release();
}

// One round: what can be settled without computing is; then the roots of one device are computed.
class Evaluation {
 public:
  explicit Evaluation(Where where) : where_(where) {}
  // False if everything has a value.
  bool round(std::span<const Array> arrays);
  bool idle() const { return idle_; }  // no round computed anything, nor waited for who does

 private:
  enum class Next : std::uint8_t { done, again, wait, run };
  Next prepare(std::span<const Array> arrays);
  bool settle_without_work(Node* node);
  void run();
  void compute();
  void execute(const runtime::LoadedPlan& plan, std::span<const runtime::Block> inputs);
  void interpret();
  void count_recomputed();
  void keep_donated(runtime::Device& device, const Reference& reference,
                    std::vector<runtime::Block>& inputs) const;
  std::vector<std::unique_ptr<Value>> make_values();
  void finish(std::vector<std::unique_ptr<Value>> values) noexcept;
  void abandon() noexcept;

  Where where_;
  std::uint16_t device_ = 0;
  std::vector<Node*> roots_;
  std::vector<runtime::Block> outputs_;
  std::vector<std::int64_t> bytes_;
  bool idle_ = true;
  Value* dead_ = nullptr;  // to be deleted without the lock
  static thread_local Snapshot snapshot_;
};
thread_local Snapshot Evaluation::snapshot_;

// No elements, an alias of a value, or a view of one.
bool Evaluation::settle_without_work(Node* node) {
  Value* value = nullptr;
  if (node->shape->size == 0) {
    runtime::Device& device = memory_device(node->device);
    value = make_value(device, {device.allocate(0), 0}, 0);
  } else {
    value = view_value(node).release();
  }
  if (value == nullptr) return false;
  Value* const dead = trace().settle(node, value);
  if (dead != nullptr) {
    Value* last = dead;
    while (last->next != nullptr) last = last->next;
    last->next = dead_;
    dead_ = dead;
  }
  return true;
}

Evaluation::Next Evaluation::prepare(std::span<const Array> arrays) {
  roots_.clear();
  bool settled = false;
  for (const Array& x : arrays) {
    Node* const node = Access::node(x);
    if (node->ready()) continue;
    if (!node->in_flight && settle_without_work(node)) {
      settled = true;
      continue;
    }
    Node* const root = root_of(node);
    if (root->ready() || root->in_flight) return root->ready() ? Next::again : Next::wait;
    if (root->shape->size == 0) {
      settle_without_work(root);
      return Next::again;
    }
    if (roots_.empty()) device_ = root->device;
    if (root->device == device_ && std::ranges::find(roots_, root) == roots_.end())
      roots_.push_back(root);
  }
  if (roots_.empty()) return settled ? Next::again : Next::done;
  snapshot_.where = where_;
  if (!take_snapshot(roots_, true, &snapshot_)) return Next::wait;
  name_results(arrays, &snapshot_);
  for (Node* const node : snapshot_.outputs) node->in_flight = true;
  return Next::run;
}

bool Evaluation::round(std::span<const Array> arrays) {
  Next next = Next::done;
  {
    std::unique_lock<std::mutex> lock(trace().mutex);
    next = prepare(arrays);
    if (next == Next::wait) state().finished.wait(lock);
  }
  delete_values(std::exchange(dead_, nullptr));
  if (next == Next::wait || next == Next::run) idle_ = false;
  if (next == Next::run) run();
  return next != Next::done;
}

void Evaluation::run() {
  ++state().runs;
  std::vector<std::unique_ptr<Value>> values;
  try {
    if (context().nan == Nan::trap && memory_device(device_).runs()) trap_nans(snapshot_);
    if (device_ == kInterpreter) {
      interpret();
    } else {
      compute();
    }
    values = make_values();
  } catch (runtime::OutOfMemory& error) {
    abandon();  // first: what names the array allocates
    name_array(snapshot_, error);
    throw;
  } catch (...) {
    abandon();
    throw;
  }
  finish(std::move(values));
}

// A checked evaluation may throw when it has run: what it may overwrite is a copy.
void Evaluation::keep_donated(runtime::Device& device, const Reference& reference,
                              std::vector<runtime::Block>& inputs) const {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!snapshot_.graph.inputs[i].donatable) continue;
    const std::vector<std::byte>& bytes = reference.storages[i];
    const auto size = static_cast<std::int64_t>(bytes.size());
    inputs[i] = on_behalf_of(snapshot_.inputs[i].node,
                             [&] { return runtime::Block{device.allocate(size), 0}; });
    if (size > 0) device.upload(*inputs[i].memory, 0, bytes.data(), size);
  }
}

void Evaluation::compute() {
  runtime::Device& device = memory_device(device_);
  device.check_usable();  // before anything is compiled for it
  const LoadedPlan plan = plan_for(snapshot_, device);
  std::vector<runtime::Block> inputs;
  inputs.reserve(snapshot_.inputs.size());
  for (const Snapshot::Input& input : snapshot_.inputs) {
    runtime::Block block = on_behalf_of(input.node, [&] {
      return input.storage->on(device, snapshot_.line(input.node), "an operand");
    });
    block.offset += input.offset;
    inputs.push_back(std::move(block));
  }
  outputs_.resize(snapshot_.outputs.size());
  if (context().mode == Mode::check && device.runs()) {
    const Reference reference = interpret_reference(snapshot_);
    keep_donated(device, reference, inputs);
    execute(*plan, inputs);
    compare(snapshot_, reference, *plan, outputs_);
  } else {
    execute(*plan, inputs);
  }
  count_recomputed();
}

void Evaluation::execute(const runtime::LoadedPlan& plan, std::span<const runtime::Block> inputs) {
  const runtime::LaunchWatch watch = launch_watch();
  runtime::execute(plan, snapshot_.bindings, inputs, outputs_, snapshot_.lines,
                   watch ? &watch : nullptr);
}

void Evaluation::count_recomputed() {
  const auto count = static_cast<std::int64_t>(snapshot_.recomputed.size());
  if (count != 0) state().recomputed.fetch_add(count, std::memory_order_relaxed);
}

void Evaluation::interpret() {
  runtime::Device& device = memory_device(device_);
  const Reference reference = interpret_reference(snapshot_);
  outputs_.clear();
  for (std::size_t i = 0; i < reference.outputs.size(); ++i) {
    const std::vector<std::byte>& bytes = reference.outputs[i];
    runtime::Block block = on_behalf_of(snapshot_.graph.outputs[i], [&] {
      return runtime::Block{device.allocate(static_cast<std::int64_t>(bytes.size())), 0};
    });
    ir::copy_bytes(block.data(), bytes.data(), static_cast<std::int64_t>(bytes.size()));
    outputs_.push_back(std::move(block));
  }
  count_recomputed();
}

std::vector<std::unique_ptr<Value>> Evaluation::make_values() {
  runtime::Device& device = memory_device(device_);
  const std::vector<Node*>& nodes = snapshot_.outputs;
  std::vector<std::unique_ptr<Value>> values;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::int64_t bytes = nodes[i]->shape->size * ir::size_of(to_ir(nodes[i]->dtype));
    values.emplace_back(make_value(device, std::move(outputs_[i]), bytes));
  }
  return values;
}

void Evaluation::finish(std::vector<std::unique_ptr<Value>> values) noexcept {
  const std::vector<Node*>& nodes = snapshot_.outputs;
  outputs_.clear();
  Value* dead = nullptr;
  {
    const std::lock_guard<std::mutex> lock(trace().mutex);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      Value* freed = trace().settle(nodes[i], values[i].release());
      while (freed != nullptr) {
        Value* const value = std::exchange(freed, freed->next);
        value->next = dead;
        dead = value;
      }
    }
  }
  state().finished.notify_all();
  snapshot_.inputs.clear();
  delete_values(dead);
  for (Node* const node : nodes) trace().release(node);
  snapshot_.outputs.clear();
}

void Evaluation::abandon() noexcept {
  outputs_.clear();
  {
    const std::lock_guard<std::mutex> lock(trace().mutex);
    for (Node* const node : snapshot_.outputs) node->in_flight = false;
  }
  state().finished.notify_all();
  snapshot_.inputs.clear();
  for (Node* const node : snapshot_.outputs) trace().release(node);
  snapshot_.outputs.clear();
}

}  // namespace

void evaluate(std::span<const Array> arrays, Where where) {
  Timed timed(Measure::Kind::evaluation, "", line_of(where));
  translated("eval", where, [&] {
    Evaluation evaluation(line_of(where));
    while (evaluation.round(arrays)) {
    }
    if (evaluation.idle()) timed.leave_out();
  });
  context().flush_look = 0;  // what is kept by pending operations may have become less
}

namespace {

// Where this thread's flushes happen: always at the same operation, so that the segments are alike.
struct Flush {
  Where site;
  Kind kind = Kind::leaf;
  ir::Op op = ir::Op::add;
  bool chosen = false;  // the site, since the last flush
  std::int64_t waited = 0;
  std::int64_t floor = 0;  // operations that the last flush left pending
  bool heavy = false;      // too many bytes are kept
  bool is(const Recipe& r) const {
    return site.line == r.where.line && site.file == r.where.file && kind == r.kind && op == r.op;
  }
  void choose(const Recipe& r) {
    site = r.where;
    kind = r.kind;
    op = r.op;
    chosen = true;
    waited = 0;
  }
};
// Operations until another site is chosen: one of an earlier loop may never come again. Where bytes
// press, a quarter of their limit more is waited for it.
constexpr std::int64_t kPatience = 4096;

bool many_pending(Flush& flush, std::int64_t bound) {
  const std::int64_t pending = trace().pending.load(std::memory_order_relaxed);
  if (mutant(ir::Mutant::flush)) return false;
  if (pending >= bound + flush.floor) return true;
  flush.floor = std::min(flush.floor, pending);
  return pending >= bound + flush.floor;
}

// The counter of pinned bytes is cheap and an upper bound; only where it passes the limit, and
// again where it has grown by a quarter of it, every node is looked at.
bool many_bytes(Flush& flush, Context& c, std::uint16_t device) {
  const std::int64_t pinned = trace().pinned.load(std::memory_order_relaxed);
  if (c.flush_look == 0) flush.heavy = false;
  if (flush.heavy || pinned < c.flush_look) return flush.heavy;
  const std::int64_t limit =
      c.flush_bytes >= 0 ? c.flush_bytes : memory_device(device).memory().limit / 4;
  if (limit == 0) {
    c.flush_look = std::numeric_limits<std::int64_t>::max();
  } else if (pinned < limit) {
    c.flush_look = limit;
  } else {
    const std::lock_guard<std::mutex> lock(trace().mutex);
    flush.heavy = trace().kept_by_pending(device) >= limit;
    c.flush_look = pinned + std::max<std::int64_t>(1, limit / 4);
  }
  return flush.heavy;
}

}  // namespace

void flush_at(const Recipe& next) {
  thread_local Flush flush;
  Context& c = context();
  const bool heavy = many_bytes(flush, c, next.device);
  if (!heavy && !many_pending(flush, c.flush_after)) return;
  if (!flush.is(next)) {
    const bool pressing =
        heavy && !flush.chosen && trace().pinned.load(std::memory_order_relaxed) >= c.flush_look;
    if (flush.site.line == 0 || pressing || ++flush.waited >= kPatience) flush.choose(next);
    return;
  }
  flush.chosen = false;
  flush.waited = 0;
  std::vector<Array> held;
  {
    const std::lock_guard<std::mutex> lock(trace().mutex);
    for (Node* const node : trace().held()) held.push_back(Access::adopt(node));
  }
  c.evaluating = true;
  try {
    evaluate(held, next.where);
  } catch (...) {
    c.evaluating = false;
    throw;
  }
  c.evaluating = false;
  held.clear();
  flush.floor = trace().pending.load(std::memory_order_relaxed);
}

}  // namespace kiln::inline v0::frontend

namespace kiln::inline v0 {

void eval(const Arrays& arrays, Where where) { frontend::evaluate(arrays.list(), where); }

}  // namespace kiln::inline v0
