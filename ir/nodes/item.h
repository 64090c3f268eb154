// One of the results of a node that has several.
#pragma once
#include "ir/nodes/rules.h"

namespace kiln::ir {

template <>
struct Rule<NodeKind::item> {
  static void shape(Shapes& s) {
    for (std::size_t i = 0; i < s.rank(0); ++i)
      s.put(s.extent(0, i), "not the type of that result");
  }
  static bool check(const NodeCheck& c) {
    const Node& from = c.operand(0);
    if (!c.at(role(from.kind) == Role::region && c.node().imm < from.results, "no such result"))
      return false;
    const NodeId carried = c.graph.operand(c.graph.operand(c.n, 0), static_cast<int>(c.node().imm));
    return c.at(c.graph.nodes[carried].dtype == c.node().dtype &&
                    c.graph.nodes[carried].rank == c.node().rank,
                "not the type of that result");
  }
  static void interpret(GraphRun& run) { run.copy_result(run.node().imm); }
  static void infix(InfixWriter& w, NodeId n, int) {
    w.call(n, "item", ", " + std::to_string(w.node(n).imm));
  }
  static AxisUses axes(const Graph& g, NodeId n, int operand) {
    return AxisUses(g.nodes[g.operand(n, operand)].rank, {AxisUse::How::folded, 0});
  }
};

}  // namespace kiln::ir
