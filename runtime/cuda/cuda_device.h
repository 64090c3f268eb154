// One GPU behind the driver. One stream; PTX or machine code from NVRTC is handed to the driver.
#pragma once
#include <atomic>
#include <memory>

#include "runtime/cuda/context.h"
#include "runtime/cuda/cublaslt.h"
#include "runtime/cuda/memory.h"
#include "runtime/device.h"

namespace kiln::runtime {

class CudaDevice final : public Device {
 public:
  CudaDevice(CudaDriver& driver, Nvrtc& nvrtc, const Config& config, int index);
  ~CudaDevice() override;

  MemoryRef allocate(std::int64_t bytes) override { return memory_.allocate(bytes); }
  void upload(Memory& to, std::int64_t offset, const void* source, std::int64_t bytes) override;
  void download(void* target, const Memory& from, std::int64_t offset, std::int64_t bytes) override;
  void copy(Memory& to, std::int64_t to_offset, const Memory& from, std::int64_t from_offset,
            std::int64_t bytes) override;
  void fill_zero(Memory& to, std::int64_t offset, std::int64_t bytes) override;
  MemoryStats memory() const override { return memory_.stats(); }
  std::int64_t free_bytes() const override { return memory_.free_bytes(); }
  void trim() override { memory_.trim(); }
  void reset_peak() override { memory_.reset_peak(); }
  void set_memory_limit(std::int64_t bytes) override { memory_.set_limit(bytes); }

  bool needs_source() const override { return true; }
  std::string compiler() const override;
  // Machine code and PTX, where NVRTC knows the architecture; else PTX of the next lower one.
  Binary compile(const ir::KernelSource& source) override;
  // Machine code that the driver does not take (another driver, a simulator) is passed over in
  // favour of PTX, and not made again.
  std::shared_ptr<const LoadedKernel> load_kernel(const ir::Kernel& kernel,
                                                  const Binary& binary) override;
  void launch(const Launch& launch) override;
  bool has(ir::NodeKind call) const override { return call == ir::NodeKind::contract; }
  void call(const ir::BoundCall& call, const LaunchLabel& label) override;
  std::string products_missing() override;
  std::shared_ptr<Event> record() override;
  void synchronize() override;
  void check_usable() const override { context_.check_usable(); }
  // For who records events on the queue, or launches kernels of their own there.
  CudaContext& context() { return context_; }
  void before_fork() override { memory_.mutex().lock(); }
  void after_fork() override { memory_.mutex().unlock(); }

 private:
  void release(Memory* memory) noexcept override { memory_.release(memory); }
  CudaDriver::Module load_module(const std::string& label, const std::string& image, bool ptx);

  Config config_;
  Nvrtc& nvrtc_;
  CudaContext context_;
  CudaMemory memory_;
  CudaStaging staging_;
  CublasLt blas_;
  std::atomic<bool> cubin_;
};

}  // namespace kiln::runtime
