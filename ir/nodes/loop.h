// A region applied a number of times. The results are the carried values, in the order of the
// operands that they begin as; their shapes and types do not change.
#pragma once
#include "ir/nodes/rules.h"

namespace kiln::ir {

template <>
struct Rule<NodeKind::loop> {
  static void shape(Shapes& s) {
    const int carried = static_cast<int>(s.result());
    for (std::size_t i = 0; i < s.rank(carried); ++i)
      s.put(s.extent(carried, i), "its type is not that of its first result");
  }
  static bool check(const NodeCheck& c) {
    const Loop& loop = c.attribute<Loop>();
    const Node& n = c.node();
    const auto number = static_cast<std::uint32_t>(loop.region);
    if (c.at(c.known(loop.count), "the count is unknown"))
      c.at(c.sym(loop.count).lo >= 0, "the count may be negative");
    if (!c.at(number < c.graph.regions.size(), "no such region")) return false;
    const Graph& region = c.graph.regions[number];
    if (!c.at(n.results >= 1 && n.results <= n.operand_count,
              "fewer operands than carried values") ||
        !c.at(region.inputs.size() == n.operand_count,
              "the region's inputs are not its operands") ||
        !c.at(region.outputs.size() == n.results, "the region's outputs are not its results")) {
      return false;
    }
    c.at(c.operand(0).dtype == n.dtype, "its type is not that of its first result");
    check_region(c, region);
    return true;
  }
  // Of a region that need not be well-formed: what is wrong within is found when it is verified.
  static void check_region(const NodeCheck& c, const Graph& region) {
    const auto readable = [&](NodeId r) {
      return r < region.nodes.size() &&
             region.nodes[r].shape + std::size_t{region.nodes[r].rank} <= region.dims.size();
    };
    for (int i = 0; i < c.node().operand_count; ++i) {
      c.at(region.inputs[static_cast<std::size_t>(i)].dtype == c.operand(i).dtype,
           "an input of the region differs in type");
    }
    for (NodeId r = 0; r < region.nodes.size(); ++r) {
      const Node& inner = region.nodes[r];
      if (inner.kind != NodeKind::buffer || inner.attr >= c.node().operand_count) continue;
      c.at(readable(r) &&
               std::ranges::equal(region.shape(r), c.operand_shape(static_cast<int>(inner.attr))),
           "an input of the region differs in shape");
    }
    for (int i = 0; i < c.node().results; ++i) {
      const NodeId out = region.outputs[static_cast<std::size_t>(i)];
      if (!readable(out)) continue;
      c.at(region.nodes[out].dtype == c.operand(i).dtype &&
               std::ranges::equal(region.shape(out), c.operand_shape(i)),
           "a carried value changes its type or shape");
    }
  }
  static void interpret(GraphRun& run) {
    const Loop& loop = run.attribute<Loop>();
    run.repeat(run.region(loop.region), run.value(loop.count));
  }
  static void infix(InfixWriter& w, NodeId n, int) { w.call(n, "loop"); }
  static DType type(const Graph& g, NodeId n, std::size_t result) {
    return g.nodes[g.operand(n, static_cast<int>(result))].dtype;
  }
  static AxisUses axes(const Graph& g, NodeId n, int operand) {
    return AxisUses(g.nodes[g.operand(n, operand)].rank, {AxisUse::How::folded, 0});
  }
};

}  // namespace kiln::ir
