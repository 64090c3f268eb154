// Matrix products on the CPU, by OpenBLAS through its C interface.
#pragma once
#include "runtime/device.h"
#include "runtime/host/workers.h"

namespace kiln::runtime {

// Uses at most workers.threads() threads. Throws DeviceError for an extent of 2^31 or more, which
// the library's interface cannot take, and InternalError for a type other than float32 and float64.
void host_product(const ir::BoundCall& call, Workers& workers);

}  // namespace kiln::runtime
