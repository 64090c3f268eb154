#include "passes/schedule.h"

#include <algorithm>
#include <utility>

#include "ir/error.h"
#include "ir/narrow.h"
#include "passes/crossing.h"
#include "passes/tile.h"

namespace kiln::passes {

namespace {

// What memory delivers an element to a warp that takes neighbours along rows; along the last outer
// axis (columns).
std::pair<double, double> delivered(const ClusterContext& c) {
  constexpr std::int64_t kWarp = 32;
  std::vector<MergedAxis> along_rows = c.space.outer;
  along_rows.insert(along_rows.end(), c.space.inner.begin(), c.space.inner.end());
  double rows = 0, columns = 0;
  for (const Access& access : c.space.reads) {
    rows += delivered_bytes(c.graph, access, along_rows, kWarp);
    columns += delivered_bytes(c.graph, access, {&c.space.outer.back(), 1}, kWarp);
  }
  return {rows, columns};
}

// Whether the reads favour vectors along the last inner axis (rows) over the last outer one
// (columns): on CUDA by what memory delivers; else, or where that is about the same or columns
// would take a second kernel (`parts`: they could), by bytes of reads that move at unit stride, or
// not at all, along each.
bool along_rows(const ClusterContext& c, bool parts) {
  constexpr double kClearly = 1.25;
  if (c.space.outer.empty()) return true;
  if (c.space.inner.empty()) return false;
  if (c.caps.target == ir::Target::cuda && !(parts && cuda_columns_split(c))) {
    const auto [by_rows, by_columns] = delivered(c);
    if (by_rows > kClearly * by_columns) return false;
    if (by_columns > kClearly * by_rows) return true;
  }
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  for (const Access& access : c.space.reads) {
    const std::int64_t bytes = ir::size_of(c.graph.nodes[access.leaf].dtype);
    const Stride inner = stride_of(c.graph, access, c.space.inner.back().coordinate);
    const Stride outer = stride_of(c.graph, access, c.space.outer.back().coordinate);
    rows += inner == Stride::unit ? 2 * bytes : inner == Stride::none ? bytes : 0;
    columns += outer == Stride::unit ? 2 * bytes : outer == Stride::none ? bytes : 0;
  }
  return rows >= columns;
}

bool one_phase(const Cluster& cluster) {
  return std::ranges::all_of(cluster.phases, [](int phase) { return phase == 0; });
}

bool outer_outputs_only(const ClusterContext& c) {
  return std::ranges::all_of(c.cluster.outputs, [&](const ClusterOutput& output) {
    return std::ranges::all_of(output.coordinates, [&](std::uint32_t coordinate) {
      return coordinate == kUnit || coordinate < c.cluster.outer.size();
    });
  });
}

// A CPU turns registers: axes shorter than one leave it nothing to do. Every turned output needs a
// tile on chip.
bool worth_turning(const ClusterContext& c, const Crossing& found) {
  constexpr std::int64_t kShortest = 8;
  constexpr std::size_t kMostTurned = 4;
  if (found.turned.size() > kMostTurned) return false;
  if (c.caps.target == ir::Target::cuda) return true;
  return upper(c.graph, {found.along}) >= kShortest && upper(c.graph, {found.across}) >= kShortest;
}

Scheduled pointwise(const ClusterContext& c) {
  const bool cuda = c.caps.target == ir::Target::cuda;
  if (const std::optional<Crossing> found = crossing(c); found && worth_turning(c, *found)) {
    return cuda ? cuda_transpose(c, *found) : cpu_transpose(c, *found);
  }
  return cuda ? cuda_pointwise(c) : cpu_pointwise(c);
}

Scheduled chosen(const ClusterContext& c) {
  const bool cuda = c.caps.target == ir::Target::cuda;
  if (c.cluster.reduces.empty()) return pointwise(c);
  const bool parts = one_phase(c.cluster) && outer_outputs_only(c);  // could go in two stages
  const bool rows = along_rows(c, parts);
  const bool split = parts && needs_split(c.graph, c.caps, c.cluster.outer, c.cluster.inner);
  if (parts && !split) {
    if (const auto tile = tile_of(c)) return cuda ? cuda_tiled(c, *tile) : cpu_tiled(c, *tile);
  }
  ir::internal_check(c.cluster.nested.empty(), "nested reductions that cannot be tiled");
  if (cuda && !rows) {
    return parts && cuda_columns_split(c) ? cuda_split_columns(c) : cuda_columns(c);
  }
  if (!cuda && !rows && parts && cpu_columns_split(c)) return cpu_split_columns(c);
  if (split) {
    return cuda ? cuda_split_rows(c) : cpu_split_rows(c);
  }
  if (rows && cuda) return cuda_rows(c);
  if (rows) return cpu_rows_are_short(c) ? cpu_short_rows(c) : cpu_rows(c);
  return cpu_columns(c);
}

}  // namespace

Scheduled schedule(const ClusterContext& c) {
  Scheduled result = chosen(c);
  ir::internal_check(result.step <= ir::kFarthestStep,
                     "a schedule steps too far for narrow indices");
  if (c.partition.longest > 0) {
    for (const ScheduledKernel& k : result.kernels)
      if (instructions(*k.kernel) > c.partition.longest) throw KernelTooLong{};
  }
  return result;
}

}  // namespace kiln::passes
