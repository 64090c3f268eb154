// Canonical form: constants folded, identities removed, chains of views composed, reshapes moved to
// the leaves, common subexpressions and dead nodes gone.
//
// Before: any well-formed graph. After: the same values bit for bit (the sign and payload of NaN
// aside); operands of commutative ops ascend; no view is an identity; no reduction is over an
// extent that is constantly 0 or 1. First in the pipeline because every later pass is simpler on
// less.
#pragma once
#include "ir/graph.h"

namespace kiln::passes {

ir::Graph simplify(const ir::Graph& graph);

}  // namespace kiln::passes
