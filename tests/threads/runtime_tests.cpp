// The runtime from several threads at once; also run under the thread sanitizer.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "runtime/host/host_device.h"
#include "runtime/null/null_device.h"
#include "runtime/registry.h"
#include "runtime/targets.h"
#include "tests/runtime/support.h"

namespace kiln::runtime {
namespace {

using namespace test;

void in_threads(int count, const std::function<void(int)>& body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(body, i);
  for (std::thread& thread : threads) thread.join();
}

TEST(RuntimeThreads, OnePlanIsExecutedByManyThreads) {
  HostDevice device(interpreting(2));
  KernelCache cache{Config{}};
  const LoadedPlan plan = load(device, two_step_plan(), {}, cache);
  std::atomic<int> wrong{0};
  in_threads(4, [&](int thread) {
    const auto a = static_cast<float>(thread);
    const std::vector<float> x(2000, 1.0f);
    const Block input = upload(device, x);
    for (int i = 0; i < 20; ++i) {
      const std::vector<Block> out = execute(plan, bind(2000, a), {&input, 1});
      for (const float z : download(out[0], x.size())) wrong += z != (1 + a) * a;
    }
  });
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(device.counters().read().launched, 4 * 20 * 2);
}

TEST(RuntimeThreads, AKernelThatAllNeedIsMadeOnce) {
  NullDevice device(*target_caps("cpu"));
  Folder folder;
  Config config;
  config.cache_folder = folder.path() + "/kiln";
  for (int round = 0; round < 5; ++round) {
    KernelCache cache(config);
    std::atomic<int> emitted{0};
    Compiler compiler;
    compiler.version = "round " + std::to_string(round);
    compiler.emit = [&](const ir::Kernel& kernel) {
      ++emitted;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      return ir::KernelSource{kernel.name, "text", {}};
    };
    const std::int64_t hits = device.counters().read().memory_hits;
    std::atomic<const LoadedKernel*> seen{nullptr};
    std::atomic<int> different{0};
    in_threads(4, [&](int) {
      const auto kernel = cache.get(device, map_kernel(ir::Op::add), compiler).kernel;
      const LoadedKernel* expected = nullptr;
      if (!seen.compare_exchange_strong(expected, kernel.get()))
        different += expected != kernel.get();
    });
    EXPECT_EQ(emitted, 1);
    EXPECT_EQ(different, 0);
    EXPECT_EQ(device.counters().read().memory_hits, hits + 3);
  }
}

TEST(RuntimeThreads, AFailedCompilationIsTriedByTheThreadsThatWaited) {
  NullDevice device(*target_caps("cpu"));
  KernelCache cache{Config{}};
  std::atomic<int> emitted{0}, failed{0};
  Compiler compiler;
  compiler.emit = [&](const ir::Kernel& kernel) -> ir::KernelSource {
    const bool first = ++emitted == 1;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    if (first) throw DeviceError("the first fails", "again");
    return {kernel.name, "text", {}};
  };
  in_threads(4, [&](int) {
    try {
      cache.get(device, map_kernel(ir::Op::add), compiler);
    } catch (const DeviceError&) {
      ++failed;
    }
  });
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(emitted, 2);
}

// Each emit waits until the other kernel's is running too, so one after the other would never end.
TEST(RuntimeThreads, KernelsOfAPlanCompileSideBySide) {
  if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "needs two cores";
  NullDevice device(*target_caps("cpu"));
  KernelCache cache{Config{}};
  std::atomic<int> running{0};
  std::atomic<bool> together{false};
  Compiler compiler;
  compiler.emit = [&](const ir::Kernel& kernel) {
    if (++running == 2) together = true;
    for (int i = 0; i < 2000 && !together; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return ir::KernelSource{kernel.name, "text", {}};
  };
  load(device, two_step_plan(), compiler, cache);
  EXPECT_TRUE(together);
}

TEST(RuntimeThreads, MemoryIsAllocatedSharedAndReleased) {
  HostDevice device(interpreting(2));
  const MemoryRef shared = device.allocate(4096);
  in_threads(4, [&](int thread) {
    std::vector<MemoryRef> held;
    for (int i = 0; i < 300; ++i) {
      held.push_back(shared);
      held.push_back(device.allocate(64 << (i + thread) % 8));
      static_cast<char*>(held.back()->data())[0] = 'x';
      if (i % 7 == 6) held.clear();
      if (i % 100 == 99) device.trim();
    }
  });
  EXPECT_TRUE(shared.unique());
  EXPECT_EQ(device.memory().live, 4096);
}

TEST(RuntimeThreads, TheRegistryMakesADeviceOnce) {
  Registry registry(interpreting());
  std::atomic<Device*> seen{nullptr};
  std::atomic<int> different{0};
  in_threads(4, [&](int) {
    Device* const device = &registry.cpu();
    Device* expected = nullptr;
    if (!seen.compare_exchange_strong(expected, device)) different += expected != device;
    registry.plan_only("sm_80");
  });
  EXPECT_EQ(different, 0);
  EXPECT_EQ(registry.devices().size(), 2u);
}

}  // namespace
}  // namespace kiln::runtime
