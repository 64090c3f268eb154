#include "runtime/device.h"

#include "ir/error.h"

namespace kiln::runtime {

namespace {

struct ForeignMemory : Memory {
  ForeignMemory(Device& device, void* data, std::int64_t bytes, bool writable,
                std::shared_ptr<const void> keep)
      : Memory(device), owner(std::move(keep)) {
    data_ = data;
    bytes_ = bytes;
    writable_ = writable;
    foreign_ = true;
  }
  std::shared_ptr<const void> owner;
};

}  // namespace

void MemoryRef::release() const {
  if (memory_ && memory_->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    memory_->device_->release_any(memory_);
  }
}

Device::Device(std::string name, ir::Caps caps, bool host_memory)
    : name_(std::move(name)), caps_(std::move(caps)), host_memory_(host_memory) {}

MemoryRef Device::adopt(void* data, std::int64_t bytes, std::shared_ptr<const void> owner,
                        bool writable) {
  ir::internal_check(bytes >= 0, "adopt: negative size");
  return MemoryRef(new ForeignMemory(*this, data, bytes, writable, std::move(owner)));
}

void Device::release_any(Memory* memory) noexcept {
  if (memory->foreign_) {
    delete static_cast<ForeignMemory*>(memory);
  } else {
    release(memory);
  }
}

}  // namespace kiln::runtime
