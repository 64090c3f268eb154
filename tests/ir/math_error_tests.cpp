// The errors of the functions of ir/math, against the bounds that ir/math/README.md states. The
// tests named Heavy measure them over all float32 inputs and over 10^8 float64 ones.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "tests/ir/math_support.h"

namespace kiln::ir {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

constexpr Op kOpsMeasured[] = {Op::exp, Op::log, Op::sin, Op::cos, Op::tanh, Op::pow};

int exact_exp(mpfr_t r, const mpfr_t x, const mpfr_t) { return mpfr_exp(r, x, MPFR_RNDN); }
int exact_log(mpfr_t r, const mpfr_t x, const mpfr_t) { return mpfr_log(r, x, MPFR_RNDN); }
int exact_sin(mpfr_t r, const mpfr_t x, const mpfr_t) { return mpfr_sin(r, x, MPFR_RNDN); }
int exact_cos(mpfr_t r, const mpfr_t x, const mpfr_t) { return mpfr_cos(r, x, MPFR_RNDN); }
int exact_tanh(mpfr_t r, const mpfr_t x, const mpfr_t) { return mpfr_tanh(r, x, MPFR_RNDN); }
int exact_pow(mpfr_t r, const mpfr_t x, const mpfr_t y) { return mpfr_pow(r, x, y, MPFR_RNDN); }

struct Subject {
  Op op;
  double single_bound, double_bound;  // ulp, as in ir/math/README.md
  double (*single)(double);
  Symmetry symmetry;
  Quick quick;
  Exact exact;
  Draw draw;
};

const Subject& subject(Op op) {
  static const std::vector<Subject> kSubjects = {
      {Op::exp, 0.892, 0.90, [](double x) { return std::exp(x); }, Symmetry::none,
       [](long double x, long double) { return std::exp(x); }, exact_exp, between(-746, 710)},
      {Op::log, 0.936, 0.90, [](double x) { return std::log(x); }, Symmetry::none,
       [](long double x, long double) { return std::log(x); }, exact_log, between(0.5, 2)},
      {Op::sin, 0.927, 0.95, [](double x) { return std::sin(x); }, Symmetry::odd,
       [](long double x, long double) { return std::sin(x); }, exact_sin, between(-1000, 1000)},
      {Op::cos, 0.927, 0.95, [](double x) { return std::cos(x); }, Symmetry::even,
       [](long double x, long double) { return std::cos(x); }, exact_cos, between(-1000, 1000)},
      {Op::tanh, 0.936, 1.25, [](double x) { return std::tanh(x); }, Symmetry::odd,
       [](long double x, long double) { return std::tanh(x); }, exact_tanh, between(-4, 4)},
      {Op::pow, 0.96, 0.96, nullptr, Symmetry::none,
       [](long double x, long double y) { return std::pow(x, y); }, exact_pow, pow_pairs()},
  };
  for (const Subject& s : kSubjects) {
    if (s.op == op) return s;
  }
  throw std::out_of_range("no such subject");
}

void expect_within(const Worst& worst, double bound, std::string_view what) {
  EXPECT_EQ(worst.wrong, 0) << what << ": " << worst;
  EXPECT_LE(worst.ulp, bound) << what << ": " << worst;
  EXPECT_GT(worst.ulp, 0.4) << what << ": nothing was measured";
  testing::Test::RecordProperty(std::string(what), testing::PrintToString(worst));
}

#ifdef NDEBUG
constexpr std::uint64_t kStep = 257;
constexpr std::int64_t kPairs = 4'000'000;
constexpr std::int64_t kExactSamples = 100'000;
#else
constexpr std::uint64_t kStep = 4099;
constexpr std::int64_t kPairs = 200'000;
constexpr std::int64_t kExactSamples = 10'000;
#endif

TEST(MathError, Float32Strided) {
  for (const Op op : kOpsMeasured) {
    const Subject& s = subject(op);
    const Worst worst =
        op == Op::pow ? sample_pow_f32(kPairs) : sweep(op, s.single, s.symmetry, kStep);
    expect_within(worst, s.single_bound, info(op).name);
  }
}

TEST(MathError, Float64Samples) {
  for (const Op op : kOpsMeasured) {
    const Subject& s = subject(op);
    expect_within(sample_exact(op, s.exact, s.draw, kExactSamples), s.double_bound, info(op).name);
  }
}

// Doubles around x, `reach` on either side.
void around(std::vector<double>& list, double x, int reach) {
  double below = x, above = x;
  for (int i = 0; i <= reach; ++i) {
    list.push_back(below), list.push_back(above);
    below = std::nextafter(below, -kInf), above = std::nextafter(above, kInf);
  }
}

// The doubles nearest to multiples of pi/2 of every size, and one that is nearer than all others.
std::vector<double> near_half_turns() {
  std::vector<double> list{6381956970095103 * 0x1p797, 0x1.6ac5b262ca1ffp849, 0x1.921fb54442d18p0};
  mpfr_t half_pi, product;
  mpfr_inits2(1300, half_pi, product, static_cast<mpfr_ptr>(nullptr));
  mpfr_const_pi(half_pi, MPFR_RNDN);
  mpfr_div_2ui(half_pi, half_pi, 1, MPFR_RNDN);
  std::uint64_t state = 3;
  for (int exponent = 0; exponent < 1022; ++exponent) {
    for (int i = 0; i < 8; ++i) {
      const std::uint64_t k = random_bits(state) >> (exponent < 60 ? 64 - exponent - 1 : 4);
      mpfr_mul_ui(product, half_pi, k | 1, MPFR_RNDN);
      if (exponent >= 60)
        mpfr_mul_2ui(product, product, static_cast<unsigned long>(exponent - 60), MPFR_RNDN);
      list.push_back(mpfr_get_d(product, MPFR_RNDN));
    }
  }
  for (int n = 1; n < 64; ++n) around(list, n * 0x1.921fb54442d18p-1, 4);
  around(list, 1e9, 10), around(list, 1e5, 10);
  mpfr_clears(half_pi, product, static_cast<mpfr_ptr>(nullptr));
  return list;
}

// Arguments at which a function changes its way, ends its range, or has a result near 0 or 1.
std::vector<double> hard_arguments(Op op) {
  constexpr double kLeast = std::numeric_limits<double>::denorm_min();
  std::vector<double> list;
  for (const double x : {kLeast, 0x1p-1022, 0x1p-54, 0x1p-53, 0x1p-27, 1.0}) {
    around(list, x, 20), around(list, -x, 20);
  }
  around(list, std::numeric_limits<double>::max(), 2);
  switch (op) {
    case Op::exp:
      for (int n = -2150; n <= 2050; ++n) around(list, n * 0x1.62e42fefa39efp-2, 2);
      for (const double x : {708.0, -708.0, 710.0, -746.0, 0x1.62e42fefa39efp+9,
                             -0x1.6232bdd7abcd2p+9, -0x1.74910d52d3051p+9}) {
        around(list, x, 1000);
      }
      break;
    case Op::log:
      for (int n = -1074; n < 1024; ++n) {
        around(list, std::ldexp(1.0, n), 3), around(list, std::ldexp(0x1.6a09e667f3bcdp0, n), 3);
      }
      around(list, 1, 2000);
      break;
    case Op::sin:
    case Op::cos: {
      const std::vector<double> turns = near_half_turns();
      list.insert(list.end(), turns.begin(), turns.end());
      break;
    }
    default:
      for (const double x : {0.625, 0x1.f33334p-1, 10.0, 19.0, 19.06, 20.0}) {
        around(list, x, 500), around(list, -x, 500);
      }
  }
  return list;
}

TEST(MathError, Float64HardArguments) {
  for (const Op op : {Op::exp, Op::log, Op::sin, Op::cos, Op::tanh}) {
    const Subject& s = subject(op);
    const std::vector<double> x = hard_arguments(op);
    EXPECT_GT(x.size(), 1000u);
    expect_within(check_exact(op, s.exact, x, {}), s.double_bound, info(op).name);
  }
}

// Bases next to 1 with huge exponents, results next to the ends of the range and below the normal
// numbers, squares and roots.
TEST(MathError, PowHardPairs) {
  std::vector<double> x, y;
  const auto add = [&](double a, double b) { x.push_back(a), y.push_back(b); };
  std::vector<double> bases;
  around(bases, 1, 50), around(bases, 0x1.6a09e667f3bcdp0, 3),
      around(bases, 0x1.6a09e667f3bcdp-1, 3);
  for (const double base : {2.0, 3.0, 0.5, 10.0, 1e-300, 1e300, 0x1p-1074, 0x1p-1060, 7.3}) {
    bases.push_back(base);
  }
  for (const double base : bases) {
    const double logarithm = std::log2(base);
    if (logarithm == 0) continue;
    for (const double target : {1024.0, 1023.5, -1021.9, -1022.0, -1022.5, -1050.3, -1073.9,
                                -1074.5, -1075.1, 0.5, -0.5, 1e-10, -1e-17, 700.1, 33.3}) {
      std::vector<double> exponents;
      around(exponents, target / logarithm, 3);
      for (const double exponent : exponents) add(base, exponent);
    }
    for (const double exponent : {2.0, 0.5, -1.0, -2.0, 3.0, 1.0, 1.0 / 3}) add(base, exponent);
  }
  const Subject& s = subject(Op::pow);
  expect_within(check_exact(Op::pow, s.exact, x, y), s.double_bound, "pow");
}

// The same for float32, whose exact result a double holds well enough.
TEST(MathError, PowHardPairsFloat32) {
  std::vector<float> x, y;
  for (int i = -40; i <= 40; ++i) {
    const float bases[] = {1 + static_cast<float>(i) * 0x1p-23f,
                           1 + static_cast<float>(i) * 0x1p-24f,
                           0x1.6a09e6p0f + static_cast<float>(i) * 0x1p-23f,
                           0x1p-149f,
                           0x1p-130f,
                           7.3f,
                           1e-30f,
                           1e30f,
                           3,
                           0.1f};
    for (const float base : bases) {
      const double logarithm = std::log2(static_cast<double>(base));
      if (logarithm == 0) continue;
      for (const double target : {128.0, 127.9, -125.9, -126.0, -126.5, -140.3, -148.9, -149.5,
                                  -150.1, 0.5, -0.5, 1e-5, -1e-8, 90.1, 3.3}) {
        float exponent = static_cast<float>(target / logarithm);
        for (int k = 0; k < 3; ++k) exponent = std::nextafter(exponent, -1e38f);
        for (int k = 0; k < 7; ++k) {
          x.push_back(base), y.push_back(exponent);
          exponent = std::nextafter(exponent, 1e38f);
        }
      }
    }
  }
  expect_within(check_pow_f32(x, y), subject(Op::pow).single_bound, "pow");
}

void measure_all_inputs(Op op) {
  const Subject& s = subject(op);
  expect_within(sweep(op, s.single, s.symmetry, 1), s.single_bound, info(op).name);
}
void measure_many_samples(Op op) {
  const Subject& s = subject(op);
  expect_within(sample_quick(op, s.quick, s.exact, s.draw, 100'000'000), s.double_bound,
                info(op).name);
}

TEST(HeavyMathExp, Float32AllInputs) { measure_all_inputs(Op::exp); }
TEST(HeavyMathExp, Float64Samples) { measure_many_samples(Op::exp); }
TEST(HeavyMathLog, Float32AllInputs) { measure_all_inputs(Op::log); }
TEST(HeavyMathLog, Float64Samples) { measure_many_samples(Op::log); }
TEST(HeavyMathSin, Float32AllInputs) { measure_all_inputs(Op::sin); }
TEST(HeavyMathSin, Float64Samples) { measure_many_samples(Op::sin); }
TEST(HeavyMathCos, Float32AllInputs) { measure_all_inputs(Op::cos); }
TEST(HeavyMathCos, Float64Samples) { measure_many_samples(Op::cos); }
TEST(HeavyMathTanh, Float32AllInputs) { measure_all_inputs(Op::tanh); }
TEST(HeavyMathTanh, Float64Samples) { measure_many_samples(Op::tanh); }
TEST(HeavyMathPow, Float32Samples) {
  expect_within(sample_pow_f32(1'000'000'000), subject(Op::pow).single_bound, "pow");
}
TEST(HeavyMathPow, Float64Samples) { measure_many_samples(Op::pow); }

}  // namespace
}  // namespace kiln::ir
