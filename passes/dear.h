// Which interior values are stored because computing them again would take longer.
//
// A value is needed at indices, within loop nests; at each other index (a shifted slice, a
// transposed use, a broadcast) it is computed again, and so on through nested views: a chain of
// stencils would grow exponentially. The indices are counted exactly, from the outputs down, each
// value being decided before its operands. A loop nest takes max(bytes / bandwidth, operations /
// rate): computing again is free while memory is what it waits for. That is compared with writing
// the value once and reading it back.
#pragma once
#include "passes/fuse.h"

namespace kiln::passes {

// Reading an element from the cache, in operations.
inline constexpr double kLoadCost = 2;

// Sets stored[n] for such nodes and says why; `stored` holds what is stored anyway. Long chains are
// cut (Partition::cut), since compile time grows with a kernel's length and bytes saved do not.
void store_dear_values(const ir::Graph& graph, const ir::Caps& caps, const FuseOptions& options,
                       Partition& partition);

}  // namespace kiln::passes
