#include "passes/cluster.h"

#include <algorithm>

#include "ir/infix.h"
#include "passes/index_map.h"

namespace kiln::passes {

using ir::Node;
using ir::NodeId;
using ir::NodeKind;
using ir::Sym;

bool one_value(const Partition& partition) {
  return partition.clusters.size() == 1 && partition.clusters[0].outputs.size() == 1;
}

std::string expression_of(const ir::Graph& graph, const Partition& partition,
                          const Cluster& cluster) {
  std::string text;
  const bool one = one_value(partition);
  for (const ClusterOutput& output : cluster.outputs) {
    if (!text.empty()) text += "; ";
    const bool put = partition.is_put(output.node);
    const NodeId stored = put ? partition.whole[output.node] : output.node;
    if (!one || put) text += ir::stored_name(graph, stored) + (put ? "[...] = " : " = ");
    text += ir::infix(graph, output.node, partition.stored, 160);
  }
  return text;
}

std::vector<bool> stored_by(const ir::Graph& graph, const std::vector<Cluster>& clusters) {
  std::vector<bool> stored(graph.nodes.size(), false);
  for (const Cluster& cluster : clusters) {
    for (const ClusterOutput& output : cluster.outputs) stored[output.node] = true;
  }
  return stored;
}

double middle(const ir::Graph& graph, Sym sym) {
  const ir::SymInfo& s = graph.sym(sym);
  return 0.5 * (static_cast<double>(s.lo) + static_cast<double>(s.hi));
}

double middle_size(const ir::Graph& graph, std::span<const Sym> shape) {
  double size = 1;
  for (const Sym s : shape) size *= middle(graph, s);
  return size;
}

double middle_bytes(const ir::Graph& graph, NodeId n) {
  return middle_size(graph, graph.shape(n)) *
         static_cast<double>(ir::size_of(graph.nodes[n].dtype));
}

double middle_bytes_read(const ir::Graph& graph, NodeId n) {
  double bytes = middle_bytes(graph, n);
  if (!is_strided_input(graph, n)) return bytes;
  const auto shape = graph.shape(n);
  const std::vector<Sym>& strides = graph.inputs[graph.nodes[n].attr].strides;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (strides[i] == ir::kZero) bytes /= middle(graph, shape[i]);
  }
  return bytes;
}

bool is_assembled(const ir::Graph& graph, NodeId n) {
  const Node& node = graph.nodes[n];
  if (node.kind != NodeKind::update && node.kind != NodeKind::concat) return false;
  return graph.nodes[graph.operand(n, node.operand_count - 1)].kind == NodeKind::put;
}

Access stored_access(const ir::Graph& graph, const Partition& partition,
                     const ClusterOutput& output) {
  std::vector<Affine> index = index_at(output.coordinates);
  if (!partition.is_put(output.node)) return {output.node, std::move(index), {}, true};
  AffineAlgebra algebra{graph};
  return {partition.whole[output.node],
          window_index<AffineAlgebra>(graph, output.node, index, algebra),
          {},
          true};
}

bool has_puts(const Partition& partition, const Cluster& cluster) {
  return std::ranges::any_of(
      cluster.outputs, [&](const ClusterOutput& output) { return partition.is_put(output.node); });
}

double op_cost(const Node& node) {
  if (!is_map(node)) return 0;
  if (ir::has(node.op, ir::kExpands)) return 20;
  const bool slow = node.op == ir::Op::div || node.op == ir::Op::sqrt || node.op == ir::Op::idiv ||
                    node.op == ir::Op::irem;
  return slow ? 5 : 1;
}

bool needs_split(const ir::Graph& graph, const ir::Caps& caps, std::span<const Sym> outer,
                 std::span<const Sym> inner) {
  constexpr double kLongRow = 65536;
  // A block that streams a row has enough loads under way for two multiprocessors' share of the
  // bandwidth (cuda_rows.cpp); a processor's thread has one thread's.
  const double units = caps.target == ir::Target::cuda ? 0.5 * caps.units() : caps.units();
  return units > 1 && middle_size(graph, outer) < units && middle_size(graph, inner) >= kLongRow;
}

Coordinates reduce_coordinates(const ir::Graph& graph, NodeId reduce) {
  const auto& axes = graph.attribute<ir::Axes>(reduce).axes;
  const auto shape = graph.shape(graph.operand(reduce, 0));
  Coordinates result(shape.size(), kUnit);
  std::uint32_t next = 0;
  for (const bool want_reduced : {false, true}) {
    for (std::size_t i = 0; i < shape.size(); ++i) {
      const bool reduced = std::ranges::find(axes, i) != axes.end();
      if (reduced == want_reduced && shape[i] != ir::kOne) result[i] = next++;
    }
  }
  return result;
}

std::vector<Sym> reduced_extents(const ir::Graph& graph, NodeId reduce) {
  std::vector<Sym> result;
  const auto shape = graph.shape(graph.operand(reduce, 0));
  for (const auto axis : graph.attribute<ir::Axes>(reduce).axes) {
    if (shape[axis] != ir::kOne) result.push_back(shape[axis]);
  }
  return result;
}

bool is_strided_input(const ir::Graph& graph, NodeId n) {
  const Node& node = graph.nodes[n];
  return is_input(node) && !graph.inputs[node.attr].dense;
}

}  // namespace kiln::passes
