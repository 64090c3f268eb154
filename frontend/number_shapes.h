// The shape of an operation that is recorded, by its kind's rule.
#pragma once
#include <span>

#include "frontend/per_axis.h"
#include "frontend/trace.h"

namespace kiln::inline v0::frontend {

// Of operands that fit (checked, with the user's words, before). `axes`: of permutes and
// reductions; `number`: Node::imm. Not for kinds whose caller says what extents become.
PerAxis shape_by_rule(Kind kind, std::span<Node* const> operands,
                      std::span<const std::int64_t> axes = {}, std::size_t number = 0);

}  // namespace kiln::inline v0::frontend
