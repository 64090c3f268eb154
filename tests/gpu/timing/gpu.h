// The CUDA device below the public API: events with times, kernels of the probe's own, marks for a
// profiler. Everything is on the queue of the runtime's device.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "runtime/cuda/cuda_device.h"

namespace kiln::gpu {

// One kernel of the probe's own, compiled by the runtime's NVRTC.
class OwnKernel {
 public:
  OwnKernel(class Gpu& gpu, const std::string& name, const std::string& source);
  void launch(std::int64_t blocks, int threads, std::span<void* const> arguments);

 private:
  Gpu& gpu_;
  kiln::runtime::CudaDriver::Function function_ = nullptr;  // of a module that stays loaded
};

class Gpu {
 public:
  Gpu();  // DeviceError where there is no CUDA device
  ~Gpu();
  Gpu(const Gpu&) = delete;

  // What the device takes for all that `work` puts on its queue, in seconds; waits for it.
  double seconds(const std::function<void()>& work);
  // Between these a profiler that was told to wait for it records.
  void start_profiler();
  void stop_profiler();
  int attribute(int which);  // CUdevice_attribute; 0 if the driver does not know it

  kiln::runtime::CudaDevice& device;
  kiln::runtime::CudaContext& context;
  kiln::runtime::CudaDriver& driver;

 private:
  kiln::runtime::CudaDriver::EventHandle event();
  int (*elapsed_)(float*, kiln::runtime::CudaDriver::EventHandle,
                  kiln::runtime::CudaDriver::EventHandle) = nullptr;
  int (*profiler_start_)() = nullptr;
  int (*profiler_stop_)() = nullptr;
  kiln::runtime::CudaDriver::EventHandle begin_ = nullptr, end_ = nullptr;
};

}  // namespace kiln::gpu
