// What an evaluation, a reading, a copy and a compile cost the host.
#pragma once
#include "tests/gpu/timing/ceilings.h"

namespace kiln::gpu {

bool host_costs(Gpu& gpu, const Plan& plan, Results& results);

// In a child of host_costs, which begins with no kernels in memory: prints what a chain of ten
// operations, another one and a softmax take the first and the second time.
inline constexpr const char* kFirstKernels = "--first-kernels";
int first_kernels();

}  // namespace kiln::gpu
