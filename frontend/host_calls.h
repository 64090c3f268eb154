// Calls of a plan that its device has nothing for, and the host makes on copies.
#pragma once
#include "frontend/snapshot.h"
#include "runtime/execute.h"

namespace kiln::inline v0::frontend {

// Enters their copies into the list of transfers, before the plan is executed; TransferForbidden
// if the thread's scope says so.
void note_calls_of_host(const runtime::LoadedPlan& loaded, const Snapshot& snapshot);

}  // namespace kiln::inline v0::frontend
