// What a Device says of itself, which devices there are, and what is set for the whole process.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <thread>

#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;
using kn::Device;

TEST(Devices, SayWhatTheyAre) {
  EXPECT_EQ(kn::cpu().kind(), Device::cpu);
  EXPECT_EQ(kn::interpreter().kind(), Device::interpreter);
  for (const Device& device : {kn::cpu(), kn::interpreter()}) {
    EXPECT_EQ(device.index(), 0);
    EXPECT_EQ(device.compute_capability(), 0);
    EXPECT_GT(device.total_bytes(), std::int64_t{1} << 20);
    EXPECT_LE(device.free_bytes(), device.total_bytes());
#if defined(__x86_64__)
    EXPECT_FALSE(device.model().empty());
    EXPECT_EQ(device.model(), kn::cpu().model());
    EXPECT_TRUE(device.model().front() != ' ' && device.model().back() != ' ');
#endif
  }
  const Device plan = kn::plan_only("sm_90"), host = kn::plan_only("cpu");
  EXPECT_EQ(plan.kind(), Device::plan_only);
  EXPECT_EQ(plan.index(), 0);
  EXPECT_EQ(plan.model(), "sm_90");
  EXPECT_EQ(plan.compute_capability(), 90);
  EXPECT_EQ(plan.total_bytes(), 0);
  EXPECT_EQ(host.compute_capability(), 0);
  EXPECT_EQ(host.model(), "cpu");
}

TEST(Devices, AreCounted) {
  EXPECT_EQ(kn::device_count(Device::cpu), 1);
  EXPECT_EQ(kn::device_count(Device::interpreter), 1);
  EXPECT_GE(kn::device_count(Device::plan_only), 6);
  EXPECT_TRUE(kn::is_available(Device::cpu) && kn::is_available(Device::interpreter) &&
              kn::is_available(Device::plan_only));
  const int cudas = kn::device_count(Device::cuda);
  EXPECT_EQ(kn::is_available(Device::cuda), cudas > 0);
  const std::vector<Device> all = kn::devices();
  EXPECT_EQ(std::count_if(all.begin(), all.end(),
                          [](const Device& d) { return d.kind() == Device::cuda; }),
            cudas);
  if (cudas == 0) {
    expect_contains(message_of<kn::DeviceError>([] { return kn::cuda(); }), "no CUDA device");
  }
}

TEST(Devices, OfCudaNameTheirHardware) {
  const int count = kn::device_count(Device::cuda);
  if (count == 0) GTEST_SKIP() << "no CUDA device";
  for (int i = 0; i < count; ++i) {
    const Device device = kn::cuda(i);
    EXPECT_EQ(device.kind(), Device::cuda);
    EXPECT_EQ(device.index(), i);
    EXPECT_FALSE(device.model().empty());
    EXPECT_NE(device.model(), device.name());
    EXPECT_EQ(device.model().find('\0'), std::string::npos);
    EXPECT_GE(device.compute_capability(), 75);
    EXPECT_GE(device.total_bytes(), device.free_bytes());
  }
}

TEST(Devices, TheVersionIsThatOfTheHeaders) {
  std::string text;
  for (const int number : kn::version_numbers) text += "." + std::to_string(number);
  EXPECT_EQ(kn::version(), text.substr(1));
  std::ifstream file(KILN_SOURCE_DIR "/CMakeLists.txt");
  const std::string project{std::istreambuf_iterator<char>(file), {}};
  expect_contains(project, "project(kiln VERSION " + std::string(kn::version()) + " ");
}

// Sets a limit, and takes it back.
class Limit {
 public:
  explicit Limit(std::int64_t bytes, kn::MaybeDevice device = {}) : device_(device) {
    kn::set_memory_limit(bytes, device);
  }
  ~Limit() { kn::set_memory_limit(0, device_); }

 private:
  kn::MaybeDevice device_;
};

TEST(Process, AMemoryLimitHoldsFromThenOn) {
  on_each_device([] {
    constexpr std::int64_t kMegabyte = std::int64_t{1} << 20;
    const kn::Device device = kn::zeros(1).device();
    const std::int64_t before = device.free_bytes();
    const kn::Array kept = kn::arange(kMegabyte, kn::float32) + 1;
    kn::eval(kept);
    {
      const Limit limit(2 * kMegabyte);
      EXPECT_LE(device.free_bytes(), 2 * kMegabyte);
      EXPECT_GE(device.free_bytes(), 0);  // even where more is in use
      const kn::Array large = kn::arange(kMegabyte, kn::float32) * 3;
      int line = 0;
      const std::string message = message_of<kn::OutOfMemory>([&] { kn::eval(large); }, &line);
      EXPECT_EQ(line, __LINE__ - 1);
      EXPECT_FALSE(large.evaluated());
      kn::set_memory_limit(64 * kMegabyte);
      EXPECT_EQ(kn::sum(large).item<float>(), kn::sum(kept * 3 - 3).item<float>());
    }
    EXPECT_GT(device.free_bytes(), before / 2);
  });
}

TEST(Process, ADeviceThatOnlyPlansHasALimitToo) {
  const kn::Device device = kn::plan_only("sm_75");
  const Limit limit(1000, device);
  EXPECT_EQ(device.free_bytes(), 1000);
  const kn::Scope scope({.device = device});
  const kn::Array x = kn::arange(1000, kn::float32) + 1;
  message_of<kn::OutOfMemory>([&] { kn::eval(x); });
  kn::set_memory_limit(0);
  kn::eval(x);
}

TEST(Process, ThreadsAreSetAtAnyTime) {
  const kn::Scope scope({.device = kn::cpu()});
  const kn::Array x = kn::arange(1 << 20, kn::float32);
  std::vector<float> first;
  for (const int count : {1, 3, 64, 2, 0}) {
    kn::set_threads(count);
    const kn::Array y = kn::sin(x) * 2 + kn::exp(-x);
    const std::vector<float> now = values<float>(y);
    if (first.empty()) first = now;
    EXPECT_EQ(now, first);
  }
}

TEST(Process, ThreadsAreSetWhileOthersRun) {
  const kn::Scope scope({.device = kn::cpu()});
  std::vector<std::thread> runners;
  for (int t = 0; t < 3; ++t) {
    runners.emplace_back([] {
      const kn::Scope own({.device = kn::cpu()});
      for (int i = 0; i < 20; ++i) {
        const kn::Array x = kn::arange(1 << 18, kn::int32) + i;
        EXPECT_EQ(kn::min(x).item<int>(), i);
      }
    });
  }
  for (int i = 0; i < 40; ++i) kn::set_threads(i % 5);
  for (std::thread& runner : runners) runner.join();
  kn::set_threads(0);
}

TEST(Process, WhatIsNoNumberIsRefused) {
  int line = 0;
  expect_contains(message_of([] { kn::set_threads(-1); }, &line), "set_threads: -1 threads");
  EXPECT_EQ(line, __LINE__ - 1);
  expect_contains(message_of([] { kn::set_threads(1 << 20); }, &line), "at most");
  EXPECT_EQ(line, __LINE__ - 1);
  expect_contains(message_of([] { kn::set_memory_limit(-1); }, &line), "set_memory_limit: -1");
  EXPECT_EQ(line, __LINE__ - 1);
}

}  // namespace
