#include "runtime/cuda/memory.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "ir/error.h"
#include "ir/mutant.h"
#include "runtime/size_class.h"

namespace kiln::runtime {

namespace {

constexpr std::int64_t kGranule = 256;

}  // namespace

struct CudaMemory::Block : Memory {
  Block(Device& device, std::int64_t asked) : Memory(device) { bytes_ = asked; }
  void bind(CudaDriver::Address address, std::int64_t size) {
    data_ = reinterpret_cast<void*>(static_cast<std::uintptr_t>(address));
    capacity = size;
  }
  CudaDriver::Address address() const { return reinterpret_cast<std::uintptr_t>(data_); }
  std::int64_t capacity = 0;
};

CudaMemory::CudaMemory(Device& owner, CudaContext& context, std::int64_t limit)
    : owner_(owner), context_(context), first_limit_(limit), limit_(limit) {
  CudaDriver& driver = context.driver;
  int supported = 0;
  driver.device_attribute(&supported, cuda::kPoolsSupported, context.device);
  if (!supported || !driver.has_pools()) return;
  CudaDriver::PoolProperties properties;
  properties.id = context.device;
  if (driver.pool_create(&pool_, &properties) != cuda::kSuccess) {
    pool_ = nullptr;
    return;
  }
  // Keep everything until trim: giving pages back at each synchronisation costs more than kernels.
  std::uint64_t threshold = std::numeric_limits<std::uint64_t>::max();
  driver.pool_set(pool_, cuda::kPoolReleaseThreshold, &threshold);
}

CudaMemory::~CudaMemory() {
  if (!context_.usable()) return;
  const EnterCuda entered(context_);
  trim_locked();
  if (pool_) context_.driver.pool_destroy(pool_);
}

MemoryRef CudaMemory::allocate(std::int64_t bytes) {
  ir::internal_check(bytes >= 0, "allocate: negative size");
  const EnterCuda entered(context_);
  auto block = std::make_unique<Block>(owner_, bytes);
  if (bytes == 0) return MemoryRef(block.release());
  std::lock_guard lock(mutex_);
  if (bytes > left_locked()) throw OutOfMemory(owner_.name(), bytes, left_locked(), limit_);
  const std::int64_t capacity =
      pool_ ? (bytes + kGranule - 1) / kGranule * kGranule : std::max(size_class(bytes), kGranule);
  int result = cuda::kSuccess;
  CudaDriver::Address address = take(capacity, &result);
  if (result == cuda::kOutOfMemory) {
    // Work in flight may still hold blocks that were released.
    context_.synchronize();
    trim_locked();
    address = take(capacity, &result);
  }
  if (result == cuda::kOutOfMemory) refuse_locked(bytes);
  context_.check(result, pool_ ? "cuMemAllocFromPoolAsync" : "cuMemAlloc");
  used_ += capacity;
  live_ += bytes;
  peak_ = std::max(peak_, live_);
  block->bind(address, capacity);
  return MemoryRef(block.release());
}

void CudaMemory::refuse_locked(std::int64_t bytes) {
  std::size_t free = 0, total = 0;
  context_.check(context_.driver.memory_info(&free, &total), "cuMemGetInfo");
  throw OutOfMemory(owner_.name(), bytes, std::min(static_cast<std::int64_t>(free), left_locked()),
                    limit_);
}

CudaDriver::Address CudaMemory::take(std::int64_t capacity, int* result) {
  CudaDriver::Address address = 0;
  const auto bytes = static_cast<std::size_t>(capacity);
  if (pool_) {
    *result = context_.driver.pool_allocate(&address, bytes, pool_, context_.stream);
    return address;
  }
  std::vector<CudaDriver::Address>& kept = kept_[capacity];
  if (!kept.empty()) {
    address = kept.back();
    kept.pop_back();
    cached_ -= capacity;
    *result = cuda::kSuccess;
    return address;
  }
  if (used_ + cached_ + capacity > limit_) trim_locked();
  *result = context_.driver.allocate(&address, bytes);
  return address;
}

void CudaMemory::give(CudaDriver::Address address, std::int64_t capacity) noexcept {
  if (pool_) {
    context_.driver.pool_free(address, context_.stream);
    return;
  }
  kept_[capacity].push_back(address);
  cached_ += capacity;
}

void CudaMemory::release(Memory* memory) noexcept {
  auto* const block = static_cast<Block*>(memory);
  if (block->capacity > 0) {
    std::lock_guard lock(mutex_);
    if (!mutant(ir::Mutant::leak)) used_ -= block->capacity;
    live_ -= block->bytes();
    if (context_.usable()) {
      try {
        const EnterCuda entered(context_);
        give(block->address(), block->capacity);
      } catch (const DeviceError&) {
        // The driver is gone (process exit, device lost), and the memory with it.
      }
    }
  }
  delete block;
}

void CudaMemory::trim() {
  const EnterCuda entered(context_);
  std::lock_guard lock(mutex_);
  trim_locked();
}

void CudaMemory::trim_locked() noexcept {
  if (pool_) context_.driver.pool_trim(pool_, 0);
  for (auto& [capacity, addresses] : kept_) {
    for (const CudaDriver::Address address : addresses) context_.driver.free(address);
    addresses.clear();
  }
  cached_ = 0;
}

MemoryStats CudaMemory::stats() const {
  std::lock_guard lock(mutex_);
  return {live_, peak_, cached_, limit_};
}

std::int64_t CudaMemory::free_bytes() const {
  const EnterCuda entered(context_);
  std::size_t free = 0, total = 0;
  context_.check(context_.driver.memory_info(&free, &total), "cuMemGetInfo");
  std::lock_guard lock(mutex_);
  return std::min(static_cast<std::int64_t>(free) + cached_, left_locked());
}

void CudaMemory::set_limit(std::int64_t bytes) {
  std::lock_guard lock(mutex_);
  limit_ = bytes > 0 ? std::min(bytes, owner_.total_bytes()) : first_limit_;
}

void CudaMemory::reset_peak() {
  std::lock_guard lock(mutex_);
  peak_ = live_;
}

CudaStaging::~CudaStaging() {
  if (!context_.usable()) return;
  const EnterCuda entered(context_);
  for (Half& half : halves_) {
    if (half.memory) context_.driver.host_free(half.memory);
    if (half.done) context_.driver.event_destroy(half.done);
  }
}

void CudaStaging::prepare() {
  for (Half& half : halves_) {
    if (half.done) continue;
    if (!half.memory) {
      void* memory = nullptr;
      memory_.with_room(kHalfBytes, "cuMemHostAlloc",
                        [&] { return context_.driver.host_allocate(&memory, kHalfBytes, 0); });
      half.memory = static_cast<std::byte*>(memory);
    }
    context_.check(context_.driver.event_create(&half.done, cuda::kEventNoTiming), "cuEventCreate");
  }
}

void CudaStaging::wait(Half& half) {
  if (!half.busy) return;
  context_.check(context_.driver.event_synchronize(half.done), "cuEventSynchronize");
  half.busy = false;
}

void CudaStaging::upload(CudaDriver::Address to, const void* source, std::int64_t bytes) {
  std::lock_guard lock(mutex_);
  prepare();
  const auto* from = static_cast<const std::byte*>(source);
  while (bytes > 0) {
    Half& half = halves_[next_++ % halves_.size()];
    const std::int64_t part = std::min(bytes, kHalfBytes);
    const auto size = static_cast<std::size_t>(part);
    wait(half);
    std::memcpy(half.memory, from, size);
    context_.check(context_.driver.copy_to_device(to, half.memory, size, context_.stream),
                   "cuMemcpyHtoDAsync");
    context_.check(context_.driver.event_record(half.done, context_.stream), "cuEventRecord");
    half.busy = true;
    from += part;
    to += static_cast<CudaDriver::Address>(part);
    bytes -= part;
  }
}

void CudaStaging::download(void* target, CudaDriver::Address from, std::int64_t bytes) {
  std::lock_guard lock(mutex_);
  prepare();
  auto* to = static_cast<std::byte*>(target);
  const auto start = [&](std::int64_t offset) {
    Half& half = halves_[static_cast<std::size_t>(offset / kHalfBytes) % halves_.size()];
    const auto size = static_cast<std::size_t>(std::min(bytes - offset, kHalfBytes));
    wait(half);
    context_.check(
        context_.driver.copy_to_host(half.memory, from + static_cast<CudaDriver::Address>(offset),
                                     size, context_.stream),
        "cuMemcpyDtoHAsync");
    context_.check(context_.driver.event_record(half.done, context_.stream), "cuEventRecord");
    half.busy = true;
  };
  // While one half is copied out to the caller, the device fills the other.
  start(0);
  for (std::int64_t offset = 0; offset < bytes; offset += kHalfBytes) {
    if (offset + kHalfBytes < bytes) start(offset + kHalfBytes);
    Half& half = halves_[static_cast<std::size_t>(offset / kHalfBytes) % halves_.size()];
    wait(half);
    std::memcpy(to + offset, half.memory,
                static_cast<std::size_t>(std::min(bytes - offset, kHalfBytes)));
  }
}

}  // namespace kiln::runtime
