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

// The value an empty reduction has and that padding of the reduced row must hold: -0.0 for a float
// sum's padding (x + -0.0 is x for every x), where an empty sum is +0.
std::uint64_t reduce_padding(ir::Op op, ir::DType dtype);
std::uint64_t reduce_empty(ir::Op op, ir::DType dtype);

}  // namespace kiln::passes
