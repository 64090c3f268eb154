#include "tests/gpu/timing/gpu.h"

#include <kiln/kiln.h>

#include "runtime/registry.h"

namespace kiln::gpu {

namespace runtime = kiln::runtime;

namespace {

runtime::CudaDevice& first_device() {
  (void)kiln::cuda();  // configures the runtime; says what is missing
  return static_cast<runtime::CudaDevice&>(runtime::registry().cuda(0));
}

}  // namespace

Gpu::Gpu() : device(first_device()), context(device.context()), driver(context.driver) {
  if (!driver.library.get("cuEventElapsedTime", elapsed_) &&
      !driver.library.get("cuEventElapsedTime_v2", elapsed_)) {
    throw runtime::DeviceError("the driver has no cuEventElapsedTime", "another driver");
  }
  driver.library.get("cuProfilerStart", profiler_start_);
  driver.library.get("cuProfilerStop", profiler_stop_);
  begin_ = event();
  end_ = event();
}

Gpu::~Gpu() {
  if (!context.usable()) return;
  driver.event_destroy(begin_);
  driver.event_destroy(end_);
}

runtime::CudaDriver::EventHandle Gpu::event() {
  const runtime::EnterCuda entered(context);
  runtime::CudaDriver::EventHandle made = nullptr;
  context.check(driver.event_create(&made, 0), "cuEventCreate");
  return made;
}

double Gpu::seconds(const std::function<void()>& work) {
  const auto record = [&](runtime::CudaDriver::EventHandle event) {
    const runtime::EnterCuda entered(context);
    context.check(driver.event_record(event, context.stream), "cuEventRecord");
  };
  record(begin_);
  work();
  record(end_);
  const runtime::EnterCuda entered(context);
  context.check(driver.event_synchronize(end_), "cuEventSynchronize");
  float milliseconds = 0;
  context.check(elapsed_(&milliseconds, begin_, end_), "cuEventElapsedTime");
  return 1e-3 * static_cast<double>(milliseconds);
}

void Gpu::start_profiler() {
  const runtime::EnterCuda entered(context);
  if (profiler_start_ != nullptr) profiler_start_();
}

void Gpu::stop_profiler() {
  const runtime::EnterCuda entered(context);
  if (profiler_stop_ != nullptr) profiler_stop_();
}

int Gpu::attribute(int which) {
  int value = 0;
  if (driver.device_attribute(&value, which, context.device) != runtime::cuda::kSuccess) return 0;
  return value;
}

OwnKernel::OwnKernel(Gpu& gpu, const std::string& name, const std::string& source) : gpu_(gpu) {
  runtime::Nvrtc& nvrtc = runtime::registry().nvrtc();
  const int own = gpu.device.caps().compute_capability;
  const runtime::NvrtcResult made = nvrtc.compile(name, source, own, true);
  const runtime::EnterCuda entered(gpu.context);
  runtime::CudaDriver::Module module = nullptr;
  int result = gpu.driver.module_load(&module, made.cubin.data(), 0, nullptr, nullptr);
  if (result != runtime::cuda::kSuccess) {  // the driver is older, or takes text only
    result = gpu.driver.module_load(&module, made.ptx.c_str(), 0, nullptr, nullptr);
  }
  gpu.context.check(result, "cuModuleLoadDataEx");
  gpu.context.check(gpu.driver.module_function(&function_, module, name.c_str()),
                    "cuModuleGetFunction");
}

void OwnKernel::launch(std::int64_t blocks, int threads, std::span<void* const> arguments) {
  const runtime::EnterCuda entered(gpu_.context);
  std::vector<void*> list(arguments.begin(), arguments.end());
  gpu_.context.check(gpu_.driver.launch(function_, static_cast<unsigned>(blocks), 1, 1,
                                        static_cast<unsigned>(threads), 1, 1, 0,
                                        gpu_.context.stream, list.data(), nullptr),
                     "cuLaunchKernel");
}

}  // namespace kiln::gpu
