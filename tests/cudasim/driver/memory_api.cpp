// Allocation, pools, host memory, pointer queries.

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
    if (pool->device->current_pool == pool)
      pool->device->current_pool = &pool->device->default_pool;
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
