// Writing everything about a plan into a directory.
#pragma once
#include <string>

#include "frontend/snapshot.h"
#include "passes/plan.h"

namespace kiln::inline v0::frontend {

// Into a new subdirectory plan-<n>: the plan that was made for `caps`, and the kernels that the other
// kind of target (the CPU, sm_80) would run. The snapshot is described. Throws runtime::IoError if something
// cannot be written.
void dump_plan(const std::string& directory, const Snapshot& snapshot, const ir::Plan& plan,
               const ir::Caps& caps, const passes::PassLog& log);

}  // namespace kiln::inline v0::frontend
