#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "ir/error.h"
#include "tests/ir/kernels.h"

namespace kiln::ir {
namespace {

using test::kF32;
using testing::HasSubstr;

KernelArg pointer(void* p) { return {.pointer = p}; }
KernelArg integer(std::int64_t i) { return {.integer = i}; }
KernelArg scalar(float x) { return {.bits = std::bit_cast<std::uint32_t>(x)}; }

std::vector<float> ramp(std::size_t n) {
  std::vector<float> x(n);
  std::iota(x.begin(), x.end(), -5.0f);
  return x;
}

// The message of the misuse that running the kernel ends in.
std::string misuse(const Kernel& k, const std::vector<KernelArg>& args, std::int64_t items = 1) {
  EXPECT_EQ(verify(k), "");
  try {
    interpret(k, args.data(), 0, items);
  } catch (const InternalError& e) {
    return e.what();
  }
  return "no misuse";
}

TEST(KernelInterpret, MaskedTailOnTheCpu) {
  const Kernel k = test::axpb();
  ASSERT_EQ(verify(k), "");
  for (const std::int64_t n : {1, 7, 8, 99, 100, 101, 1000, 1003}) {
    std::vector<float> x = ramp(static_cast<std::size_t>(n)), out(x.size() + 8, -1.0f);
    const std::vector<KernelArg> args = {pointer(x.data()), pointer(out.data()), integer(n),
                                         scalar(0.5f)};
    const std::int64_t items = grid_items(k, {0, 0, n, 0});
    EXPECT_EQ(items, (n + 99) / 100);
    // Any split of the grid gives the same.
    interpret(k, args.data(), 0, items / 2);
    interpret(k, args.data(), items / 2, items);
    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(out[i], 2 * x[i] + 0.5f) << n << " " << i;
    for (std::size_t i = x.size(); i < out.size(); ++i) ASSERT_EQ(out[i], -1.0f) << "wrote past n";
  }
}

TEST(KernelInterpret, RowSumByShuffles) {
  const Kernel k = test::row_sum_shuffle();
  ASSERT_EQ(verify(k), "");
  EXPECT_EQ(block_threads(k), 64);
  for (const std::int64_t n : {0, 1, 31, 32, 33, 200}) {
    const std::int64_t rows = 5;
    std::vector<float> x = ramp(static_cast<std::size_t>(rows * n + 1)), out(6, -1.0f);
    const std::vector<KernelArg> args = {pointer(x.data()), pointer(out.data()), integer(rows),
                                         integer(n)};
    interpret(k, args.data(), 0, grid_items(k, {0, 0, rows, n}));
    for (std::int64_t r = 0; r < rows; ++r) {
      const auto first = x.begin() + r * n;
      ASSERT_EQ(out[static_cast<std::size_t>(r)], std::accumulate(first, first + n, 0.0f)) << n;
    }
    EXPECT_EQ(out[5], -1.0f);
  }
}

TEST(KernelInterpret, BlockSumInSharedMemory) {
  const Kernel k = test::block_sum_shared();
  ASSERT_EQ(verify(k), "");
  const std::int64_t n = 128 * 7 + 45;
  std::vector<float> x = ramp(static_cast<std::size_t>(n)), out(9, -1.0f);
  const std::vector<KernelArg> args = {pointer(x.data()), pointer(out.data()), integer(n)};
  interpret(k, args.data(), 0, 8);
  for (std::int64_t b = 0; b < 8; ++b) {
    const auto first = x.begin() + 128 * b, last = x.begin() + std::min(128 * (b + 1), n);
    EXPECT_EQ(out[static_cast<std::size_t>(b)], std::accumulate(first, last, 0.0f));
  }
  EXPECT_EQ(out[8], -1.0f);
}

TEST(KernelInterpret, LanesMoveAsDocumented) {
  KernelBuilder b(Target::cpu, DType::int64);
  const std::uint32_t out = b.buffer(DType::int64, "out", false);
  b.begin_grid();
  const Value lanes = b.lane(DType::int64, 4);
  const Value tens = b.op(Op::mul, DType::int64, {lanes, b.index(10)});
  const Value joined = b.join(lanes, tens);  // 0 1 2 3 0 10 20 30
  b.store(out, b.index(0), joined);
  b.store(out, b.index(8), b.even(joined));
  b.store(out, b.index(12), b.odd(joined));
  b.store(out, b.index(16), b.extract(joined, 6));
  b.store(out, b.op(Op::sub, DType::int64, {b.index(20), lanes}), tens);  // scatters backwards
  const Value big = b.op(Op::lt, DType::bool_, {b.index(25), tens});
  b.store(out, b.index(21), b.op(Op::cast, DType::int64, {b.any(big)}));
  b.store(out, b.index(22), b.load(out, b.op(Op::add, DType::int64, {lanes, lanes})));  // gathers
  b.end();
  const Kernel k = b.finish();
  ASSERT_EQ(verify(k), "");
  std::vector<std::int64_t> values(26, -1);
  const KernelArg args[] = {pointer(values.data())};
  interpret(k, args, 0, 1);
  EXPECT_THAT(values, testing::ElementsAre(0, 1, 2, 3, 0, 10, 20, 30, 0, 2, 0, 20, 1, 3, 10, 30, 20,
                                           30, 20, 10, 0, 1, 0, 2, 0, 20));
}

TEST(KernelInterpret, ElseAndDivergentLoops) {
  KernelBuilder b(Target::cuda, DType::int64);
  const std::uint32_t out = b.buffer(DType::int64, "out", false);
  const std::uint32_t sum = b.local(DType::int64, 1, "sum");
  const Value zero = b.index(0);
  const Value block = b.begin_grid();
  const Value t = b.begin_thread(8);
  b.store(sum, zero, zero);
  b.begin_if(b.less(t, b.index(5)));
  const Value i = b.begin_loop(zero, t, b.index(2));  // thread t runs ceil(t / 2) times
  b.store(sum, zero, b.add(b.load(sum, zero), b.add(i, b.index(1))));
  b.end();
  b.begin_else();
  b.store(sum, zero, b.sub(zero, t));
  b.end();
  b.store(out, b.add(b.mul(block, b.index(8)), t), b.load(sum, zero));
  b.end();
  b.end();
  const Kernel k = b.finish();
  ASSERT_EQ(verify(k), "");
  std::vector<std::int64_t> values(16, -100);
  const KernelArg args[] = {pointer(values.data())};
  interpret(k, args, 0, 2);
  EXPECT_THAT(values, testing::ElementsAre(0, 1, 1, 4, 4, -5, -6, -7, 0, 1, 1, 4, 4, -5, -6, -7));
}

TEST(KernelInterpret, TranscendentalsRunTheirExpansion) {
  KernelBuilder b(Target::cpu, DType::int64);
  const std::uint32_t x = b.buffer(kF32, "x", true), out = b.buffer(kF32, "out", false);
  const Value i = b.begin_grid();
  b.store(out, i, b.op(Op::exp, kF32, {b.load(x, i)}));
  b.end();
  const Kernel k = b.finish();
  ASSERT_EQ(verify(k), "");
  std::vector<float> values = ramp(30), result(30);
  const KernelArg args[] = {pointer(values.data()), pointer(result.data())};
  interpret(k, args, 0, 30);
  for (std::size_t j = 0; j < 30; ++j) EXPECT_NEAR(result[j] / std::exp(values[j]), 1, 1e-6);
}

TEST(KernelInterpret, RareRegionsOfKernels) {
  const Kernel k = parse_kernel(R"(kernel cpu i64 "rare"
    param buffer f32 read "x"
    param buffer f32 written "out"
    memory global f32 p0 "x"
    memory global f32 p1 "out"
      %0 = constant f32 0x41200000
      %1 = grid i64
        %2 = load f32 m0 %1
        %3 = lt b1 %0 %2
        rare %3
          %5 = mul f32 %2 %0
        %6 = end_rare f32 %4 %5 %2
        store f32 m1 %1 %6
      end)");
  ASSERT_EQ(verify(k), "");
  for (const std::size_t n : {10u, 40u}) {  // nobody and some above 10
    std::vector<float> x = ramp(n), out(n);
    const KernelArg args[] = {pointer(x.data()), pointer(out.data())};
    interpret(k, args, 0, static_cast<std::int64_t>(n));
    for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(out[i], x[i] > 10 ? x[i] * 10 : x[i]);
  }
}

// A kernel of 64 threads whose body a test writes.
template <class Body>
Kernel cuda_kernel(Body body) {
  KernelBuilder b(Target::cuda, DType::int32);
  const std::uint32_t out = b.buffer(kF32, "out", false);
  b.begin_grid();
  const Value t = b.begin_thread(64);
  body(b, out, t);
  b.end();
  b.end();
  return b.finish();
}

TEST(KernelInterpret, BarrierUnderDivergence) {
  const Kernel k = cuda_kernel([](KernelBuilder& b, std::uint32_t, Value t) {
    b.begin_if(b.less(t, b.index(40)));
    b.barrier();
    b.end();
  });
  std::vector<float> out(64);
  EXPECT_THAT(misuse(k, {pointer(out.data())}, 3), HasSubstr("not all threads of the block"));
}

TEST(KernelInterpret, ShuffleUnderDivergence) {
  const auto kernel = [](int threads) {
    return cuda_kernel([threads](KernelBuilder& b, std::uint32_t out, Value t) {
      const Value v = b.op(Op::cast, kF32, {t});
      b.begin_if(b.less(t, b.index(threads)));
      b.store(out, t,
              b.shuffle(v, b.op(Op::xor_, DType::int32, {b.rem(t, b.index(32)), b.index(1)})));
      b.end();
    });
  };
  std::vector<float> out(64, -1.0f);
  EXPECT_THAT(misuse(kernel(40), {pointer(out.data())}), HasSubstr("not all threads of the warp"));
  // A whole warp may stay away.
  EXPECT_EQ(misuse(kernel(32), {pointer(out.data())}), "no misuse");
  EXPECT_EQ(out[3], 2.0f);
  EXPECT_EQ(out[33], -1.0f);
}

TEST(KernelInterpret, ShuffleFromNoLane) {
  const Kernel k = cuda_kernel([](KernelBuilder& b, std::uint32_t out, Value t) {
    b.store(out, t, b.shuffle(b.op(Op::cast, kF32, {t}), b.add(b.rem(t, b.index(32)), b.index(1))));
  });
  std::vector<float> out(64);
  EXPECT_THAT(misuse(k, {pointer(out.data())}), HasSubstr("not a lane of the warp"));
}

TEST(KernelInterpret, LocalAndSharedMemoryAreBounded) {
  for (const bool shared : {false, true}) {
    const Kernel k = cuda_kernel([shared](KernelBuilder& b, std::uint32_t out, Value t) {
      const std::uint32_t m = shared ? b.shared(kF32, 63, "tile") : b.local(kF32, 63, "tile");
      b.store(m, t, b.constant(kF32, 0));
      b.store(out, t, b.load(m, t));
    });
    std::vector<float> out(64);
    EXPECT_THAT(misuse(k, {pointer(out.data())}),
                HasSubstr("index 63 outside tile of 63 elements"));
  }
}

TEST(KernelInterpret, AlignmentIsAPromise) {
  KernelBuilder b(Target::cpu, DType::int64);
  const std::uint32_t x = b.buffer(kF32, "x", true), out = b.buffer(kF32, "out", false);
  b.begin_grid();
  b.store(out, b.index(0), b.load(x, b.index(1), 4, kNoValue, kNoValue, kAligned));
  b.end();
  const Kernel k = b.finish();
  alignas(16) float values[8] = {}, result[4] = {};
  EXPECT_THAT(misuse(k, {pointer(values), pointer(result)}), HasSubstr("not aligned"));
  EXPECT_EQ(misuse(k, {pointer(values + 3), pointer(result)}), "no misuse");
}

TEST(KernelInterpret, StepsArePositive) {
  KernelBuilder b(Target::cpu, DType::int64);
  const Value step = b.integer("step");
  b.begin_grid();
  b.begin_loop(b.index(0), b.index(4), step);
  b.end();
  b.end();
  const Kernel k = b.finish();
  EXPECT_THAT(misuse(k, {integer(0)}), HasSubstr("the step is not positive"));
  EXPECT_EQ(misuse(k, {integer(3)}), "no misuse");
}

TEST(KernelInterpret, LoopsEndAtTheEdgeOfTheirType) {
  KernelBuilder b(Target::cpu, DType::int64);
  const std::uint32_t out = b.buffer(DType::int64, "out", false);
  const Value begin = b.integer("begin"), end = b.integer("end");
  b.begin_grid();
  const Value i = b.begin_loop(begin, end, b.index(1000));
  b.store(out, b.index(0), i);
  b.end();
  b.end();
  const Kernel k = b.finish();
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  std::int64_t last = 0;
  const KernelArg args[] = {pointer(&last), integer(most - 2500), integer(most)};
  interpret(k, args, 0, 1);
  EXPECT_EQ(last, most - 500);
}

}  // namespace
}  // namespace kiln::ir
