// The GPU targets, and the compiler options that emitted CUDA C is written for. The options are
// part of the meaning of a kernel: without --fmad=false its bits would be others.
#pragma once
#include <cstdint>
#include <string_view>

namespace kiln::ir {

// Figures are typical of the capability: what plan-only devices take, and what a real device's
// float32 lanes are counted by.
struct GpuTarget {
  int compute_capability;  // 75
  std::string_view name;   // "sm_75"
  int multiprocessors;
  int cores_per_multiprocessor;  // float32 lanes
  std::int64_t cache_bytes;      // second level
  double bandwidth;              // bytes a second
  double rate;                   // float32 operations a second
};

// In rising order of capability.
inline constexpr GpuTarget kGpuTargets[] = {
#define KILN_GPU_TARGET(capability, name, multiprocessors, lanes, cache, bandwidth, rate) \
  {capability,        name,         multiprocessors, lanes, std::int64_t{cache} << 20,    \
   (bandwidth) * 1e9, (rate) * 1e12},
#include "ir/targets.def"
#undef KILN_GPU_TARGET
};

// Beside --gpu-architecture. Division and square root are correctly rounded and denormals kept by
// NVRTC's defaults, which are stated all the same.
inline constexpr const char* kNvrtcOptions[] = {
    "--std=c++17",      "--fmad=false", "--prec-div=true",
    "--prec-sqrt=true", "--ftz=false",  "-default-device",
};

}  // namespace kiln::ir
