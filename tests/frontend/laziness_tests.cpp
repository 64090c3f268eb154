// Programs that evaluate in a loop without saying so: laziness costs no more than it saves.
#include <cmath>
#include <limits>
#include <random>

#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;

constexpr double kAlways = std::numeric_limits<double>::infinity();

TEST(Laziness, AWatchedStateIsComputedOnceAStep) {
  kn::Array r = kn::zeros({1000});
  const kn::Stats before = kn::stats();
  for (int i = 1; i <= 100; ++i) {
    r += 1;
    EXPECT_EQ(kn::sum(r).item<float>(), 1000.f * static_cast<float>(i));
  }
  const kn::Stats spent = kn::stats() - before;
  EXPECT_LE(spent.recomputed, 3);
  if (!interpreting()) {
    EXPECT_LE(spent.plans_built, 3);
  }
}

TEST(Laziness, ALoopUntilItsStateSettles) {
  const auto run = [](bool evaluates) {
    kn::Array x = kn::ones({16, 16});
    for (int n = 0; n < 60; ++n) {
      const kn::Array next = 0.5f * (x + 2.f / x) + 0.01f * kn::sin(x * static_cast<float>(n % 2));
      const kn::Array change = kn::max(kn::abs(next - x));
      x = next;
      if (evaluates) kn::eval({x, change});
      if (!(change > 1e-12f)) break;
    }
    return x.to_vector<float>();
  };
  const std::vector<float> expected = run(true);
  const kn::Stats before = kn::stats();
  EXPECT_EQ(run(false), expected);
  const kn::Stats spent = kn::stats() - before;
  EXPECT_LE(spent.recomputed, 10);
  if (!interpreting()) {
    EXPECT_LE(spent.plans_built, 4);
  }
}

TEST(Laziness, WhatIsReadAtTheEndOnlyKeepsNoHistory) {
  kn::Array x = kn::zeros({5000}), r = kn::linspace(0.5, 1.0, 5000), p = r;
  kn::eval({x, r});
  const kn::Stats before = kn::stats();
  std::int64_t most = 0;
  for (int i = 0; i < 100; ++i) {
    const kn::Array a = 0.3f * p;
    x += 0.01f * p;
    r -= 0.01f * a;
    p = r + 0.5f * p;
    EXPECT_GT(kn::sum(r * r).item<float>(), 0.f);
    most = std::max(most, kn::stats().live_bytes - before.live_bytes);
  }
  EXPECT_LE((kn::stats() - before).recomputed, 12);
  EXPECT_LE(most, 12 * 4 * 5000);
  EXPECT_GT(kn::sum(x).item<float>(), 0.f);
}

TEST(Laziness, AHeldValueThatManyReadIsStored) {
  kn::Array h = kn::linspace(0.0, 1.0, 500);
  for (int i = 0; i < 8; ++i) h = kn::sin(kn::exp(h));
  const kn::Stats before = kn::stats();
  for (int i = 1; i <= 20; ++i) {
    EXPECT_TRUE(std::isfinite(kn::max(h * static_cast<float>(i)).item<float>()));
  }
  EXPECT_LE((kn::stats() - before).recomputed, 2 * 16);  // two histories
  EXPECT_TRUE(h.evaluated());
}

TEST(Laziness, AScalarThatMeetsAnotherChangesNoPlan) {
  if (interpreting()) GTEST_SKIP() << "the interpreter makes no plans";
  kn::Array r = kn::ones({100});
  kn::eval(r);
  const kn::Stats before = kn::stats();
  for (int i = 1; i < 20; ++i) {
    r = r * static_cast<float>(i) + 3.f * kn::abs(r) - 7.f / (r + 11.f);
    kn::eval(r);
  }
  EXPECT_LE((kn::stats() - before).plans_built, 1);
}

kn::Array expression(std::mt19937& random, const kn::Array& x, int depth) {
  if (depth == 0) return x;
  const auto next = [&] { return expression(random, x, depth - 1); };
  switch (random() % 4) {
    case 0:
      return next() + kn::abs(next());
    case 1:
      return kn::sin(next());
    case 2:
      return kn::sum(next() * next()) / 100.f + x;
    default:
      return kn::concat({next()(kn::slice(0, 30)), next()(kn::slice(30, kn::_))});
  }
}

TEST(Laziness, OneOperationAtATimeGivesTheSameBits) {
  const kn::Array x = kn::linspace(0.1, 1.0, 64);
  kn::eval(x);
  for (unsigned seed = 1; seed <= 12; ++seed) {
    const auto run = [&](double budget) {
      const kn::Scope scope({.compile_budget = budget});
      std::mt19937 random(seed);
      return expression(random, x, 4).to_vector<float>();
    };
    const std::vector<float> stepped = run(0);
    EXPECT_EQ(run(kAlways), stepped);
  }
}

TEST(Laziness, WhatComesOftenRepaysItsCompile) {
  if (interpreting()) GTEST_SKIP() << "the interpreter makes no plans";
  const kn::Scope on_cpu({.device = kn::cpu(), .mode = kn::Mode::lazy});
  const kn::Array x = kn::linspace(0.1, 1.0, 100'000);
  kn::eval(x);
  const auto launches = [&] {
    const kn::Scope scope({.compile_budget = 0.0});
    const kn::Stats before = kn::stats();
    EXPECT_GT(kn::sum((x * 1.5f + 0.25f) * (x - 0.125f) + x).item<float>(), 0.f);
    return (kn::stats() - before).launched;
  };
  const std::int64_t first = launches();
  EXPECT_GE(first, 5);
  std::int64_t last = first;
  for (int i = 0; i < 1000 && last == first; ++i) last = launches();
  EXPECT_LT(last, first);
}

}  // namespace
