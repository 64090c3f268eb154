// A device that plans, emits and checks launches against the target's limits, and never runs. Its
// memory has sizes and no data, uploads are counted and dropped, reading back is a DeviceError.
#pragma once
#include <limits>
#include <mutex>

#include "runtime/config.h"
#include "runtime/device.h"

namespace kiln::runtime {

class NullDevice final : public Device {
 public:
  explicit NullDevice(const ir::Caps& caps);

  bool runs() const override { return false; }
  MemoryRef allocate(std::int64_t bytes) override;
  void upload(Memory& to, std::int64_t offset, const void* source, std::int64_t bytes) override;
  void download(void* target, const Memory& from, std::int64_t offset, std::int64_t bytes) override;
  void copy(Memory&, std::int64_t, const Memory&, std::int64_t, std::int64_t) override {}
  void fill_zero(Memory&, std::int64_t, std::int64_t) override {}
  MemoryStats memory() const override;
  std::int64_t free_bytes() const override;
  void trim() override {}
  void reset_peak() override;
  void set_memory_limit(std::int64_t bytes) override;

  bool needs_source() const override { return true; }
  std::string compiler() const override { return "none"; }
  Binary compile(const ir::KernelSource& source) override { return {source.name, {}}; }
  std::shared_ptr<const LoadedKernel> load_kernel(const ir::Kernel& kernel,
                                                  const Binary& binary) override;
  void launch(const Launch& launch) override;
  bool has(ir::NodeKind) const override { return true; }
  void call(const ir::BoundCall&, const LaunchLabel&) override {}
  std::shared_ptr<Event> record() override;
  void synchronize() override {}

  void before_fork() override { mutex_.lock(); }
  void after_fork() override { mutex_.unlock(); }

 private:
  void release(Memory* memory) noexcept override;

  static constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();
  mutable std::mutex mutex_;
  std::int64_t live_ = 0;
  std::int64_t peak_ = 0;
  std::int64_t limit_ = kUnlimited;
};

}  // namespace kiln::runtime
