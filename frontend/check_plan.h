// A plan run by the interpreter of kernels: what it means, whatever a compiler or device makes of
// it.
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "ir/plan.h"

namespace kiln::inline v0::frontend {

// Each output, dense, its memory counted while it runs (runtime::OutOfMemory); nothing if the plan
// has library calls, which have no definition here.
std::optional<std::vector<std::vector<std::byte>>> interpret_plan(
    const ir::Plan& plan, const ir::Bindings& bindings, std::span<const ir::ArrayView> inputs);

}  // namespace kiln::inline v0::frontend
