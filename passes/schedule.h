// Scheduling: a cluster becomes one or more kernels for a target.
//
// Which schedule a cluster takes depends on its space, on which axis its accesses run at unit
// stride, and on intervals of extents; never on what it computes. Kernels depend on the class only
// through the schedule, the index width and the variants named in each schedule's header.
#pragma once
#include <memory>

#include "passes/emit.h"
#include "passes/fuse.h"
#include "passes/space.h"

namespace kiln::passes {

struct ScheduledKernel {
  std::shared_ptr<const ir::Kernel> kernel;  // clusters that are alike share it
  std::vector<Emitter::Argument> arguments;  // of its parameters; temporaries by number below
  bool part = false;                         // makes partial results for the next one
};
struct ScheduledTemporary {
  ir::DType dtype;
  ir::SizeExpr elements;
};
struct Scheduled {
  std::vector<ScheduledKernel> kernels;  // launched in order
  std::vector<ScheduledTemporary> temporaries;
  // CUDA: no index goes farther beyond the end of an array or axis (at most ir::kFarthestStep).
  std::int64_t step = 0;
  std::string name;  // "pointwise", "rows", ...
  std::string reason;
};

struct ClusterContext {
  const ir::Graph& graph;
  const Partition& partition;
  const Cluster& cluster;
  const Space& space;
  const ir::Caps& caps;
};

// Throws KernelTooLong where the partition says what is too long.
Scheduled schedule(const ClusterContext& context);

struct Crossing;  // crossing.h
struct Tile;      // tile.h

// The schedules, one a file.
Scheduled cpu_pointwise(const ClusterContext& context);
Scheduled cpu_rows(const ClusterContext& context);
// Whether rows are too short to fill the lanes of the canonical order, and many.
bool cpu_rows_are_short(const ClusterContext& context);
Scheduled cpu_short_rows(const ClusterContext& context);
Scheduled cpu_columns(const ClusterContext& context);
// Whether rows are too short to give every thread a wide strip, and there are enough to split.
bool cpu_columns_split(const ClusterContext& context);
Scheduled cpu_split_columns(const ClusterContext& context);
Scheduled cpu_split_rows(const ClusterContext& context);
Scheduled cpu_transpose(const ClusterContext& context, const Crossing& crossing);
Scheduled cuda_transpose(const ClusterContext& context, const Crossing& crossing);
Scheduled cpu_tiled(const ClusterContext& context, const Tile& tile);
Scheduled cuda_pointwise(const ClusterContext& context);
Scheduled cuda_split_rows(const ClusterContext& context);
Scheduled cuda_rows(const ClusterContext& context);
Scheduled cuda_columns(const ClusterContext& context);
// Whether there are too few strips of columns to fill the device, and rows enough to split.
bool cuda_columns_split(const ClusterContext& context);
Scheduled cuda_split_columns(const ClusterContext& context);
Scheduled cuda_tiled(const ClusterContext& context, const Tile& tile);

}  // namespace kiln::passes
