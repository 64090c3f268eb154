// The one place of mutable process-wide state: configuration, devices, kernel cache. Built on first
// use and never destroyed, so that arrays may outlive main.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/cache.h"
#include "runtime/config.h"
#include "runtime/device.h"
#include "runtime/nvrtc.h"

namespace kiln::runtime {

class Registry {
 public:
  explicit Registry(Config config);
  ~Registry();

  const Config& config() const { return config_; }
  Device& cpu();
  // Devices the driver shows; 0 without a driver. Never throws; why there are none is
  // cuda_missing().
  int cuda_count();
  std::string cuda_missing();
  Device& cuda(int index);  // throws DeviceError: names what was looked for and where
  // A device that plans, emits and checks: "sm_75" ... "sm_120" or "cpu".
  Device& plan_only(std::string_view target);
  KernelCache& cache() { return cache_; }
  Nvrtc& nvrtc() { return nvrtc_; }
  std::vector<Device*> devices();  // those made so far
  // Of the CPU device, which is planned for so many if it is not made yet; 0: one a core.
  void set_threads(int threads);

  void before_fork();
  void after_fork(bool child);

 private:
  struct Cuda;  // the driver, once looked for
  Cuda& driver();
  std::vector<Device*> devices_locked();

  Config config_;
  KernelCache cache_;
  Nvrtc nvrtc_;
  std::mutex mutex_;
  std::unique_ptr<Device> cpu_;
  std::unique_ptr<Cuda> cuda_;
  std::vector<std::unique_ptr<Device>> planners_;
};

// Before the first use of registry(); later it is an InternalError.
void configure(Config config);
Registry& registry();

// Held while OpenBLAS's process-wide thread count is changed.
std::mutex& blas_mutex();

// How often this process image was forked since start: differs in a child from its parent.
std::uint32_t fork_generation();

}  // namespace kiln::runtime
