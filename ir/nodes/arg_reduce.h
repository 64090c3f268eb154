// Where the first extreme along an axis is.
#pragma once
#include "ir/array_ops.h"
#include "ir/nodes/reduce.h"
#include "ir/nodes/rules.h"
#include "ir/strided.h"

namespace kiln::ir {

template <>
struct Rule<NodeKind::arg_reduce> {
  static void shape(Shapes& s) { Rule<NodeKind::reduce>::shape(s); }
  static bool check(const NodeCheck& c) {
    c.at(c.node().op == Op::min || c.node().op == Op::max,
         "not an operation that finds an extreme");
    c.at(c.node().dtype == DType::int64, "an index is int64");
    c.at(c.attribute<Axes>().axes.size() == 1, "not one axis");
    return Rule<NodeKind::reduce>::ascending(c);
  }
  static void interpret(GraphRun& run) {
    const GraphRun::Extents from = run.operand_extents(0);
    const std::size_t axis = run.attribute<Axes>().axes[0];
    const std::int64_t outer = element_count(std::span(from).first(axis));
    const std::int64_t inner = element_count(std::span(from).subspan(axis + 1));
    arg_extreme(run.node().op, run.operand_type(0), outer, from[axis], inner, run.operand(0),
                reinterpret_cast<std::int64_t*>(run.allocate()));
  }
  static void infix(InfixWriter& w, NodeId n, int) {
    Rule<NodeKind::reduce>::write_call(w, n, w.node(n).op == Op::min ? "argmin" : "argmax");
  }
  static AxisUses axes(const Graph& g, NodeId n, int i) {
    return Rule<NodeKind::reduce>::axes(g, n, i);
  }
};

}  // namespace kiln::ir
