// timeit times what was meant, or says that it does not.
#include <array>
#include <filesystem>
#include <list>

#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;
using kn::Array;

TEST(Timing, WhatIsReturnedIsEvaluated) {
  on_each_device([] {
    const Array x = kn::arange(100, kn::float32);
    int calls = 0;
    std::vector<Array> made;
    const auto keep = [&](Array y) {
      ++calls;
      made.push_back(y);
      return y;
    };
    EXPECT_GT(kn::timeit([&] { return keep(x + static_cast<float>(calls)); }), 0);
    EXPECT_GE(calls, 6);
    for (const Array& y : made) EXPECT_TRUE(y.evaluated());
    made.clear();
    static_cast<void>(
        kn::timeit([&] { return std::pair(keep(x * 2 + calls), keep(x * 3 + calls)); }));
    static_cast<void>(kn::timeit([&] { return std::tuple(keep(x - calls), 1, keep(x * calls)); }));
    static_cast<void>(kn::timeit([&] { return std::vector<Array>{keep(x + 0.5f * calls)}; }));
    static_cast<void>(kn::timeit([&] { return std::list<Array>{keep(x + 0.25f * calls)}; }));
    static_cast<void>(kn::timeit([&] { return std::array{keep(x - 0.5f * calls)}; }));
    static_cast<void>(
        kn::timeit([&] { return std::vector<std::vector<Array>>{{keep(x - 0.25f * calls)}}; }));
    static_cast<void>(
        kn::timeit([&]() -> const Array& { return made.emplace_back(x * (9.f + calls++)); }));
    for (const Array& y : made) EXPECT_TRUE(y.evaluated());
  });
}

TEST(Timing, WhatOnlyRecordsIsRefused) {
  on_each_device([] {
    if (kn::zeros(1).evaluated()) return;  // eager mode evaluates at the line
    const Array x = kn::ones(100) + 1;
    kn::eval(x);
    int line = 0;
    const std::string message =
        message_of([&] { return kn::timeit([&] { static_cast<void>(kn::sqrt(x)); }); }, &line);
    EXPECT_EQ(line, __LINE__ - 1);
    expect_contains(message, "timeit: nothing was evaluated or read");
    expect_contains(message, "try: return the array");
    // What has a value already is not computed again.
    message_of([&] { return kn::timeit([&] { return x; }); });
    message_of([&] { return kn::timeit([&] { kn::eval(x); }); });
    message_of([&] { return kn::timeit([] { return 1; }); });
  });
}

TEST(Timing, ReadingIsTimed) {
  on_each_device([] {
    const Array x = kn::ones(100) + 1;
    EXPECT_GT(kn::timeit([&] { return x.to_vector<float>(); }), 0);
    EXPECT_GT(kn::timeit([&] { return kn::sum(x).item<float>(); }), 0);
    EXPECT_GT(kn::timeit([&] { kn::eval(x * 2); }), 0);
    EXPECT_GT(kn::timeit([&] { kn::eval(x * 2, x * 3, x * 4); }), 0);
    // What is returned beside may be a range of its own kind, and so on without end.
    EXPECT_GT(kn::timeit([&] {
                kn::eval(x * 5);
                return std::pair(std::filesystem::path("a/b"), std::string("c"));
              }),
              0);
  });
}

TEST(Timing, SeveralArraysAreEvaluatedTogetherAndOnlyThey) {
  on_each_device([] {
    const Array x = kn::arange(10, kn::float32);
    const Array a = kn::exp(x), b = a + 1, c = a * 2, d = a - 1;
    const kn::Stats before = kn::stats();
    kn::eval(a, b, c);
    if (!interpreting()) {
      EXPECT_LE((kn::stats() - before).plans_built, 1);
    }
    EXPECT_TRUE(a.evaluated() && b.evaluated() && c.evaluated() && !d.evaluated());
    kn::eval(d, x);
    EXPECT_TRUE(d.evaluated());
  });
}

TEST(Timing, SeveralArraysFailAtTheCallersLine) {
  const kn::Scope scope({.device = kn::plan_only("sm_80")});
  const Array x = kn::arange(1 << 20, kn::float32) + 1, y = x * 2;
  kn::set_memory_limit(1000);
  int line = 0;
  message_of<kn::OutOfMemory>([&] { kn::eval(x, y); }, &line);
  EXPECT_EQ(line, __LINE__ - 1);
  kn::set_memory_limit(0);
}

}  // namespace
