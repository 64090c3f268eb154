// The process has no memory left, at any of the allocations of what it does: an error is thrown,
// arrays are as they were, and nothing stays taken.
#include <functional>
#include <optional>

#include "frontend/access.h"
#include "frontend/host_memory.h"
#include "frontend/state.h"
#include "tests/failing_heap.h"
#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;
using kn::Array;

// Calls body() with its allocation number n failing; all that LLVM and TBB do, which know no
// failure, was done before. Whether it threw; what it throws is ours, or
// std::bad_alloc where nothing is known of the call.
template <class Body>
bool throws_at(std::int64_t n, const Body& body) {
  const FailingHeap heap(n);
  try {
    body();
  } catch (const kn::Error&) {
    return true;
  } catch (const std::bad_alloc&) {
    return true;
  }
  return false;
}

std::vector<kn::Device> devices() { return {kn::cpu(), kn::interpreter(), kn::plan_only("sm_80")}; }

bool in_flight(const Array& x) { return kn::frontend::Access::node(x)->in_flight; }

// What an evaluation meets: views, sums, a value that is stored on the way, results of two dtypes,
// and one that takes over the memory of its operand.
std::vector<Array> program() {
  const Array x = Array{4.f, 1.f, 9.f, 16.f, 25.f, 36.f}.named("x");
  Array y = Array{1.f, 2.f, 3.f};
  y = kn::sqrt(y) * 2.f;
  const Array table = kn::reshape(x, {2, 3});
  const Array rows = kn::no_fuse(kn::softmax(table) * 3.f);
  return {kn::sum(rows, 0) + y, kn::argmax(table.T(), 0), kn::floor_divide(x, 3.f),
          kn::concat({table, rows})(kn::slice(1, kn::_), kn::slice(kn::_, kn::_, -1)) + 1.f};
}

TEST(Heap, AnEvaluationThatFailsLeavesEverythingAsItWas) {
  for (const kn::Device& device : devices()) {
    SCOPED_TRACE(device.name());
    const kn::Scope scope({.device = device, .mode = kn::Mode::lazy});
    kn::eval(program());  // compiles
    const std::int64_t free = device.free_bytes(), pending = kn::frontend::trace().pending.load();
    std::vector<Array> results;
    const kn::Measure measure;  // which allocates as well
    const std::int64_t allocations = with_each_allocation_failing(
        [&](std::int64_t n) {
          results = program();
          const bool threw = throws_at(n, [&] { kn::eval(results); });
          for (const Array& x : results) {
            ASSERT_FALSE(in_flight(x)) << "allocation " << n;
            EXPECT_EQ(x.evaluated(), !threw) << "allocation " << n;
          }
        },
        [&] {
          if (device != kn::plan_only("sm_80")) {
            EXPECT_EQ(values<int>(results[1]), (std::vector<int>{2, 2}));
            EXPECT_EQ(values<float>(results[2]), (std::vector<float>{1, 0, 3, 5, 8, 12}));
          }
          results.clear();
          ASSERT_EQ(device.free_bytes(), free);
          ASSERT_EQ(kn::frontend::trace().pending.load(), pending);
        });
    EXPECT_GT(allocations, 5);
  }
}

// Planning, emitting and the cache of kernels, where they are ours alone.
TEST(Heap, PlanningThatFailsMayBeTriedAgain) {
  const kn::Scope scope({.device = kn::plan_only("sm_75"), .mode = kn::Mode::lazy});
  const Array x = {1.f, 2.f, 3.f, 4.f, 5.f, 6.f, 7.f};
  kn::eval(x);
  const std::int64_t built = kn::stats().plans_built;
  Array y;
  const std::int64_t allocations = with_each_allocation_failing(
      [&](std::int64_t n) {
        y = kn::sum(kn::no_fuse(kn::cos(x)) - 3.f);
        const bool threw = throws_at(n, [&] { kn::eval(y); });
        EXPECT_EQ(y.evaluated(), !threw) << "allocation " << n;
      },
      [&] { ASSERT_FALSE(in_flight(y)); });
  EXPECT_GT(allocations, 100);
  EXPECT_TRUE(y.evaluated());
  EXPECT_GE(kn::stats().plans_built, built + 1);
}

// Naming what had no room allocates, too.
TEST(Heap, AnOutOfMemoryErrorThatFailsLeavesArraysPending) {
  const kn::Scope scope({.device = kn::cpu(), .mode = kn::Mode::lazy});
  const auto make = [] {
    const Array x = kn::linspace(0.f, 1.f, 1 << 22).named("x");
    return (x + 1.f).named("y");
  };
  kn::eval(make());  // compiles
  const Array y = make();
  std::optional<kiln::runtime::OtherMemory> taken(kn::frontend::host_allocator());
  const std::int64_t free = kn::cpu().free_bytes();
  for (std::int64_t bytes = 0; bytes < free - (8 << 20);)
    taken->resize(bytes = std::min<std::int64_t>(free - (8 << 20), bytes + (32 << 20)));
  const std::int64_t left = kn::cpu().free_bytes();
  const auto check = [&] {
    ASSERT_FALSE(in_flight(y));
    EXPECT_FALSE(y.evaluated());
    EXPECT_EQ(kn::cpu().free_bytes(), left);
  };
  const std::int64_t allocations = with_each_allocation_failing(
      [&](std::int64_t n) { EXPECT_TRUE(throws_at(n, [&] { kn::eval(y); })); }, check);
  check();
  EXPECT_GT(allocations, 5);
  taken.reset();
  EXPECT_EQ(y(0).item<float>(), 1.f);
}

TEST(Heap, RecordingThatFailsRecordsNothing) {
  const kn::Scope scope({.device = kn::cpu(), .mode = kn::Mode::lazy});
  kn::eval(program());  // starts what other libraries start once
  const std::int64_t pending = kn::frontend::trace().pending.load();
  const std::int64_t allocations = with_each_allocation_failing(
      [&](std::int64_t n) { throws_at(n, [&] { program(); }); },
      [&] { ASSERT_EQ(kn::frontend::trace().pending.load(), pending); });
  EXPECT_GT(allocations, 5);
  EXPECT_EQ(values<int>(program()[1]), (std::vector<int>{2, 2}));
}

TEST(Heap, AVectorThatCouldNotBeTakenOverIsAsItWas) {
  const std::int64_t free = kn::cpu().free_bytes();
  const std::vector<float> before{1, 2, 3, 4, 5, 6};
  std::vector<float> given;
  with_each_allocation_failing(
      [&](std::int64_t n) {
        given = before;
        const bool threw =
            throws_at(n, [&] { static_cast<void>(Array(std::move(given), {2, 3})); });
        EXPECT_EQ(given, threw ? before : std::vector<float>{});  // NOLINT: moved from
      },
      [] {});
  EXPECT_EQ(kn::cpu().free_bytes(), free);
}

TEST(Heap, ReadingThatFailsMayBeTriedAgain) {
  const kn::Scope scope({.device = kn::cpu(), .mode = kn::Mode::lazy});
  const Array x = kn::reshape(Array{1, 2, 3, 4}, {2, 2}).T();
  kn::eval(x);
  const std::int64_t free = kn::cpu().free_bytes();
  const std::function<void()> reads[] = {[&] { static_cast<void>(x.to_vector<int>()); },
                                         [&] { static_cast<void>(x.host<double>()); },
                                         [&] { static_cast<void>(to_string(x)); }};
  for (const auto& read : reads) {
    const auto check = [&] { ASSERT_EQ(kn::cpu().free_bytes(), free); };
    EXPECT_GT(with_each_allocation_failing([&](std::int64_t n) { throws_at(n, read); }, check), 1);
    check();
  }
  EXPECT_EQ(x.to_vector<int>(), (std::vector<int>{1, 3, 2, 4}));
  EXPECT_EQ(text(x), "[[1 3]\n [2 4]]");
}

}  // namespace
