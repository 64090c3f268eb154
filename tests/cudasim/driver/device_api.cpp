// Initialisation, devices, contexts.

#include <cstdio>
#include <cstring>

#include "tests/cudasim/driver/state.h"

using namespace cudasim;
using namespace cudasim::abi;

namespace {

int attribute_value(const cudasim::Device& device, int attribute, bool& known) {
  const Capability& cap = device.cap;
  known = true;
  switch (attribute) {
    case 1:  // MAX_THREADS_PER_BLOCK
    case 2:  // MAX_BLOCK_DIM_X
    case 3:  // MAX_BLOCK_DIM_Y
      return 1024;
    case 4:  // MAX_BLOCK_DIM_Z
      return 64;
    case 5:  // MAX_GRID_DIM_X
      return 0x7fffffff;
    case 6:  // MAX_GRID_DIM_Y
    case 7:  // MAX_GRID_DIM_Z
      return 65535;
    case 8:  // MAX_SHARED_MEMORY_PER_BLOCK
      return 48 << 10;
    case 9:  // TOTAL_CONSTANT_MEMORY
      return 64 << 10;
    case 10:  // WARP_SIZE
      return 32;
    case 11:  // MAX_PITCH
      return 0x7fffffff;
    case 12:  // MAX_REGISTERS_PER_BLOCK
    case 82:  // MAX_REGISTERS_PER_MULTIPROCESSOR
      return 65536;
    case 13:  // CLOCK_RATE
      return 1410000;
    case 14:  // TEXTURE_ALIGNMENT
    case 30:  // SURFACE_ALIGNMENT
      return 512;
    case 16:  // MULTIPROCESSOR_COUNT
      return cap.sm_count;
    case 15:   // GPU_OVERLAP
    case 19:   // CAN_MAP_HOST_MEMORY
    case 31:   // CONCURRENT_KERNELS
    case 41:   // UNIFIED_ADDRESSING
    case 78:   // STREAM_PRIORITIES_SUPPORTED
    case 95:   // COOPERATIVE_LAUNCH
    case 99:   // HOST_REGISTER_SUPPORTED
    case 115:  // MEMORY_POOLS_SUPPORTED
    case 129:  // UNIFIED_FUNCTION_POINTERS
      return 1;
    case 33:  // PCI_BUS_ID
      return device.ordinal + 1;
    case 36:  // MEMORY_CLOCK_RATE
      return 1215000;
    case 37:  // GLOBAL_MEMORY_BUS_WIDTH
      return 5120;
    case 38:  // L2_CACHE_SIZE
      return 40 << 20;
    case 39:  // MAX_THREADS_PER_MULTIPROCESSOR
      return cap.threads_per_sm;
    case 40:  // ASYNC_ENGINE_COUNT
      return 3;
    case 75:  // COMPUTE_CAPABILITY_MAJOR
      return static_cast<int>(cap.number / 10);
    case 76:  // COMPUTE_CAPABILITY_MINOR
      return static_cast<int>(cap.number % 10);
    case 81:  // MAX_SHARED_MEMORY_PER_MULTIPROCESSOR
      return cap.shared_per_sm;
    case 87:  // SINGLE_TO_DOUBLE_PRECISION_PERF_RATIO
      return cap.number == 80 || cap.number == 90 || cap.number == 100 ? 2 : 64;
    case 97:  // MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
      return cap.shared_optin;
    case 106:  // MAX_BLOCKS_PER_MULTIPROCESSOR
      return cap.blocks_per_sm;
    case 111:  // RESERVED_SHARED_MEMORY_PER_BLOCK
      return cap.reserved_shared;
    default:
      break;
  }
  known = attribute >= 1 && attribute < 160;
  return 0;
}

struct ErrorRow {
  int code;
  const char* name;
  const char* text;
};

constexpr ErrorRow kErrors[] = {
    {kSuccess, "CUDA_SUCCESS", "no error"},
    {kInvalidValue, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {kOutOfMemory, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {kNotInitialized, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {kDeinitialized, "CUDA_ERROR_DEINITIALIZED", "driver shutting down"},
    {kNoDevice, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {kInvalidDevice, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {kInvalidImage, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"},
    {kInvalidContext, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {kNoBinaryForGpu, "CUDA_ERROR_NO_BINARY_FOR_GPU",
     "no kernel image is available for execution on the device"},
    {kUnsupportedLimit, "CUDA_ERROR_UNSUPPORTED_LIMIT", "limit is not supported on this device"},
    {kInvalidPtx, "CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"},
    {kUnsupportedPtxVersion, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION",
     "the provided PTX was compiled with an unsupported toolchain"},
    {kFileNotFound, "CUDA_ERROR_FILE_NOT_FOUND", "file not found"},
    {kSymbolNotFound, "CUDA_ERROR_SHARED_OBJECT_SYMBOL_NOT_FOUND",
     "shared object symbol not found"},
    {kInvalidHandle, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {kIllegalState, "CUDA_ERROR_ILLEGAL_STATE",
     "the operation cannot be performed in the present state"},
    {kNotFound, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {kNotReady, "CUDA_ERROR_NOT_READY", "device not ready"},
    {kIllegalAddress, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {kLaunchOutOfResources, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES",
     "too many resources requested for launch"},
    {kPrimaryContextActive, "CUDA_ERROR_PRIMARY_CONTEXT_ACTIVE",
     "cannot set while device is active in this process"},
    {kContextIsDestroyed, "CUDA_ERROR_CONTEXT_IS_DESTROYED", "context is destroyed"},
    {kAssert, "CUDA_ERROR_ASSERT", "device-side assert triggered"},
    {kHostMemoryAlreadyRegistered, "CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED",
     "part or all of the requested memory range is already mapped"},
    {kHostMemoryNotRegistered, "CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED",
     "pointer does not correspond to a registered memory region"},
    {kIllegalInstruction, "CUDA_ERROR_ILLEGAL_INSTRUCTION",
     "an illegal instruction was encountered"},
    {kMisalignedAddress, "CUDA_ERROR_MISALIGNED_ADDRESS", "misaligned address"},
    {kLaunchFailed, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {kCooperativeLaunchTooLarge, "CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE",
     "too many blocks in cooperative launch"},
    {kNotPermitted, "CUDA_ERROR_NOT_PERMITTED", "operation not permitted"},
    {kNotSupported, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"},
    {kStreamCaptureUnsupported, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED",
     "operation not permitted when stream is capturing"},
    {kStreamCaptureInvalidated, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED",
     "operation failed due to a previous error during capture"},
    {kStreamCaptureUnmatched, "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED",
     "capture was not initiated in this stream"},
    {kGraphExecUpdateFailure, "CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE",
     "the graph update was not performed"},
    {kUnknown, "CUDA_ERROR_UNKNOWN", "unknown error"},
};

const ErrorRow* error_row(int code) {
  for (const ErrorRow& row : kErrors) {
    if (row.code == code) return &row;
  }
  return nullptr;
}

}  // namespace

CUDASIM_EXPORT Result cuInit(unsigned flags) {
  return guarded([&] {
    if (flags != 0) return kInvalidValue;
    Driver::get().initialise();
    return Driver::get().devices.empty() ? kNoDevice : kSuccess;
  });
}

CUDASIM_EXPORT Result cuDriverGetVersion(int* version) {
  if (version == nullptr) return kInvalidValue;
  *version = kDriverVersion;
  return kSuccess;
}

CUDASIM_EXPORT Result cuGetErrorName(Result error, const char** text) {
  if (text == nullptr) return kInvalidValue;
  const ErrorRow* row = error_row(error);
  *text = row != nullptr ? row->name : nullptr;
  return row != nullptr ? kSuccess : kInvalidValue;
}

CUDASIM_EXPORT Result cuGetErrorString(Result error, const char** text) {
  if (text == nullptr) return kInvalidValue;
  const ErrorRow* row = error_row(error);
  *text = row != nullptr ? row->text : nullptr;
  return row != nullptr ? kSuccess : kInvalidValue;
}

CUDASIM_EXPORT Result cuDeviceGetCount(int* count) {
  return with_driver([&](Driver& driver) {
    if (count == nullptr) return kInvalidValue;
    *count = static_cast<int>(driver.devices.size());
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuDeviceGet(abi::Device* device, int ordinal) {
  return with_driver([&](Driver& driver) {
    if (device == nullptr) return kInvalidValue;
    if (driver.device_of(ordinal) == nullptr) return kInvalidDevice;
    *device = ordinal;
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuDeviceGetName(char* name, int length, abi::Device ordinal) {
  return with_driver([&](Driver& driver) {
    const cudasim::Device* device = driver.device_of(ordinal);
    if (device == nullptr) return kInvalidDevice;
    if (name == nullptr || length <= 0) return kInvalidValue;
    std::snprintf(name, static_cast<std::size_t>(length), "%s", device->cap.name);
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuDeviceGetUuid_v2(Uuid* uuid, abi::Device ordinal) {
  return with_driver([&](Driver& driver) {
    if (driver.device_of(ordinal) == nullptr) return kInvalidDevice;
    if (uuid == nullptr) return kInvalidValue;
    std::memset(uuid, 0, sizeof *uuid);
    std::memcpy(uuid->bytes, "cudasim", 7);
    uuid->bytes[15] = static_cast<char>(ordinal);
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuDeviceGetUuid(Uuid* uuid, abi::Device ordinal) {
  return cuDeviceGetUuid_v2(uuid, ordinal);
}

CUDASIM_EXPORT Result cuDeviceGetPCIBusId(char* text, int length, abi::Device ordinal) {
  return with_driver([&](Driver& driver) {
    if (driver.device_of(ordinal) == nullptr) return kInvalidDevice;
    if (text == nullptr || length < 13) return kInvalidValue;
    std::snprintf(text, static_cast<std::size_t>(length), "0000:%02x:00.0", ordinal + 1);
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuDeviceTotalMem_v2(std::size_t* bytes, abi::Device ordinal) {
  return with_driver([&](Driver& driver) {
    const cudasim::Device* device = driver.device_of(ordinal);
    if (device == nullptr) return kInvalidDevice;
    if (bytes == nullptr) return kInvalidValue;
    *bytes = device->memory->total();
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuDeviceGetAttribute(int* value, int attribute, abi::Device ordinal) {
  return with_driver([&](Driver& driver) {
    const cudasim::Device* device = driver.device_of(ordinal);
    if (device == nullptr) return kInvalidDevice;
    bool known = false;
    const int found = attribute_value(*device, attribute, known);
    if (value == nullptr || !known) return kInvalidValue;
    *value = found;
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuDeviceComputeCapability(int* major, int* minor, abi::Device ordinal) {
  const Result result = cuDeviceGetAttribute(major, 75, ordinal);
  return result == kSuccess ? cuDeviceGetAttribute(minor, 76, ordinal) : result;
}

CUDASIM_EXPORT Result cuDeviceCanAccessPeer(int* can, abi::Device a, abi::Device b) {
  return with_driver([&](Driver& driver) {
    if (driver.device_of(a) == nullptr || driver.device_of(b) == nullptr) return kInvalidDevice;
    if (can == nullptr) return kInvalidValue;
    *can = 0;
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuDevicePrimaryCtxRetain(abi::Context* context, abi::Device ordinal) {
  return with_driver([&](Driver& driver) {
    cudasim::Device* device = driver.device_of(ordinal);
    if (device == nullptr) return kInvalidDevice;
    if (context == nullptr) return kInvalidValue;
    if (!device->primary) device->primary = driver.make_context(*device, true);
    ++device->primary_references;
    *context = to_handle<abi::Context>(device->primary.get());
    return kSuccess;
  });
}

namespace {

void drop_primary(Driver& driver, cudasim::Device& device) {
  if (!device.primary) return;
  driver.destroy_context(*device.primary);
  device.primary.reset();
}

}  // namespace

CUDASIM_EXPORT Result cuDevicePrimaryCtxRelease_v2(abi::Device ordinal) {
  return with_driver([&](Driver& driver) {
    cudasim::Device* device = driver.device_of(ordinal);
    if (device == nullptr) return kInvalidDevice;
    if (device->primary_references == 0) return kInvalidContext;
    if (--device->primary_references == 0) drop_primary(driver, *device);
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuDevicePrimaryCtxReset_v2(abi::Device ordinal) {
  return with_driver([&](Driver& driver) {
    cudasim::Device* device = driver.device_of(ordinal);
    if (device == nullptr) return kInvalidDevice;
    drop_primary(driver, *device);
    device->primary_references = 0;
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuDevicePrimaryCtxSetFlags_v2(abi::Device ordinal, unsigned flags) {
  return with_driver([&](Driver& driver) {
    cudasim::Device* device = driver.device_of(ordinal);
    if (device == nullptr) return kInvalidDevice;
    device->primary_flags = flags;
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuDevicePrimaryCtxGetState(abi::Device ordinal, unsigned* flags,
                                                 int* active) {
  return with_driver([&](Driver& driver) {
    const cudasim::Device* device = driver.device_of(ordinal);
    if (device == nullptr) return kInvalidDevice;
    if (flags == nullptr || active == nullptr) return kInvalidValue;
    *flags = device->primary_flags;
    *active = device->primary ? 1 : 0;
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuCtxCreate_v4(abi::Context* context, void*, unsigned, abi::Device ordinal) {
  return with_driver([&](Driver& driver) {
    cudasim::Device* device = driver.device_of(ordinal);
    if (device == nullptr) return kInvalidDevice;
    if (context == nullptr) return kInvalidValue;
    auto made = driver.make_context(*device, false);
    cudasim::Context* key = made.get();
    driver.contexts[key] = std::move(made);
    context_stack().push_back(key);
    *context = to_handle<abi::Context>(key);
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuCtxCreate_v2(abi::Context* context, unsigned flags, abi::Device ordinal) {
  return cuCtxCreate_v4(context, nullptr, flags, ordinal);
}

CUDASIM_EXPORT Result cuCtxDestroy_v2(abi::Context handle) {
  return with_driver([&](Driver& driver) {
    cudasim::Context* context = driver.context_of(handle);
    if (context == nullptr) return kInvalidContext;
    if (context->primary) return kInvalidContext;
    driver.destroy_context(*context);
    driver.contexts.erase(context);
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuCtxPushCurrent_v2(abi::Context handle) {
  return with_driver([&](Driver& driver) {
    cudasim::Context* context = driver.context_of(handle);
    if (context == nullptr) return kInvalidContext;
    context_stack().push_back(context);
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuCtxPopCurrent_v2(abi::Context* handle) {
  return with_driver([&](Driver&) {
    auto& stack = context_stack();
    if (stack.empty()) return kInvalidContext;
    if (handle != nullptr) *handle = to_handle<abi::Context>(stack.back());
    stack.pop_back();
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuCtxSetCurrent(abi::Context handle) {
  return with_driver([&](Driver& driver) {
    auto& stack = context_stack();
    cudasim::Context* context = driver.context_of(handle);
    if (handle != nullptr && context == nullptr) return kInvalidContext;
    if (!stack.empty()) stack.pop_back();
    if (context != nullptr) stack.push_back(context);
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuCtxGetCurrent(abi::Context* handle) {
  return with_driver([&](Driver&) {
    if (handle == nullptr) return kInvalidValue;
    *handle = to_handle<abi::Context>(current_context());
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuCtxGetDevice(abi::Device* device) {
  return with_driver([&](Driver&) {
    if (current_context() == nullptr) return kInvalidContext;
    if (device == nullptr) return kInvalidValue;
    *device = current_context()->device->ordinal;
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuCtxGetFlags(unsigned* flags) {
  return with_context([&](Driver&, cudasim::Context& context) {
    if (flags == nullptr) return kInvalidValue;
    *flags = context.device->primary_flags;
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuCtxGetApiVersion(abi::Context handle, unsigned* version) {
  return with_driver([&](Driver& driver) {
    if (handle != nullptr && driver.context_of(handle) == nullptr) return kInvalidContext;
    if (version == nullptr) return kInvalidValue;
    *version = kDriverVersion;
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuCtxGetStreamPriorityRange(int* least, int* greatest) {
  return with_context([&](Driver&, cudasim::Context&) {
    if (least != nullptr) *least = 0;
    if (greatest != nullptr) *greatest = -5;
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuCtxGetLimit(std::size_t* value, int limit) {
  return with_context([&](Driver&, cudasim::Context&) {
    if (value == nullptr) return kInvalidValue;
    constexpr std::size_t kLimits[] = {1024, 1 << 20, 8 << 20};  // stack, printf buffer, heap
    if (limit < 0 || limit > 2) return kUnsupportedLimit;
    *value = kLimits[limit];
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuCtxSetLimit(int limit, std::size_t) {
  return with_context([&](Driver&, cudasim::Context&) {
    return limit < 0 || limit > 2 ? kUnsupportedLimit : kSuccess;
  });
}

CUDASIM_EXPORT Result cuCtxSynchronize() {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    for (cudasim::Stream* stream : context.streams) {
      if (stream->capture) return kStreamCaptureUnsupported;
    }
    driver.wait_for_work(context);
    return context.sticky;
  });
}
