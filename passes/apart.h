// Reductions that are better not joined with the points that make their operand.
//
// A kernel that reduces several axes walks them as one index. Where a broadcast, a window or a
// stride of what the points read keeps these axes from being one run of memory, each element's
// coordinates are found by division and its loads are single ones: tens of operations an element,
// beside which reading the stored points again is cheap. The points by themselves go axis by axis,
// and the reduction by itself goes through dense memory.
//
// Looked for in a finished partition, of clusters whose points do not need the reductions' results.
// Cost: two more spaces for each cluster that reduces such axes, nothing for others.
#pragma once
#include "passes/fuse.h"

namespace kiln::passes {

// Marks such reductions (Partition::apart) and says why (Partition::boundaries); whether there are.
bool set_apart(const ir::Graph& graph, const ir::Caps& caps, const FuseOptions& options,
               Partition& partition);

}  // namespace kiln::passes
