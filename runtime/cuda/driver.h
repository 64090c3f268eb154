// The CUDA driver's binary interface, as far as it is used, declared here so that no CUDA header is
// needed to build; a test compares these declarations with NVIDIA's where those are installed.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/cuda/cuda.h"
#include "runtime/library.h"

namespace kiln::runtime {

class CudaDriver {
 public:
  using Result = int;
  using Address = unsigned long long;
  using Context = struct CudaContextHandle*;
  using Stream = struct CudaStreamHandle*;
  using EventHandle = struct CudaEventHandle*;
  using Module = struct CudaModuleHandle*;
  using Function = struct CudaFunctionHandle*;
  using Pool = struct CudaPoolHandle*;
  struct PoolProperties {
    int allocation = 1;  // pinned
    int handles = 0;
    int location = 1;  // a device
    int id = 0;
    void* security = nullptr;
    std::size_t most = 0;
    unsigned short usage = 0;
    unsigned char reserved[54] = {};
  };
  static_assert(sizeof(PoolProperties) == 88);

  Library library;
#define KILN_CUDA(member, symbol, arguments) Result(*member) arguments = nullptr;
#include "runtime/cuda/driver.def"
#undef KILN_CUDA

  bool has_pools() const {
    return pool_create && pool_set && pool_trim && pool_allocate && pool_free;
  }
  std::string describe(Result result) const;  // "CUDA_ERROR_OUT_OF_MEMORY (2): out of memory"

  int version = 0;  // 13000
};

// Values of the driver's enumerations.
namespace cuda {
inline constexpr int kSuccess = 0;
inline constexpr int kOutOfMemory = 2;
inline constexpr int kDeinitialized = 4;
inline constexpr int kNoDevice = 100;
inline constexpr int kInvalidImage = 200;
inline constexpr int kNoBinaryForGpu = 209;
inline constexpr int kNotReady = 600;
inline constexpr int kFirstSticky = 700;  // illegal address; 700 to 719 poison the context ...
inline constexpr int kLastSticky = 719;
inline constexpr int kOutOfResources = 701;  // ... but for these: the launch was refused
inline constexpr int kIncompatibleTexturing = 703;
inline constexpr int kPeerFirst = 704, kPeerLast = 705;
inline constexpr int kPrimaryActive = 708;
inline constexpr int kRegisteredFirst = 711, kRegisteredLast = 713;
inline constexpr int kUncorrectable = 214;
inline constexpr int kUnavailable = 46;

inline constexpr int kSharedBytesPerBlock = 8;
inline constexpr int kClockRate = 13;
inline constexpr int kMultiprocessors = 16;
inline constexpr int kMemoryClockRate = 36;
inline constexpr int kMemoryBusWidth = 37;
inline constexpr int kCacheBytes = 38;
inline constexpr int kCapabilityMajor = 75;
inline constexpr int kCapabilityMinor = 76;
inline constexpr int kPoolsSupported = 115;

inline constexpr int kFunctionMaxThreads = 0;
inline constexpr int kPoolReleaseThreshold = 4;
inline constexpr int kJitInfoLog = 3, kJitInfoLogBytes = 4;
inline constexpr int kJitErrorLog = 5, kJitErrorLogBytes = 6;
inline constexpr unsigned kStreamNonBlocking = 1;
inline constexpr unsigned kEventNoTiming = 2;

// Whether after this failure nothing will work on the context any more.
bool sticky(int result);
}  // namespace cuda

}  // namespace kiln::runtime
