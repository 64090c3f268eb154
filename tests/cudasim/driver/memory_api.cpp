// Allocation, pools, copies, fills, pointer queries.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>

#include "tests/cudasim/driver/state.h"

using namespace cudasim;
using namespace cudasim::abi;

namespace cudasim {

Result check_device_range(Driver& driver, U64 address, U64 bytes) {
  const Memory* memory = driver.memory_of(address);
  if (memory == nullptr) return kInvalidValue;
  const Allocation* allocation = memory->find(address);
  if (allocation == nullptr) return kInvalidValue;
  return bytes > allocation->bytes - (address - allocation->address) ? kInvalidValue : kSuccess;
}

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

Result allocate(Driver& driver, Context& context, U64 bytes, AllocationKind kind, U64& out) {
  if (bytes == 0) return kInvalidValue;
  if (driver.fails(KILNSIM_FAIL_ALLOCATION)) return kOutOfMemory;
  Memory& memory = *context.device->memory;
  out = memory.allocate(bytes, kind, context.serial);
  if (out == 0) {
    driver.wait_for_work(context);  // frees that wait in a queue
    out = memory.allocate(bytes, kind, context.serial);
  }
  return out == 0 ? kOutOfMemory : kSuccess;
}

Result allocate_from(Driver& driver, Context& context, Pool& pool, U64 bytes, DevicePtr* out) {
  if (out == nullptr) return kInvalidValue;
  if (pool.max_size != 0 && pool.used + bytes > pool.max_size) return kOutOfMemory;
  U64 address = 0;
  const Result result = allocate(driver, context, bytes, AllocationKind::kPool, address);
  if (result != kSuccess) return result;
  driver.pool_of[address] = &pool;
  pool.used += bytes;
  pool.used_high = std::max(pool.used_high, pool.used);
  *out = address;
  return kSuccess;
}

Result release(Driver& driver, U64 address) {
  Memory* memory = driver.memory_of(address);
  const Allocation* allocation = memory != nullptr ? memory->find_start(address) : nullptr;
  if (allocation == nullptr || allocation->kind == AllocationKind::kModule) return kInvalidValue;
  const auto pool = driver.pool_of.find(address);
  if (pool != driver.pool_of.end()) {
    pool->second->used -= allocation->bytes;
    driver.pool_of.erase(pool);
  }
  memory->release(address);
  return kSuccess;
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

CUDASIM_EXPORT Result cuMemGetInfo_v2(std::size_t* free_bytes, std::size_t* total) {
  return with_context([&](Driver&, cudasim::Context& context) {
    const Memory& memory = *context.device->memory;
    if (free_bytes != nullptr) *free_bytes = memory.total() - memory.used();
    if (total != nullptr) *total = memory.total();
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuMemAlloc_v2(DevicePtr* out, std::size_t bytes) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    if (out == nullptr) return kInvalidValue;
    U64 address = 0;
    const Result result = allocate(driver, context, bytes, AllocationKind::kDevice, address);
    if (result == kSuccess) *out = address;
    return result;
  });
}

CUDASIM_EXPORT Result cuMemAllocPitch_v2(DevicePtr* out, std::size_t* pitch, std::size_t width,
                                         std::size_t height, unsigned) {
  if (pitch == nullptr) return kInvalidValue;
  *pitch = (width + 511) / 512 * 512;
  return cuMemAlloc_v2(out, *pitch * height);
}

CUDASIM_EXPORT Result cuMemFree_v2(DevicePtr address) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    if (address == 0) return kSuccess;
    driver.wait_for_work(context);
    if (context.sticky != kSuccess) return context.sticky;
    const Memory* memory = driver.memory_of(address);
    const Allocation* allocation = memory != nullptr ? memory->find_start(address) : nullptr;
    if (allocation != nullptr && allocation->kind == AllocationKind::kPinned) return kInvalidValue;
    return release(driver, address);
  });
}

CUDASIM_EXPORT Result cuMemAllocAsync(DevicePtr* out, std::size_t bytes, abi::Stream handle) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    if (driver.stream_of(handle, context) == nullptr) return kInvalidHandle;
    return allocate_from(driver, context, *context.device->current_pool, bytes, out);
  });
}

CUDASIM_EXPORT Result cuMemAllocFromPoolAsync(DevicePtr* out, std::size_t bytes, abi::Pool handle,
                                              abi::Stream stream) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    cudasim::Pool* pool = driver.pool_from(handle);
    if (pool == nullptr) return kInvalidValue;
    if (driver.stream_of(stream, context) == nullptr) return kInvalidHandle;
    return allocate_from(driver, context, *pool, bytes, out);
  });
}

CUDASIM_EXPORT Result cuMemFreeAsync(DevicePtr address, abi::Stream handle) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    cudasim::Stream* stream = driver.stream_of(handle, context);
    if (stream == nullptr) return kInvalidHandle;
    if (address == 0) return kSuccess;
    const Memory* memory = driver.memory_of(address);
    if (memory == nullptr || memory->find_start(address) == nullptr) return kInvalidValue;
    Operation operation;
    operation.work = [address] {
      if (release(Driver::get(), address) == kSuccess) return kSuccess;
      Driver::get().last_report = "cudasim: an allocation was freed twice\n";
      if (!Driver::get().quiet) std::fputs(Driver::get().last_report.c_str(), stderr);
      return kInvalidValue;
    };
    return submit(driver, *stream, std::move(operation));
  });
}

CUDASIM_EXPORT Result cuMemPoolCreate(abi::Pool* out, const PoolProps* props) {
  return with_driver([&](Driver& driver) {
    if (out == nullptr || props == nullptr) return kInvalidValue;
    cudasim::Device* device = driver.device_of(props->location.id);
    if (device == nullptr || props->location.type != 1 || props->alloc_type != 1) {
      return kInvalidValue;
    }
    auto pool = std::make_unique<cudasim::Pool>();
    pool->device = device;
    pool->max_size = props->max_size;
    *out = to_handle<abi::Pool>(pool.get());
    cudasim::Pool* key = pool.get();
    driver.pools[key] = std::move(pool);
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuMemPoolDestroy(abi::Pool handle) {
  return with_driver([&](Driver& driver) {
    cudasim::Pool* pool = driver.pool_from(handle);
    if (pool == nullptr || pool->is_default) return kInvalidValue;
    driver.drain();
    for (auto& [address, owner] : driver.pool_of) {
      if (owner == pool) owner = &pool->device->default_pool;
    }
    if (pool->device->current_pool == pool) pool->device->current_pool = &pool->device->default_pool;
    driver.pools.erase(pool);
    return kSuccess;
  });
}

namespace {

Result pool_attribute(abi::Pool handle, int attribute, void* value, bool set) {
  return with_driver([&](Driver& driver) {
    cudasim::Pool* pool = driver.pool_from(handle);
    if (pool == nullptr || value == nullptr || attribute < 1 || attribute > 8) return kInvalidValue;
    U64* number = static_cast<U64*>(value);
    switch (attribute) {
      case kPoolReleaseThreshold:
        if (set) {
          pool->threshold = *number;
        } else {
          *number = pool->threshold;
        }
        return kSuccess;
      case kPoolReservedCurrent:
      case kPoolUsedCurrent:
        if (set) return kInvalidValue;
        *number = pool->used;
        return kSuccess;
      case kPoolReservedHigh:
      case kPoolUsedHigh:
        if (set) {
          pool->used_high = pool->used;
        } else {
          *number = pool->used_high;
        }
        return kSuccess;
      default:
        if (!set) *static_cast<int*>(value) = 1;
        return kSuccess;
    }
  });
}

Result get_pool(abi::Pool* out, abi::Device ordinal, bool current) {
  return with_driver([&](Driver& driver) {
    cudasim::Device* device = driver.device_of(ordinal);
    if (device == nullptr) return kInvalidDevice;
    if (out == nullptr) return kInvalidValue;
    *out = to_handle<abi::Pool>(current ? device->current_pool : &device->default_pool);
    return kSuccess;
  });
}

}  // namespace

CUDASIM_EXPORT Result cuMemPoolSetAttribute(abi::Pool pool, int attribute, void* value) {
  return pool_attribute(pool, attribute, value, true);
}

CUDASIM_EXPORT Result cuMemPoolGetAttribute(abi::Pool pool, int attribute, void* value) {
  return pool_attribute(pool, attribute, value, false);
}

CUDASIM_EXPORT Result cuMemPoolTrimTo(abi::Pool handle, std::size_t) {
  return with_driver([&](Driver& driver) {
    return driver.pool_from(handle) == nullptr ? kInvalidValue : kSuccess;
  });
}

CUDASIM_EXPORT Result cuDeviceGetDefaultMemPool(abi::Pool* out, abi::Device ordinal) {
  return get_pool(out, ordinal, false);
}

CUDASIM_EXPORT Result cuDeviceGetMemPool(abi::Pool* out, abi::Device ordinal) {
  return get_pool(out, ordinal, true);
}

CUDASIM_EXPORT Result cuDeviceSetMemPool(abi::Device ordinal, abi::Pool handle) {
  return with_driver([&](Driver& driver) {
    cudasim::Device* device = driver.device_of(ordinal);
    if (device == nullptr) return kInvalidDevice;
    cudasim::Pool* pool = driver.pool_from(handle);
    if (pool == nullptr || pool->device != device) return kInvalidValue;
    device->current_pool = pool;
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuMemHostAlloc(void** out, std::size_t bytes, unsigned) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    if (out == nullptr) return kInvalidValue;
    U64 address = 0;
    const Result result = allocate(driver, context, bytes, AllocationKind::kPinned, address);
    if (result == kSuccess) *out = reinterpret_cast<void*>(address);
    return result;
  });
}

CUDASIM_EXPORT Result cuMemAllocHost_v2(void** out, std::size_t bytes) {
  return cuMemHostAlloc(out, bytes, 0);
}

CUDASIM_EXPORT Result cuMemFreeHost(void* pointer) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    if (pointer == nullptr) return kSuccess;
    driver.wait_for_work(context);
    const U64 address = reinterpret_cast<U64>(pointer);
    const Memory* memory = driver.memory_of(address);
    const Allocation* allocation = memory != nullptr ? memory->find_start(address) : nullptr;
    if (allocation == nullptr || allocation->kind != AllocationKind::kPinned) return kInvalidValue;
    return release(driver, address);
  });
}

CUDASIM_EXPORT Result cuMemHostGetDevicePointer_v2(DevicePtr* out, void* pointer, unsigned) {
  return with_context([&](Driver& driver, cudasim::Context&) {
    const U64 address = reinterpret_cast<U64>(pointer);
    const Memory* memory = driver.memory_of(address);
    if (out == nullptr || memory == nullptr || memory->find(address) == nullptr) {
      return kInvalidValue;
    }
    *out = address;
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuMemHostRegister_v2(void* pointer, std::size_t bytes, unsigned) {
  return with_context([&](Driver& driver, cudasim::Context&) {
    if (pointer == nullptr || bytes == 0) return kInvalidValue;
    const U64 address = reinterpret_cast<U64>(pointer);
    if (driver.memory_of(address) != nullptr || driver.registered.count(address) != 0) {
      return kHostMemoryAlreadyRegistered;
    }
    driver.registered[address] = bytes;
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuMemHostUnregister(void* pointer) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    driver.wait_for_work(context);
    const bool known = driver.registered.erase(reinterpret_cast<U64>(pointer)) != 0;
    return known ? kSuccess : kHostMemoryNotRegistered;
  });
}

CUDASIM_EXPORT Result cuMemGetAddressRange_v2(DevicePtr* base, std::size_t* bytes,
                                              DevicePtr address) {
  return with_context([&](Driver& driver, cudasim::Context&) {
    const Memory* memory = driver.memory_of(address);
    const Allocation* allocation = memory != nullptr ? memory->find(address) : nullptr;
    if (allocation == nullptr) return kNotFound;
    if (base != nullptr) *base = allocation->address;
    if (bytes != nullptr) *bytes = allocation->bytes;
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuPointerGetAttribute(void* out, int attribute, DevicePtr address) {
  return with_driver([&](Driver& driver) {
    cudasim::Device* device = nullptr;
    const Memory* memory = driver.memory_of(address, &device);
    const Allocation* allocation = memory != nullptr ? memory->find(address) : nullptr;
    if (out == nullptr || allocation == nullptr) return kInvalidValue;
    const bool pinned = allocation->kind == AllocationKind::kPinned;
    switch (attribute) {
      case kPointerContext: {
        abi::Context owner = nullptr;
        for (cudasim::Context* context : driver.all_contexts()) {
          if (context->serial == allocation->context) owner = to_handle<abi::Context>(context);
        }
        *static_cast<abi::Context*>(out) = owner;
        return kSuccess;
      }
      case kPointerMemoryType:
        *static_cast<unsigned*>(out) = pinned ? kMemoryTypeHost : kMemoryTypeDevice;
        return kSuccess;
      case kPointerDevice:
        *static_cast<DevicePtr*>(out) = address;
        return kSuccess;
      case kPointerHost:
        if (!pinned) return kInvalidValue;
        *static_cast<void**>(out) = reinterpret_cast<void*>(address);
        return kSuccess;
      case kPointerBufferId:
        *static_cast<U64*>(out) = allocation->serial;
        return kSuccess;
      case kPointerIsManaged:
        *static_cast<unsigned*>(out) = 0;
        return kSuccess;
      case kPointerOrdinal:
        *static_cast<int*>(out) = device->ordinal;
        return kSuccess;
      case kPointerRangeStart:
        *static_cast<DevicePtr*>(out) = allocation->address;
        return kSuccess;
      case kPointerRangeSize:
        *static_cast<std::size_t*>(out) = allocation->bytes;
        return kSuccess;
      case kPointerMapped:
        *static_cast<unsigned*>(out) = 1;
        return kSuccess;
      default:
        return kInvalidValue;
    }
  });
}

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
