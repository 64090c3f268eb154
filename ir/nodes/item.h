// One of the results of a node that has several.
#pragma once
#include "ir/nodes/reduce.h"
#include "ir/nodes/rules.h"
#include "ir/nodes/sort.h"

namespace kiln::ir {

template <>
struct Rule<NodeKind::item> {
  static void shape(Shapes& s) {
    for (std::size_t i = 0; i < s.rank(0); ++i)
      s.put(s.extent(0, i), "not the type of that result");
  }
  static bool check(const NodeCheck& c) {
    const NodeId of = c.graph.operand(c.n, 0);
    const Node& from = c.operand(0);
    const auto type = rule(from.kind).type;
    if (!c.at(type != nullptr && c.node().imm < from.results, "no such result")) return false;
    return c.at(type(c.graph, of, c.node().imm) == c.node().dtype, "not the type of that result");
  }
  static void interpret(GraphRun& run) { run.copy_result(run.node().imm); }
  static void infix(InfixWriter& w, NodeId n, int least) {
    const NodeId of = w.graph().operand(n, 0);
    const bool first = w.node(n).imm == 0;
    if (w.node(of).kind == NodeKind::sort && first) return w.pass(n, least);
    if (w.node(of).kind == NodeKind::sort)
      return Rule<NodeKind::reduce>::write_call(w, of, "arg" + std::string(order_name(w.node(of))));
    w.call(n, "item", ", " + std::to_string(w.node(n).imm));
  }
  static AxisUses axes(const Graph& g, NodeId n, int operand) {
    return AxisUses(g.nodes[g.operand(n, operand)].rank, {AxisUse::How::folded, 0});
  }
};

}  // namespace kiln::ir
