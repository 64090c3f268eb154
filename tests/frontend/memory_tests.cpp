// Memory of evaluations: reuse, results written over what nobody needs, and what must stay.
#include <thread>

#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;

kn::Array ramp(std::int64_t n) {
  const kn::Array x = kn::arange(n, kn::float32) / 7.f;
  kn::eval(x);
  return x;
}

TEST(Memory, AChainOfStoredStepsNeedsTwoBuffersBesideItsInput) {
  constexpr std::int64_t kElements = 16 << 20;  // 64 MB
  const kn::Scope scope({.device = kn::cpu(), .fusion = false});
  const kn::Array x = ramp(kElements);
  kn::reset_peak();
  const std::int64_t before = kn::stats().live_bytes;
  kn::Array y = x;
  for (int i = 0; i < 50; ++i) y = (y + 1.f) * 0.5f;
  kn::eval(y);
  EXPECT_LE(kn::stats().peak_bytes - before, 2 * 4 * kElements);
  EXPECT_EQ(x(3).item<float>(), 3 / 7.f);
}

TEST(Memory, AnUpdateOverwritesItsOperand) {
  const kn::Scope scope({.device = kn::cpu(), .mode = kn::Mode::lazy});  // a check keeps a copy
  kn::Array x = ramp(1 << 20);
  kn::eval(x);
  kn::reset_peak();
  const std::int64_t before = kn::stats().live_bytes;
  for (int i = 0; i < 3; ++i) {
    x = kn::sqrt(x) + 1.f;
    kn::eval(x);
  }
  EXPECT_EQ(kn::stats().peak_bytes, before);
}

TEST(Memory, WhatTheUserHoldsStays) {
  const kn::Scope scope({.device = kn::cpu()});
  kn::Array x = ramp(4096);
  const std::vector<float> old = values<float>(x);
  const kn::Array copy = x, view = x(kn::slice(0, 10)), pending = x * 3.f;
  const kn::HostView<float> host = x.host<float>();
  x = x + 1.f;
  kn::eval(x);
  EXPECT_EQ(values<float>(copy), old);
  EXPECT_EQ(values<float>(view), std::vector<float>(old.begin(), old.begin() + 10));
  EXPECT_EQ(values<float>(pending)[5], old[5] * 3.f);
  EXPECT_EQ(std::vector<float>(host.begin(), host.end()), old);
  // Each alone keeps the memory as well.
  const auto survives = [&](auto hold) {
    kn::Array y = ramp(4096);
    const auto held = hold(y);
    y = y + 1.f;
    kn::eval(y);
    EXPECT_EQ(values<float>(y)[5], old[5] + 1.f);
    return held;
  };
  EXPECT_EQ(values<float>(survives([](const kn::Array& y) { return y; })), old);
  EXPECT_EQ(values<float>(survives([](const kn::Array& y) { return y.named("y"); })), old);
  EXPECT_EQ(values<float>(survives([](const kn::Array& y) { return y.reshape({64, 64}); })), old);
  EXPECT_EQ(values<float>(survives([](const kn::Array& y) { return y * 1.f; })), old);
  EXPECT_EQ(values<float>(survives([](const kn::Array& y) {
              const kn::Array seen = y.reshape({64, 64});
              kn::eval(seen);  // shares the memory, and refers to nothing else of y
              return seen;
            })),
            old);
  const kn::HostView<float> seen = survives([](const kn::Array& y) { return y.host<float>(); });
  EXPECT_EQ(std::vector<float>(seen.begin(), seen.end()), old);
}

TEST(Memory, TheUsersOwnMemoryIsNeverWritten) {
  const std::vector<float> data(4096, 2.f);
  kn::Array x = kn::borrow(data.data(), {{4096}, {1}},
                           std::shared_ptr<const void>(data.data(), [](const void*) {}));
  x = x * 5.f;
  kn::eval(x);
  EXPECT_EQ(data, std::vector<float>(4096, 2.f));
  EXPECT_EQ(values<float>(x)[0], 10.f);
}

TEST(Memory, DonationGivesTheSameBits) {
  const auto run = [](bool hold) {
    kn::Array x = ramp(5000), y = ramp(5000);
    std::vector<kn::Array> held;
    for (int i = 0; i < 4; ++i) {
      if (hold) held.insert(held.end(), {x, y});
      const kn::Array z = kn::sin(x) + y;
      y = x * z - kn::flip(z);
      x = kn::where(z > 0.f, y, z);
      kn::eval({x, y});
    }
    std::vector<float> result = values<float>(x);
    const std::vector<float> more = values<float>(y);
    result.insert(result.end(), more.begin(), more.end());
    return result;
  };
  EXPECT_EQ(run(false), run(true));
}

// x = f(x) without eval: segments are alike, so one plan and few kernels serve them.
void long_loop() {
  constexpr std::int64_t kElements = 5000;
  constexpr int kSteps = 10'000;
  const kn::Scope scope({.device = kn::cpu()});
  const kn::Array start = ramp(kElements);
  const auto f = [](const kn::Array& x) { return x * 0.5f + kn::sqrt(x); };
  kn::Array stepped = start;
  for (int i = 0; i < kSteps; ++i) {
    stepped = f(stepped);
    kn::eval(stepped);
  }
  const kn::Stats before = kn::stats();
  kn::reset_peak();
  kn::Array x = start;
  for (int i = 0; i < kSteps; ++i) x = f(x);
  const std::vector<float> end = values<float>(x);
  const kn::Stats spent = kn::stats() - before;
  EXPECT_LE(spent.compiled + spent.disk_hits, 4);
  EXPECT_LE(kn::stats().peak_bytes - before.live_bytes, 4 * 4 * kElements);
  EXPECT_EQ(end, values<float>(stepped));
}

// On a thread of its own, since a thread remembers where it flushed.
TEST(Memory, ALongLoopWithoutEvalIsBounded) { std::thread(long_loop).join(); }

}  // namespace
