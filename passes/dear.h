// Which interior values are stored because computing them again would take longer.
//
// A value read at one index is computed once; each further way of indexing it (a shifted slice, a
// transposed use, a broadcast) computes it again, and so on through nested views: a chain of
// stencils would grow exponentially. The estimate compares the arithmetic of the repetitions with
// writing the value once and reading it back.
#pragma once
#include "passes/fuse.h"

namespace kiln::passes {

// Sets stored[n] for such nodes and says why; `stored` holds what is stored anyway. Long chains are
// cut (Partition::cut), since compile time grows with a kernel's length and bytes saved do not.
void store_dear_values(const ir::Graph& graph, const ir::Caps& caps, Partition& partition);

}  // namespace kiln::passes
