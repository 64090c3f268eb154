// A window on the operand, with a step: of negative ones elements come in reverse order.
#pragma once
#include <fmt/format.h>
#include "ir/nodes/rules.h"
#include "ir/strided.h"

namespace kiln::ir {

template <>
struct Rule<NodeKind::slice> {
  static void shape(Shapes& s) {
    for (std::size_t i = 0; i < s.rank(0); ++i) s.put(s.window(i, s.extent(0, i)), {});
  }
  static bool check(const NodeCheck& c) {
    c.same_type();
    const Slices& slices = c.attribute<Slices>();
    constexpr std::string_view kOneAnAxis = "not one begin and step an axis";
    if (!c.same_rank(slices.begin.size(), kOneAnAxis) ||
        !c.same_rank(slices.step.size(), kOneAnAxis)) {
      return false;
    }
    for (std::size_t i = 0; i < slices.begin.size(); ++i) {
      if (!c.at(c.known(slices.begin[i]) && c.known(slices.step[i]), "an unknown begin or step"))
        continue;
      const bool whole = slices.begin[i] == kZero && slices.step[i] == kOne;
      c.at(!whole || c.sym(c.shape()[i]).lo <= c.sym(c.operand_shape(0)[i]).hi,
           "a slice longer than its axis");
    }
    return true;
  }
  static void interpret(GraphRun& run) {
    const GraphRun::Extents shape = run.extents(), from = run.operand_extents(0);
    const Window window = window_in(run, run.attribute<Slices>(), shape, from);
    copy_strided(shape, run.bytes(), run.operand(0) + window.offset * run.bytes(), window.strides,
                 run.allocate(), dense_strides(shape));
  }
  static void infix(InfixWriter& w, NodeId n, int) {
    // Of a class of requests, begins and steps are not known.
    if (w.graph().values.size() < w.graph().syms.size()) return w.call(n, "slice");
    std::vector<std::string> ranges;
    for (std::size_t axis = 0; axis < w.node(n).rank; ++axis) ranges.push_back(range(w, n, axis));
    while (ranges.size() > 1 && ranges.back() == ":") ranges.pop_back();
    w.write({{{}, w.graph().operand(n, 0), InfixWriter::kPostfix},
             w.words(fmt::format("[{}]", fmt::join(ranges, ", ")))});
  }
  // Of an axis as Python writes it; `:` is all of it.
  static std::string range(const InfixWriter& w, NodeId n, std::size_t axis) {
    const Graph& g = w.graph();
    const Slices& slices = g.attribute<Slices>(n);
    const std::int64_t begin = g.values[slices.begin[axis]], step = g.values[slices.step[axis]],
                       extent = g.values[g.shape(n)[axis]];
    if (begin == 0 && step == 1 && extent == g.values[g.shape(g.operand(n, 0))[axis]]) return ":";
    const std::int64_t end = begin + (extent - 1) * step + (step > 0 ? 1 : -1);
    std::string text = fmt::format("{}:", begin);
    if (end >= 0) text += fmt::format("{}", end);  // down to the first element: no end
    if (step != 1) text += fmt::format(":{}", step);
    return text;
  }
  static AxisUses axes(const Graph& g, NodeId n, int) {
    AxisUses uses = kept_axes(g.nodes[n].rank);
    const Slices& slices = g.attribute<Slices>(n);
    for (std::size_t i = 0; i < uses.size(); ++i) {
      if (slices.begin[i] != kZero || slices.step[i] != kOne) uses[i].how = AxisUse::How::windowed;
    }
    return uses;
  }
};

}  // namespace kiln::ir
