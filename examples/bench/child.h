// The program started anew: what the first kernels of a process cost.
#pragma once
#include <cstdint>
#include <string>

namespace bench {

inline constexpr const char* kChildFlag = "--first-kernels";

// In the child: evaluates two chains on small arrays and prints how long each took.
int child();

struct FirstKernels {
  double first = 0, second = 0;  // seconds
  std::int64_t compiled = 0, from_disk = 0;
};
// Runs a child that keeps its kernels in this folder.
FirstKernels run_child(const std::string& cache_folder);

// An empty folder that nobody else uses.
std::string make_folder();

}  // namespace bench
