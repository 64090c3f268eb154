// The operand amid elements of one value.
#pragma once
#include "ir/nodes/rules.h"
#include "ir/strided.h"

namespace kiln::ir {

template <>
struct Rule<NodeKind::pad> {
  static void shape(Shapes& s) {
    for (std::size_t i = 0; i < s.rank(0); ++i) s.put(s.window(i, s.extent(0, i)), {});
  }
  static bool check(const NodeCheck& c) {
    c.same_type();
    const Pads& pads = c.attribute<Pads>();
    c.at(c.operand(1).rank == 0, "the fill has axes");
    if (!c.same_rank(pads.low.size(), "not one width an axis")) return false;
    for (const Sym s : pads.low) {
      if (c.at(c.known(s), "an unknown width")) c.at(c.sym(s).hi >= 0, "a negative width");
    }
    return true;
  }
  static void interpret(GraphRun& run) {
    const GraphRun::Extents shape = run.extents(), from = run.operand_extents(0);
    const GraphRun::Extents to_strides = dense_strides(shape);
    const GraphRun::Extents low = run.values(run.attribute<Pads>().low);
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (low[i] < 0 || low[i] + from[i] > shape[i]) run.fail("the operand does not fit");
      offset += low[i] * to_strides[i];
    }
    std::byte* out = run.allocate();
    if (element_count(shape) == 0) return;
    copy_strided(shape, run.bytes(), run.operand(1), GraphRun::Extents(shape.size(), 0), out,
                 to_strides);
    copy_strided(from, run.bytes(), run.operand(0), dense_strides(from), out + offset * run.bytes(),
                 to_strides);
  }
  static void infix(InfixWriter& w, NodeId n, int) { w.call(n, "pad"); }
  static AxisUses axes(const Graph& g, NodeId n, int operand) {
    AxisUses uses = kept_axes(g.nodes[g.operand(n, operand)].rank);  // the fill has no axes
    for (std::size_t i = 0; i < uses.size(); ++i) {
      if (g.attribute<Pads>(n).low[i] != kZero) uses[i].how = AxisUse::How::windowed;
    }
    return uses;
  }
};

}  // namespace kiln::ir
