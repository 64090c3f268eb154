// The CUDA devices of this machine, behind the driver found at run time.
#pragma once
#include <memory>
#include <string>

#include "runtime/config.h"
#include "runtime/device.h"
#include "runtime/nvrtc.h"

namespace kiln::runtime {

class CudaDriver;
struct CudaDriverDelete {
  void operator()(CudaDriver* driver) const;
};
using CudaDriverPointer = std::unique_ptr<CudaDriver, CudaDriverDelete>;

// Opens and initialises the driver. Null where there is none or it refuses; `missing` then says
// what was looked for, where, and what went wrong.
CudaDriverPointer open_cuda_driver(const Config& config, std::string& missing);
int cuda_device_count(CudaDriver& driver);
// Throws DeviceError. Driver and NVRTC outlive the device.
std::unique_ptr<Device> make_cuda_device(CudaDriver& driver, Nvrtc& nvrtc, const Config& config,
                                         int index);

}  // namespace kiln::runtime
