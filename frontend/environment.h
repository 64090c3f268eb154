// Environment variables, read once: the only place that does.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/config.h"
#include "runtime/registry.h"

namespace kiln::inline v0::frontend {

struct Environment {
  std::string device;  // KILN_DEVICE: "cpu", "cuda", "cuda:1", "interpreter", "plan_only:sm_90"
  std::string dump;    // KILN_DUMP: a directory
  std::string mode;    // KILN_MODE: "lazy", "eager", "check"
  bool fusion = true;  // KILN_FUSION: 0 or 1
  std::int64_t flush_after = 1024;   // KILN_FLUSH_AFTER: pending operations, 0: never
  std::int64_t flush_bytes = -1;     // KILN_FLUSH_BYTES: kept by pending operations, 0: never
  std::int64_t cached_plans = 1024;  // KILN_CACHED_PLANS
  bool quiet = false;                // KILN_QUIET: nothing on stderr about compiles
  double compile_budget = -1;        // KILN_COMPILE_BUDGET: seconds; below 0: what suits the device
  std::vector<std::string> disabled_passes;  // KILN_DISABLE_PASSES: names, separated by commas
  std::vector<std::string> notes;            // what is odd and no error
  runtime::Config
      runtime;  // KILN_THREADS, KILN_INTERPRET, KILN_HOST_FIGURES, KILN_MEMORY_LIMIT,
                // KILN_CUDA_DRIVER, KILN_NVRTC, KILN_CUBLASLT, KILN_CUDA_MEMORY_LIMIT,
                // KILN_CACHE_DIR, KILN_CACHE_BYTES, KILN_LIBRARY_PATH, CUDA_HOME, CUDA_PATH
};

// What the variables say now. UserError, naming the variable, its value and what is allowed, if one
// has no meaning.
Environment read_environment();
[[noreturn]] void refuse(std::string_view variable, std::string_view value,
                         std::string_view wanted);
// What they said at first use.
const Environment& environment();
// The runtime's registry, configured by the environment.
runtime::Registry& registry();

}  // namespace kiln::inline v0::frontend
