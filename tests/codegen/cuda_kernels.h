// Kernels for the CUDA emitter's tests, written by hand in kernel IR, one for each construct that
// schedules use; with data to run them on.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "ir/kernel_builder.h"

namespace kiln::tests {

// Memory for each buffer parameter and values for the others, in the order of Kernel::params.
struct Arguments {
  std::vector<std::vector<std::byte>> buffers;  // empty for the other kinds; 16-byte aligned
  std::vector<ir::KernelArg> values;
  std::vector<ir::KernelArg> pointers() const;  // into this object's buffers
};

struct Case {
  ir::Kernel kernel;
  std::int64_t items = 1;
  // Elements of each buffer and value of each integer; scalars are given by their bits.
  std::vector<std::int64_t> sizes;
};
// Random elements: moderate floats, with a few special ones if `specials`.
Arguments make_arguments(const ir::Kernel& kernel, const std::vector<std::int64_t>& sizes,
                         bool specials);

// "" or the first element of a written buffer that differs; NaNs are equal to each other.
std::string difference(const ir::Kernel& kernel, const Arguments& a, const Arguments& b);

// For writing them: block * threads + thread inside a grid and a thread scope, and the end of both.
ir::Value thread_index(ir::KernelBuilder& b, std::int64_t threads);
ir::Kernel finish(ir::KernelBuilder& b, const char* name, const char* expression);

// Every hand-made kernel, by the name of its golden file.
std::vector<Case> cuda_cases();
// Every op on every type that it accepts: one kernel an op, and one a source type for casts.
std::vector<Case> cuda_op_cases();

}  // namespace kiln::tests
