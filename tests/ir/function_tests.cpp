#include "ir/function.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <numeric>

#include "ir/error.h"
#include "ir/scalar.h"

namespace kiln::ir {
namespace {

std::vector<float> run(const Function& f, std::vector<float> x) {
  std::vector<float> out(x.size());
  const void* in[] = {x.data()};
  evaluate(f, static_cast<std::int64_t>(x.size()), in, out.data());
  return out;
}

TEST(Function, EvaluatesInBlocksOfAnyLength) {
  FunctionBuilder b("affine", {DType::float32}, DType::float32);
  const Val x = b.param(0);
  const Function f = b.finish(2 * x + 1);
  for (const std::size_t n : {0u, 1u, 255u, 256u, 257u, 1000u}) {
    std::vector<float> x_values(n);
    std::iota(x_values.begin(), x_values.end(), -3.0f);
    const std::vector<float> out = run(f, x_values);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(out[i], 2 * x_values[i] + 1) << n << " " << i;
  }
}

TEST(Function, TheOutputMayBeTheInput) {
  FunctionBuilder b("square", {DType::float32}, DType::float32);
  const Function f = b.finish(b.param(0) * b.param(0));
  std::vector<float> x(700);
  std::iota(x.begin(), x.end(), 0.0f);
  const void* in[] = {x.data()};
  evaluate(f, 700, in, x.data());
  for (int i = 0; i < 700; ++i)
    ASSERT_EQ(x[static_cast<std::size_t>(i)], static_cast<float>(i * i));
}

TEST(Function, RareRegionsGiveTheirValueOnlyWhereTheConditionHolds) {
  FunctionBuilder b("rare", {DType::float32}, DType::float32);
  const Val x = b.param(0);
  const Val common = x + 1;
  const Val result =
      b.rare(x > 100, common, [&] { return b.rare(x > 200, x * 2, [&] { return x * 3; }); });
  const Function f = b.finish(result);
  // Blocks where nobody, somebody and everybody needs the regions.
  std::vector<float> x_values;
  for (int i = 0; i < 1024; ++i) x_values.push_back(static_cast<float>(i < 256 ? i % 90 : i - 300));
  const std::vector<float> out = run(f, x_values);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const float v = x_values[i];
    ASSERT_EQ(out[i], v > 200 ? v * 3 : v > 100 ? v * 2 : v + 1) << v;
  }
}

TEST(Function, OperatorsEmitWhatTheySay) {
  FunctionBuilder b("bits", {DType::uint32, DType::uint32}, DType::uint32);
  const Val x = b.param(0), y = b.param(1);
  const Val mixed = ((x & y) | (x ^ 5)) + (~y << 3) - (x >> 2) * 7;
  const Val chosen = select(x >= y, mixed, -mixed);
  const Function f = b.finish(select(x != y, chosen, x & -8));
  const auto reference = [](std::uint32_t p, std::uint32_t q) {
    const std::uint32_t m = ((p & q) | (p ^ 5)) + (~q << 3) - (p >> 2) * 7;
    return p == q ? (p & ~7u) : p >= q ? m : 0u - m;
  };
  const std::uint32_t p[] = {0, 1, 77, 0xffffffff, 12345, 9}, q[] = {0, 2, 5, 3, 12345, 10};
  std::uint32_t out[6];
  const void* in[] = {p, q};
  evaluate(f, 6, in, out);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(out[i], reference(p[i], q[i])) << i;
}

TEST(Function, ConstantsAreSharedWhereVisible) {
  FunctionBuilder b("constants", {DType::float32}, DType::float32);
  const Val x = b.param(0);
  const Val first = x + 3;
  const Val rare = b.rare(x > 3, first, [&] { return x * 5; });
  const Val last = rare + 5;  // the 5 inside the region cannot serve here
  const Function f = b.finish(last * 3);
  int threes = 0, fives = 0;
  for (const Inst& inst : f.insts) {
    if (inst.code != Code::constant) continue;
    threes += to_double(inst.dtype, static_cast<std::uint64_t>(inst.imm)) == 3;
    fives += to_double(inst.dtype, static_cast<std::uint64_t>(inst.imm)) == 5;
  }
  EXPECT_EQ(threes, 1);
  EXPECT_EQ(fives, 2);
}

TEST(Function, MistakesAreRefused) {
  FunctionBuilder b("wrong", {DType::float32, DType::int32}, DType::float32);
  EXPECT_THROW(b.param(0) + b.param(1), InternalError);
  EXPECT_THROW(b.param(0) & b.param(0), InternalError);
  EXPECT_THROW(b.param(2), InternalError);
  EXPECT_THROW(b.finish(b.param(1)), InternalError);
  FunctionBuilder other("other", {DType::float32}, DType::float32);
  EXPECT_THROW(b.emit(Op::neg, DType::float32, std::vector<Val>{other.param(0)}), InternalError);
}

TEST(Function, HalvesAreComputedByTheFloat32Expansion) {
  for (const DType t : {DType::float16, DType::bfloat16}) {
    std::vector<std::uint16_t> x;
    for (int i = 0; i < 600; ++i) x.push_back(static_cast<std::uint16_t>(i * 109));
    std::vector<std::uint16_t> out(x.size());
    const void* in[] = {x.data()};
    evaluate(Op::exp, t, t, 600, in, out.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const bool half = t == DType::float16;
      const float wide = half ? half_to_float(x[i]) : bfloat_to_float(x[i]);
      const std::uint64_t bits[] = {std::bit_cast<std::uint32_t>(wide)};
      const auto result =
          static_cast<std::uint32_t>(evaluate_bits(Op::exp, DType::float32, DType::float32, bits));
      const float expected = std::bit_cast<float>(result);
      ASSERT_EQ(out[i], half ? float_to_half(expected) : float_to_bfloat(expected)) << x[i];
    }
  }
}

TEST(Function, ExpansionsAreNearTheTruth) {
  struct Case {
    Op op;
    double (*truth)(double);
  };
  constexpr Case kCases[] = {{Op::exp, std::exp},
                             {Op::log, std::log},
                             {Op::sin, std::sin},
                             {Op::cos, std::cos},
                             {Op::tanh, std::tanh}};
  for (const Case& c : kCases) {
    for (double x = 0.1; x < 20; x += 0.37) {
      const std::uint64_t bits[] = {bits_of(DType::float64, x)};
      const double got =
          to_double(DType::float64, evaluate_bits(c.op, DType::float64, DType::float64, bits));
      EXPECT_NEAR(got, c.truth(x), 1e-14 * std::fabs(c.truth(x)) + 1e-15) << info(c.op).name << x;
    }
  }
}

}  // namespace
}  // namespace kiln::ir
