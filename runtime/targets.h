// Capabilities and limits that follow from the table of GPU targets (ir/targets.def).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ir/plan.h"
#include "ir/targets.h"
#include "runtime/label.h"

namespace kiln::runtime {

// What a kernel may assume on every target: statically declared shared memory, 4 KB of parameters.
inline constexpr std::int64_t kStaticSharedBytes = 48 << 10;
inline constexpr std::int64_t kParameterBytes = 4096;
// With drivers of CUDA 12.1 and later, from compute capability 9.0 on. Older devices are given no
// more than 4 KB, whatever the driver: the simulator refuses more.
inline constexpr std::int64_t kLargeParameterBytes = 32764;
inline constexpr int kMaxBlockThreads = 1024;
inline constexpr std::int64_t kMaxBlocks = 2147483647;

// The row of that capability, else of the next lower one, whose code runs there; null below the
// first.
const ir::GpuTarget* gpu_target(int compute_capability);
std::optional<ir::Caps> target_caps(std::string_view name);  // "cpu" or a target's name

// What a launch of a CUDA kernel takes of the device's limits.
struct LaunchNeeds {
  std::int64_t threads = 1;
  std::int64_t shared_bytes = 0;
  std::int64_t parameter_bytes = 0;
};
LaunchNeeds launch_needs(const ir::Kernel& kernel);
// Names the kernel and the limit: throws DeviceError for what the program alone decides on, too
// many parameters or blocks, with what to do; InternalError for a block's threads and shared
// memory.
void check_launch(const ir::Caps& caps, const LaunchNeeds& needs, const LaunchLabel& label,
                  std::int64_t blocks);

}  // namespace kiln::runtime
