// NVIDIA's run-time compiler, loaded when first needed; no driver and no GPU is involved.
//
// Looked for, in this order: Config::nvrtc (then nothing else); Config::library_folders; lib64, lib
// and targets/x86_64-linux/lib of Config::cuda_home, of cuda_path, of /usr/local/cuda, /opt/cuda
// and /usr/local/cuda-*; the loader's path. Names: libnvrtc.so, libnvrtc.so.13, .12.
#pragma once
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/config.h"
#include "runtime/device.h"

namespace kiln::runtime {

struct NvrtcResult {
  std::string ptx;
  std::vector<std::byte> cubin;  // empty unless asked for
  std::string log;               // warnings
};

class Nvrtc {
 public:
  explicit Nvrtc(const Config& config);
  ~Nvrtc();
  Nvrtc(const Nvrtc&) = delete;
  Nvrtc& operator=(const Nvrtc&) = delete;

  bool available();
  std::string missing();          // why it is not available; "" if it is
  std::pair<int, int> version();  // {13, 0}; throws DeviceError if missing
  bool supports(int compute_capability);
  // Options that every kernel is compiled with: part of cache keys.
  static const std::vector<std::string>& options();

  // Compiles CUDA C for compute capability 80, 90, ... Throws DeviceError with the log and the
  // numbered lines of the source. Several threads may compile at once.
  NvrtcResult compile(const std::string& name, const std::string& source, int compute_capability,
                      bool cubin);

 private:
  struct Api;
  Api& api();  // throws DeviceError
  void look();

  Config config_;
  std::once_flag looked_;
  Api* api_ = nullptr;
  std::string missing_;
};

}  // namespace kiln::runtime
