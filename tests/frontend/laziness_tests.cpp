// Programs that evaluate in a loop without saying so: laziness costs no more than it saves.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "frontend/access.h"
#include "frontend/compile.h"
#include "frontend/compile_account.h"
#include "frontend/devices.h"
#include "frontend/snapshot.h"
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

// A round that reads its neighbours gains nothing by being fused with the next, however often it
// comes.
TEST(Laziness, ALoopStaysPlannedHoweverOftenItRuns) {
  if (interpreting()) GTEST_SKIP() << "the interpreter makes no plans";
  const auto run = [] {
    kn::Array x = kn::linspace(0.0, 1.0, 200);
    for (int i = 0; i < 60; ++i) x = 0.5f * x + 0.25f * (kn::roll(x, 1) + kn::roll(x, -1));
    return x.to_vector<float>();
  };
  const std::vector<float> first = run();
  static_cast<void>(run());
  const kn::Stats before = kn::stats();
  for (int call = 0; call < 40; ++call) EXPECT_EQ(run(), first);
  EXPECT_EQ((kn::stats() - before).plans_built, 0);
}

TEST(Laziness, ExplainSaysWhyAnExpressionIsNotFused) {
  const kn::Scope scope({.device = kn::cpu(), .mode = kn::Mode::lazy, .compile_budget = 0.0});
  const kn::Array x = kn::linspace(0.1, 1.0, 321);
  kn::eval(x);
  const auto program = [&] { return kn::sqrt(x * 0.75f + 0.5f) - x * x * 3.f; };
  const auto said = [&] { return kn::explain(program()).text(); };
  EXPECT_NE(said().find("not fused yet, one operation at a time: "), std::string::npos);
  EXPECT_NE(said().find("seen once so far"), std::string::npos) << "looking is not seeing";
  kn::eval(program());
  EXPECT_NE(said().find("seen 2 times so far"), std::string::npos) << said();
  const kn::Scope rich({.compile_budget = kAlways});
  EXPECT_EQ(said().find("not fused"), std::string::npos);
}

TEST(Laziness, WhatCompilesIsReportedByItsLine) {
  if (interpreting()) GTEST_SKIP() << "the interpreter makes no plans";
  const kn::Scope scope({.mode = kn::Mode::lazy});
  const kn::Array x = kn::linspace(0.1, 1.0, 123);
  kn::eval(x);
  const kn::CompileReport before = kn::compile_report();
  int line = 0;
  for (int i = 1; i < 4; ++i) {
    const kn::Array y = i == 1 ? x * 2.5f - 1.f : i == 2 ? kn::abs(x - 9.f) * x : x / (x + 7.25f);
    line = __LINE__ + 1;
    kn::eval(y);
  }
  const kn::CompileReport after = kn::compile_report();
  EXPECT_EQ(after.graphs - before.graphs, 3);
  EXPECT_GT(after.seconds, before.seconds);
  const auto mine = std::ranges::find_if(after.lines, [&](const kn::CompileReport::Line& l) {
    return l.where.line == line && std::string(l.where.file).ends_with("laziness_tests.cpp");
  });
  ASSERT_NE(mine, after.lines.end());
  EXPECT_EQ(mine->graphs, 3);
}

TEST(Laziness, MuchCompilingIsSaidOnceAndNamesTheLineWithMostGraphs) {
  kn::frontend::CompileAccount account;
  const kn::Where many = kn::Where::here("many.cpp", 7), slow = kn::Where::here("slow.cpp", 9);
  EXPECT_EQ(account.add(many, 0.1), "");
  EXPECT_EQ(account.add(many, 0.1), "");
  const std::string said = account.add(slow, 1.9);
  EXPECT_NE(said.find("3 different graphs so far, 2 of them for many.cpp:7"), std::string::npos)
      << said;
  EXPECT_EQ(account.add(many, 5), "");
  EXPECT_EQ(account.report().lines.at(0).where.line, 7) << "most seconds first";
}

// A state that was stored by guess is in the way only as long as there is room.
TEST(Laziness, WithoutRoomNothingIsStoredByGuess) {
  if (interpreting()) GTEST_SKIP() << "the interpreter stores every value";
  const kn::Scope scope({.device = kn::cpu(), .mode = kn::Mode::lazy});
  constexpr std::int64_t kBytes = 4 << 20;
  kn::Array r = kn::zeros({kBytes / 4}, kn::float32);
  const auto step = [&] {
    r = r + 1.f;
    return kn::sum(r).item<float>();
  };
  for (int i = 0; i < 4; ++i) static_cast<void>(step());  // the line has learnt
  EXPECT_TRUE(r.evaluated());
  const kn::Array held = r;  // so that its memory cannot be taken over
  kn::set_memory_limit(kn::stats().live_bytes + kBytes / 2);
  const float sum = step();
  EXPECT_FALSE(r.evaluated());
  kn::set_memory_limit(0);
  EXPECT_EQ(sum, 5.f * (kBytes / 4));
  EXPECT_EQ(kn::min(held).item<float>(), 4.f);
}

TEST(Laziness, PlansAreKeptWithinTheirBytes) {
  if (interpreting()) GTEST_SKIP() << "the interpreter makes no plans";
  namespace fe = kn::frontend;
  const kn::Scope scope({.device = kn::cpu()});
  kn::runtime::Device& device = fe::memory_device(fe::Access::id(kn::cpu()));
  constexpr std::size_t kMost = 60'000;
  fe::PlanCache cache(1000, kMost);
  const kn::Array x = kn::ones({50});
  kn::eval(x);
  kn::Array y = x;
  for (int i = 0; i < 40; ++i) {
    y = y * 2.f + x;
    fe::Snapshot snapshot;
    {
      const std::lock_guard<std::mutex> lock(fe::trace().mutex);
      fe::Node* const root = fe::root_of(fe::Access::node(y));
      ASSERT_TRUE(fe::take_snapshot({&root, 1}, fe::Learning::nothing, &snapshot));
    }
    for (fe::Node* const node : snapshot.outputs) fe::trace().release(node);
    const fe::LoadedPlan plan = fe::plan_for(snapshot, device, true);
    const std::size_t hash = kn::ir::hash(snapshot.graph);
    const fe::PlanKey key{&device};
    cache.insert(key, snapshot.graph, hash, plan);
    EXPECT_NE(cache.find(key, snapshot.graph, hash), nullptr) << "the newest stays";
    EXPECT_LE(cache.bytes(), kMost);
  }
  EXPECT_GE(cache.size(), 2u);
  EXPECT_LT(cache.size(), 40u);
}

}  // namespace
