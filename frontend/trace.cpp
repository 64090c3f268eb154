#include "frontend/trace.h"

#include <pthread.h>

#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "frontend/environment.h"
#include "frontend/state.h"
#include "ir/hash.h"
#include "ir/mutant.h"
#include "ir/per_thread.h"

namespace kiln::inline v0::frontend {

namespace {
constexpr std::size_t kSlab = 256;

std::uint32_t hash_of(const Recipe& r) {
  std::uint64_t h = static_cast<std::uint64_t>(r.op) | static_cast<std::uint64_t>(r.kind) << 8 |
                    static_cast<std::uint64_t>(r.dtype) << 16 |
                    static_cast<std::uint64_t>(r.device) << 24;
  h = ir::mix(h, r.imm);
  for (const Node* operand : r.operands) h = ir::mix(h, reinterpret_cast<std::uintptr_t>(operand));
  const auto hash = static_cast<std::uint32_t>(h >> 32);
  return hash != 0 ? hash : 1;
}

bool shareable(const Recipe& r) {
  return (r.kind == Kind::map || r.kind == Kind::literal || r.kind == Kind::scalar) &&
         r.operands.size() <= kInlineOperands;
}
}  // namespace

namespace {
// The runtime registers its handlers first: those of the trace then lock before them, as recording
// does.
Trace* make_trace() {
  registry();
  state();
  pthread_atfork(
      [] {
        trace().mutex.lock();
        state().before_fork();
      },
      [] {
        state().after_fork(false);
        trace().mutex.unlock();
      },
      [] {
        state().after_fork(true);
        trace().forget_flights();
        trace().mutex.unlock();
      });
  return new Trace;
}
}  // namespace

Trace& trace() {
  static Trace* const instance = make_trace();
  return *instance;
}

void Trace::forget_flights() {
  for (const std::unique_ptr<Node[]>& slab : slabs_) {
    for (std::size_t i = 0; i < kSlab; ++i) slab[i].in_flight = false;
  }
}

Context::Context() {
  const Environment& e = environment();
  mode = e.mode == "eager" ? Mode::eager : e.mode == "check" ? Mode::check : Mode::lazy;
  fusion = e.fusion;
  flush_after = e.flush_after;
  flush_bytes = e.flush_bytes;
  compile_budget = e.compile_budget;
}

Context& context() { return ir::per_thread<Context>(); }

void Trace::make_slot() {
  if (free_ != nullptr) return;
  slabs_.push_back(std::make_unique<Node[]>(kSlab));
  Node* const slab = slabs_.back().get();
  for (std::size_t i = kSlab; i-- > 0;) {
    slab[i].next = free_;
    free_ = &slab[i];
  }
}

Node* Trace::slot() noexcept {
  Node* const node = free_;
  free_ = node->next;
  constexpr std::size_t kLine = 64;
  // The next one's lines, which are all written.
  for (std::size_t at = 0; free_ != nullptr && at < sizeof(Node); at += kLine) {
    __builtin_prefetch(reinterpret_cast<const char*>(free_) + at, 1);
  }
  return node;
}

Node* Trace::find(const Recipe& r, std::uint32_t hash) {
  return table_.find(hash, [&](Node* node) {
    if (node->kind != r.kind || node->op != r.op || node->dtype != r.dtype || node->imm != r.imm ||
        node->device != r.device || node->math != r.math ||
        node->operand_count != r.operands.size() || node->in_flight) {
      return false;
    }
    for (std::uint32_t i = 0; i < node->operand_count; ++i) {
      if (node->inline_operands[i] != r.operands[i]) return false;
    }
    // A node whose last reference was just dropped waits for the lock to be freed: leave it.
    std::uint32_t count = node->references.load(std::memory_order_relaxed);
    while (count != 0) {
      if (node->references.compare_exchange_weak(count, count + 1, std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  });
}

void Trace::begin_use(Node* operand) {
  if (operand->uses++ != 0) return;
  retain(operand);
  const Value* const value = operand->value.load(std::memory_order_relaxed);
  if (value == nullptr) return;
  pinned.store(pinned.load(std::memory_order_relaxed) + value->storage->bytes(),
               std::memory_order_relaxed);
}

// Scalars and what is evaluated or begun are not late.
void Trace::note_late(Node* operand, Rounds* rounds) {
  if (mutant(ir::Mutant::nothing_late)) return;
  if (operand->late || operand->ready() || operand->anywhere || operand->in_flight) return;
  if (has_several(operand->kind)) return;
  if (rounds->late.size() == Rounds::kMost) rounds->late.pop_front();
  rounds->late.push_back({operand, rounds->now});
  operand->late = true;
}

bool Trace::end_use(Node* operand) noexcept {
  if (--operand->uses != 0) return false;
  if (const Value* const value = operand->value.load(std::memory_order_relaxed)) {
    pinned.store(pinned.load(std::memory_order_relaxed) - value->storage->bytes(),
                 std::memory_order_relaxed);
  }
  return true;
}

// Scalars do not count: they are not computed, and equal ones may be two nodes while an evaluation
// has one of them in flight; a loop's segments must not differ by that.
void Trace::count(const Node& node, int change) {
  if (node.kind == Kind::literal || node.kind == Kind::scalar) return;
  pending.store(pending.load(std::memory_order_relaxed) + change, std::memory_order_relaxed);
}

// A node takes both boxes or none.
ListBox* Trace::take_lists(const Lists& lists, ShapeBox* taken) {
  try {
    return lists_.take(lists);
  } catch (...) {
    shapes_.drop(taken);
    throw;
  }
}

Node* Trace::record(const Recipe& r) {
  const bool share = shareable(r);
  const std::uint32_t hash = share ? hash_of(r) : 0;
  std::unique_ptr<Node*[]> many;
  if (r.operands.size() > kInlineOperands) many.reset(new Node*[r.operands.size()]);
  const std::lock_guard<std::mutex> lock(mutex);
  if (share) {
    if (Node* const found = find(r, hash)) {
      if (!r.repaired) found->hints &= static_cast<std::uint8_t>(~kRepaired);
      return found;
    }
    table_.make_room();
  }
  make_slot();
  for (Node* const operand : r.operands) {
    if (r.rounds != nullptr && operand->round != r.rounds->now) note_late(operand, r.rounds);
  }
  ShapeBox* shape = r.shape;
  if (shape != nullptr) {
    ++shape->references;
  } else {
    shape = shapes_.take(r.new_shape);
  }
  ListBox* const lists = r.lists != nullptr ? take_lists(*r.lists, shape) : nullptr;
  std::vector<Node*>* items = nullptr;
  if (r.kind == Kind::item) {
    items = &results_[r.operands[0]];
    items->reserve(items->size() + 1);
  }
  Node* const node = slot();
  node->references.store(1, std::memory_order_relaxed);
  node->uses = 0;
  node->kind = r.kind;
  node->op = r.op;
  node->dtype = r.dtype;
  node->math = r.math;
  node->device = r.device;
  node->anywhere = r.anywhere;
  node->in_flight = false;
  node->computed = {};
  node->hints = r.repaired ? kRepaired : 0;
  node->round = r.rounds != nullptr ? r.rounds->now : 0;
  node->late = false;
  node->operand_count = static_cast<std::uint32_t>(r.operands.size());
  Node** const operands = many ? many.get() : node->inline_operands;
  for (std::size_t i = 0; i < r.operands.size(); ++i) {
    operands[i] = r.operands[i];
    begin_use(operands[i]);
  }
  if (many) node->many_operands = many.release();
  node->shape = shape;
  node->imm = r.imm;
  if (r.kind == Kind::alias) node->own_label = r.label;
  node->lists = lists;
  node->where = r.where;
  node->hash = hash;
  if (share) table_.insert(node, hash);
  if (items != nullptr) items->push_back(node);  // there is room
  count(*node, 1);
  return node;
}

Node* Trace::leaf(DType dtype, std::span<const std::int64_t> shape, std::uint16_t device,
                  std::unique_ptr<Value> value, Where where, const std::string* label) {
  const std::lock_guard<std::mutex> lock(mutex);
  make_slot();
  ShapeBox* const its = shapes_.take(shape);
  Node* const node = slot();
  node->references.store(1, std::memory_order_relaxed);
  node->uses = 0;
  node->kind = Kind::leaf;
  node->dtype = dtype;
  node->math = Math::exact;
  node->device = device;
  node->anywhere = false;
  node->in_flight = false;
  node->computed = {};
  node->hints = 0;
  node->late = false;
  node->operand_count = 0;
  node->shape = its;
  node->lists = nullptr;
  node->own_label = label;
  node->where = where;
  node->hash = 0;
  node->value.store(value.release(), std::memory_order_release);
  return node;
}

std::span<Node* const> Trace::results(const Node* node) const {
  const auto found = results_.find(node);
  if (found == results_.end()) return {};
  return found->second;
}

void Trace::forget_result(Node* item) noexcept {
  const auto found = results_.find(item->inline_operands[0]);
  std::erase(found->second, item);
  if (found->second.empty()) results_.erase(found);
}

void Trace::forget(Node* node) {
  if (node->hash != 0) table_.erase(node, std::exchange(node->hash, 0));
}

// Takes a node's operands from it; those that nobody else holds are put in front of `dying`. A
// count of 1 is this node's own: no Array is left to copy it, and whoever finds a node by other
// ways holds the lock.
Node* Trace::let_go(Node* node, Node* dying) noexcept {
  if (node->kind == Kind::item && node->operand_count != 0) forget_result(node);
  for (Node* const operand : node->inputs()) {
    if (!end_use(operand)) continue;
    if (operand->references.load(std::memory_order_acquire) == 1 ||
        operand->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      operand->next = dying;
      dying = operand;
    }
  }
  if (node->operand_count > kInlineOperands) delete[] node->many_operands;
  node->operand_count = 0;
  if (node->lists != nullptr) lists_.drop(std::exchange(node->lists, nullptr));
  return dying;
}

// Frees the nodes of a list and what only they kept. Gives the values that died.
Value* Trace::drop(Node* first) noexcept {
  Value* dead = nullptr;
  while (first != nullptr) {
    Node* const node = first;
    first = node->next;
    forget(node);
    if (Value* const value = node->value.load(std::memory_order_relaxed)) {
      node->value.store(nullptr, std::memory_order_relaxed);
      if (value->guess != 0) places.died(value->guess);
      value->next = dead;
      dead = value;
    } else {
      count(*node, -1);
    }
    first = let_go(node, first);
    shapes_.drop(std::exchange(node->shape, nullptr));
    node->next = free_;
    free_ = node;
  }
  return dead;
}

void Trace::destroy(Node* node) noexcept {
  Value* dead = nullptr;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    node->next = nullptr;
    dead = drop(node);
  }
  delete_values(dead);
}

Value* Trace::settle(Node* node, Value* value) {
  forget(node);
  Node* const dying = let_go(node, nullptr);
  node->in_flight = false;
  count(*node, -1);
  node->value.store(value, std::memory_order_release);
  if (node->uses != 0) {
    pinned.store(pinned.load(std::memory_order_relaxed) + value->storage->bytes(),
                 std::memory_order_relaxed);
  }
  return drop(dying);
}

// A count that is falling to zero right now belongs to a thread that waits to free the node.
Node* Trace::retain_pending(Node* node) {
  std::uint32_t count = node->references.load(std::memory_order_relaxed);
  while (count != 0) {
    if (node->references.compare_exchange_weak(count, count + 1, std::memory_order_relaxed)) {
      return node;
    }
  }
  return nullptr;
}

std::vector<Node*> Trace::held() {
  std::vector<Node*> result;
  result.reserve(static_cast<std::size_t>(pending.load(std::memory_order_relaxed)));
  for (const std::unique_ptr<Node[]>& slab : slabs_) {
    for (std::size_t i = 0; i < kSlab; ++i) {
      Node* const node = &slab[i];
      if (node->shape == nullptr || node->ready() || node->anywhere) continue;
      if (has_several(node->kind)) continue;  // its items are what is held
      if (node->repaired_here()) continue;
      if (node->held() && retain_pending(node) != nullptr) result.push_back(node);
    }
  }
  return result;
}

std::int64_t Trace::kept_by_pending(std::uint16_t device) {
  std::unordered_map<const Storage*, std::int64_t> kept;
  for (const std::unique_ptr<Node[]>& slab : slabs_) {
    for (std::size_t i = 0; i < kSlab; ++i) {
      const Node& node = slab[i];
      if (node.shape == nullptr || !node.ready() || node.uses == 0 || node.device != device)
        continue;
      if (!node.only_used_by(node.uses)) continue;
      const Storage& storage = *node.value.load(std::memory_order_relaxed)->storage;
      kept[&storage] = storage.bytes();
    }
  }
  std::int64_t bytes = 0;
  for (const auto& [storage, size] : kept) bytes += size;
  return bytes;
}

const std::string* Trace::intern(std::string_view label) {
  // Labels are few and stay: nodes refer to them without counting.
  static auto* const pool = new std::unordered_set<std::string>;
  const std::lock_guard<std::mutex> lock(mutex);
  return &*pool->emplace(label).first;
}

}  // namespace kiln::inline v0::frontend
