// The operand, which is stored into a window of the memory of its one user. Who its user may
// be is a matter of the graph: graph_windows.h.
#pragma once
#include "ir/nodes/rules.h"

namespace kiln::ir {

template <>
struct Rule<NodeKind::put> {
  static void shape(Shapes& s) {
    for (std::size_t i = 0; i < s.rank(0); ++i)
      s.put(s.extent(0, i), "the operand differs in shape");
  }
  static bool check(const NodeCheck& c) {
    c.same_type();
    const Slices& window = c.attribute<Slices>();
    const std::size_t rank = c.node().rank;
    c.at(window.begin.size() == rank && window.step.size() == rank,
         "not one begin and step an axis");
    return c.at(c.operand(0).rank == rank, "the operand differs in shape");
  }
  static void interpret(GraphRun& run) { run.copy_result(0); }
  static void infix(InfixWriter& w, NodeId n, int least) { w.pass(n, least); }
  static AxisUses axes(const Graph& g, NodeId n, int) { return kept_axes(g.nodes[n].rank); }
};

}  // namespace kiln::ir
