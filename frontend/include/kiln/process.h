// What holds for the whole process: version, threads, memory.
#pragma once
#include <cstdint>
#include <string_view>

#include "kiln/device.h"

#pragma GCC visibility push(default)
namespace kiln {
inline namespace v0 {

// Of the library that is linked: "0.1.0". The headers' own is version_numbers.
[[nodiscard]] std::string_view version();
inline constexpr int version_numbers[] = {0, 1, 0};

// Threads that run a kernel on the CPU, the caller's included; 0: one a core. Before the first use
// of the CPU device plans are made for so many, later as they were; bits never depend on it.
// UserError: a negative number, or more than 64 and eight a core.
void set_threads(int count, Where where = Where::here());

// Bytes that arrays may take on a device (this thread's current one unless given) from now on; 0:
// what it was at the start. What is in use stays, even if it is more. The interpreter's memory is
// the CPU's. UserError: a negative number.
void set_memory_limit(std::int64_t bytes, MaybeDevice device = {}, Where where = Where::here());

}  // namespace v0
}  // namespace kiln
#pragma GCC visibility pop
