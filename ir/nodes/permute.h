// The operand with its axes in another order.
#pragma once
#include <fmt/format.h>
#include <numeric>
#include "ir/nodes/rules.h"
#include "ir/strided.h"

namespace kiln::ir {

template <>
struct Rule<NodeKind::permute> {
  static void shape(Shapes& s) {
    for (const std::uint8_t axis : s.axes()) s.put(s.extent(0, axis), "an axis differs in extent");
  }
  static bool check(const NodeCheck& c) {
    c.same_type();
    AxisList sorted = c.attribute<Axes>().axes;
    std::ranges::sort(sorted);
    AxisList all(c.operand(0).rank);
    std::iota(all.begin(), all.end(), std::uint8_t{0});
    return c.at(sorted == all && all.size() == c.node().rank, "the axes are not a permutation");
  }
  static void interpret(GraphRun& run) {
    const GraphRun::Extents shape = run.extents(), from = dense_strides(run.operand_extents(0));
    GraphRun::Extents strides;
    for (const std::uint8_t axis : run.attribute<Axes>().axes) strides.push_back(from[axis]);
    copy_strided(shape, run.bytes(), run.operand(0), strides, run.allocate(), dense_strides(shape));
  }
  static void infix(InfixWriter& w, NodeId n, int) {
    // An input that lies permuted in memory goes by the array's name.
    if (w.operand_of(n).kind == NodeKind::buffer && w.labelled(n)) return w.write(w.label(n, {}));
    if (w.node(n).rank == 2)
      return w.write({{{}, w.graph().operand(n, 0), InfixWriter::kPostfix}, w.words(".T")});
    w.call_along(n, "permute", w.graph().attribute<Axes>(n).axes);
  }
  static AxisUses axes(const Graph& g, NodeId n, int) {
    const AxisList& order = g.attribute<Axes>(n).axes;
    AxisUses uses(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) uses[order[i]].at = static_cast<std::uint8_t>(i);
    return uses;
  }
};

}  // namespace kiln::ir
