// The operand, repeated along axes in front of its own and along those of its own
// that are 1.
#pragma once
#include "ir/nodes/rules.h"
#include "ir/strided.h"

namespace kiln::ir {

template <>
struct Rule<NodeKind::broadcast> {
  static void shape(Shapes& s) {
    constexpr std::string_view kNeither = "an axis is neither 1 nor the result's";
    const std::size_t fresh = s.result_rank() - s.rank(0);
    for (std::size_t i = 0; i < s.result_rank(); ++i) {
      const bool own = i >= fresh && !s.is_one(s.extent(0, i - fresh));
      s.put(own ? s.extent(0, i - fresh) : s.free(i), kNeither);
    }
  }
  static bool check(const NodeCheck& c) {
    c.same_type();
    return c.at(c.operand(0).rank <= c.node().rank, "the operand has more axes");
  }
  static void interpret(GraphRun& run) {
    const GraphRun::Extents shape = run.extents(), from = run.operand_extents(0);
    const GraphRun::Extents from_strides = dense_strides(from);
    GraphRun::Extents strides(shape.size(), 0);
    const std::size_t first = shape.size() - from.size();
    for (std::size_t i = 0; i < from.size(); ++i)
      strides[first + i] = run.operand_shape(0)[i] == kOne ? 0 : from_strides[i];
    copy_strided(shape, run.bytes(), run.operand(0), strides, run.allocate(), dense_strides(shape));
  }
  static void infix(InfixWriter& w, NodeId n, int least) {
    if (!w.repeats_number(n)) return w.pass(n, least);
    if (w.labelled(n)) return w.write(w.label(n, {}));
    w.call(n, "full");
  }
  static AxisUses axes(const Graph& g, NodeId n, int) {
    const std::span<const Sym> from = g.shape(g.operand(n, 0));
    const std::size_t first = g.nodes[n].rank - from.size();
    AxisUses uses = kept_axes(from.size(), first);
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (from[i] != g.shape(n)[first + i]) uses[i].how = AxisUse::How::spread;
    }
    return uses;
  }
};

}  // namespace kiln::ir
