// The part of the CUDA driver's binary interface that the simulator serves: handles, result codes,
// attribute numbers and structures as CUDA 13 lays them out. Declared here so that building needs
// no CUDA headers; abi_tests.cpp holds it against cuda.h where that is installed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cudasim::abi {

enum Result : int {
  kSuccess = 0,
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kNotInitialized = 3,
  kDeinitialized = 4,
  kNoDevice = 100,
  kInvalidDevice = 101,
  kInvalidImage = 200,
  kInvalidContext = 201,
  kNoBinaryForGpu = 209,
  kUnsupportedLimit = 215,
  kInvalidPtx = 218,
  kUnsupportedPtxVersion = 222,
  kContained = 226,
  kInvalidSource = 300,
  kFileNotFound = 301,
  kSymbolNotFound = 302,
  kInvalidHandle = 400,
  kIllegalState = 401,
  kNotFound = 500,
  kNotReady = 600,
  kIllegalAddress = 700,
  kLaunchOutOfResources = 701,
  kPrimaryContextActive = 708,
  kContextIsDestroyed = 709,
  kAssert = 710,
  kHostMemoryAlreadyRegistered = 712,
  kHostMemoryNotRegistered = 713,
  kIllegalInstruction = 715,
  kMisalignedAddress = 716,
  kLaunchFailed = 719,
  kCooperativeLaunchTooLarge = 720,
  kNotPermitted = 800,
  kNotSupported = 801,
  kStreamCaptureUnsupported = 900,
  kStreamCaptureInvalidated = 901,
  kStreamCaptureUnmatched = 903,
  kStreamCaptureImplicit = 906,
  kGraphExecUpdateFailure = 910,
  kUnknown = 999,
};

using Device = int;
using DevicePtr = unsigned long long;
using Context = struct ContextHandle*;
using Module = struct ModuleHandle*;
using Function = struct FunctionHandle*;
using Library = struct LibraryHandle*;
using Kernel = struct KernelHandle*;
using Stream = struct StreamHandle*;
using Event = struct EventHandle*;
using Pool = struct PoolHandle*;
using Graph = struct GraphHandle*;
using GraphNode = struct GraphNodeHandle*;
using GraphExec = struct GraphExecHandle*;
using HostFn = void (*)(void*);
using BlockSizeFn = std::size_t (*)(int);

inline const Stream kStreamLegacy = reinterpret_cast<Stream>(1);
inline const Stream kStreamPerThread = reinterpret_cast<Stream>(2);

struct Uuid {
  char bytes[16];
};

struct LaunchAttribute {
  int id;
  char pad[4];
  union {
    char bytes[64];
    int cooperative;
    unsigned cluster[3];
  } value;
};
inline constexpr int kLaunchAttributeCooperative = 2;
inline constexpr int kLaunchAttributeClusterDimension = 4;

struct LaunchConfig {
  unsigned grid_x, grid_y, grid_z;
  unsigned block_x, block_y, block_z;
  unsigned shared_bytes;
  Stream stream;
  LaunchAttribute* attributes;
  unsigned attribute_count;
};

struct MemLocation {
  int type;
  int id;
};

struct PoolProps {
  int alloc_type;
  int handle_types;
  MemLocation location;
  void* security;
  std::size_t max_size;
  unsigned short usage;
  unsigned char reserved[54];
};

struct KernelNodeParams {
  Function function;
  unsigned grid_x, grid_y, grid_z;
  unsigned block_x, block_y, block_z;
  unsigned shared_bytes;
  void** parameters;
  void** extra;
  Kernel kernel;
  Context context;
};

struct GraphExecUpdateResultInfo {
  int result;
  GraphNode error_node;
  GraphNode error_from_node;
};

// How parameters may be packed in one buffer instead.
inline void* const kLaunchParamEnd = nullptr;
inline void* const kLaunchParamBufferPointer = reinterpret_cast<void*>(1);
inline void* const kLaunchParamBufferSize = reinterpret_cast<void*>(2);

// JIT options that are answered; others are accepted and change nothing.
inline constexpr int kJitInfoLogBuffer = 3;
inline constexpr int kJitInfoLogBufferSize = 4;
inline constexpr int kJitErrorLogBuffer = 5;
inline constexpr int kJitErrorLogBufferSize = 6;

enum FunctionAttribute : int {
  kFuncMaxThreads = 0,
  kFuncSharedBytes = 1,
  kFuncConstBytes = 2,
  kFuncLocalBytes = 3,
  kFuncRegisters = 4,
  kFuncPtxVersion = 5,
  kFuncBinaryVersion = 6,
  kFuncCacheModeCa = 7,
  kFuncMaxDynamicShared = 8,
  kFuncSharedCarveout = 9,
};

enum PointerAttribute : int {
  kPointerContext = 1,
  kPointerMemoryType = 2,
  kPointerDevice = 3,
  kPointerHost = 4,
  kPointerBufferId = 7,
  kPointerIsManaged = 8,
  kPointerOrdinal = 9,
  kPointerRangeStart = 11,
  kPointerRangeSize = 12,
  kPointerMapped = 13,
};
inline constexpr unsigned kMemoryTypeHost = 1;
inline constexpr unsigned kMemoryTypeDevice = 2;

inline constexpr unsigned kStreamNonBlocking = 1;
inline constexpr unsigned kEventDisableTiming = 2;

inline constexpr int kPoolReleaseThreshold = 4;
inline constexpr int kPoolReservedCurrent = 5;
inline constexpr int kPoolReservedHigh = 6;
inline constexpr int kPoolUsedCurrent = 7;
inline constexpr int kPoolUsedHigh = 8;

inline constexpr int kDriverVersion = 13000;

}  // namespace cudasim::abi

#define CUDASIM_EXPORT extern "C" __attribute__((visibility("default")))
