// The primary context of one CUDA device and its stream: entering and leaving, errors, fork.
#pragma once
#include <array>
#include <atomic>
#include <mutex>
#include <string>

#include "runtime/cuda/driver.h"
#include "runtime/label.h"

namespace kiln::runtime {

class CudaContext {
 public:
  CudaContext(CudaDriver& driver, int ordinal, std::string name);
  ~CudaContext();
  CudaContext(const CudaContext&) = delete;

  CudaDriver& driver;
  int device = 0;
  CudaDriver::Context context = nullptr;
  CudaDriver::Stream stream = nullptr;

  // Throws DeviceError for a failed call. After one that poisons the context, the device counts as
  // lost: the message then lists the kernels launched since the last synchronisation, and every
  // later call throws. `of`: the launch that was refused.
  void check(int result, const char* call, const LaunchLabel* of = nullptr);
  void check_usable() const;  // throws if lost, or in a forked child
  bool usable() const noexcept;
  bool of_parent() const noexcept;  // this process is a child forked since
  void synchronize();
  void note_launch(const LaunchLabel& label);

 private:
  [[noreturn]] void lose(int result, const char* call);

  std::string name_;
  std::uint32_t generation_;
  mutable std::mutex mutex_;
  std::string lost_;
  std::atomic<bool> is_lost_{false};
  std::array<LaunchNote, 8> recent_;  // a ring
  std::size_t launches_ = 0;          // since the last synchronisation
};

// Makes the context current for a scope and restores what was current before.
class EnterCuda {
 public:
  explicit EnterCuda(CudaContext& context);  // throws if it is not usable
  ~EnterCuda();
  EnterCuda(const EnterCuda&) = delete;

 private:
  CudaContext& context_;
};

}  // namespace kiln::runtime
