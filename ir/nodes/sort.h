// Elements in order along an axis, and where each was. Defined by (element, place), so that every
// algorithm gives the same.
#pragma once
#include "ir/array_ops.h"
#include "ir/nodes/reduce.h"
#include "ir/nodes/rules.h"
#include "ir/strided.h"

namespace kiln::ir {

inline std::string_view order_name(const Node& sort) {
  return sort.op == Op::min ? "sort" : "sort_falling";
}

template <>
struct Rule<NodeKind::sort> {
  static void shape(Shapes& s) {
    for (std::size_t i = 0; i < s.rank(0); ++i)
      s.put(s.extent(0, i), "operand and result differ in shape");
  }
  static bool check(const NodeCheck& c) {
    c.same_type();
    c.at(c.node().op == Op::min || c.node().op == Op::max, "not an operation that orders");
    c.at(c.attribute<Axes>().axes.size() == 1, "not one axis");
    return Rule<NodeKind::reduce>::ascending(c);
  }
  static DType type(const Graph& g, NodeId n, std::size_t result) {
    return result == 0 ? g.nodes[n].dtype : DType::int64;
  }
  static void interpret(GraphRun& run) {
    const GraphRun::Extents shape = run.extents();
    const std::size_t axis = run.attribute<Axes>().axes[0];
    const std::int64_t outer = element_count(std::span(shape).first(axis));
    const std::int64_t inner = element_count(std::span(shape).subspan(axis + 1));
    std::byte* const values = run.allocate(0, run.node().dtype);
    std::byte* const places = run.allocate(1, DType::int64);
    sort_along(run.node().op, run.node().dtype, outer, shape[axis], inner, run.operand(0), values,
               reinterpret_cast<std::int64_t*>(places));
  }
  static void infix(InfixWriter& w, NodeId n, int) {
    Rule<NodeKind::reduce>::write_call(w, n, order_name(w.node(n)));
  }
  static AxisUses axes(const Graph& g, NodeId n, int) {
    AxisUses uses = kept_axes(g.nodes[n].rank);
    uses[g.attribute<Axes>(n).axes[0]] = {AxisUse::How::folded, 0};
    return uses;
  }
};

}  // namespace kiln::ir
