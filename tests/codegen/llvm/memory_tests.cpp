// Loads and stores: masks, gathers, scatters, streams, local arrays.
#include <sys/mman.h>

#include "tests/codegen/llvm/support.h"

namespace kiln::codegen::tests {
namespace {

using ir::DType;
using ir::Op;
using ir::Value;

ir::KernelBuilder cpu_kernel() { return {ir::Target::cpu, DType::int64}; }

// lane number + at < n
Value tail_mask(ir::KernelBuilder& b, Value at, Value n, int lanes) {
  return b.op(Op::lt, DType::bool_, {b.add(b.lane(DType::int64, lanes), b.splat(at, lanes)), n});
}

class EveryType : public ::testing::TestWithParam<DType> {};
INSTANTIATE_TEST_SUITE_P(LlvmMemory, EveryType, ::testing::ValuesIn(real_dtypes()),
                         [](const auto& test) { return std::string(ir::brief(test.param)); });

TEST_P(EveryType, MaskedTails) {
  KILN_REQUIRE_HOST();
  for (const int lanes : {1, 4, 16, 32}) {
    ir::KernelBuilder b = cpu_kernel();
    const std::uint32_t x = b.buffer(GetParam(), "x", true), y = b.buffer(GetParam(), "y", false);
    const std::uint32_t z = b.buffer(GetParam(), "z", false);
    const Value n = b.integer("n"), fill = b.scalar(GetParam(), "fill");
    const Value at = b.mul(b.begin_grid(), b.index(lanes));
    const Value mask = tail_mask(b, at, n, lanes);
    b.store(y, at, b.load(x, at, lanes, mask), mask);
    b.store(z, at, b.load(x, at, lanes, mask, b.splat(fill, lanes)));
    b.end();
    const ir::Kernel kernel = b.finish();
    for (const std::int64_t count : {1, 5, 16, 37, 64}) {
      const std::int64_t items = (count + lanes - 1) / lanes;
      const auto fill_bits = static_cast<std::int64_t>(ir::bits_of(GetParam(), 1));
      expect_as_interpreted(kernel,
                            {random_array(GetParam(), count, 1), Array(GetParam(), count),
                             Array(GetParam(), items * lanes), count, fill_bits},
                            0, items);
    }
  }
}

// Masked-off lanes lie in a page that may not be touched.
TEST_P(EveryType, MaskedLanesTouchNothing) {
  KILN_REQUIRE_HOST();
  constexpr int kLanes = 16;
  constexpr std::size_t kPage = 4096;
  ir::KernelBuilder b = cpu_kernel();
  const std::uint32_t x = b.buffer(GetParam(), "x", true), y = b.buffer(GetParam(), "y", false);
  const Value n = b.integer("n");
  b.begin_grid();
  const Value mask = tail_mask(b, b.index(0), n, kLanes);
  b.store(y, b.index(0), b.load(x, b.index(0), kLanes, mask), mask);
  b.end();
  const runtime::LinkedObject object = compile(b.finish());

  const std::size_t pages = 4 * kPage;
  auto* map = static_cast<std::byte*>(
      mmap(nullptr, pages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(map, MAP_FAILED);
  ASSERT_EQ(mprotect(map + kPage, kPage, PROT_NONE), 0);
  ASSERT_EQ(mprotect(map + 3 * kPage, kPage, PROT_NONE), 0);
  for (std::int64_t count = 0; count <= kLanes; ++count) {
    const auto bytes = static_cast<std::size_t>(count * ir::size_of(GetParam()));
    std::byte* from = map + kPage - bytes;
    std::byte* to = map + 3 * kPage - bytes;
    const Array source = random_array(GetParam(), count, 3);
    if (bytes > 0) std::memcpy(from, source.data(), bytes);
    ir::KernelArg args[3];
    args[0].pointer = from;
    args[1].pointer = to;
    args[2].integer = count;
    object.entry()(args, 0, 1);
    EXPECT_EQ(std::memcmp(from, to, bytes), 0) << count;
  }
  munmap(map, pages);
}

TEST_P(EveryType, GathersAndScatters) {
  KILN_REQUIRE_HOST();
  constexpr std::int64_t kSize = 512;
  for (const int lanes : {2, 8, 16, 64}) {
    ir::KernelBuilder b = cpu_kernel();
    const std::uint32_t x = b.buffer(GetParam(), "x", true);
    const std::uint32_t where = b.buffer(DType::int64, "where", true);
    const std::uint32_t flags = b.buffer(DType::bool_, "flags", true);
    const std::uint32_t y = b.buffer(GetParam(), "y", false), z = b.buffer(GetParam(), "z", false);
    const std::uint32_t s = b.buffer(GetParam(), "s", false), t = b.buffer(GetParam(), "t", false);
    const Value fill = b.scalar(GetParam(), "fill");
    const Value at = b.mul(b.begin_grid(), b.index(lanes));
    const Value index = b.load(where, at, lanes);
    const Value mask = b.load(flags, at, lanes);
    b.store(y, at, b.load(x, index, lanes));
    b.store(z, at, b.load(x, index, lanes, mask, b.splat(fill, lanes)));
    b.store(s, index, b.load(x, at, lanes));
    b.store(t, index, b.load(x, at, lanes), mask);
    b.end();
    Random random{11};
    Array indices(DType::int64, kSize);
    for (std::int64_t i = 0; i < kSize; ++i) {
      indices.set(i, static_cast<std::uint64_t>(random.below(kSize)));
    }
    const DType d = GetParam();
    const auto one = static_cast<std::int64_t>(ir::bits_of(d, 1));
    expect_as_interpreted(b.finish(),
                          {random_array(d, kSize, 5), indices, random_array(DType::bool_, kSize, 6),
                           Array(d, kSize), Array(d, kSize), Array(d, kSize), Array(d, kSize), one},
                          0, kSize / lanes);
  }
}

// A gather reads nothing where the mask is off, whatever the index.
TEST(LlvmMemory, MaskedGatherIgnoresBadIndices) {
  KILN_REQUIRE_HOST();
  for (const DType dtype : {DType::float32, DType::uint8, DType::int64}) {
    ir::KernelBuilder b = cpu_kernel();
    const std::uint32_t x = b.buffer(dtype, "x", true),
                        where = b.buffer(DType::int64, "where", true);
    const std::uint32_t y = b.buffer(dtype, "y", false);
    b.begin_grid();
    const Value index = b.load(where, b.index(0), 8);
    const Value inside = b.op(Op::le, DType::bool_, {b.index(0), index});
    const Value loaded = b.load(x, index, 8, inside);
    b.store(y, b.index(0), loaded);
    b.store(y, index, loaded, inside);
    b.end();
    Array indices(DType::int64, 8);
    for (int i = 0; i < 8; ++i) {
      indices.set(i, static_cast<std::uint64_t>(i % 3 == 0 ? std::int64_t{-1} << 60 : i));
    }
    expect_as_interpreted(b.finish(), {random_array(dtype, 8, 2), indices, Array(dtype, 8)}, 0, 1);
  }
}

TEST(LlvmMemory, StreamsAreNonTemporalAndFenced) {
  KILN_REQUIRE_HOST();
  ir::KernelBuilder b = cpu_kernel();
  const std::uint32_t x = b.buffer(DType::float32, "x", true),
                      y = b.buffer(DType::float32, "y", false);
  const Value at = b.mul(b.begin_grid(), b.index(16));
  b.store(y, at, b.op(Op::neg, DType::float32, {b.load(x, at, 16)}), ir::kNoValue,
          ir::kNonTemporal | ir::kAligned);
  b.end();
  const ir::Kernel kernel = b.finish();
  expect_as_interpreted(kernel, {random_array(DType::float32, 256, 9), Array(DType::float32, 256)},
                        0, 16);
  EXPECT_NE(llvm_ir(kernel, host()).find("!nontemporal"), std::string::npos);
#if defined(__x86_64__)
  const std::string text = assembly(kernel, host());
  EXPECT_NE(text.find("vmovnt"), std::string::npos) << text;
  EXPECT_NE(text.find("sfence"), std::string::npos) << text;
#endif
}

// The canonical sum: 128 lanes, then the tree of adjacent pairs; a tail adds to the lanes it has.
ir::Kernel canonical_sum(int lanes) {
  ir::KernelBuilder b = cpu_kernel();
  const std::uint32_t x = b.buffer(DType::float32, "x", true),
                      out = b.buffer(DType::float32, "out", false);
  const std::uint32_t sums = b.local(DType::float32, 128, "sums");
  const Value n = b.integer("n");
  const Value row = b.begin_grid();
  const Value first = b.mul(row, n);
  const Value zero = number(b, DType::float32, -0.0);
  const auto each_part = [&](const auto& body) {
    const Value j = b.begin_loop(b.index(0), b.index(128), b.index(lanes), true);
    body(j);
    b.end();
  };
  each_part([&](Value j) { b.store(sums, j, b.splat(zero, lanes)); });
  const Value i = b.begin_loop(b.index(0), n, b.index(128));
  each_part([&](Value j) {
    const Value at = b.add(i, j);
    const Value mask = tail_mask(b, at, n, lanes);
    const Value loaded = b.load(x, b.add(first, at), lanes, mask, b.splat(zero, lanes));
    b.store(sums, j, b.op(Op::add, DType::float32, {b.load(sums, j, lanes), loaded}));
  });
  b.end();
  Value tree = b.load(sums, b.index(0), 128);
  while (b.lanes(tree) > 1) tree = b.op(Op::add, DType::float32, {b.even(tree), b.odd(tree)});
  b.store(out, row, tree);
  b.end();
  return b.finish();
}

TEST(LlvmMemory, LocalArrayReduction) {
  KILN_REQUIRE_HOST();
  for (const int lanes : {8, 16, 32}) {
    const ir::Kernel kernel = canonical_sum(lanes);
    for (const std::int64_t n : {1, 127, 128, 129, 1000}) {
      Array x(DType::float32, 7 * n);
      Random random{static_cast<std::uint64_t>(n)};
      for (std::int64_t i = 0; i < 7 * n; ++i) {
        x.set(i,
              ir::bits_of(DType::float32, static_cast<double>(random.below(2000001)) * 1e-6 - 1));
      }
      expect_as_interpreted(kernel, {x, Array(DType::float32, 7), n}, 0, 7);
    }
  }
}

TEST(LlvmMemory, LocalArraysBecomeRegisters) {
  KILN_REQUIRE_HOST();
  const std::string text = llvm_ir(canonical_sum(32), host());
  EXPECT_EQ(text.find("alloca"), std::string::npos) << text;
}

// A local array with a run-time index stays in memory.
TEST_P(EveryType, LocalArrayWithRunTimeIndex) {
  KILN_REQUIRE_HOST();
  ir::KernelBuilder b = cpu_kernel();
  const std::uint32_t x = b.buffer(GetParam(), "x", true), y = b.buffer(GetParam(), "y", false);
  const std::uint32_t row = b.local(GetParam(), 64, "row");
  const Value n = b.integer("n");
  const Value first = b.mul(b.begin_grid(), b.index(64));
  Value i = b.begin_loop(b.index(0), n, b.index(8));
  b.store(row, i, b.load(x, b.add(first, i), 8));
  b.end();
  i = b.begin_loop(b.index(0), n, b.index(1));
  const Value back = b.sub(b.index(63), i);
  b.store(y, b.add(first, i), b.load(row, back));
  b.end();
  b.end();
  expect_as_interpreted(b.finish(), {random_array(GetParam(), 192, 4), Array(GetParam(), 192), 64},
                        0, 3);
}

}  // namespace
}  // namespace kiln::codegen::tests
