// Matrix products without a library.
#pragma once
#include "ir/plan.h"

namespace kiln::passes {

// Before: any graph. After, where no library multiplies matrices (Caps::products is none): a
// contract is a sum of products of its operands, broadcast against each other, in the canonical
// order of sums, which the tiled schedules take. One of ir::kMaxRank axes has none to spare and
// stays. Stands before simplify, which moves the permutes and folds the broadcasts that it makes.
ir::Graph expand_products(const ir::Graph& graph, const ir::Caps& caps);

}  // namespace kiln::passes
