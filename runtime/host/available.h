// What memory the machine has, and what it can still give.
#pragma once
#include <cstdint>
#include <string>

namespace kiln::runtime {

// Bytes of the machine, or of the cgroup if that is less.
std::int64_t machine_memory();
// Bytes that could still be taken without the system ending a process for it, swap included: the
// most there is where the system does not say. Reads a few files, which takes tens of microseconds.
std::int64_t available_memory();
std::int64_t available_memory(const std::string& root);  // of the files below this folder

}  // namespace kiln::runtime
