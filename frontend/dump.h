// Writing everything about a plan into a directory.
#pragma once
#include <string>

#include "frontend/snapshot.h"

namespace kiln::inline v0::frontend {

// Into a new subdirectory plan-<n>: the snapshot's plan for `caps`, and the kernels that the other
// kind of target (the CPU, sm_80) would run. Throws runtime::IoError if something cannot be
// written.
void dump_plan(const std::string& directory, Snapshot& snapshot, const ir::Caps& caps);

}  // namespace kiln::inline v0::frontend
