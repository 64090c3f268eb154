#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "tests/stub/stub.h"

namespace {

struct Failure {
  int skip, result, times;
};

struct State {
  std::mutex mutex;
  std::string log;
  std::map<std::string, Failure> failures;
  std::map<int, int> attributes;
  std::set<void*> blocks;
  std::vector<void*> contexts;
  int parameters = 0;
  int devices = 1;
};
State& state() {
  static State* const the_state = new State;
  return *the_state;
}

void reset() {
  State& s = state();
  std::lock_guard lock(s.mutex);
  s.log.clear();
  s.failures.clear();
  s.attributes = {{8, 49152}, {16, 4}, {38, 1 << 20}, {75, 8}, {76, 0}, {115, 1}};
  s.parameters = 0;
  s.devices = 1;
}

// Records the call; gives the failure that was asked for, or 0.
template <class... Args>
int record(const char* name, const char* format = "", Args... args) {
  State& s = state();
  std::lock_guard lock(s.mutex);
  s.log += name;
  if constexpr (sizeof...(args) > 0) {
    char text[256];
    std::snprintf(text, sizeof text, format, args...);
    s.log += text;
  }
  s.log += '\n';
  const auto found = s.failures.find(name);
  if (found == s.failures.end() || found->second.times == 0) return 0;
  if (found->second.skip > 0) {
    --found->second.skip;
    return 0;
  }
  --found->second.times;
  return found->second.result;
}

unsigned long long give(std::size_t bytes) {
  void* const block = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  std::memset(block, 0xcd, bytes);
  std::lock_guard lock(state().mutex);
  state().blocks.insert(block);
  return reinterpret_cast<std::uintptr_t>(block);
}
void take(unsigned long long address) {
  void* const block = reinterpret_cast<void*>(static_cast<std::uintptr_t>(address));
  {
    std::lock_guard lock(state().mutex);
    if (state().blocks.erase(block) == 0) std::abort();  // freed twice, or never given
  }
  std::free(block);
}
void* pointer(unsigned long long address) {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(address));
}
template <class T>
int handle(const char* name, T** out, int value) {
  const int result = record(name);
  if (result == 0) *out = reinterpret_cast<T*>(static_cast<std::uintptr_t>(value));
  return result;
}

}  // namespace

extern "C" [[gnu::visibility("default")]] const kiln::stub::Control* kiln_stub_control() {
  static const kiln::stub::Control control = {
      reset,
      [] { return state().log.c_str(); },
      [](const char* name, int skip, int result, int times) {
        state().failures[name] = {skip, result, times};
      },
      [](int attribute, int value) { state().attributes[attribute] = value; },
      [](int count) { state().parameters = count; },
      [](int count) { state().devices = count; },
      [] { return static_cast<long>(state().blocks.size()); },
      []() -> void* { return state().contexts.empty() ? nullptr : state().contexts.back(); },
  };
  return &control;
}

extern "C" [[gnu::visibility("default")]] int cuInit(unsigned) { return record("cuInit"); }
extern "C" [[gnu::visibility("default")]] int cuDriverGetVersion(int* version) {
  *version = 13000;
  return 0;
}
extern "C" [[gnu::visibility("default")]] int cuGetErrorName(int error, const char** name) {
  *name = error == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS"
          : error == 2 ? "CUDA_ERROR_OUT_OF_MEMORY"
                       : "CUDA_ERROR_STUB";
  return 0;
}
extern "C" [[gnu::visibility("default")]] int cuGetErrorString(int, const char** text) {
  *text = "as the test asked";
  return 0;
}
extern "C" [[gnu::visibility("default")]] int cuDeviceGetCount(int* count) {
  *count = state().devices;
  return 0;
}
extern "C" [[gnu::visibility("default")]] int cuDeviceGet(int* device, int ordinal) {
  *device = ordinal;
  return record("cuDeviceGet", " %d", ordinal);
}
extern "C" [[gnu::visibility("default")]] int cuDeviceGetName(char* name, int length, int) {
  std::snprintf(name, static_cast<std::size_t>(length), "stub");
  return 0;
}
extern "C" [[gnu::visibility("default")]] int cuDeviceGetAttribute(int* value, int attribute, int) {
  *value = state().attributes[attribute];
  return 0;
}
extern "C" [[gnu::visibility("default")]] int cuDeviceTotalMem_v2(std::size_t* bytes, int) {
  *bytes = std::size_t{1} << 30;
  return 0;
}
extern "C" [[gnu::visibility("default")]] int cuDevicePrimaryCtxRetain(void** context, int device) {
  return handle("cuDevicePrimaryCtxRetain", context, 0x100 + device);
}
extern "C" [[gnu::visibility("default")]] int cuDevicePrimaryCtxRelease_v2(int device) {
  return record("cuDevicePrimaryCtxRelease_v2", " %d", device);
}
extern "C" [[gnu::visibility("default")]] int cuCtxPushCurrent_v2(void* context) {
  state().contexts.push_back(context);
  return 0;
}
extern "C" [[gnu::visibility("default")]] int cuCtxPopCurrent_v2(void** context) {
  if (state().contexts.empty()) std::abort();
  *context = state().contexts.back();
  state().contexts.pop_back();
  return 0;
}
extern "C" [[gnu::visibility("default")]] int cuMemGetInfo_v2(std::size_t* free,
                                                              std::size_t* total) {
  *free = 12345678;
  *total = std::size_t{1} << 30;
  return record("cuMemGetInfo_v2");
}
extern "C" [[gnu::visibility("default")]] int cuMemAlloc_v2(unsigned long long* address,
                                                            std::size_t bytes) {
  const int result = record("cuMemAlloc_v2", " %zu", bytes);
  if (result == 0) *address = give(bytes);
  return result;
}
extern "C" [[gnu::visibility("default")]] int cuMemFree_v2(unsigned long long address) {
  take(address);
  return record("cuMemFree_v2");
}
extern "C" [[gnu::visibility("default")]] int cuMemHostAlloc(void** memory, std::size_t bytes,
                                                             unsigned) {
  *memory = std::malloc(bytes);
  return record("cuMemHostAlloc", " %zu", bytes);
}
extern "C" [[gnu::visibility("default")]] int cuMemFreeHost(void* memory) {
  std::free(memory);
  return record("cuMemFreeHost");
}
extern "C" [[gnu::visibility("default")]] int cuMemcpyHtoDAsync_v2(unsigned long long to,
                                                                   const void* from,
                                                                   std::size_t bytes, void*) {
  const int result = record("cuMemcpyHtoDAsync_v2", " %zu", bytes);
  if (result == 0) std::memcpy(pointer(to), from, bytes);
  return result;
}
extern "C" [[gnu::visibility("default")]] int cuMemcpyDtoHAsync_v2(void* to,
                                                                   unsigned long long from,
                                                                   std::size_t bytes, void*) {
  const int result = record("cuMemcpyDtoHAsync_v2", " %zu", bytes);
  if (result == 0) std::memcpy(to, pointer(from), bytes);
  return result;
}
extern "C" [[gnu::visibility("default")]] int cuMemcpyDtoDAsync_v2(unsigned long long to,
                                                                   unsigned long long from,
                                                                   std::size_t bytes, void*) {
  const int result = record("cuMemcpyDtoDAsync_v2", " %zu", bytes);
  if (result == 0) std::memmove(pointer(to), pointer(from), bytes);
  return result;
}
extern "C" [[gnu::visibility("default")]] int cuMemsetD8Async(unsigned long long to,
                                                              unsigned char value,
                                                              std::size_t bytes, void*) {
  std::memset(pointer(to), value, bytes);
  return record("cuMemsetD8Async", " %d %zu", value, bytes);
}
extern "C" [[gnu::visibility("default")]] int cuStreamCreate(void** stream, unsigned flags) {
  *stream = reinterpret_cast<void*>(std::uintptr_t{0x200});
  return record("cuStreamCreate", " %u", flags);
}
extern "C" [[gnu::visibility("default")]] int cuStreamDestroy_v2(void*) {
  return record("cuStreamDestroy_v2");
}
extern "C" [[gnu::visibility("default")]] int cuStreamSynchronize(void*) {
  return record("cuStreamSynchronize");
}
extern "C" [[gnu::visibility("default")]] int cuEventCreate(void** event, unsigned) {
  return handle("cuEventCreate", event, 0x300);
}
extern "C" [[gnu::visibility("default")]] int cuEventDestroy_v2(void*) {
  return record("cuEventDestroy_v2");
}
extern "C" [[gnu::visibility("default")]] int cuEventRecord(void*, void*) {
  return record("cuEventRecord");
}
extern "C" [[gnu::visibility("default")]] int cuEventQuery(void*) { return record("cuEventQuery"); }
extern "C" [[gnu::visibility("default")]] int cuEventSynchronize(void*) {
  return record("cuEventSynchronize");
}
extern "C" [[gnu::visibility("default")]] int cuModuleLoadDataEx(void** module, const void* image,
                                                                 unsigned options, int* names,
                                                                 void** values) {
  const int result = record("cuModuleLoadDataEx", " %.8s", static_cast<const char*>(image));
  for (unsigned i = 0; i < options; ++i) {
    if (result != 0 && names[i] == 5) std::strcpy(static_cast<char*>(values[i]), "stub's log");
  }
  *module = reinterpret_cast<void*>(std::uintptr_t{0x400});
  return result;
}
extern "C" [[gnu::visibility("default")]] int cuModuleUnload(void*) {
  return record("cuModuleUnload");
}
extern "C" [[gnu::visibility("default")]] int cuModuleGetFunction(void** function, void*,
                                                                  const char* name) {
  *function = reinterpret_cast<void*>(std::uintptr_t{0x500});
  return record("cuModuleGetFunction", " %s", name);
}
extern "C" [[gnu::visibility("default")]] int cuFuncGetAttribute(int* value, int attribute, void*) {
  *value = attribute == 0 ? 512 : 0;
  return 0;
}
extern "C" [[gnu::visibility("default")]] int cuLaunchKernel(void*, unsigned gx, unsigned gy,
                                                             unsigned gz, unsigned bx, unsigned by,
                                                             unsigned bz, unsigned shared,
                                                             void* stream, void** arguments,
                                                             void**) {
  std::string values;
  for (int i = 0; i < state().parameters; ++i) {
    std::uint64_t value = 0;
    std::memcpy(&value, arguments[i], sizeof value);
    char text[32];
    std::snprintf(text, sizeof text, " %llx", static_cast<unsigned long long>(value));
    values += text;
  }
  return record("cuLaunchKernel", " %u,%u,%u %u,%u,%u %u %zx%s", gx, gy, gz, bx, by, bz, shared,
                reinterpret_cast<std::uintptr_t>(stream), values.c_str());
}
extern "C" [[gnu::visibility("default")]] int cuMemPoolCreate(void** pool, const void*) {
  return handle("cuMemPoolCreate", pool, 0x600);
}
extern "C" [[gnu::visibility("default")]] int cuMemPoolDestroy(void*) {
  return record("cuMemPoolDestroy");
}
extern "C" [[gnu::visibility("default")]] int cuMemPoolSetAttribute(void*, int attribute,
                                                                    void* value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, value, sizeof bits);
  return record("cuMemPoolSetAttribute", " %d %llx", attribute,
                static_cast<unsigned long long>(bits));
}
extern "C" [[gnu::visibility("default")]] int cuMemPoolTrimTo(void*, std::size_t bytes) {
  return record("cuMemPoolTrimTo", " %zu", bytes);
}
extern "C" [[gnu::visibility("default")]] int cuMemAllocFromPoolAsync(unsigned long long* address,
                                                                      std::size_t bytes, void*,
                                                                      void*) {
  const int result = record("cuMemAllocFromPoolAsync", " %zu", bytes);
  if (result == 0) *address = give(bytes);
  return result;
}
extern "C" [[gnu::visibility("default")]] int cuMemFreeAsync(unsigned long long address, void*) {
  take(address);
  return record("cuMemFreeAsync");
}
