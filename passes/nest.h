// Reductions of reductions: where one cluster reduces what another one reduces at each of its
// points, as the argmin over distances does, both may be one kernel that makes the inner results
// tile by tile and never stores them.
//
// Before: a partition. After: the same, some clusters taken into their only reader
// (Cluster::nested). Taken are clusters that can be tiled (tile.h), read at their own points, by
// reductions whose order is free, so that a tile's results can be taken in at once; and only where
// enough rows are left to keep the device busy, by estimated time.
#pragma once
#include "ir/plan.h"
#include "passes/fuse.h"

namespace kiln::passes {

void nest_reductions(const ir::Graph& graph, const ir::Caps& caps, const FuseOptions& options,
                     Partition& partition);

}  // namespace kiln::passes
