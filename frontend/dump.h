// Writing everything about a plan into a directory.
#pragma once
#include <string>

#include "frontend/snapshot.h"
#include "passes/plan.h"

namespace kiln::inline v0::frontend {

// Into a new subdirectory plan-<n>. Throws IoError if it cannot be written.
void dump_plan(const std::string& directory, const Snapshot& snapshot, const ir::Plan& plan,
               const passes::PassLog& log);

}  // namespace kiln::inline v0::frontend
