// Running sums and their kin along an axis, each element's own among them, in the order of
// NUMERICS.md.
#pragma once
#include "ir/array_ops.h"
#include "ir/nodes/reduce.h"
#include "ir/nodes/rules.h"
#include "ir/strided.h"

namespace kiln::ir {

template <>
struct Rule<NodeKind::scan> {
  static void shape(Shapes& s) {
    for (std::size_t i = 0; i < s.rank(0); ++i)
      s.put(s.extent(0, i), "operand and result differ in shape");
  }
  static bool check(const NodeCheck& c) {
    constexpr Op kAllowed[] = {Op::add, Op::mul, Op::min, Op::max};
    const DType t = c.node().dtype;
    c.same_type();
    c.at(std::ranges::find(kAllowed, c.node().op) != std::end(kAllowed),
         "not an operation that scans");
    c.at(!is_bool(t) && !is_half(t), "16-bit floats and bool are scanned in another type");
    c.at(c.attribute<Axes>().axes.size() == 1, "not one axis");
    return Rule<NodeKind::reduce>::ascending(c);
  }
  static void interpret(GraphRun& run) {
    const GraphRun::Extents shape = run.extents();
    const std::size_t axis = run.attribute<Axes>().axes[0];
    const std::int64_t outer = element_count(std::span(shape).first(axis));
    const std::int64_t inner = element_count(std::span(shape).subspan(axis + 1));
    scan_along(run.node().op, run.node().dtype, outer, shape[axis], inner, run.operand(0),
               run.allocate());
  }
  static void infix(InfixWriter& w, NodeId n, int) {
    const Op op = w.node(n).op;
    Rule<NodeKind::reduce>::write_call(w, n,
                                       op == Op::add   ? "cumulative_sum"
                                       : op == Op::mul ? "cumulative_prod"
                                       : op == Op::min ? "cummin"
                                                       : "cummax");
  }
  static AxisUses axes(const Graph& g, NodeId n, int) {
    AxisUses uses = kept_axes(g.nodes[n].rank);
    uses[g.attribute<Axes>(n).axes[0]] = {AxisUse::How::folded, 0};
    return uses;
  }
};

}  // namespace kiln::ir
