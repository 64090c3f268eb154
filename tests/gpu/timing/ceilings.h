// What the device does at best, by kernels written for nothing else.
#pragma once
#include <functional>

#include "tests/gpu/timing/loop.h"

namespace kiln::gpu {

// Name, clocks, caches, memory, driver, compiler, and what the cost model takes of them.
Json device_facts(Gpu& gpu);

struct Plan {  // of a run
  double scale = 1;
  int loops = 20;
  std::function<bool(const std::string&)> wanted;  // by name; false where time is up, too
};
// Copy, triad, read and write, launches, multiply-adds, a trip to memory. False if one threw.
bool ceilings(Gpu& gpu, const Plan& plan, Results& results);

}  // namespace kiln::gpu
