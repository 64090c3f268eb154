// Copies and fills.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>

#include "tests/cudasim/driver/state.h"

using namespace cudasim;
using namespace cudasim::abi;

namespace cudasim {
namespace {

// Host memory that is no allocation of the simulator's is taken on trust.
bool live_or_host(Driver& driver, U64 address, U64 bytes) {
  return driver.memory_of(address) == nullptr ||
         check_device_range(driver, address, bytes) == kSuccess;
}

Result run_copy(U64 to, U64 from, U64 bytes) {
  Driver& driver = Driver::get();
  if (!live_or_host(driver, to, bytes) || !live_or_host(driver, from, bytes)) {
    driver.last_report = "cudasim: a queued copy reads or writes memory that was freed meanwhile\n";
    if (!driver.quiet) std::fputs(driver.last_report.c_str(), stderr);
    return kIllegalAddress;
  }
  std::memmove(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), bytes);
  Memory* target = driver.memory_of(to);
  if (target == nullptr) return kSuccess;
  const Memory* source = driver.memory_of(from);
  if (source != nullptr && target->find(to)->kind != AllocationKind::kPinned) {
    // What was never written stays so in the copy.
    std::memmove(target->state(to), source->state(from), bytes);
  } else {
    target->mark_initialised(to, bytes);
  }
  return kSuccess;
}

bool is_pinned(Driver& driver, U64 address) {
  const auto after = driver.registered.upper_bound(address);
  if (after != driver.registered.begin()) {
    const auto range = std::prev(after);
    if (address - range->first < range->second) return true;
  }
  const Memory* memory = driver.memory_of(address);
  const Allocation* allocation = memory != nullptr ? memory->find(address) : nullptr;
  return allocation != nullptr && allocation->kind == AllocationKind::kPinned;
}

Result run_fill(U64 to, U64 value, U32 unit, U64 count) {
  Driver& driver = Driver::get();
  if (check_device_range(driver, to, unit * count) != kSuccess) {
    driver.last_report = "cudasim: a queued memset writes memory that was freed meanwhile\n";
    if (!driver.quiet) std::fputs(driver.last_report.c_str(), stderr);
    return kIllegalAddress;
  }
  U8* bytes = reinterpret_cast<U8*>(to);
  if (unit == 1) {
    std::memset(bytes, static_cast<int>(value), count);
  } else {
    for (U64 i = 0; i < count; ++i) std::memcpy(bytes + i * unit, &value, unit);
  }
  driver.memory_of(to)->mark_initialised(to, unit * count);
  return kSuccess;
}

enum class Side : U8 { kHost, kDevice, kEither };

bool side_fits(Driver& driver, U64 address, U64 bytes, Side side) {
  if (side == Side::kHost) return live_or_host(driver, address, bytes);
  if (side == Side::kDevice) return check_device_range(driver, address, bytes) == kSuccess;
  return live_or_host(driver, address, bytes);
}

Result copy(U64 to, Side to_side, U64 from, Side from_side, U64 bytes, abi::Stream handle,
            bool async) {
  return with_context([&](Driver& driver, Context& context) {
    cudasim::Stream* stream = driver.stream_of(handle, context);
    if (stream == nullptr) return kInvalidHandle;
    if (bytes == 0) return kSuccess;
    if (to == 0 || from == 0) return kInvalidValue;
    if (!side_fits(driver, to, bytes, to_side) || !side_fits(driver, from, bytes, from_side)) {
      return kInvalidValue;
    }
    if (driver.fails(KILNSIM_FAIL_COPY)) return kOutOfMemory;
    Operation operation = copy_operation(driver, to, from, bytes);
    const bool to_pageable = driver.memory_of(to) == nullptr && !is_pinned(driver, to);
    const Result result = submit(driver, *stream, std::move(operation));
    if (result != kSuccess || stream->capture) return result;
    // A copy to pageable memory returns when it is done, as the real one does.
    return async && !to_pageable ? kSuccess : driver.synchronize(*stream);
  });
}

Result fill(U64 to, U64 value, U32 unit, U64 count, abi::Stream handle, bool async) {
  return with_context([&](Driver& driver, Context& context) {
    cudasim::Stream* stream = driver.stream_of(handle, context);
    if (stream == nullptr) return kInvalidHandle;
    if (count == 0) return kSuccess;
    if (to % unit != 0 || check_device_range(driver, to, unit * count) != kSuccess) {
      return kInvalidValue;
    }
    const Result result = submit(driver, *stream, fill_operation(driver, to, value, unit, count));
    if (result != kSuccess || stream->capture || async) return result;
    return driver.synchronize(*stream);
  });
}

}  // namespace

// Pageable host memory is read when the copy is queued, as the driver stages it; pinned memory when
// the copy runs, so that a buffer reused too early shows.
Operation copy_operation(Driver& driver, U64 to, U64 from, U64 bytes) {
  Operation operation;
  if (driver.memory_of(from) == nullptr && !is_pinned(driver, from)) {
    auto staged = std::make_shared<std::vector<U8>>(reinterpret_cast<const U8*>(from),
                                                    reinterpret_cast<const U8*>(from) + bytes);
    operation.work = [=] { return run_copy(to, reinterpret_cast<U64>(staged->data()), bytes); };
  } else {
    operation.work = [=] { return run_copy(to, from, bytes); };
  }
  return operation;
}

Operation fill_operation(Driver&, U64 to, U64 value, U32 unit, U64 count) {
  Operation operation;
  operation.work = [=] { return run_fill(to, value, unit, count); };
  return operation;
}

}  // namespace cudasim

CUDASIM_EXPORT Result cuMemcpyHtoD_v2(DevicePtr to, const void* from, std::size_t bytes) {
  return copy(to, Side::kDevice, reinterpret_cast<U64>(from), Side::kHost, bytes, nullptr, false);
}
CUDASIM_EXPORT Result cuMemcpyDtoH_v2(void* to, DevicePtr from, std::size_t bytes) {
  return copy(reinterpret_cast<U64>(to), Side::kHost, from, Side::kDevice, bytes, nullptr, false);
}
CUDASIM_EXPORT Result cuMemcpyDtoD_v2(DevicePtr to, DevicePtr from, std::size_t bytes) {
  return copy(to, Side::kDevice, from, Side::kDevice, bytes, nullptr, true);
}
CUDASIM_EXPORT Result cuMemcpy(DevicePtr to, DevicePtr from, std::size_t bytes) {
  return copy(to, Side::kEither, from, Side::kEither, bytes, nullptr, false);
}
CUDASIM_EXPORT Result cuMemcpyHtoDAsync_v2(DevicePtr to, const void* from, std::size_t bytes,
                                           abi::Stream stream) {
  return copy(to, Side::kDevice, reinterpret_cast<U64>(from), Side::kHost, bytes, stream, true);
}
CUDASIM_EXPORT Result cuMemcpyDtoHAsync_v2(void* to, DevicePtr from, std::size_t bytes,
                                           abi::Stream stream) {
  return copy(reinterpret_cast<U64>(to), Side::kHost, from, Side::kDevice, bytes, stream, true);
}
CUDASIM_EXPORT Result cuMemcpyDtoDAsync_v2(DevicePtr to, DevicePtr from, std::size_t bytes,
                                           abi::Stream stream) {
  return copy(to, Side::kDevice, from, Side::kDevice, bytes, stream, true);
}
CUDASIM_EXPORT Result cuMemcpyAsync(DevicePtr to, DevicePtr from, std::size_t bytes,
                                    abi::Stream stream) {
  return copy(to, Side::kEither, from, Side::kEither, bytes, stream, true);
}
CUDASIM_EXPORT Result cuMemcpyPeerAsync(DevicePtr to, abi::Context, DevicePtr from, abi::Context,
                                        std::size_t bytes, abi::Stream stream) {
  return copy(to, Side::kDevice, from, Side::kDevice, bytes, stream, true);
}

CUDASIM_EXPORT Result cuMemsetD8_v2(DevicePtr to, unsigned char value, std::size_t count) {
  return fill(to, value, 1, count, nullptr, true);
}
CUDASIM_EXPORT Result cuMemsetD16_v2(DevicePtr to, unsigned short value, std::size_t count) {
  return fill(to, value, 2, count, nullptr, true);
}
CUDASIM_EXPORT Result cuMemsetD32_v2(DevicePtr to, unsigned value, std::size_t count) {
  return fill(to, value, 4, count, nullptr, true);
}
CUDASIM_EXPORT Result cuMemsetD8Async(DevicePtr to, unsigned char value, std::size_t count,
                                      abi::Stream stream) {
  return fill(to, value, 1, count, stream, true);
}
CUDASIM_EXPORT Result cuMemsetD16Async(DevicePtr to, unsigned short value, std::size_t count,
                                       abi::Stream stream) {
  return fill(to, value, 2, count, stream, true);
}
CUDASIM_EXPORT Result cuMemsetD32Async(DevicePtr to, unsigned value, std::size_t count,
                                       abi::Stream stream) {
  return fill(to, value, 4, count, stream, true);
}
