// The host's caching allocator. Fresh pages cost more than most kernels, so freed blocks are kept
// by size class and handed out again; blocks above 2 MB are huge pages where the system grants
// them.
//
// Classes are those of runtime/size_class.h: at most an eighth is wasted, and untouched pages of a
// large block cost nothing. What is kept never exceeds the larger of 256 MB and the most
// that was in use at once. Safe from any thread; a block's header comes and goes with it, so a warm
// allocation touches no heap.
#pragma once
#include <array>
#include <cstdint>
#include <mutex>
#include <string>

#include "runtime/device.h"

namespace kiln::runtime {

class HostAllocator {
 public:
  // limit 0: nine tenths of the machine's memory, or of the cgroup's if that is less.
  HostAllocator(Device& owner, std::int64_t limit);
  ~HostAllocator();

  MemoryRef allocate(std::int64_t bytes);  // throws OutOfMemory
  void release(Memory* memory) noexcept;
  void trim();
  MemoryStats stats() const;
  void reset_peak();
  std::mutex& mutex() { return mutex_; }  // for fork

 private:
  struct HostBlock;
  static constexpr int kClasses = 512;
  static int class_index(std::int64_t capacity);
  HostBlock* fresh(std::int64_t capacity);
  void destroy(HostBlock* block) noexcept;
  void trim_locked() noexcept;
  void shrink_locked(std::int64_t most) noexcept;  // until at most so many bytes are cached

  Device& owner_;
  std::int64_t limit_;
  mutable std::mutex mutex_;
  std::array<HostBlock*, kClasses> cached_{};
  std::int64_t cached_bytes_ = 0;
  std::int64_t used_bytes_ = 0;  // capacities in use
  std::int64_t used_peak_ = 0;
  std::int64_t live_ = 0;  // bytes asked for, in use
  std::int64_t peak_ = 0;
};

}  // namespace kiln::runtime
