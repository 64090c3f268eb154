#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "ir/error.h"
#include "ir/fp_state.h"
#include "runtime/host/host_device.h"
#include "runtime/registry.h"
#include "tests/runtime/products.h"
#include "tests/runtime/support.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace kiln::runtime {
namespace {

using namespace test;

std::vector<float> noise(std::size_t n) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> values(-2, 2);
  std::vector<float> x(n);
  for (float& v : x) v = values(random);
  return x;
}

// Runs one map kernel over x, as parallel as the estimate makes it: so many operations.
std::vector<float> run_map(HostDevice& device, ir::Op op, const std::vector<float>& x, float a,
                           double operations) {
  const auto kernel = device.load_kernel(map_kernel(op), {});
  const Block in = upload(device, x);
  const Block out = upload(device, x);
  ir::KernelArg args[4];
  args[0].pointer = in.data();
  args[1].pointer = out.data();
  args[2].integer = static_cast<std::int64_t>(x.size());
  args[3].bits = std::bit_cast<std::uint32_t>(a);
  const auto items = static_cast<std::int64_t>((x.size() + kTile - 1) / kTile);
  device.launch({kernel.get(), args, items, {0, operations}});
  return download(out, x.size());
}

TEST(Workers, RangesCoverEveryItemOnce) {
  for (const int threads : {1, 2, 3}) {
    Workers workers(threads);
    EXPECT_EQ(workers.threads(), threads);
    for (const std::int64_t items : {0, 1, 7, 64, 1000}) {
      for (const std::int64_t grain : {1, 5, 100}) {
        for (const bool even : {true, false}) {
          std::vector<std::atomic<int>> hits(static_cast<std::size_t>(items));
          std::atomic<int> small{0};
          workers.run(items, grain, even, [&](std::int64_t begin, std::int64_t end) {
            if (end - begin < grain) ++small;
            for (std::int64_t i = begin; i < end; ++i) ++hits[static_cast<std::size_t>(i)];
          });
          for (const std::atomic<int>& hit : hits) ASSERT_EQ(hit, 1);
          EXPECT_LE(small, items < grain ? 1 : 0) << items << " in " << grain;
        }
      }
    }
  }
}

TEST(Workers, AnExceptionOfAWorkerReachesTheCaller) {
  Workers workers(2);
  EXPECT_THROW(workers.run(100, 1, true,
                           [](std::int64_t, std::int64_t end) {
                             if (end == 100) throw DeviceError("in a worker", "again");
                           }),
               DeviceError);
}

// At a fork another thread may be setting threads, and hold the lock: in the child it never ends.
TEST(Workers, AChildOfForkMaySetThreads) {
  Workers workers(3);
  const auto sum = [&] {
    std::atomic<std::int64_t> hits{0};
    workers.run(1000, 1, true, [&](std::int64_t begin, std::int64_t end) { hits += end - begin; });
    return hits.load();
  };
  EXPECT_EQ(sum(), 1000);
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop) workers.set_threads(2), workers.set_threads(3);
  });
  int status = 0;
  for (int i = 0; i < 50 && status == 0; ++i) {
    status = in_child([&] {
      workers.set_threads(4);
      return sum() == 1000 ? 0 : 1;
    });
  }
  stop = true;
  busy.join();
  EXPECT_EQ(status, 0);
  EXPECT_EQ(sum(), 1000);
}

TEST(HostDevice, OneAndTwoThreadsGiveTheSameBits) {
  HostDevice one(interpreting(1)), two(interpreting(2)), three(interpreting(3));
  const std::vector<float> x = noise(10000);
  for (const double operations : {0.0, 1e6, 1e11}) {
    const std::vector<float> expected = run_map(one, ir::Op::mul, x, 1.1f, operations);
    for (HostDevice* device : {&two, &three}) {
      const std::vector<float> got = run_map(*device, ir::Op::mul, x, 1.1f, operations);
      EXPECT_EQ(std::memcmp(got.data(), expected.data(), x.size() * sizeof(float)), 0)
          << operations;
    }
  }
}

#if defined(__x86_64__)
TEST(HostDevice, ComputesWithDenormalsRoundedToNearestWhateverTheCallersState) {
  const unsigned before = _mm_getcsr();
  for (const int threads : {1, 2}) {
    HostDevice device(interpreting(threads));
    const std::vector<float> x(4096, 1e-30f);
    constexpr unsigned kFlushAndRoundUp = 0x8040 | 0x4000 | 0x1f80;
    _mm_setcsr(kFlushAndRoundUp);
    const std::vector<float> z = run_map(device, ir::Op::mul, x, 1e-10f, 1e11);
    const unsigned after = _mm_getcsr();
    _mm_setcsr(before);
    EXPECT_EQ(after & ~0x3fu, kFlushAndRoundUp) << "the caller's state is restored";
    for (const float v : z) ASSERT_EQ(std::bit_cast<std::uint32_t>(v), 0x000116c2u);
  }
}
#endif

// One thread has its share of the machine; arrays that the cache holds come from there.
TEST(HostDevice, EstimatesAThreadsTime) {
  const HostFigures figures{.bandwidth = 1e9, .cached = 8e9, .rate = 4e9};
  const HostDevice device(interpreting(2), figures);
  const auto cache = static_cast<double>(device.caps().cache_bytes);
  EXPECT_DOUBLE_EQ(device.seconds({cache / 4, 0}), 2 * cache / 4 / 8e9);
  EXPECT_DOUBLE_EQ(device.seconds({cache, 0}), 2 * cache / 1e9);
  EXPECT_DOUBLE_EQ(device.seconds({8, 4e9}), 2);
}

TEST(HostDevice, ReportsThreadsAndVectorWidth) {
  HostDevice device(interpreting(2));
  EXPECT_EQ(device.caps().threads, 2);
  EXPECT_EQ(device.caps().target, ir::Target::cpu);
  EXPECT_GE(device.caps().vector_bytes, 16);
  EXPECT_GT(device.caps().cache_bytes, 0);
  EXPECT_FALSE(device.needs_source());
  EXPECT_TRUE(device.host_memory());
}

TEST(HostDevice, SaysOnceThatInterpretingIsSlow) {
  HostDevice device(interpreting());
  testing::internal::CaptureStderr();
  device.load_kernel(map_kernel(ir::Op::add), {});
  device.load_kernel(map_kernel(ir::Op::mul), {});
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "kiln: the CPU device interprets its kernels, which is slow\n");
}

TEST(HostDevice, AChildOfForkComputesToo) {
  HostDevice device(interpreting(2));
  const std::vector<float> x = noise(10000);
  const std::vector<float> expected = run_map(device, ir::Op::add, x, 1, 1e11);  // starts workers
  EXPECT_EQ(in_child([&] { return run_map(device, ir::Op::add, x, 1, 1e11) == expected ? 0 : 1; }),
            0);
}

// In a process of its own, since the registry is configured once a process.
TEST(Registry, AChildOfForkUsesTheSameDeviceAndCache) {
  const auto parent = [] {
    Device& device = registry().cpu();
    const std::uint32_t generation = fork_generation();
    std::atomic<bool> stop{false};
    std::thread busy([&] {  // holds the allocator's lock at many a fork
      while (!stop) device.allocate(1000);
    });
    int failures = 0;
    for (int i = 0; i < 20; ++i) {
      failures += in_child([&] {
        const MemoryRef memory = device.allocate(1000);
        return fork_generation() == generation + 1 && memory->data() ? 0 : 1;
      });
    }
    stop = true;
    busy.join();
    return failures + static_cast<int>(fork_generation() - generation);
  };
  EXPECT_EQ(in_child(parent), 0);
}

TEST(HostMatmul, ProductsOfBothTypes) {
  for (const int threads : {1, 2}) {
    HostDevice device(interpreting(threads));
    check_products<float>(device, ir::DType::float32, 1e-6, true);
    check_products<double>(device, ir::DType::float64, 1e-15, true);
  }
}

void multiply(Device& device, const ProductCase& x, ir::DType dtype) {
  device.call(ir::BoundCall(product_call(x, dtype), {}, [](std::uint32_t) { return nullptr; }),
              {"matmul"});
}

TEST(HostMatmul, OtherTypesAndHugeExtentsAreErrors) {
  HostDevice device(interpreting());
  EXPECT_THROW(multiply(device, {}, ir::DType::int32), ir::InternalError);
  try {
    multiply(device, {{}, std::int64_t{1} << 31, 1, 1}, ir::DType::float32);
    FAIL();
  } catch (const DeviceError& e) {
    EXPECT_FALSE(e.remedy.empty()) << e.what();
    EXPECT_THAT(e.what(), testing::HasSubstr("an extent of 2147483648 is beyond the library's"));
  }
}

// What no plan asks for.
TEST(HostMatmul, OperandsWithoutDenseRowsOrColumnsAreRefused) {
  HostDevice device(interpreting());
  ir::Call call = product_call({{}, 3, 4, 5}, ir::DType::float32);
  call.operands[1].strides[1] = ir::SizeExpr::constant(2);
  const ir::BoundCall bound(call, {}, [](std::uint32_t) { return nullptr; });
  EXPECT_THROW(device.call(bound, {"matmul"}), DeviceError);
}

}  // namespace
}  // namespace kiln::runtime
