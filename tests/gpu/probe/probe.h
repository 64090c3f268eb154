// kiln_gpu_probe: what the bundle runs on a machine with a GPU beside the test suites. Each verb
// writes as it goes, so that a run that is cut short still tells.
#pragma once
#include <string>
#include <vector>

namespace kiln::gpu {

using Arguments = std::vector<std::string>;

// Each gives the process's exit status; throws std::exception on arguments that it does not know.
int facts(const Arguments& arguments);
int hashes(const Arguments& arguments);
int limits(const Arguments& arguments);

// The value after `name`, or `otherwise`.
std::string option(const Arguments& arguments, const std::string& name,
                   const std::string& otherwise = "");
bool has(const Arguments& arguments, const std::string& name);

}  // namespace kiln::gpu
