// Rows put in order on the CPU (ir/call.h, sort).
#pragma once
#include "ir/call.h"
#include "runtime/host/workers.h"

namespace kiln::runtime {

// Rows are shared out to the workers' threads, each sorted by one.
void host_sort(const ir::BoundCall& call, Workers& workers);

}  // namespace kiln::runtime
