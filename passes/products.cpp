#include "passes/products.h"

#include <algorithm>
#include <numeric>

#include "ir/narrow.h"
#include "passes/rewrite.h"

namespace kiln::passes {

using ir::Node;
using ir::NodeId;
using ir::NodeKind;
using ir::Sym;

namespace {

using Shape = std::vector<Sym>;

// The same elements with an axis of 1 before the given one.
NodeId with_axis(Rewriter& r, NodeId n, std::size_t before) {
  Shape shape(r.graph().shape(n).begin(), r.graph().shape(n).end());
  ir::Groups groups{std::vector<std::uint8_t>(shape.size(), 1),
                    std::vector<std::uint8_t>(shape.size(), 1)};
  const auto at = static_cast<std::ptrdiff_t>(before);
  shape.insert(shape.begin() + at, ir::kOne);
  groups.from.insert(groups.from.begin() + at, 0);
  groups.to.insert(groups.to.begin() + at, 1);
  return r.reshape(n, shape, groups);
}

NodeId transposed(Rewriter& r, NodeId n) {
  Shape shape(r.graph().shape(n).begin(), r.graph().shape(n).end());
  ir::Axes axes;
  axes.axes.resize(shape.size());
  std::iota(axes.axes.begin(), axes.axes.end(), std::uint8_t{0});
  std::swap(axes.axes.end()[-1], axes.axes.end()[-2]);
  std::swap(shape.end()[-1], shape.end()[-2]);
  Node permute;
  permute.kind = NodeKind::permute;
  permute.dtype = r.graph().nodes[n].dtype;
  return r.emit(permute, shape, {&n, 1}, axes);
}

// Whether an array of this shape may have so many elements that indices need 64 bits.
bool may_be_wide(const ir::Graph& graph, const Shape& shape) {
  double most = 1;
  for (const Sym s : shape) most *= static_cast<double>(graph.sym(s).hi);
  return most >= static_cast<double>(ir::kWideElements);
}

// (..., m, 1, k) * (..., 1, n, k), summed over k.
NodeId sum_of_products(Rewriter& r, NodeId old) {
  const ir::Graph& source = r.source();
  const Node& node = source.nodes[old];
  Shape points(source.shape(old).begin(), source.shape(old).end());
  const std::size_t rank = points.size();
  points.push_back(source.shape(source.operand(old, 0)).back());
  if (points.size() > ir::kMaxRank) return r.copy(old);
  const NodeId a = with_axis(r, r.mapped(source.operand(old, 0)), rank - 1);
  const NodeId b = with_axis(r, transposed(r, r.mapped(source.operand(old, 1))), rank - 2);
  const NodeId factors[] = {r.broadcast(a, points), r.broadcast(b, points)};
  const NodeId products = r.map(ir::Op::mul, node.dtype, factors);
  if (may_be_wide(source, points)) r.graph().wide = true;
  Node sum;
  sum.kind = NodeKind::reduce;
  sum.op = ir::Op::add;
  sum.dtype = node.dtype;
  return r.emit(sum, source.shape(old), {&products, 1},
                ir::Axes{{static_cast<std::uint8_t>(rank)}});
}

}  // namespace

ir::Graph expand_products(const ir::Graph& graph, const ir::Caps& caps) {
  const bool none = std::ranges::none_of(
      graph.nodes, [](const Node& node) { return node.kind == NodeKind::contract; });
  if (caps.products != ir::Products::none || none) return graph;
  return Rewriter(graph).run([](Rewriter& r, NodeId n) {
    return r.source().nodes[n].kind == NodeKind::contract ? sum_of_products(r, n) : r.copy(n);
  });
}

}  // namespace kiln::passes
