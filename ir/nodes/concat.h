// The operands one behind the other along an axis. Of many each says where it begins.
#pragma once
#include "ir/nodes/rules.h"
#include "ir/strided.h"

namespace kiln::ir {

template <>
struct Rule<NodeKind::concat> {
  static void shape(Shapes& s) {
    const std::size_t along = s.number();
    std::vector<Shapes::Extent> parts;
    for (std::size_t i = 0; i < s.rank(0); ++i) {
      if (i == along) {
        for (int k = 0; k < s.operands(); ++k) parts.push_back(s.extent(k, i));
        s.put(s.sum(i, parts, "the extents do not add up"), {});
        continue;
      }
      for (int k = 1; k < s.operands(); ++k)
        s.equal(s.extent(0, i), s.extent(k, i), "an operand differs in another axis");
      s.put(s.extent(0, i), "an operand differs in another axis");
    }
  }
  static bool check(const NodeCheck& c) {
    c.same_type();
    if (!c.at(c.node().imm < c.node().rank, "no such axis")) return false;
    bool same = true;
    for (int i = 0; i < c.node().operand_count; ++i)
      same = same && c.operand(i).rank == c.node().rank;
    if (const auto* begins = std::get_if<Pads>(&c.graph.attributes[c.node().attr])) {
      c.at(begins->low.size() == c.node().operand_count, "not one begin an operand");
      c.at(std::ranges::all_of(begins->low, [&](Sym s) { return c.known(s); }), "an unknown begin");
    }
    return c.at(same, "an operand differs in rank");
  }
  static void interpret(GraphRun& run) {
    const GraphRun::Extents shape = run.extents(), to_strides = dense_strides(shape);
    const std::size_t axis = run.node().imm;
    const auto* begins = std::get_if<Pads>(&run.any_attribute());
    const bool empty = element_count(shape) == 0;  // no memory, so no place in it
    std::byte* out = run.allocate();
    std::int64_t at = 0;
    for (int i = 0; i < run.node().operand_count; ++i) {
      const GraphRun::Extents from = run.operand_extents(i);
      if (at + from[axis] > shape[axis]) run.fail("the extents do not add up");
      if (begins != nullptr && run.value(begins->low[static_cast<std::size_t>(i)]) != at)
        run.fail("an operand does not begin where the one before it ends");
      if (!empty) {
        copy_strided(from, run.bytes(), run.operand(i), dense_strides(from),
                     out + at * to_strides[axis] * run.bytes(), to_strides);
      }
      at += from[axis];
    }
    if (at != shape[axis]) run.fail("the extents do not add up");
  }
  static void infix(InfixWriter& w, NodeId n, int) { w.call(n, "concat"); }
  static AxisUses axes(const Graph& g, NodeId n, int) {
    AxisUses uses = kept_axes(g.nodes[n].rank);
    uses[g.nodes[n].imm].how = AxisUse::How::windowed;
    return uses;
  }
};

}  // namespace kiln::ir
