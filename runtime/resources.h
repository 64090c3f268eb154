// What machine code takes, as NVRTC's assembler says in the log of a compilation to machine code:
// registers a thread, bytes a block of static shared memory, bytes a thread of stack, and of stores
// and loads that registers did not suffice for.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace kiln::runtime {

struct KernelResources {
  int registers = 0;
  std::int64_t shared_bytes = 0, stack_bytes = 0;
  std::int64_t spill_store_bytes = 0, spill_load_bytes = 0;
  bool operator==(const KernelResources&) const = default;
};

// Of the entry and the functions it calls; nothing if the log (NvrtcResult::log) has no such lines.
std::optional<KernelResources> kernel_resources(std::string_view log);

}  // namespace kiln::runtime
