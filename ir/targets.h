// The GPU targets, and the compiler options that emitted CUDA C is written for. The options are
// part of the meaning of a kernel: without --fmad=false its bits would be others.
#pragma once
#include <string_view>

namespace kiln::ir {

struct GpuTarget {
  int compute_capability;  // 75
  std::string_view name;   // "sm_75"
};

inline constexpr GpuTarget kGpuTargets[] = {
#define KILN_GPU_TARGET(capability, name) {capability, name},
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
