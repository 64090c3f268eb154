// The elements along some axes combined, in the order of NUMERICS.md.
#pragma once
#include "ir/nodes/rules.h"
#include "ir/reduce.h"
#include "ir/strided.h"

namespace kiln::ir {

template <>
struct Rule<NodeKind::reduce> {
  static void shape(Shapes& s) {
    for (std::size_t i = 0; i < s.rank(0); ++i) {
      if (std::ranges::find(s.axes(), i) != s.axes().end()) continue;
      s.put(s.extent(0, i), "the result does not have the axes that are kept");
    }
  }
  static bool check(const NodeCheck& c) {
    constexpr Op kAllowed[] = {Op::add, Op::mul, Op::min, Op::max, Op::and_, Op::or_};
    c.at(std::ranges::find(kAllowed, c.node().op) != std::end(kAllowed),
         "not an operation that reduces");
    const DType types[2] = {c.operand(0).dtype, c.operand(0).dtype};
    const std::string_view error = type_error(c.node().op, types, c.node().dtype);
    c.at(error.empty(), error);
    return ascending(c);
  }
  static bool ascending(const NodeCheck& c) {
    const AxisList& axes = c.attribute<Axes>().axes;
    const auto not_rising = [](std::uint8_t a, std::uint8_t b) { return a >= b; };
    return c.at(std::ranges::adjacent_find(axes, not_rising) == axes.end() &&
                    (axes.empty() || axes.back() < c.operand(0).rank),
                "the axes are not ascending axes of it");
  }
  static void interpret(GraphRun& run) {
    // The reduced axes go first, in their order; then rows are combined.
    const GraphRun::Extents from = run.operand_extents(0), from_strides = dense_strides(from);
    GraphRun::Extents shape, strides;
    std::vector<bool> reduced(from.size(), false);
    std::int64_t n = 1;
    for (const std::uint8_t axis : run.attribute<Axes>().axes) {
      reduced[axis] = true;
      n *= from[axis];
      shape.push_back(from[axis]);
      strides.push_back(from_strides[axis]);
    }
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (reduced[i]) continue;
      shape.push_back(from[i]);
      strides.push_back(from_strides[i]);
    }
    const std::int64_t scratch = element_count(shape) * run.bytes();
    run.take(scratch);
    GraphRun::Bytes rows(static_cast<std::size_t>(scratch));
    copy_strided(shape, run.bytes(), run.operand(0), strides, rows.data(), dense_strides(shape));
    reduce_rows(run.node().op, run.node().dtype, n, element_count(run.extents()), rows.data(),
                run.allocate());
    run.give_back(scratch);
  }
  static void infix(InfixWriter& w, NodeId n, int) { write_call(w, n, name_of(w.node(n))); }
  static std::string_view name_of(const Node& node) {
    if (node.op == Op::add) return "sum";
    if (node.op == Op::mul) return "prod";
    if (node.op == Op::and_) return is_bool(node.dtype) ? "all" : "and";
    if (node.op == Op::or_) return is_bool(node.dtype) ? "any" : "or";
    return ir::info(node.op).name;
  }
  static void write_call(InfixWriter& w, NodeId n, std::string_view name) {
    const AxisList& axes = w.graph().attribute<Axes>(n).axes;
    const std::size_t rank = w.operand_of(n).rank;
    if (axes.size() == 1 && rank > 1) return w.call(n, name, ", " + std::to_string(axes[0]));
    if (axes.size() < rank) return w.call_along(n, name, axes);
    w.call(n, name);
  }
  static AxisUses axes(const Graph& g, NodeId n, int) {
    const AxisList& folded = g.attribute<Axes>(n).axes;
    AxisUses uses(g.nodes[g.operand(n, 0)].rank, {AxisUse::How::folded, 0});
    std::uint8_t at = 0;
    for (std::size_t i = 0; i < uses.size(); ++i) {
      if (std::ranges::find(folded, i) == folded.end()) uses[i] = {AxisUse::How::kept, at++};
    }
    return uses;
  }
};

}  // namespace kiln::ir
