// Why values pass through memory between kernels, and what it would cost if they did not; and the
// price of a whole partition. All by one model, max(bytes / bandwidth, operations / rate) + launch
// of each cluster, at the middle of the class.
//
// Looked for in a finished partition, and only for those who ask (explain, a dump, a broken hint):
// planning does not pay for it.
#pragma once
#include "passes/fuse.h"

namespace kiln::passes {

double estimated_seconds(const ir::Graph& graph, const ir::Caps& caps, const Partition& partition,
                         const Cluster& cluster);
double estimated_seconds(const ir::Graph& graph, const ir::Caps& caps, const Partition& partition);

// Completes Partition::boundaries: one for each value that a cluster reads and another makes, with
// the first such reader. Those that decisions left there keep their reason; those of values that
// came to be made and used in one kernel go. Prices are 0 where fusing is impossible: then the
// reason says why.
void find_boundaries(const ir::Graph& graph, const ir::Caps& caps, Partition& partition);

}  // namespace kiln::passes
