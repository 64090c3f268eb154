// The programs written by hand that every planner and device must get right: one a shape of fusion
// worth a name. Small, so that the interpreter runs each in milliseconds.
#pragma once
#include <span>

#include "tests/plans/programs.h"

namespace kiln::testing {

struct Case {
  const char* name;
  void (*build)(Program&);
  int cpu_kernels;  // launches when fused
  int cuda_kernels;
};
std::span<const Case> cases();
std::span<const Case> cases_without_products();  // of matrices, by a library
std::span<const Case> write_cases();             // into windows

}  // namespace kiln::testing
