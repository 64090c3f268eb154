// Random loops, as programs have them, against the same loop one operation at a time: equal bits,
// and within what ARCHITECTURE.md promises of laziness, in counters.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <span>
#include <thread>

#include "frontend/state.h"
#include "tests/frontend/support.h"
#include "tests/seed.h"

namespace {

using namespace kiln_tests;
using kn::Array;

// What a loop did besides its results.
struct Report {
  std::vector<double> read;     // in the loop
  std::vector<float> ended;     // states that are read behind it
  std::int64_t operations = 0;  // recorded
  std::int64_t rounds = 0;
  std::int64_t most_pending = 0;
};

Array helper(const Array& x, const Array& y) { return 0.5f * x + kn::abs(y) * 0.25f; }

// A loop: states that are carried on, some read now and then, some only at the end, some never;
// statements that a coin chooses; writes into windows; a function of several lines' use.
class Loop {
 public:
  explicit Loop(std::uint64_t seed) : random_(seed) {
    size_ = 20 + static_cast<std::int64_t>(pick(60));
    steps_ = 8 + static_cast<int>(pick(30));
    const std::size_t kind = pick(4);
    if (kind == 0) steps_ *= 8;  // never read, long enough to be cut
    every_ = kind == 0 ? steps_ : 1 + static_cast<int>(pick(kind == 1 ? 12 : 2));
    const std::size_t statements = 2 + pick(5);
    for (std::size_t i = 0; i < statements; ++i) {
      body_.push_back({pick(9), pick(kStates), pick(kStates), pick(kStates), pick(4) == 0});
    }
    watched_ = pick(kStates);
    ended_ = pick(kStates);
    called_twice_ = pick(5) == 0;
    on_a_thread_ = pick(8) == 0;
  }

  Report run() const {
    Report report;
    const auto calls = [&] {
      for (int call = 0; call < (called_twice_ ? 2 : 1); ++call) once(&report);
    };
    if (on_a_thread_) {
      const kn::Options options = settings_;
      std::thread([&] {
        const kn::Scope scope(options);
        calls();
      }).join();
    } else {
      calls();
    }
    return report;
  }
  // Options of the run, on whatever thread it is.
  void set(const kn::Options& options) { settings_ = options; }
  int every() const { return every_; }

 private:
  static constexpr std::size_t kStates = 3;
  struct Statement {
    std::size_t kind, to, from, with;
    bool coin;  // done half of the times
  };

  std::size_t pick(std::size_t n) { return random_() % n; }

  void once(Report* report) const {
    std::mt19937_64 coin(size_ + steps_);
    std::vector<Array> s;
    for (std::size_t i = 0; i < kStates; ++i) {
      s.push_back(kn::linspace(0.1 + 0.2 * static_cast<double>(i), 1.0, size_).astype(kn::float32));
    }
    report->rounds += steps_;
    for (int step = 0; step < steps_; ++step) {
      for (const Statement& one : body_) {
        if (one.coin && coin() % 2 == 0) continue;
        perform(one, step, &s, report);
      }
      report->most_pending =
          std::max<std::int64_t>(report->most_pending, kn::frontend::trace().pending.load());
      if (step % every_ != every_ - 1) continue;
      report->read.push_back(kn::max(s[watched_]).item<double>());
    }
    const std::vector<float> end = s[ended_].to_vector<float>();
    report->ended.insert(report->ended.end(), end.begin(), end.end());
  }

  void perform(const Statement& one, int step, std::vector<Array>* states, Report* report) const {
    Array &x = (*states)[one.to], &y = (*states)[one.from], &z = (*states)[one.with];
    const std::int64_t half = size_ / 2;
    switch (one.kind) {
      case 0:
        x = 0.7f * x + 0.2f * y;
        report->operations += 3;
        break;
      case 1:
        x = kn::minimum(kn::sin(y) + 0.5f, 2.f);
        report->operations += 3;
        break;
      case 2:
        x = x - 0.1f * (x - kn::roll(y, 1));
        report->operations += 6;
        break;
      case 3:
        x = y / (1.f + kn::sum(z * z) / static_cast<float>(size_));
        report->operations += 5;
        break;
      case 4:
        x += 0.01f * static_cast<float>(step % 7);
        report->operations += 1;
        break;
      case 5:
        x = helper(y, z);
        report->operations += 4;
        break;
      case 6:
        x = kn::where(y > 0.5f, z, x) * 0.9f;
        report->operations += 3;
        break;
      case 7:
        x.at(kn::slice(0, half)) = y(kn::slice(size_ - half, kn::_)) * 0.5f;
        report->operations += 8;
        break;
      default:
        x.at(step % size_) = kn::max(y);
        report->operations += 8;
    }
  }

  std::mt19937_64 random_;
  std::int64_t size_ = 0;
  int steps_ = 0, every_ = 1;
  std::vector<Statement> body_;
  std::size_t watched_ = 0, ended_ = 0;
  bool called_twice_ = false, on_a_thread_ = false;
  kn::Options settings_;
};

// Seconds by the one model of a device's time.
double modelled(const kn::Stats& did) {
  const kiln::ir::Caps caps;
  return static_cast<double>(did.bytes_read + did.bytes_written) / caps.bandwidth +
         static_cast<double>(did.launched) * caps.launch_seconds;
}

void expect_same(const Report& got, const Report& wanted) {
  ASSERT_EQ(got.read.size(), wanted.read.size());
  ASSERT_EQ(got.ended.size(), wanted.ended.size());
  const auto bits = [](const auto& values) { return std::as_bytes(std::span(values)); };
  EXPECT_TRUE(std::ranges::equal(bits(got.read), bits(wanted.read)));
  EXPECT_TRUE(std::ranges::equal(bits(got.ended), bits(wanted.ended)));
}

void check(std::uint64_t seed) {
  constexpr double kBudget = 0.2;
  SCOPED_TRACE("KILN_SEED=" + std::to_string(seed));
  Loop loop(seed);
  const auto counted = [&](const kn::Options& options, Report* report) {
    loop.set(options);
    const kn::Scope scope(options);
    const kn::Stats before = kn::stats();
    *report = loop.run();
    return kn::stats() - before;
  };
  Report unfused, written;
  const kn::Stats one_by_one = counted({.mode = kn::Mode::eager, .fusion = false}, &unfused);
  auto& state = kn::frontend::state();
  const double spent = state.investments.spent();
  const std::int64_t planned = state.planned.load();
  const kn::Stats lazy =
      counted({.mode = kn::Mode::lazy, .compile_budget = spent + kBudget}, &written);
  expect_same(written, unfused);
  // A history is what lies between two readings.
  const std::int64_t round = written.operations / written.rounds + 1;
  const std::int64_t history = 2 * round * loop.every() + 40;
  EXPECT_LE(lazy.recomputed, history / 2);
  EXPECT_LE(written.most_pending,
            std::min<std::int64_t>(4 * round * loop.every() + 40, 1024 + 2 * round));
  if (interpreting()) return;
  const double one = modelled(one_by_one);
  EXPECT_LE(modelled(lazy), 2 * one);
  EXPECT_LE(state.investments.spent() - spent, kBudget + one);
  EXPECT_LE(state.planned.load() - planned, 3 * written.operations + 10'000);
}

TEST(LoopSearch, KeepsThePromise) {
  const int count = interpreting() ? 20 : 60;
  for (int i = 0; i < count; ++i) check(kiln::testing::first_seed() + static_cast<unsigned>(i));
}

TEST(NightlyLoopSearch, KeepsThePromise) {
  for (int i = 0; i < 2000; ++i)
    check(10'000 + kiln::testing::first_seed() + static_cast<unsigned>(i));
}

}  // namespace
