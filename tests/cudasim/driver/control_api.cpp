// The simulator's own functions, see cudasim.h.

#include <cstdio>

#include "tests/cudasim/abi.h"
#include "tests/cudasim/driver/graph.h"
#include "tests/cudasim/driver/state.h"

using namespace cudasim;

CUDASIM_EXPORT void kilnsim_get_counters(kilnsim_counters* out) {
  guarded([&] {
    Driver& driver = Driver::get();
    driver.drain();
    if (out != nullptr) *out = driver.totals;
    return abi::kSuccess;
  });
}

CUDASIM_EXPORT void kilnsim_reset_counters(void) {
  guarded([&] {
    Driver& driver = Driver::get();
    driver.drain();
    driver.totals = {};
    return abi::kSuccess;
  });
}

CUDASIM_EXPORT const char* kilnsim_last_launch(kilnsim_counters* out) {
  guarded([&] {
    Driver& driver = Driver::get();
    driver.drain();
    if (out != nullptr) *out = driver.last;
    return abi::kSuccess;
  });
  return Driver::get().last_kernel.c_str();
}

CUDASIM_EXPORT const char* kilnsim_last_report(void) {
  guarded([&] {
    Driver::get().drain();
    return abi::kSuccess;
  });
  return Driver::get().last_report.c_str();
}

CUDASIM_EXPORT void kilnsim_fail(int kind, unsigned long long nth, int every) {
  guarded([&] {
    if (kind >= 0 && kind < KILNSIM_FAIL_KINDS) Driver::get().failures[kind] = {nth, every != 0};
    return abi::kSuccess;
  });
}

CUDASIM_EXPORT void kilnsim_seed(unsigned long long seed) {
  guarded([&] {
    Driver::get().seed(seed);
    return abi::kSuccess;
  });
}

CUDASIM_EXPORT int kilnsim_set_option(const char* name, const char* value) {
  bool known = false;
  guarded([&] {
    known = name != nullptr && value != nullptr && Driver::get().set_option(name, value);
    return abi::kSuccess;
  });
  return known ? 1 : 0;
}

CUDASIM_EXPORT void kilnsim_drain(void) {
  guarded([&] {
    Driver::get().drain();
    return abi::kSuccess;
  });
}

CUDASIM_EXPORT unsigned long long kilnsim_leaks(int report) {
  unsigned long long count = 0;
  guarded([&] {
    Driver& driver = Driver::get();
    driver.drain();
    for (auto& device : driver.devices) {
      for (const Allocation& allocation : device->memory->live(false)) {
        ++count;
        if (report == 0) continue;
        std::fprintf(stderr, "cudasim: leak: allocation #%llu of %llu bytes on device %d\n",
                     static_cast<unsigned long long>(allocation.serial),
                     static_cast<unsigned long long>(allocation.bytes), device->ordinal);
      }
    }
    return abi::kSuccess;
  });
  return count;
}

CUDASIM_EXPORT void kilnsim_reset(void) {
  guarded([&] {
    Driver::get().reset();
    return abi::kSuccess;
  });
}
