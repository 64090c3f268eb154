// A product of matrices, one for each index of the batch axes in front.
#pragma once
#include "ir/array_ops.h"
#include "ir/nodes/rules.h"
#include "ir/strided.h"

namespace kiln::ir {

template <>
struct Rule<NodeKind::contract> {
  static void shape(Shapes& s) {
    const std::size_t batch = s.rank(0) - 2;
    for (std::size_t i = 0; i < batch; ++i) {
      s.equal(s.extent(0, i), s.extent(1, i), "the batch axes differ");
      s.put(s.extent(0, i), "the batch axes differ");
    }
    s.equal(s.extent(0, batch + 1), s.extent(1, batch), "the inner extents differ");
    s.put(s.extent(0, batch), "the outer extents differ");
    s.put(s.extent(1, batch + 1), "the outer extents differ");
  }
  static bool check(const NodeCheck& c) {
    const std::size_t rank = c.node().rank;
    c.same_type("operands and result differ in type");
    c.at(!is_bool(c.node().dtype), "operands must be numbers");
    return c.at(rank >= 2 && c.operand(0).rank == rank && c.operand(1).rank == rank,
                "operands and result differ in rank");
  }
  static void interpret(GraphRun& run) {
    const GraphRun::Extents shape = run.extents(), a = run.operand_extents(0);
    const std::size_t rank = shape.size();
    matrix_product(run.node().dtype, element_count(std::span(shape).first(rank - 2)),
                   shape[rank - 2], shape[rank - 1], a[rank - 1], run.operand(0), run.operand(1),
                   run.allocate());
  }
  static void infix(InfixWriter& w, NodeId n, int least) { w.binary(n, "@", least); }
  static AxisUses axes(const Graph& g, NodeId n, int operand) {
    AxisUses uses = kept_axes(g.nodes[n].rank);
    uses[uses.size() - (operand == 0 ? 1 : 2)] = {AxisUse::How::folded, 0};
    return uses;
  }
};

}  // namespace kiln::ir
