// Recording, freeing, sharing: the trace behind the arrays.
#include "frontend/trace.h"

#include <pthread.h>

#include "frontend/access.h"
#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;
using kn::frontend::Access;

// Runs a body on a thread with a stack of 1 MiB.
template <class Body>
void on_small_stack(Body body) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 1 << 20);
  pthread_t thread;
  const auto run = [](void* argument) -> void* {
    (*static_cast<Body*>(argument))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, run, &body), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

std::int64_t pending() { return kn::frontend::trace().pending.load(); }

TEST(Trace, AMillionChainedNodesAreFreedOnASmallStack) {
  on_small_stack([] {
    const kn::Scope scope({.flush_after = 0});
    const std::int64_t before = pending();
    {
      kn::Array x = {1.f, 2.f}, y = {1.f, 1.f};
      for (int i = 0; i < 1'000'000; ++i) x = x + y;
      EXPECT_EQ(pending() - before, 1'000'000);
    }
    EXPECT_EQ(pending(), before);
  });
}

TEST(Trace, AMillionChainedNodesAreEvaluatedWithFlushing) {
  on_small_stack([] {
    kn::Array x = {1.f, 2.f}, y = {1.f, 1.f};
    std::int64_t most = 0;
    const kn::Stats before = kn::stats();
    for (int i = 0; i < 1'000'000; ++i) {
      x = x + y;
      most = std::max(most, pending());
    }
    EXPECT_EQ(values<float>(x), (std::vector<float>{1'000'001, 1'000'002}));
    EXPECT_LT(most, 5000);
    EXPECT_LE((kn::stats() - before).plans_built, 4);
  });
}

TEST(Trace, AMillionChainedNodesAreEvaluatedWithoutFlushing) {
  on_small_stack([] {
    const kn::Scope scope({.device = kn::interpreter(), .flush_after = 0});
    kn::Array x = {1.f, 2.f}, y = {1.f, 1.f};
    for (int i = 0; i < 1'000'000; ++i) x = x + y;
    EXPECT_EQ(values<float>(x), (std::vector<float>{1'000'001, 1'000'002}));
  });
}

TEST(Trace, EqualPendingOperationsAreOneNode) {
  const kn::Array x = {1.f, 2.f};
  const kn::Array a = x * 2 + 1, b = x * 2 + 1, c = x * 3 + 1;
  EXPECT_EQ(Access::node(a), Access::node(b));
  EXPECT_NE(Access::node(a), Access::node(c));
  kn::eval(a);
  const kn::Array again = x * 2 + 1;  // values are not looked up: this computes
  EXPECT_FALSE(again.evaluated());
}

TEST(Trace, DroppedOperationsAreForgotten) {
  const kn::Array x = {1.f, 2.f};
  const std::int64_t before = pending();
  for (int i = 0; i < 1000; ++i) {
    const kn::Array y = kn::sqrt(x * 2 + i);
    EXPECT_EQ(y.size(), 2);
  }
  EXPECT_EQ(pending(), before);
}

// They are not computed, and where a loop is cut must not depend on them.
TEST(Trace, ScalarsAreNotCountedAsPending) {
  const kn::Scope scope({.flush_after = 0});
  const std::int64_t before = pending();
  kn::Array x = {1.f, 2.f};
  for (int i = 0; i < 300; ++i) x = x * (1.f + static_cast<float>(i));
  EXPECT_EQ(pending() - before, 300);
}

TEST(Trace, NodesRememberTheirLines) {
  const kn::Array x = {1.f, 2.f};
  const int line = __LINE__ + 1;
  const kn::Array y = kn::exp(x), z = x * 2;
  EXPECT_EQ(Access::node(y)->where.line, line);
  EXPECT_EQ(Access::node(z)->where.line, line);
  EXPECT_EQ(Access::node(kn::softmax(x))->where.line, line + 3);  // not a line of the library
  const auto composed = [](const kn::Array& v, kn::Where where = kn::Where::here()) {
    const kn::LineScope scope(where);
    return kn::exp(v) + 1;
  };
  EXPECT_EQ(Access::node(composed(x))->where.line, __LINE__);
}

TEST(Trace, AFlushKeepsALoopBounded) {
  if (interpreting()) GTEST_SKIP() << "the interpreter makes no plans";
  const kn::Scope scope({.flush_after = 100});
  kn::Array x = {0.f, 1.f};
  const kn::Stats before = kn::stats();
  std::int64_t most = 0;
  for (int i = 0; i < 3000; ++i) {
    const kn::Array t = x * 0.5f;
    x = t + 1.f;
    most = std::max(most, pending());
  }
  const std::vector<float> result = values<float>(x);
  EXPECT_LT(most, 500);
  const kn::Stats spent = kn::stats() - before;
  EXPECT_LE(spent.compiled, 4);
  EXPECT_LE(spent.plans_built, 4);
  EXPECT_GT(spent.plans_reused, 5);
  kn::Array y = {0.f, 1.f};
  for (int i = 0; i < 3000; ++i) {
    y = y * 0.5f + 1.f;
    kn::eval(y);
  }
  EXPECT_EQ(values<float>(y), result);
}

// A loop that adds a fresh array of a MiB in each round; the most bytes that were live meanwhile.
std::int64_t most_live_while_adding(int rounds, kn::Array* sum) {
  constexpr std::size_t kElements = 1 << 18;
  const std::int64_t before = kn::stats().live_bytes;
  std::int64_t most = 0;
  for (int i = 0; i < rounds; ++i) {
    const std::vector<float> data(kElements, static_cast<float>(i));
    const kn::Array fresh(std::span<const float>(data), {std::int64_t{kElements}});
    *sum = *sum + fresh;
    most = std::max(most, kn::stats().live_bytes - before);
  }
  return most;
}

TEST(Trace, AFlushKeepsBytesBounded) {
  const kn::Scope scope({.device = kn::cpu(), .flush_after = 1'000'000, .flush_bytes = 16 << 20});
  kn::Array sum = kn::zeros({1 << 18}, kn::float32);
  const kn::Stats before = kn::stats();
  EXPECT_LT(most_live_while_adding(200, &sum), std::int64_t{40} << 20);
  EXPECT_LE((kn::stats() - before).plans_built, 4);
  EXPECT_GT((kn::stats() - before).plans_reused, 4);
  EXPECT_EQ(values<float>(sum)[12345], 199 * 100);
}

TEST(Trace, BytesThatArraysHoldTooFlushNothing) {
  const kn::Scope scope({.device = kn::cpu(), .flush_after = 1'000'000, .flush_bytes = 1 << 20});
  const kn::Array large(std::vector<float>(1 << 20, 1.f));
  kn::Array x = large;
  const std::int64_t before = pending();
  for (int i = 0; i < 300; ++i) x = x + large;
  EXPECT_EQ(pending() - before, 300);
}

TEST(Trace, NothingIsFlushedWhereFlushesAreOffOrTheLibraryRecords) {
  const kn::Scope on_cpu({.device = kn::cpu()});
  kn::Array sum = kn::zeros({1 << 18}, kn::float32);
  {
    const kn::Scope scope({.flush_after = 1'000'000, .flush_bytes = 0});
    EXPECT_GE(most_live_while_adding(30, &sum), std::int64_t{29} << 20);
  }
  const kn::Scope scope({.flush_after = 5, .flush_bytes = 1 << 20});
  kn::frontend::context().evaluating = true;
  EXPECT_GE(most_live_while_adding(30, &sum), std::int64_t{29} << 20);
  kn::frontend::context().evaluating = false;
}

}  // namespace
