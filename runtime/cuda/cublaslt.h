// Matrix products on CUDA by cuBLASLt, opened when first needed, its interface declared here.
//
// Looked for like NVRTC (runtime/nvrtc.h), Config::cublaslt first. Row-major operands are handed
// over as the transposed column-major ones: C' = B' x A'. float32 is computed in float32, never in
// TF32.
#pragma once
#include <memory>
#include <mutex>

#include "runtime/config.h"
#include "runtime/cuda/context.h"
#include "runtime/device.h"

namespace kiln::runtime {

class CublasLt {
 public:
  CublasLt(const Config& config, CudaContext& context);
  ~CublasLt();

  // The context is entered by the caller; workspace comes from `device`. Throws DeviceError naming
  // where the library was looked for, or the failed call.
  void multiply(const Matmul& matmul, Device& device);

 private:
  struct Api;
  Api& api();

  const Config& config_;
  CudaContext& context_;
  std::mutex mutex_;
  std::unique_ptr<Api> api_;
};

}  // namespace kiln::runtime
