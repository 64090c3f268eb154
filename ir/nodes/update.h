// The base with other elements in a window.
#pragma once
#include "ir/nodes/rules.h"
#include "ir/strided.h"

namespace kiln::ir {

template <>
struct Rule<NodeKind::update> {
  static void shape(Shapes& s) {
    for (std::size_t i = 0; i < s.rank(0); ++i) {
      s.part(i, s.extent(0, i), s.extent(1, i));
      s.put(s.extent(0, i), "the base differs in shape");
    }
  }
  static bool check(const NodeCheck& c) {
    c.same_type("operands and result differ in type");
    const std::size_t rank = c.shape().size();
    if (!c.at(c.operand(0).rank == rank, "the base differs in shape")) return false;
    const Slices& window = c.attribute<Slices>();
    const std::span<const Sym> part = c.operand_shape(1), whole = c.shape();
    if (!c.at(part.size() == rank && window.begin.size() == rank && window.step.size() == rank,
              "not one begin and step an axis")) {
      return false;
    }
    for (std::size_t i = 0; i < rank; ++i) {
      if (!c.at(c.known(window.begin[i]) && c.known(window.step[i]), "an unknown begin or step"))
        continue;
      c.at(c.sym(window.step[i]).lo > 0, "a step that may not be positive");
      c.at(c.sym(window.begin[i]).hi >= 0, "a negative begin");
      c.at(c.sym(part[i]).lo <= c.sym(whole[i]).hi, "a window longer than its axis");
    }
    return true;
  }
  static void interpret(GraphRun& run) {
    const GraphRun::Extents shape = run.extents(), part = run.operand_extents(1);
    const Slices& slices = run.attribute<Slices>();
    if (std::ranges::any_of(slices.step, [&](Sym s) { return run.value(s) < 1; }))
      run.fail("a step is not positive");
    const Window window = window_in(run, slices, part, shape);
    std::byte* const out = run.overwrite(0);
    if (element_count(part) == 0) return;
    copy_strided(part, run.bytes(), run.operand(1), dense_strides(part),
                 out + window.offset * run.bytes(), window.strides);
  }
  static void infix(InfixWriter& w, NodeId n, int) { w.call(n, "update"); }
  static AxisUses axes(const Graph& g, NodeId n, int operand) {
    AxisUses uses = kept_axes(g.nodes[n].rank);
    const Slices& window = g.attribute<Slices>(n);
    for (std::size_t i = 0; operand == 1 && i < uses.size(); ++i) {
      if (window.begin[i] != kZero || window.step[i] != kOne) uses[i].how = AxisUse::How::windowed;
    }
    return uses;
  }
};

}  // namespace kiln::ir
