// From a graph to a plan that can run: passes, code generation, kernel caches. Cold.
#pragma once
#include <memory>

#include "frontend/plan_cache.h"
#include "frontend/snapshot.h"
#include "passes/plan.h"
#include "runtime/cache.h"

namespace kiln::inline v0::frontend {

// How kernels for a device are made.
const runtime::Compiler& compiler_for(const runtime::Device& device);

// What the program's plan depends on, and what the device can do about it. Whether a library
// multiplies matrices is asked only where some are, since the question may load it.
PlanKey key_of(const Snapshot& snapshot, runtime::Device& device);
ir::Caps caps_for(const Snapshot& snapshot, runtime::Device& device);
// The options of plans made now.
passes::Options plan_options(bool fusion);
// Plans the snapshot's graph for a device, with names and lines, for somebody who looks; log may be
// null.
ir::Plan make_plan(Snapshot& snapshot, const ir::Caps& caps, bool fusion,
                   passes::PassLog* log = nullptr);

// What the process may spend on compiles before they must be earned: investment.h.
double compile_budget(const ir::Caps& caps);

// The loaded plan, from the cache or made (and dumped, if KILN_DUMP says so). Null if it is not
// worth its compile yet: the operations are to be run one at a time. `always`: it is made.
LoadedPlan plan_for(Snapshot& snapshot, runtime::Device& device, bool always);

}  // namespace kiln::inline v0::frontend
