#include "runtime/cuda/context.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/registry.h"

namespace kiln::runtime {

namespace {
constexpr const char* kLost =
    "another process, since the driver gives this one no device again; Mode::check on kiln::cpu() "
    "shows whether a kernel is wrong";
}  // namespace

CudaContext::CudaContext(CudaDriver& the_driver, int ordinal, std::string name)
    : driver(the_driver), name_(std::move(name)), generation_(fork_generation()) {
  check(driver.device_get(&device, ordinal), "cuDeviceGet");
  check(driver.context_retain(&context, device), "cuDevicePrimaryCtxRetain");
  try {
    const EnterCuda entered(*this);
    check(driver.stream_create(&stream, cuda::kStreamNonBlocking), "cuStreamCreate");
  } catch (const DeviceError&) {
    driver.context_release(device);
    throw;
  }
}

CudaContext::~CudaContext() {
  if (!usable()) return;
  {
    const EnterCuda entered(*this);
    driver.stream_synchronize(stream);
    driver.stream_destroy(stream);
  }
  driver.context_release(device);
}

bool CudaContext::of_parent() const noexcept { return generation_ != fork_generation(); }
bool CudaContext::usable() const noexcept { return !is_lost_ && !of_parent(); }

void CudaContext::check_usable() const {
  if (generation_ != fork_generation()) {
    throw DeviceError(
        fmt::format("{} was opened before this process was forked and cannot be used in the "
                    "child",
                    name_),
        "CUDA from its first use on behind the fork only, or kiln::cpu()");
  }
  if (is_lost_) {
    std::lock_guard lock(mutex_);
    throw DeviceError(lost_, kLost);
  }
}

void CudaContext::check(int result, const char* call, const LaunchLabel* of) {
  if (result == cuda::kSuccess) return;
  if (cuda::sticky(result)) lose(result, call);
  throw DeviceError(fmt::format("{}: {} failed: {}{}", name_, call, driver.describe(result),
                                of != nullptr ? "\n  kernel " + of->text() : ""),
                    "kiln::cpu() meanwhile; the driver's log says more");
}

void CudaContext::lose(int result, const char* call) {
  std::lock_guard lock(mutex_);
  if (!is_lost_) {
    std::string kernels;
    const std::size_t count = std::min(launches_, recent_.size());
    for (std::size_t i = launches_ - count; i < launches_; ++i) {
      kernels += fmt::format("\n  {}", recent_[i % recent_.size()].text());
    }
    lost_ = fmt::format(
        "{} is lost: {} reported {}{}{}", name_, call, driver.describe(result),
        kernels.empty() ? "" : "\nkernels launched since the last synchronisation:", kernels);
    is_lost_ = true;
  }
  throw DeviceError(lost_, kLost);
}

void CudaContext::synchronize() {
  check(driver.stream_synchronize(stream), "cuStreamSynchronize");
  std::lock_guard lock(mutex_);
  launches_ = 0;
}

void CudaContext::note_launch(const LaunchLabel& label) {
  std::lock_guard lock(mutex_);
  label.write(&recent_[launches_++ % recent_.size()]);
}

EnterCuda::EnterCuda(CudaContext& context) : context_(context) {
  context.check_usable();
  context.check(context.driver.context_push(context.context), "cuCtxPushCurrent");
}

EnterCuda::~EnterCuda() {
  CudaDriver::Context popped = nullptr;
  context_.driver.context_pop(&popped);
}

}  // namespace kiln::runtime
