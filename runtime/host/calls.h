// Calls on the CPU, and for devices that have nothing for a call.
#pragma once
#include "ir/call.h"
#include "runtime/host/workers.h"

namespace kiln::runtime {

void host_call(const ir::BoundCall& call, Workers& workers);

}  // namespace kiln::runtime
