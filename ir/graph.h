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
// the rules stated at NodeKind; side tables (lines, labels, origins, values) never enter equality
// or hash.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

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
  buffer,     // an input: attr is an index into Graph::inputs
  constant,   // 0-d literal: imm holds the bits
  scalar,     // 0-d run-time scalar of the user's: imm is its index among the bound scalars
  iota,       // the index along axis imm, of an integer dtype
  map,        // op applied elementwise: operands and result of one shape (the same symbols)
  broadcast,  // operand's axes are the result's last ones; each has the result's symbol or is kOne
  permute,    // result axis i is operand axis axes[i] (Axes)
  reshape,    // same elements in row-major order (Groups tells which axes correspond)
  slice,      // result[i...] = operand[begin + step * i ...] (Slices); every index is in range
  pad,        // operands: x, 0-d fill; result[i] = x[i - low] where in range, else fill (Pads)
  concat,     // operands joined along axis imm; result's extent is the sum. Of many: where each
              // begins (Pads, one an operand), so that no sum of extents is needed to place one
  update,     // operands: base, value; result[begin + step * i ...] = value[i...] (Slices), and the
              // base's elements elsewhere; every index is in range, steps are positive
  put,     // its operand, stored into a window (Slices) of the memory of its one user: the value of
           // an update, or an operand of a concat of many. Made by passes (passes/windows.h)
  reduce,  // op in {add, mul, min, max, and_, or_} over axes (Axes, ascending), which are dropped
  arg_reduce,  // op in {min, max}: index of the first extreme over one axis (Axes of one), int64
  contract,    // matrix product (..., m, k) x (..., k, n) -> (..., m, n); equal batch axes
  loop,        // Loop: a region applied a bound number of times; results are the carried values
  item,        // result imm of a node with several results
};

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

struct Axes {
  std::vector<std::uint8_t> axes;
  bool operator==(const Axes&) const = default;
};
// Consecutive runs of operand axes and of result axes that hold the same elements: run g takes
// `from[g]` operand axes and `to[g]` result axes; products of extents are equal.
struct Groups {
  std::vector<std::uint8_t> from, to;
  bool operator==(const Groups&) const = default;
};
struct Slices {
  std::vector<Sym> begin, step;  // one an axis; a whole axis has kZero, kOne
  bool operator==(const Slices&) const = default;
};
struct Pads {
  // Elements before the operand (>= 0), one an axis; of a concat one an operand.
  std::vector<Sym> low;
  bool operator==(const Pads&) const = default;
};
struct Graph;
// `region` maps its inputs (the carried values first, then the loop's other operands) to its
// outputs (the next carried values). Runs `count` times. Region symbols are the enclosing graph's.
struct Loop {
  Sym count = kZero;
  std::uint32_t region = 0;  // index into Graph::regions
  bool operator==(const Loop&) const = default;
};
using Attribute = std::variant<std::monostate, Axes, Groups, Slices, Pads, Loop>;

// How an input lies in memory, in elements. Dense: row-major without gaps, offset allowed.
struct Input {
  DType dtype = DType::float32;
  bool dense = true;
  bool aligned = true;       // base plus offset is 16-byte aligned
  bool donatable = false;    // the evaluation may overwrite it
  std::vector<Sym> strides;  // not dense: one an axis (kZero, kOne or a symbol)
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
  std::vector<Attribute> attributes{std::monostate{}};
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

// Text, one node a line; parse(print(g)) == g, labels and lines included. Format in ir/README.md.
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
