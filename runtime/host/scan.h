// Running sums and their kin on the CPU (ir/call.h, scan).
#pragma once
#include "ir/call.h"
#include "runtime/host/workers.h"

namespace kiln::runtime {

// Rows are shared out to the workers' threads, each scanned by one.
void host_scan(const ir::BoundCall& call, Workers& workers);

}  // namespace kiln::runtime
