// The kernel cache: loaded kernels in memory, binaries on disk. Keys are texts and are compared
// whole. Safe from any thread; a kernel that two threads want at once is compiled once, different
// kernels compile in parallel.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "runtime/config.h"
#include "runtime/device.h"
#include "runtime/disk_cache.h"

namespace kiln::runtime {

// How source is made of a kernel; the frontend's, since runtime knows no code generator.
struct Compiler {
  std::function<ir::KernelSource(const ir::Kernel&)> emit;  // called from several threads at once
  // Text of everything emit depends on besides the kernel: version of the library and of
  // NUMERICS.md, code generator, CPU and features.
  std::string version;
};

enum class Origin : std::uint8_t { compiled, disk, memory };

struct CachedKernel {
  std::shared_ptr<const LoadedKernel> kernel;
  Origin origin = Origin::compiled;
};

class KernelCache {
 public:
  explicit KernelCache(const Config& config);
  ~KernelCache();

  // The kernel, loaded into the device. Counts compiled, memory_hits or disk_hits of the device.
  // Throws what emit, compile or load_kernel throw; nothing is kept then, and a later call tries
  // anew.
  CachedKernel get(Device& device, const ir::Kernel& kernel, const Compiler& compiler);

  // Where get would find it now. Loads and counts nothing.
  Origin origin(const Device& device, const ir::Kernel& kernel, const Compiler& compiler);

  // The key on disk: equal keys imply equal binaries.
  static std::string key(const Device& device, const ir::Kernel& kernel, const Compiler& compiler);

  DiskCache& disk() { return disk_; }
  void clear_memory();
  std::size_t size() const;  // kernels in memory

  // Around fork(): holds the lock, and in the child forgets what other threads were compiling.
  void before_fork();
  void after_fork(bool child);

 private:
  struct Entry;
  CachedKernel make(Device& device, const ir::Kernel& kernel, const Compiler& compiler,
                    std::string_view disk_key);
  void evict();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<std::string, std::shared_ptr<Entry>> entries_;
  std::list<Entry*> recent_;  // finished ones, most recently used first
  std::size_t capacity_;
  DiskCache disk_;
};

}  // namespace kiln::runtime
