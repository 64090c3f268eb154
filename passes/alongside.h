// Groups that are independent and run over one space, or one over the points of another's
// reductions, become one kernel: what both read is read once, and a launch is saved.
#pragma once
#include "passes/fuse.h"
#include "passes/groups.h"
#include "passes/parameters.h"

namespace kiln::passes {

void bring_together(const ir::Graph& graph, const ir::Caps& caps, const FuseOptions& options,
                    const Parameters& parameters, const Partition& partition, Groups& groups);

}  // namespace kiln::passes
