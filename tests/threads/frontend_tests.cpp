// The public API from several threads: const use of one array, any use of different ones.
#include <atomic>
#include <thread>

#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;

constexpr int kThreads = 4;

template <class Body>
void together(Body body) {
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) threads.emplace_back([&body, t] { body(t); });
  for (std::thread& thread : threads) thread.join();
}

TEST(FrontendThreads, RecordAndEvaluateSideBySide) {
  together([](int t) {
    for (int i = 0; i < 20; ++i) {
      kn::Array x(std::vector<float>(100, static_cast<float>(t)));
      for (int k = 0; k < 10; ++k) x = x * 2 + 1;
      EXPECT_EQ(kn::sum(x).item<float>(), 100 * (static_cast<float>(t) * 1024 + 1023));
    }
  });
}

TEST(FrontendThreads, OnePendingNodeIsEvaluatedOnce) {
  const bool launches = !(kn::default_device() == kn::interpreter());
  for (int round = 0; round < 20; ++round) {
    const kn::Array x(std::vector<float>(1000, 1.f));
    const kn::Array shared = kn::exp(x) * static_cast<float>(round);
    std::atomic<int> waiting{kThreads};
    const kn::Stats before = kn::stats();
    together([&](int) {
      --waiting;
      while (waiting > 0) std::this_thread::yield();
      const std::vector<float> v = shared.to_vector<float>();
      EXPECT_NEAR(v[0], 2.7182818f * static_cast<float>(round),
                  1e-4f * static_cast<float>(round + 1));
    });
    EXPECT_EQ((kn::stats() - before).launched, launches ? 1 : 0);
  }
}

TEST(FrontendThreads, ConsumersOfOnePendingNode) {
  for (int round = 0; round < 20; ++round) {
    const kn::Array x(std::vector<float>(64, static_cast<float>(round)));
    const kn::Array base = kn::sum(x * 2);
    together([&](int t) {
      const kn::Array mine = base + t;  // consumes what another thread may be storing
      const kn::Array copy = base;
      EXPECT_EQ(mine.item<float>(), static_cast<float>(128 * round + t));
      EXPECT_EQ(copy.item<float>(), static_cast<float>(128 * round));
      EXPECT_EQ(copy.shape(), kn::Shape{});
    });
  }
}

TEST(FrontendThreads, LoopsFlushSideBySide) {
  together([](int t) {
    const kn::Scope scope({.flush_after = 50});
    kn::Array x = {1.f, 2.f};
    for (int i = 0; i < 500; ++i) x = x + static_cast<float>(t);
    EXPECT_EQ(x.to_vector<float>(), (std::vector<float>{1 + 500.f * static_cast<float>(t),
                                                        2 + 500.f * static_cast<float>(t)}));
  });
}

}  // namespace
