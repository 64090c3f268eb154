// A scalar operation, elementwise.
#pragma once
#include "ir/nodes/rules.h"
#include "ir/scalar_loops.h"
#include "ir/strided.h"

namespace kiln::ir {

template <>
struct Rule<NodeKind::map> {
  static void shape(Shapes& s) {
    for (std::size_t i = 0; i < s.rank(0); ++i) {
      for (int k = 1; k < s.operands(); ++k)
        s.equal(s.extent(0, i), s.extent(k, i), "an operand differs in shape");
      s.put(s.extent(0, i), "an operand differs in shape");
    }
  }
  static bool check(const NodeCheck& c) {
    DType types[kMaxArity] = {};
    const int count = c.node().operand_count;
    bool same = true;
    for (int i = 0; i < count; ++i) {
      types[i] = c.operand(i).dtype;
      same = same && c.operand(i).rank == c.node().rank;
    }
    const std::string_view error =
        type_error(c.node().op, {types, static_cast<std::size_t>(count)}, c.node().dtype);
    c.at(error.empty(), error);
    return c.at(same, "an operand differs in shape");
  }
  static void interpret(GraphRun& run) {
    const Node& n = run.node();
    const void* in[kMaxArity] = {};
    for (int i = 0; i < n.operand_count; ++i) in[i] = run.operand(i);
    const DType type = run.operand_type(n.op == Op::select ? 1 : 0);
    loop_of(n.op, type, n.dtype)(element_count(run.extents()), in, run.allocate());
  }
  static void infix(InfixWriter& w, NodeId n, int least) {
    const Node& node = w.node(n);
    if (!info(node.op).infix.empty()) return w.binary(n, info(node.op).infix, least);
    if (node.op == Op::neg) {
      constexpr int kSign = 9;
      const bool paren = least > kSign;
      return w.write({w.words(paren ? "(-" : "-"),
                      {{}, w.graph().operand(n, 0), kSign},
                      w.words(paren ? ")" : "")});
    }
    w.call(n, operation_name(node));
  }
  static std::string_view operation_name(const Node& node) {
    if (node.op == Op::cast) return name(node.dtype);
    // Apart from the reductions.
    if (node.op == Op::max) return "maximum";
    if (node.op == Op::min) return "minimum";
    return ir::info(node.op).name;
  }
  static AxisUses axes(const Graph& g, NodeId n, int) { return kept_axes(g.nodes[n].rank); }
};

}  // namespace kiln::ir
