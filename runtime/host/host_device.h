// The CPU as a device: memory of the process, kernels as linked machine code or interpreted, spread
// over worker threads where that takes less time than waking them.
#pragma once
#include <memory>
#include <mutex>

#include "runtime/config.h"
#include "runtime/device.h"
#include "runtime/host/allocator.h"
#include "runtime/host/figures.h"
#include "runtime/host/workers.h"

namespace kiln::runtime {

class HostDevice final : public Device {
 public:
  explicit HostDevice(const Config& config);  // with fixed figures
  HostDevice(const Config& config, const HostFigures& figures);
  ~HostDevice() override;

  MemoryRef allocate(std::int64_t bytes) override { return allocator_.allocate(bytes); }
  void upload(Memory& to, std::int64_t offset, const void* source, std::int64_t bytes) override;
  void download(void* target, const Memory& from, std::int64_t offset, std::int64_t bytes) override;
  void copy(Memory& to, std::int64_t to_offset, const Memory& from, std::int64_t from_offset,
            std::int64_t bytes) override;
  void fill_zero(Memory& to, std::int64_t offset, std::int64_t bytes) override;
  MemoryStats memory() const override { return allocator_.stats(); }
  std::int64_t free_bytes() const override { return allocator_.free_bytes(); }
  void trim() override { allocator_.trim(); }
  void reset_peak() override { allocator_.reset_peak(); }
  void set_memory_limit(std::int64_t bytes) override { allocator_.set_limit(bytes); }

  bool needs_source() const override { return !interprets_; }
  std::string compiler() const override;
  Binary compile(const ir::KernelSource& source) override;
  std::shared_ptr<const LoadedKernel> load_kernel(const ir::Kernel& kernel,
                                                  const Binary& binary) override;
  void launch(const Launch& launch) override;
  bool has(ir::NodeKind) const override { return true; }
  void call(const ir::BoundCall& call, const LaunchLabel& label) override;
  std::shared_ptr<Event> record() override;
  void synchronize() override {}
  void before_fork() override { allocator_.mutex().lock(); }
  void after_fork() override { allocator_.mutex().unlock(); }

  double seconds(const Work& work) const;  // on one thread, estimated
  Workers& workers() { return workers_; }
  bool interprets() const { return interprets_; }
  HostAllocator& allocator() { return allocator_; }

 private:
  void release(Memory* memory) noexcept override { allocator_.release(memory); }

  double cached_bandwidth_;  // HostFigures::cached
  double parallel_seconds_;  // the least work, on one thread, that pays for waking others
  bool interprets_;
  std::once_flag said_slow_;
  HostAllocator allocator_;
  Workers workers_;
};

}  // namespace kiln::runtime
