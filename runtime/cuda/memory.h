// Memory of a CUDA device: a stream-ordered pool of our own where the device has pools, else plain
// allocations kept by size class. All work is on one stream, so a freed block may be handed out at
// once. Every address is a multiple of 256.
#pragma once
#include <algorithm>
#include <map>
#include <mutex>
#include <vector>

#include "runtime/cuda/context.h"
#include "runtime/device.h"

namespace kiln::runtime {

class CudaMemory {
 public:
  CudaMemory(Device& owner, CudaContext& context, std::int64_t limit);
  ~CudaMemory();

  MemoryRef allocate(std::int64_t bytes);
  void release(Memory* memory) noexcept;
  void trim();
  // Runs a driver call that needs memory; where there is none, waits for work in flight, gives back
  // what is cached, and runs it once more. Throws OutOfMemory, or what else the call reports.
  template <class Call>
  void with_room(std::int64_t bytes, const char* name, Call call) {
    int result = call();
    if (result == cuda::kOutOfMemory) {
      context_.synchronize();
      trim();
      result = call();
    }
    if (result == cuda::kOutOfMemory) {
      std::lock_guard lock(mutex_);
      refuse_locked(bytes);
    }
    context_.check(result, name);
  }
  MemoryStats stats() const;
  std::int64_t free_bytes() const;
  void reset_peak();
  void set_limit(std::int64_t bytes);     // 0: what it was at first
  std::mutex& mutex() { return mutex_; }  // for fork

 private:
  struct Block;
  CudaDriver::Address take(std::int64_t capacity, int* result);
  void give(CudaDriver::Address address, std::int64_t capacity) noexcept;
  void trim_locked() noexcept;
  [[noreturn]] void refuse_locked(std::int64_t bytes);
  std::int64_t left_locked() const { return std::max<std::int64_t>(0, limit_ - used_); }

  Device& owner_;
  CudaContext& context_;
  CudaDriver::Pool pool_ = nullptr;
  const std::int64_t first_limit_;
  std::int64_t limit_;  // may be less than what is in use
  mutable std::mutex mutex_;
  std::int64_t live_ = 0, peak_ = 0;
  std::int64_t used_ = 0, cached_ = 0;                             // capacities
  std::map<std::int64_t, std::vector<CudaDriver::Address>> kept_;  // without a pool
};

// Copies between host and device through two pinned buffers, so that a caller's pageable memory is
// free again when upload returns and large copies overlap with filling the buffers.
class CudaStaging {
 public:
  CudaStaging(CudaContext& context, CudaMemory& memory) : context_(context), memory_(memory) {}
  ~CudaStaging();

  // The context is entered by the caller.
  void upload(CudaDriver::Address to, const void* source, std::int64_t bytes);
  void download(void* target, CudaDriver::Address from, std::int64_t bytes);

 private:
  struct Half {
    std::byte* memory = nullptr;
    CudaDriver::EventHandle done = nullptr;
    bool busy = false;
  };
  static constexpr std::int64_t kHalfBytes = std::int64_t{4} << 20;
  void prepare();
  void wait(Half& half);

  CudaContext& context_;
  CudaMemory& memory_;
  std::mutex mutex_;
  std::array<Half, 2> halves_;
  std::size_t next_ = 0;
};

}  // namespace kiln::runtime
