// A number that the evaluation is given.
#pragma once
#include "ir/nodes/constant.h"
#include "ir/nodes/rules.h"

namespace kiln::ir {

template <>
struct Rule<NodeKind::scalar> {
  static void shape(Shapes&) {}  // has no axes
  static bool check(const NodeCheck& c) {
    const Node& n = c.node();
    if (c.at(n.imm < c.root.scalars.size(), "no such scalar")) {
      c.at(c.root.scalars[n.imm] == n.dtype, "not the scalar's type");
    }
    return c.at(n.rank == 0, "a scalar has no axes");
  }
  static void interpret(GraphRun& run) { Rule<NodeKind::constant>::write_bits(run, run.scalar()); }
  static void infix(InfixWriter& w, NodeId n, int) {
    w.write(w.label(n, "s" + std::to_string(w.node(n).imm)));
  }
  static AxisUses axes(const Graph&, NodeId, int) { return {}; }
};

}  // namespace kiln::ir
