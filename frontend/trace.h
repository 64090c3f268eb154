// The trace: what has been recorded and not yet computed, and the values that arrays hold.
//
// A Node is an operation whose value is pending, or a value (leaf, or evaluated). Nodes are counted
// by the Arrays that hold them and by the pending nodes that consume them, live in slots of a free
// list, and are freed by iteration, so that a chain of a million dies on a small stack. Everything
// but the counts and `value` is fixed when a node is made or guarded by Trace::mutex. A node that
// gets a value lets go of its operands.
//
// Equal pending elementwise operations are one node: recording x * 2 twice costs one
// multiplication, and the graph of a program does not depend on where its nodes lie. The trace is
// never destroyed, so an Array may outlive main.
#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "frontend/boxes.h"
#include "frontend/loops.h"
#include "frontend/pending_table.h"
#include "frontend/places.h"
#include "frontend/storage.h"
#include "ir/graph.h"
#include "ir/mutant.h"
#include "kiln/array.h"
#include "kiln/evaluate.h"

namespace kiln::inline v0::frontend {

// What is known about a pending node beside its meaning, as bits of Node::hints: what the user
// asked of fusion about its value; and kRepaired, that NaNs it makes are not yet its function's
// result (Repairing).
enum HintBits : std::uint8_t { kMaterialize = 1, kNoFuse = 2, kMustFuse = 4, kRepaired = 8 };

// The kinds of the graph, of which those that passes make are never recorded, and two more. What
// Node::imm, list() and more() hold: of a literal or scalar imm its bits; else imm and the fields
// of the kind's attribute as ir/nodes.def says.
enum class Kind : std::uint8_t {
#define KILN_NODE(name, operands, results, attribute, carries, role) name,
#include "ir/nodes.def"
#undef KILN_NODE
  count,  // 0-d, the number of elements of operand 0 over list() (minus imm, a double): a run-time
          // scalar
  alias,  // operand 0 under another name
  leaf = buffer,       // has a value from the start
  literal = constant,  // of a composite
};
constexpr ir::Role role(Kind kind) {
  if (kind == Kind::count) return ir::Role::leaf;
  if (kind == Kind::alias) return ir::Role::view;
  return ir::role(static_cast<ir::NodeKind>(kind));
}

// Nodes of such a kind have no value: their items have (Trace::results).
constexpr bool has_several(Kind kind) {
  return kind < Kind::count && ir::result_count(static_cast<ir::NodeKind>(kind)) > 1;
}

inline constexpr std::uint32_t kInlineOperands = 3;

// Two cache lines: recording and freeing many is bound by them.
struct alignas(64) Node {
  std::atomic<std::uint32_t> references{0};  // by Arrays, and one for all uses together
  std::uint32_t uses = 0;                    // by pending nodes; written under the lock
  Kind kind = Kind::leaf;
  ir::Op op = ir::Op::add;
  DType dtype = float32;
  Math math = Math::exact;
  std::uint16_t device = 0;
  bool anywhere = false;    // fits operations of every device: scalars
  bool in_flight = false;   // some thread's evaluation is about to give it a value
  std::uint8_t hints = 0;   // HintBits; written under the lock
  bool late = false;        // among its thread's late ones: see Rounds
  std::uint16_t round = 0;  // of the recording thread's evaluations
  std::uint32_t operand_count = 0;
  ShapeBox* shape = nullptr;
  union {
    std::uint64_t imm = 0;
    const std::string* own_label;  // of aliases and leaves
  };
  union {
    Node* inline_operands[kInlineOperands] = {};
    Node** many_operands;  // of more
  };
  ListBox* lists = nullptr;  // null: empty ones
  std::atomic<Value*> value{nullptr};
  Where where;
  union {
    Where computed{};  // the evaluation that last computed it without storing it; line 0: none
    Node* next;        // in the free list, and while being freed
  };
  std::uint32_t hash = 0;  // by which it is in the table of pending ones; 0: it is not
  // Scratch of the snapshot that visited it last.
  std::uint32_t id = 0;
  std::uint64_t epoch = 0;

  Node* const* operands() const {
    return operand_count <= kInlineOperands ? inline_operands : many_operands;
  }
  std::span<Node* const> inputs() const { return {operands(), operand_count}; }
  std::span<const std::int64_t> list() const {
    if (lists == nullptr) return {};
    return lists->list;
  }
  std::span<const std::int64_t> more() const {
    if (lists == nullptr) return {};
    return lists->more;
  }
  const std::string* label() const {
    return kind == Kind::alias || kind == Kind::leaf ? own_label : nullptr;
  }
  bool ready() const { return value.load(std::memory_order_acquire) != nullptr; }
  // Whether an Array holds it. The lock is held.
  bool held() const { return references.load(std::memory_order_relaxed) > (uses != 0 ? 1u : 0u); }
  // Whether it makes NaNs that are its function's own affair, and this thread traps NaNs: nothing
  // then stores it unasked, for a value does not tell whose affair its NaNs were.
  bool repaired_here() const;
  // Whether nothing refers to it but `edges` uses by pending nodes. The lock is held.
  bool only_used_by(std::uint32_t edges) const {
    return uses == edges && references.load(std::memory_order_acquire) == (edges != 0 ? 1 : 0);
  }
};
static_assert(sizeof(Node) == 128);

// A thread's evaluations divide what it records into rounds. A pending value that an operation of a
// later round consumes is late: what is never read in a loop, as the solution of an iteration whose
// residual is, would keep its whole history. It is computed with the evaluation of the round after.
struct Rounds {
  static constexpr std::size_t kMost = 1 << 16;
  struct Late {
    Node* node;
    std::uint16_t round;  // of the operation that consumes it
  };
  std::uint16_t now = 0;
  std::deque<Late> late;  // written under the trace's lock
};

// What a new node is made of.
struct Recipe {
  Kind kind = Kind::map;
  ir::Op op = ir::Op::add;
  DType dtype = float32;
  std::uint16_t device = 0;
  Math math = Math::exact;
  bool anywhere = false;
  std::uint64_t imm = 0;
  std::span<Node* const> operands;
  ShapeBox* shape = nullptr;  // an operand's, or
  std::span<const std::int64_t> new_shape;
  const Lists* lists = nullptr;  // null: empty ones
  Where where;
  const std::string* label = nullptr;
  bool repaired = false;     // kRepaired; an equal operation that is not takes it from the node
  Rounds* rounds = nullptr;  // null: the node belongs to none, as scalars do
};

class Trace {
 public:
  // A node holding one reference for the caller. May find an equal pending one.
  Node* record(const Recipe& recipe);
  // A node that has a value.
  Node* leaf(DType dtype, std::span<const std::int64_t> shape, std::uint16_t device,
             std::unique_ptr<Value> value, Where where, const std::string* label = nullptr);
  static void retain(Node* node) { node->references.fetch_add(1, std::memory_order_relaxed); }
  void release(Node* node) noexcept {
    if (node->references.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy(node);
  }
  // Gives a pending node its value and drops its operands. The lock is held; the values that die
  // are returned and must be deleted (delete_values) after it was given back.
  Value* settle(Node* node, Value* value);
  // Nodes of some device that Arrays hold and that are pending, each with a reference; none that is
  // repaired_here. The lock is held.
  std::vector<Node*> held();
  // A pending node with a reference, null if its last one is going. The lock is held.
  static Node* retain_pending(Node* node);
  // Items of a node that has several results, those that are pending. The lock is held.
  std::span<Node* const> results(const Node* node) const;
  // Bytes on a device that would be free if nothing were pending: of values that no Array holds.
  // Looks at every node.
  std::int64_t kept_by_pending(std::uint16_t device);
  // Somebody uses a value. The lock is held.
  void note_read(Value& value) {
    if (value.guess != 0) places.read(std::exchange(value.guess, 0));
  }
  const std::string* intern(std::string_view label);
  // In a forked child: the threads that were evaluating are not there.
  void forget_flights();

  std::mutex mutex;
  std::uint64_t epoch = 0;               // of the latest snapshot
  std::atomic<std::int64_t> pending{0};  // operations without a value; written under the lock
  // Bytes of the values that pending nodes consume, whoever else holds them: kept_by_pending is
  // less.
  std::atomic<std::int64_t> pinned{0};
  std::atomic<std::uint32_t> limits{0};  // how often a device's memory limit was set
  Places places;                         // guarded by mutex

 private:
  void make_slot();  // where there is none
  Node* slot() noexcept;
  ListBox* take_lists(const Lists& lists, ShapeBox* taken);
  Node* find(const Recipe& recipe, std::uint32_t hash);
  void forget(Node* node);  // takes it out of the table
  void forget_result(Node* item) noexcept;
  Node* let_go(Node* node, Node* dying) noexcept;
  Value* drop(Node* first) noexcept;
  void count(const Node& node, int change);
  void begin_use(Node* operand);
  static void note_late(Node* operand, Rounds* rounds);
  bool end_use(Node* operand) noexcept;  // whether it was the last
  void destroy(Node* node) noexcept;

  std::vector<std::unique_ptr<Node[]>> slabs_;
  Node* free_ = nullptr;
  PendingTable table_;
  std::unordered_map<const Node*, std::vector<Node*>> results_;  // see results()
  Boxes<ShapeBox> shapes_;
  Boxes<ListBox> lists_;
};

Trace& trace();

// Options of the current thread, and the outermost line scope.
struct Context {
  std::int32_t device = -1;  // -1: the default
  Math math = Math::exact;
  Transfers transfers = Transfers::allow;
  Mode mode;
  Nan nan = Nan::allow;
  bool repairing = false;  // see Repairing
  bool fusion;
  std::int64_t flush_after;
  std::int64_t flush_bytes;     // -1: a quarter of the device's memory limit
  std::int64_t flush_look = 0;  // bytes pinned at which it is next worth a closer look
  std::int64_t flush_wait = 0;  // operations pending at which it is
  std::uint32_t limits = 0;     // Trace::limits by which that was found
  std::uint32_t line_scopes = 0;
  Where line;
  Rounds rounds;
  Loops loops;
  Where piecewise;               // the last evaluation that was not worth its compile as a whole,
  int piecewise_left = 0;        // and how many there are divided at once
  std::int64_t plans_built = 0;  // for evaluations of this thread
  double compile_budget;         // seconds; below 0: what suits the device
  bool evaluating = false;       // recording by the library itself: no flush, no eager evaluation
  Context();                     // what the environment says
};
Context& context();

inline bool Node::repaired_here() const {
  return (hints & kRepaired) != 0 && context().nan == Nan::trap &&
         !mutant(ir::Mutant::stored_repair);
}

// The line to report an operation of: the outermost scope's, else the call's.
inline Where line_of(Where call) {
  const Context& c = context();
  return c.line_scopes != 0 ? c.line : call;
}

// Open while a function records operations whose NaNs it replaces afterwards (repairing in
// record.h): they are marked with kRepaired, and wait for the last where each would be evaluated at
// once.
class Repairing {
 public:
  Repairing() : before_(std::exchange(context().repairing, true)) {}
  ~Repairing() { context().repairing = before_; }
  Repairing(const Repairing&) = delete;
  Repairing& operator=(const Repairing&) = delete;

 private:
  bool before_;
};

// Opened by functions that call others.
class Composite {
 public:
  explicit Composite(Where where) {
    Context& c = context();
    if (c.line_scopes++ == 0) c.line = where;
  }
  ~Composite() { --context().line_scopes; }
  Composite(const Composite&) = delete;
  Composite& operator=(const Composite&) = delete;
};

}  // namespace kiln::inline v0::frontend
