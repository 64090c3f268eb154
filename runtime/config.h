// Everything the runtime may be told from outside. The frontend fills it (from environment
// variables and its own options) before the registry is first used; the runtime itself reads no
// environment.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace kiln::runtime {

struct Config {
  // The CPU device.
  int threads = 0;         // that run a kernel, the caller's included; see usable_threads
  bool interpret = false;  // run CPU kernels by the interpreter although LLVM is there
  std::string host_figures = "fixed";  // of the cost model; or "measured", or see host/figures.h
  std::int64_t memory_limit = 0;  // bytes; 0: nine tenths of what the machine (or its cgroup) has

  // CUDA. An empty path means the conventional names and places, see the header that uses it.
  std::string cuda_driver;                   // the driver library: default libcuda.so.1
  std::string nvrtc;                         // NVRTC: a file
  std::string cublaslt;                      // cuBLASLt: a file
  std::string cuda_home;                     // an install prefix of the CUDA toolkit
  std::string cuda_path;                     // another
  std::vector<std::string> library_folders;  // further folders with NVIDIA's libraries (wheels)
  std::int64_t cuda_memory_limit = 0;        // bytes a device; 0: what the device has
  bool cubin = true;                         // prefer machine code made by NVRTC to PTX

  // Kernel cache.
  std::string cache_folder;                            // "" keeps nothing on disk
  std::int64_t cache_bytes = std::int64_t{256} << 20;  // on disk
  int cached_kernels = 4096;                           // in memory
};

}  // namespace kiln::runtime
