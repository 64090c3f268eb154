// The array-level IR: a value type, a topologically ordered list of plain nodes.
//
// A graph holds no sizes. Every run-time integer (extent, slice begin, stride, ...) is a *symbol*
// with an interval and a divisibility, its class; values are bound at evaluation (Bindings). Two
// axes have the same symbol where the program itself forces their extents to be equal. So the
// graph, compared whole, is the key of the plan cache: structure and class are all it contains, and
// a plan made from it is right for every binding within its intervals.
//
// Symbols 0 and 1 always exist and are the constants 0 and 1 (kZero, kOne): an extent of 1 is kOne,
// and only such an axis broadcasts.
//
// Invariants (verify): an operand's id is less than its node's; shapes, dtypes and attributes obey
// the rules of their kinds (ir/nodes.def, ir/nodes/); side tables (lines, labels, origins, values)
// never enter equality or hash.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ir/attributes.h"
#include "ir/op.h"
#include "ir/size_expr.h"

namespace kiln::ir {

using NodeId = std::uint32_t;
inline constexpr Sym kZero = 0;
inline constexpr Sym kOne = 1;
inline constexpr int kMaxRank = 32;

// The class of a run-time integer. Extents have power-of-two buckets [2^k, 2^(k+1)); offsets,
// begins and strides are usually [INT64_MIN, INT64_MAX]. lo == hi is a constant.
struct SymInfo {
  std::int64_t lo = 0;
  std::int64_t hi = 0;
  std::int64_t multiple = 1;  // the value is known to be divisible by this
  bool operator==(const SymInfo&) const = default;
};

enum class NodeKind : std::uint8_t {
#define KILN_NODE(name, operands, results, attribute, carries, role) name,
#include "ir/nodes.def"
#undef KILN_NODE
};

// What a kind is to those who need not know it: passes switch over roles.
enum class Role : std::uint8_t {
  leaf,    // has no operands
  map,     // an element of the result is made of the same element of each operand
  view,    // an element of the result is an element of the operand
  join,    // an element of the result is an element of one of the operands
  put,     // its operand, stored into a window of another node's memory
  fold,    // an element of the result is made of many of the operand's, in a defined order
  call,    // computed as a whole from operands that are in memory
  region,  // applies a graph within the graph
  item,    // one of the results of its operand
};
constexpr Role role(NodeKind kind) {
  constexpr Role kRoles[] = {
#define KILN_NODE(name, operands, results, attribute, carries, role) Role::role,
#include "ir/nodes.def"
#undef KILN_NODE
  };
  return kRoles[static_cast<int>(kind)];
}

inline constexpr int kAnyCount = -1;  // in nodes.def: as many as the kind's check says
// How many results nodes of the kind have.
constexpr int result_count(NodeKind kind) {
  constexpr int kCounts[] = {
#define KILN_NODE(name, operands, results, attribute, carries, role) results,
#include "ir/nodes.def"
#undef KILN_NODE
  };
  return kCounts[static_cast<int>(kind)];
}

struct Node {
  NodeKind kind = NodeKind::constant;
  Op op = Op::add;
  DType dtype = DType::float32;
  std::uint8_t rank = 0;
  std::uint32_t shape = 0;     // first of `rank` symbols in Graph::dims
  std::uint32_t operands = 0;  // first of operand_count ids in Graph::operand_ids
  std::uint16_t operand_count = 0;
  std::uint16_t results = 1;
  std::uint32_t attr = 0;  // index into inputs (buffer) or attributes (0: none)
  std::uint64_t imm = 0;
  bool operator==(const Node&) const = default;
};
static_assert(sizeof(Node) <= 64);

// How an input lies in memory, in elements. Dense: row-major without gaps, offset allowed.
struct Input {
  DType dtype = DType::float32;
  bool dense = true;
  bool aligned = true;       // base plus offset is 16-byte aligned
  bool donatable = false;    // the evaluation may overwrite it
  std::vector<Sym> strides;  // not dense: one an axis (kZero, kOne or a symbol)
  // Not dense: strides descend, none less than the length of all that lies behind its axis.
  bool ordered = false;
  bool operator==(const Input&) const = default;
};

// What the user asked of fusion about a node's value. Part of a graph's structure; meaning is the
// same without.
enum class HintKind : std::uint8_t {
  no_fuse,    // no kernel both makes it and uses it
  must_fuse,  // every kernel that uses it makes it
};
struct Hint {
  NodeId node = 0;
  HintKind kind = HintKind::no_fuse;
  auto operator<=>(const Hint&) const = default;
};

struct Graph {
  std::vector<Node> nodes;
  std::vector<NodeId> operand_ids;
  std::vector<Sym> dims;
  std::vector<SymInfo> syms{{0, 0, 1}, {1, 1, 1}};
  std::vector<Input> inputs;
  std::vector<Attribute> attributes{None{}};
  std::vector<DType> scalars;  // of the bound run-time scalars
  std::vector<NodeId> outputs;
  std::vector<Graph> regions;
  std::vector<Hint> hints;  // ascending, each once
  bool wide = false;        // indices need 64 bits on every target (ir/narrow.h)
  // Side tables, indexed by node (empty: none known); not part of equality or hash.
  std::vector<std::string> lines;   // the user's line: "heat.cpp:41"
  std::vector<std::string> labels;  // the user's name for it
  // Of a graph that passes made: the node of the graph they were given that each stands for. Not
  // printed.
  std::vector<NodeId> origins;
  // By symbol, not by node: what it is bound to where the text of one request is wanted. Not
  // printed.
  std::vector<std::int64_t> values;

  bool operator==(const Graph& other) const;  // side tables aside

  std::span<const Sym> shape(NodeId n) const {
    return {dims.data() + nodes[n].shape, nodes[n].rank};
  }
  std::span<const NodeId> operands(NodeId n) const {
    return {operand_ids.data() + nodes[n].operands, nodes[n].operand_count};
  }
  NodeId operand(NodeId n, int i) const { return operand_ids[nodes[n].operands + i]; }
  template <class A>
  const A& attribute(NodeId n) const {
    return std::get<A>(attributes[nodes[n].attr]);
  }
  const SymInfo& sym(Sym s) const { return syms[s]; }
  bool constant_sym(Sym s) const { return syms[s].lo == syms[s].hi; }
  SizeExpr size(NodeId n) const { return SizeExpr::product(1, shape(n)); }

  // Construction. Shapes are copied into dims; node ids come back ascending.
  Sym add_sym(SymInfo info);  // constants 0 and 1 give kZero and kOne
  NodeId add(Node node, std::span<const Sym> shape, std::span<const NodeId> operands,
             Attribute attribute = {});
  NodeId map(Op op, DType result, std::span<const NodeId> operands);
  NodeId constant(DType dtype, std::uint64_t bits);
};

std::size_t hash(const Graph& graph);  // over what equality sees

// Of a result of a node.
DType result_type(const Graph& graph, NodeId n, std::size_t result);

// Text, one node a line; parse(print(g)) == g, labels and lines included. The format is in
// ir/FORMAT.md.
std::string print(const Graph& graph);
Graph parse_graph(std::string_view text);  // throws InternalError with the line
std::string verify(const Graph& graph);    // findings, one a line; empty if well-formed
std::string graphviz(const Graph& graph);  // dot text
// The expression of a node over named inputs, infix, cut with ... at `limit` characters.
std::string infix(const Graph& graph, NodeId node, std::size_t limit = 200);

// A line of the user's program, as an evaluation carries it by node. The name is never freed.
struct SourceLine {
  const char* file = nullptr;
  int line = 0;
  bool operator==(const SourceLine&) const = default;
};
std::string to_text(SourceLine line);  // "heat.cpp:41"

// Values for one evaluation.
struct Bindings {
  std::vector<std::int64_t> syms;      // values of Graph::syms
  std::vector<std::uint64_t> scalars;  // bits, of Graph::scalars
};
struct ArrayView {  // an input's memory: element (0, 0, ...) at data; strides from the graph
  const void* data = nullptr;
};
// The definition of a graph's meaning: each output as dense row-major bytes.
std::vector<std::vector<std::byte>> interpret(const Graph& graph, const Bindings& bindings,
                                              std::span<const ArrayView> inputs);
// The value of an extent or other symbol list under bindings.
std::vector<std::int64_t> values(std::span<const Sym> syms, const Bindings& bindings);

// The canonical order of float sums and products (NUMERICS.md): element i of a chunk goes to lane
// i mod kReduceLanes; lanes add in rising order; lanes, then chunks, are combined by the tree of
// adjacent pairs.
inline constexpr std::int64_t kReduceLanes = 128;
inline constexpr std::int64_t kReduceChunk = 1024;

}  // namespace kiln::ir
