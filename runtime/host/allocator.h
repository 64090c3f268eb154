// The host's caching allocator. Fresh pages cost more than most kernels, so freed blocks are kept
// by size class and handed out again; blocks above 2 MB are huge pages where the system grants
// them.
//
// Classes are those of runtime/size_class.h: at most an eighth is wasted, and untouched pages of a
// large block cost nothing. What is kept never exceeds the larger of 256 MB and the most
// that was in use at once. Safe from any thread; a block's header comes and goes with it, so a warm
// allocation touches no heap.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <mutex>
#include <string>

#include "runtime/device.h"
#include "runtime/host/available.h"

namespace kiln::runtime {

class HostAllocator {
 public:
  using Available = std::int64_t (*)();
  // limit 0: nine tenths of the machine's memory, or of the cgroup's if that is less. available:
  // what the machine can still give, asked before much is taken; a system that promises more than
  // it has would end the process later.
  HostAllocator(Device& owner, std::int64_t limit, Available available = available_memory);
  ~HostAllocator();

  MemoryRef allocate(std::int64_t bytes);  // throws OutOfMemory
  // Counts memory of the process that is not from here, before it is taken: `more` bytes beside the
  // `held` that the caller has counted. Throws OutOfMemory, and counts nothing, if there is no
  // room.
  void count_other(std::int64_t held, std::int64_t more);
  void uncount_other(std::int64_t bytes) noexcept;
  void release(Memory* memory) noexcept;
  void trim();
  MemoryStats stats() const;
  std::int64_t free_bytes() const;
  void reset_peak();
  void set_limit(std::int64_t bytes);     // 0: what it was at first
  std::mutex& mutex() { return mutex_; }  // for fork

 private:
  struct HostBlock;
  static constexpr int kClasses = 512;
  static int class_index(std::int64_t capacity);
  HostBlock* fresh(std::int64_t capacity);
  std::int64_t left_locked() const { return std::max<std::int64_t>(0, limit_ - used_bytes_); }
  [[noreturn]] void refuse(std::int64_t bytes, std::int64_t free) const;
  // Throws if the machine has no room for so many bytes, even without what is cached.
  void check_machine_locked(std::int64_t bytes);
  void destroy(HostBlock* block) noexcept;
  void trim_locked() noexcept;
  void shrink_locked(std::int64_t most) noexcept;  // until at most so many bytes are cached

  Device& owner_;
  const std::int64_t first_limit_;
  std::int64_t limit_;  // may be less than what is in use
  Available available_;
  mutable std::mutex mutex_;
  std::array<HostBlock*, kClasses> cached_{};
  std::int64_t cached_bytes_ = 0;
  std::int64_t used_bytes_ = 0;  // capacities in use
  std::int64_t used_peak_ = 0;
  std::int64_t live_ = 0;  // bytes asked for, in use
  std::int64_t peak_ = 0;
};

// Memory of the process that is not the allocator's, counted against its limit while this lives.
class OtherMemory {
 public:
  explicit OtherMemory(HostAllocator& allocator, std::int64_t bytes = 0) : allocator_(allocator) {
    resize(bytes);
  }
  ~OtherMemory() { allocator_.uncount_other(bytes_); }
  OtherMemory(const OtherMemory&) = delete;
  OtherMemory& operator=(const OtherMemory&) = delete;
  // So many bytes from now on; called before more are taken. Throws OutOfMemory.
  void resize(std::int64_t bytes) {
    if (bytes > bytes_) {
      allocator_.count_other(bytes_, bytes - bytes_);
    } else {
      allocator_.uncount_other(bytes_ - bytes);
    }
    bytes_ = bytes;
  }

 private:
  HostAllocator& allocator_;
  std::int64_t bytes_ = 0;
};

}  // namespace kiln::runtime
