// Programs with more arrays, scalars and bounds than one kernel may be given, and more bytes than
// may be pending.
#include <thread>

#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;

TEST(Limits, AChainOfManyScalarsIsCut) {
  on_each_device([] {
    const kn::Array x = kn::ones({3}, kn::float64);
    kn::Array y = kn::zeros({3}, kn::float64);
    double sum = 0;
    for (int i = 0; i < 600; ++i) {
      y = y + x * (i + 0.5);
      sum += i + 0.5;
    }
    EXPECT_EQ(values<double>(y), std::vector<double>(3, sum));
  });
}

TEST(Limits, ASumOfManyArraysIsCut) {
  on_each_device([] {
    std::vector<kn::Array> parts;
    for (int i = 0; i < 600; ++i) parts.push_back(kn::Array{i, 2 * i});
    kn::Array sum = parts[0], largest = parts[0];
    for (int i = 1; i < 600; ++i) {
      sum = sum + parts[static_cast<std::size_t>(i)];
      largest = kn::maximum(largest, parts[static_cast<std::size_t>(i)] * 3);
    }
    kn::eval({sum, largest});
    EXPECT_EQ(values<int>(sum), (std::vector<int>{179700, 359400}));
    EXPECT_EQ(values<int>(largest), (std::vector<int>{1797, 3594}));
  });
}

TEST(Limits, ManyReductionsAndBoundsAreCut) {
  on_each_device([] {
    const kn::Array x = kn::arange(1200);
    kn::eval(x);
    kn::Array y = kn::zeros({20}, kn::int64);
    std::vector<kn::Array> sums;
    for (int i = 0; i < 520; ++i) {
      const kn::Array part = x(kn::slice(i + 1, i + 21));
      y = y + part;
      sums.push_back(kn::sum(part));
    }
    sums.push_back(y);
    kn::eval(sums);
    EXPECT_EQ(sums[519].item<std::int64_t>(), 20 * 520 + 190);
    EXPECT_EQ(values<int>(y)[19], 520 * 20 + 519 * 520 / 2);
  });
}

// One operation cannot be cut: it has its value, or its kernel is refused by name.
TEST(Limits, AJoinOfTooManyArraysSaysSo) {
  on_each_device([] {
    std::vector<kn::Array> parts;
    for (int i = 0; i < 512; ++i) parts.push_back(kn::Array{i});
    const kn::Array sum = kn::sum(kn::concat(parts));
    try {
      EXPECT_EQ(sum.item<std::int64_t>(), 130816);
    } catch (const kn::DeviceError& error) {
      expect_contains(error.what(), " bytes of parameters, sm_");
      expect_contains(error.what(), "limits_tests.cpp:");
      expect_contains(error.what(), "try: join a part of the arrays at a time");
      EXPECT_FALSE(sum.evaluated());
      EXPECT_EQ(values<int>(kn::Array{1} + 1), std::vector<int>{2}) << "the device works on";
    }
  });
}

// A thread that has looked at the bound of pending bytes looks again when another one sets a limit.
void add_under_a_limit_set_elsewhere() {
  const kn::Device device = kn::plan_only("sm_75");  // whose limit is nobody else's
  const kn::Scope scope({.device = device, .flush_after = 1 << 20});
  const std::vector<float> megabyte(1 << 18);
  kn::Array sum = kn::Array(megabyte);
  const auto plans = [] { return kn::stats().plans_built + kn::stats().plans_reused; };
  const auto add = [&](int times) {
    for (int i = 0; i < times; ++i) sum = sum + kn::Array(megabyte);
  };
  const std::int64_t before = plans();
  add(40);
  EXPECT_EQ(plans(), before) << "nothing bounds it";
  std::thread([&] { kn::set_memory_limit(64 << 20, device); }).join();
  add(3);
  EXPECT_GT(plans(), before) << "a quarter of the limit is pending";
  kn::set_memory_limit(0, device);
}

TEST(Limits, AMemoryLimitHoldsForThreadsThatRun) {
  const kn::Scope scope({.mode = kn::Mode::lazy});
  std::thread(add_under_a_limit_set_elsewhere).join();
}

}  // namespace
