#include "passes/apart.h"

#include <algorithm>

#include "passes/boundary.h"
#include "passes/space.h"

namespace kiln::passes {

using ir::NodeId;

namespace {

bool at_each_point(const Cluster& cluster, const ClusterOutput& output) {
  return std::ranges::any_of(
      output.coordinates, [&](std::uint32_t c) { return c != kUnit && c >= cluster.outer.size(); });
}

// The cluster as two: its points, and its reductions with what follows them.
struct Halves {
  Cluster points, rows;
};

Halves halves_of(const Cluster& cluster) {
  Halves halves{{}, cluster};
  halves.points.outer = cluster.outer;
  halves.points.outer.insert(halves.points.outer.end(), cluster.inner.begin(), cluster.inner.end());
  const auto is_point = [&](const ClusterOutput& o) { return at_each_point(cluster, o); };
  std::ranges::copy_if(cluster.outputs, std::back_inserter(halves.points.outputs), is_point);
  std::erase_if(halves.rows.outputs, is_point);
  return halves;
}

}  // namespace

bool set_apart(const ir::Graph& graph, const ir::Caps& caps, const FuseOptions& options,
               Partition& partition) {
  bool any = false;
  partition.apart.resize(graph.nodes.size(), false);
  for (const Cluster& cluster : partition.clusters) {
    if (cluster.reduces.empty() || cluster.inner.size() < 2 || !cluster.nested.empty()) continue;
    const auto [points, rows] = halves_of(cluster);
    const auto axes = [](const Space& space) { return walked_apart(space.inner); };
    if (points.outputs.empty() || axes(space_of(graph, caps, partition, cluster)) < 2) continue;
    const Space walked = space_of(graph, caps, partition, rows);
    const bool needed = std::ranges::any_of(
        space_of(graph, caps, partition, points).reads, [&](const Access& access) {
          return std::ranges::find(cluster.reduces, access.leaf) != cluster.reduces.end();
        });
    if (needed || axes(walked) > 1) continue;
    const double together = estimated_seconds(graph, caps, partition, cluster);
    const double apart = estimated_seconds(graph, caps, partition, points) +
                         estimated_seconds(graph, caps, partition, rows);
    const NodeId reduce = cluster.reduces[0];
    if (std::ranges::any_of(points.outputs, [&](const ClusterOutput& point) {
          return !partition.together.empty() && partition.together[point.node];
        })) {
      continue;  // asked for
    }
    if (!decide(apart < together, options, reduce, reduce)) continue;
    for (const NodeId r : cluster.reduces) partition.apart[r] = true;
    for (const ClusterOutput& point : points.outputs) {
      const bool read =
          std::ranges::find(walked.reads, point.node, &Access::leaf) != walked.reads.end();
      if (read) {
        partition.boundaries.push_back({point.node, reduce,
                                        "what makes it keeps the reduced axes from being one run "
                                        "of memory, which they are in it",
                                        together, apart});
      }
    }
    any = true;
  }
  return any;
}

}  // namespace kiln::passes
