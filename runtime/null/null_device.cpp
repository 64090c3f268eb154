#include "runtime/null/null_device.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/error.h"
#include "runtime/targets.h"

namespace kiln::runtime {

namespace {

struct NullMemory : Memory {
  NullMemory(Device& device, std::int64_t bytes) : Memory(device) { bytes_ = bytes; }
};

struct NullKernel : LoadedKernel {
  LaunchNeeds needs;
};

struct DoneEvent : Event {
  bool ready() override { return true; }
  void wait() override {}
};

}  // namespace

NullDevice::NullDevice(const ir::Caps& caps)
    : Device(fmt::format("plan_only({})", caps.name), caps, false) {
  model_ = caps.name;
}

MemoryRef NullDevice::allocate(std::int64_t bytes) {
  ir::internal_check(bytes >= 0, "allocate: negative size");
  auto memory = std::make_unique<NullMemory>(*this, bytes);
  std::lock_guard lock(mutex_);
  const std::int64_t left = std::max<std::int64_t>(0, limit_ - live_);
  if (bytes > left) throw OutOfMemory(name_, bytes, left, limit_);
  live_ += bytes;
  peak_ = std::max(peak_, live_);
  return MemoryRef(memory.release());
}

void NullDevice::release(Memory* memory) noexcept {
  {
    std::lock_guard lock(mutex_);
    live_ -= memory->bytes();
  }
  delete static_cast<NullMemory*>(memory);
}

void NullDevice::upload(Memory&, std::int64_t, const void*, std::int64_t bytes) {
  Counters::add(counters_.uploads, 1);
  Counters::add(counters_.upload_bytes, bytes);
}

void NullDevice::download(void*, const Memory&, std::int64_t, std::int64_t) {
  throw DeviceError(fmt::format("{} only plans: it has no data to read", name_),
                    "another device, such as kiln::cpu()");
}

MemoryStats NullDevice::memory() const {
  std::lock_guard lock(mutex_);
  return {live_, peak_, 0, limit_};
}

std::int64_t NullDevice::free_bytes() const {
  std::lock_guard lock(mutex_);
  return std::max<std::int64_t>(0, limit_ - live_);
}

void NullDevice::set_memory_limit(std::int64_t bytes) {
  std::lock_guard lock(mutex_);
  limit_ = bytes > 0 ? bytes : kUnlimited;
}

void NullDevice::reset_peak() {
  std::lock_guard lock(mutex_);
  peak_ = live_;
}

std::shared_ptr<const LoadedKernel> NullDevice::load_kernel(const ir::Kernel& kernel,
                                                            const Binary&) {
  ir::internal_check(kernel.target == caps_.target, "a kernel for another target");
  auto loaded = std::make_shared<NullKernel>();
  loaded->needs = launch_needs(kernel);
  if (caps_.target == ir::Target::cuda) check_launch(caps_, loaded->needs, {kernel.name}, 1);
  return loaded;
}

void NullDevice::launch(const Launch& launch) {
  if (caps_.target != ir::Target::cuda) return;
  const auto& kernel = static_cast<const NullKernel&>(*launch.kernel);
  check_launch(caps_, kernel.needs, launch.label, launch.items);
}

std::shared_ptr<Event> NullDevice::record() { return std::make_shared<DoneEvent>(); }

}  // namespace kiln::runtime
