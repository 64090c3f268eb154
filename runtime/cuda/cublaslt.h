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
  void multiply(const ir::BoundCall& call, Device& device);
  // What multiply would throw about the library itself; empty if it can be used. Asked once: the
  // answer stays. The context is entered by the caller.
  std::string missing();

 private:
  struct Api;
  Api& api();
  void load();  // sets api_ or throws; the lock is held

  const Config& config_;
  CudaContext& context_;
  std::mutex mutex_;
  std::unique_ptr<Api> api_;
  std::string missing_;
};

}  // namespace kiln::runtime
