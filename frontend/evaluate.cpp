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
#include "frontend/host_calls.h"
#include "frontend/host_memory.h"
#include "frontend/nan_trap.h"
#include "frontend/snapshot.h"
#include "frontend/state.h"
#include "frontend/translate.h"
#include "frontend/views_of_values.h"
#include "ir/bytes.h"
#include "ir/mutant.h"
#include "ir/per_thread.h"
#include "ir/scalar.h"

namespace kiln::inline v0::frontend {

namespace {

std::unique_ptr<Value> make_value(runtime::Device& device, runtime::Block block,
                                  std::int64_t bytes) {
  auto value = std::make_unique<Value>();
  value->storage = std::make_shared<Storage>(device, std::move(block), bytes);
  return value;
}

// One round: what can be settled without computing is; then the roots of one device are computed.
class Evaluation {
 public:
  explicit Evaluation(Where where) : where_(where) {}
  ~Evaluation() { delete_values(dead_); }
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;
  // False if everything has a value.
  bool round(std::span<const Array> arrays);
  bool idle() const { return idle_; }  // no round computed anything, nor waited for who does

 private:
  enum class Next : std::uint8_t { done, again, wait, run };
  Next prepare(std::span<const Array> arrays);
  void add_late();
  bool add_root(Node* node, Place guess);
  bool settle_without_work(Node* node);
  void run();
  bool compute();
  void step();
  void execute(const runtime::LoadedPlan& plan, std::span<const runtime::Block> inputs);
  void interpret();
  void count_recomputed();
  void keep_donated(runtime::Device& device, const Reference& reference,
                    std::vector<runtime::Block>& inputs) const;
  std::vector<std::unique_ptr<Value>> make_values();
  void finish(std::vector<std::unique_ptr<Value>> values) noexcept;
  void abandon() noexcept;

  Where where_;
  bool frugal_ = false;  // out of memory once: nothing but what was asked for is stored
  bool single_ = false;  // of one operation: always compiled, and nothing is learnt
  std::uint16_t device_ = 0;
  std::vector<Node*> roots_;
  std::vector<Place>
      guesses_;  // for whose sake roots were added that nobody asked for; may be short
  std::vector<runtime::Block> outputs_;
  std::vector<std::int64_t> bytes_;
  bool idle_ = true;
  Value* dead_ = nullptr;  // to be deleted without the lock
  Snapshot& snapshot_ = ir::per_thread<Snapshot>();
};

// No elements, an alias of a value, or a view of one.
bool Evaluation::settle_without_work(Node* node) {
  std::unique_ptr<Value> value;
  if (node->shape->size == 0) {
    runtime::Device& device = memory_device(node->device);
    value = make_value(device, {device.allocate(0), 0}, 0);
  } else {
    value = view_value(node);
  }
  if (value == nullptr) return false;
  Value* const dead = trace().settle(node, value.release());
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
    if (node->ready()) {
      trace().note_read(*node->value.load(std::memory_order_relaxed));
      continue;
    }
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
  guesses_.clear();
  if (!single_ && !frugal_) add_late();
  snapshot_.where = where_;
  const Learning learning = single_   ? Learning::nothing
                            : frugal_ ? Learning::frugal
                                      : Learning::all;
  if (!take_snapshot(roots_, learning, &snapshot_)) return Next::wait;
  std::ranges::copy(guesses_, snapshot_.guesses.begin());
  name_results(arrays, &snapshot_);
  for (Node* const node : snapshot_.outputs) node->in_flight = true;
  return Next::run;
}

// Values of this thread that lag two evaluations behind are computed with this one, and from then
// on what is made at their places with the evaluation that follows.
void Evaluation::add_late() {
  Context& c = context();
  Places& places = trace().places;
  std::deque<Rounds::Late>& late = c.rounds.late;
  std::vector<Node*> lagging;
  for (; !late.empty() && late.front().round != c.rounds.now; late.pop_front()) {
    Node* const node = late.front().node;
    // Its slot may be another's by now.
    if (!node->late || node->shape == nullptr || node->ready() || node->in_flight) continue;
    node->late = false;
    lagging.push_back(node);
    places.learn_late(place_of(*node));
  }
  std::vector<Place> served;  // by what is newer
  if (places.any_late()) {
    c.loops.each_pending([&](Node* node, Place place) {
      if (places.late(place) && node->held() && add_root(node, place)) served.push_back(place);
    });
  }
  for (Node* const node : lagging) {
    if (std::ranges::find(served, place_of(*node)) == served.end()) add_root(node, 0);
  }
}

bool Evaluation::add_root(Node* node, Place guess) {
  Node* const root = root_of(node);
  if (root->ready() || root->in_flight || root->shape->size == 0 || root->device != device_ ||
      root->repaired_here())
    return false;
  if (std::ranges::find(roots_, root) != roots_.end()) return false;
  guesses_.resize(roots_.size(), 0);
  roots_.push_back(root);
  guesses_.push_back(guess);
  return true;
}

bool Evaluation::round(std::span<const Array> arrays) {
  Next next = Next::done;
  try {
    std::unique_lock<std::mutex> lock(trace().mutex);
    next = prepare(arrays);
    if (next == Next::wait) state().finished.wait(lock);
  } catch (...) {
    snapshot_.inputs.clear();  // which would keep their memory until this thread's next one
    for (Node* const node : std::exchange(snapshot_.beside, {})) trace().release(node);
    throw;
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
    const bool trap = context().nan == Nan::trap && !single_;
    if (trap && memory_device(device_).runs()) trap_nans(snapshot_);
    if (device_ == kInterpreter) {
      interpret();
    } else if (!compute()) {
      return step();
    }
    values = make_values();
  } catch (runtime::OutOfMemory& error) {
    const bool unasked = std::ranges::any_of(snapshot_.guesses, [](Place p) { return p != 0; }) ||
                         guesses_.size() > 0;
    if (mutant(ir::Mutant::late_abandon)) name_array(snapshot_, error);
    abandon();  // first: what names the array allocates
    if (unasked && !frugal_) {
      frugal_ = true;
      return;
    }
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

// So often an evaluation at the same line begins with bodies of loops, before it is tried as a
// whole.
constexpr int kPiecewise = 15;

// One body of a loop at a time, or one operation: no kernel is compiled for this graph.
void Evaluation::step() {
  std::vector<Array> pending;
  {
    const std::lock_guard<std::mutex> lock(trace().mutex);
    pending.reserve(static_cast<std::size_t>(trace().pending.load(std::memory_order_relaxed)));
    for (Node* const node : snapshot_.outputs) node->in_flight = false;
    for (Node* const node : operations_below(snapshot_.outputs))
      pending.push_back(Access::adopt(node));
  }
  abandon();
  Context& c = context();
  if (c.loops.cut(static_cast<std::size_t>(c.flush_after), true, where_)) {
    c.piecewise = where_;
    c.piecewise_left = kPiecewise;
    return;
  }
  Evaluation single(where_);
  single.single_ = true;
  for (Array& x : pending) {
    while (single.round({&x, 1})) {
    }
    x = Array();  // what needs it keeps it
  }
}

// False, and nothing done, if the graph is not worth its compile yet.
bool Evaluation::compute() {
  runtime::Device& device = memory_device(device_);
  device.check_usable();  // before anything is compiled for it
  const bool checked = context().mode == Mode::check && device.runs();
  const bool always = single_ || checked || !snapshot_.graph.hints.empty();
  const LoadedPlan plan = plan_for(snapshot_, device, always);
  if (plan == nullptr) return false;
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
  if (checked) {
    const Reference reference = interpret_reference(snapshot_);
    keep_donated(device, reference, inputs);
    execute(*plan, inputs);
    compare(snapshot_, reference, *plan, outputs_);
  } else {
    execute(*plan, inputs);
  }
  count_recomputed();
  return true;
}

void Evaluation::execute(const runtime::LoadedPlan& plan, std::span<const runtime::Block> inputs) {
  note_calls_of_host(plan, snapshot_);
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
    values.back()->guess = snapshot_.guesses[i];
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

void evaluate_now(std::span<const Array> arrays, Where where) {
  Timed timed(Measure::Kind::evaluation, "", line_of(where));
  Evaluation evaluation(line_of(where));
  while (evaluation.round(arrays)) {
  }
  if (evaluation.idle()) timed.leave_out();
}

void evaluate(std::span<const Array> arrays, Where where) {
  translated("eval", where, [&] {
    Context& c = context();
    const bool again = c.piecewise_left > 0 && c.piecewise.line == where.line &&
                       c.piecewise.file == where.file && c.piecewise_left-- > 0;
    if (c.loops.was_cut() || again)
      c.loops.cut(static_cast<std::size_t>(c.flush_after), true, where);
    evaluate_now(arrays, where);
    c.loops.clear();
    ++c.rounds.now;
    c.flush_wait = 0;
    c.flush_look = 0;  // what is kept by pending operations may have become less
  });
}

namespace {

// The counter of pinned bytes is cheap and an upper bound; only where it passes the limit, and
// again where it has grown by a quarter of it, every node is looked at.
bool many_bytes(Context& c, std::uint16_t device) {
  const std::int64_t pinned = trace().pinned.load(std::memory_order_relaxed);
  const std::uint32_t limits = trace().limits.load(std::memory_order_relaxed);
  if (std::exchange(c.limits, limits) != limits) c.flush_look = 0;
  if (pinned < c.flush_look) return false;
  const std::int64_t limit =
      c.flush_bytes >= 0 ? c.flush_bytes : memory_device(device).memory().limit / 4;
  if (limit == 0) {
    c.flush_look = std::numeric_limits<std::int64_t>::max();
    return false;
  }
  if (pinned < limit) {
    c.flush_look = limit;
    return false;
  }
  const std::lock_guard<std::mutex> lock(trace().mutex);
  c.flush_look = pinned + std::max<std::int64_t>(1, limit / 4);
  return trace().kept_by_pending(device) >= limit;
}

void evaluate_held(Where where) {
  std::vector<Array> held;
  {
    const std::lock_guard<std::mutex> lock(trace().mutex);
    held.reserve(static_cast<std::size_t>(trace().pending.load(std::memory_order_relaxed)));
    for (Node* const node : trace().held()) held.push_back(Access::adopt(node));
  }
  evaluate_now(held, where);
  context().loops.clear();
}

// Straight code is evaluated when it is that many times as long as a loop may be.
constexpr std::int64_t kStraight = 4;

}  // namespace

void flush(const Recipe& next) {
  Context& c = context();
  if (mutant(ir::Mutant::flush)) return;
  const bool heavy = many_bytes(c, next.device);
  const auto pending = static_cast<std::int64_t>(c.loops.pending());
  if (!heavy && pending < c.flush_wait) return;
  c.evaluating = true;
  try {
    translated("eval", next.where, [&] {
      const bool done = c.loops.cut(static_cast<std::size_t>(c.flush_after), heavy, next.where);
      // A loop may begin that has not come round yet.
      const auto round = static_cast<std::int64_t>(c.loops.round());
      c.flush_wait = done ? round : std::max(pending + pending / 4, round);
      if (pending < c.flush_after) c.flush_wait = std::min(c.flush_wait, c.flush_after);
      if (!done && (heavy || pending >= kStraight * c.flush_after)) evaluate_held(next.where);
    });
  } catch (...) {
    c.evaluating = false;
    throw;
  }
  c.evaluating = false;
  if (heavy) c.flush_look = 0;
}

}  // namespace kiln::inline v0::frontend

namespace kiln::inline v0 {

void eval(const Arrays& arrays, Where where) { frontend::evaluate(arrays.list(), where); }

}  // namespace kiln::inline v0
