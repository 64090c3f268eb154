// The functions of ir/math: special values, bounds of the error, and what their instructions
// promise. ir/math/README.md states the bounds; the tests named Heavy measure them over all float32
// inputs and over 10^8 float64 ones.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "ir/math/math.h"
#include "math_support.h"

namespace kiln::ir {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

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

constexpr Op kOpsMeasured[] = {Op::exp, Op::log, Op::sin, Op::cos, Op::tanh, Op::pow};

void expect_within(const Worst& worst, double bound, std::string_view what) {
  EXPECT_EQ(worst.wrong, 0) << what << ": " << worst;
  EXPECT_LE(worst.ulp, bound) << what << ": " << worst;
  EXPECT_GT(worst.ulp, 0.4) << what << ": nothing was measured";
  testing::Test::RecordProperty(std::string(what), testing::PrintToString(worst));
}

struct Case {
  Op op;
  double x, y, want;
};

// C99 Annex F, and the ends of the range that float32 and float64 share.
const std::vector<Case>& special_values() {
  static const std::vector<Case> kCases = {
      {Op::exp, 0, 0, 1},           {Op::exp, -0.0, 0, 1},        {Op::exp, kInf, 0, kInf},
      {Op::exp, -kInf, 0, 0},       {Op::exp, kNan, 0, kNan},     {Op::exp, 1e30, 0, kInf},
      {Op::exp, -1e30, 0, 0},       {Op::log, 0, 0, -kInf},       {Op::log, -0.0, 0, -kInf},
      {Op::log, 1, 0, 0},           {Op::log, -1, 0, kNan},       {Op::log, -1e-30, 0, kNan},
      {Op::log, -kInf, 0, kNan},    {Op::log, kInf, 0, kInf},     {Op::log, kNan, 0, kNan},
      {Op::sin, 0, 0, 0},           {Op::sin, -0.0, 0, -0.0},     {Op::sin, kInf, 0, kNan},
      {Op::sin, -kInf, 0, kNan},    {Op::sin, kNan, 0, kNan},     {Op::sin, 1e-30, 0, 1e-30},
      {Op::cos, 0, 0, 1},           {Op::cos, -0.0, 0, 1},        {Op::cos, kInf, 0, kNan},
      {Op::cos, -kInf, 0, kNan},    {Op::cos, kNan, 0, kNan},     {Op::cos, 1e-30, 0, 1},
      {Op::tanh, 0, 0, 0},          {Op::tanh, -0.0, 0, -0.0},    {Op::tanh, kInf, 0, 1},
      {Op::tanh, -kInf, 0, -1},     {Op::tanh, kNan, 0, kNan},    {Op::tanh, -1e-30, 0, -1e-30},
      {Op::tanh, 25, 0, 1},         {Op::pow, 0, 3, 0},           {Op::pow, -0.0, 3, -0.0},
      {Op::pow, -0.0, 2, 0},        {Op::pow, 0, 2.5, 0},         {Op::pow, -0.0, 2.5, 0},
      {Op::pow, 0, -3, kInf},       {Op::pow, -0.0, -3, -kInf},   {Op::pow, -0.0, -2, kInf},
      {Op::pow, -0.0, -2.5, kInf},  {Op::pow, 0, -kInf, kInf},    {Op::pow, -0.0, -kInf, kInf},
      {Op::pow, 0, kInf, 0},        {Op::pow, -0.0, kInf, 0},     {Op::pow, -1, kInf, 1},
      {Op::pow, -1, -kInf, 1},      {Op::pow, 1, kNan, 1},        {Op::pow, 1, kInf, 1},
      {Op::pow, 1, -kInf, 1},       {Op::pow, kNan, 0, 1},        {Op::pow, kNan, -0.0, 1},
      {Op::pow, kInf, 0, 1},        {Op::pow, -8, 0, 1},          {Op::pow, 0, 0, 1},
      {Op::pow, kNan, 1, kNan},     {Op::pow, 2, kNan, kNan},     {Op::pow, -1, kNan, kNan},
      {Op::pow, 0, kNan, kNan},     {Op::pow, kInf, kNan, kNan},  {Op::pow, -8, 0.5, kNan},
      {Op::pow, -1, 1e-30, kNan},   {Op::pow, 0.5, -kInf, kInf},  {Op::pow, -0.5, -kInf, kInf},
      {Op::pow, 2, -kInf, 0},       {Op::pow, -2, -kInf, 0},      {Op::pow, 0.5, kInf, 0},
      {Op::pow, -0.5, kInf, 0},     {Op::pow, 2, kInf, kInf},     {Op::pow, -2, kInf, kInf},
      {Op::pow, -kInf, -3, -0.0},   {Op::pow, -kInf, -2, 0},      {Op::pow, -kInf, -2.5, 0},
      {Op::pow, -kInf, 3, -kInf},   {Op::pow, -kInf, 2, kInf},    {Op::pow, -kInf, 2.5, kInf},
      {Op::pow, kInf, -1, 0},       {Op::pow, kInf, 1, kInf},     {Op::pow, kInf, kInf, kInf},
      {Op::pow, -kInf, -kInf, 0},   {Op::pow, -2, 3, -8},         {Op::pow, -2, -3, -0.125},
      {Op::pow, -3, 4, 81},         {Op::pow, -1, 16777215, -1},  // the largest odd float32
      {Op::pow, -1, 16777216, 1},   {Op::pow, -2, 1e30, kInf},    {Op::pow, -0.5, 1e30, 0},
      {Op::pow, 2, 10, 1024},       {Op::pow, 10, 5, 100000},     {Op::pow, 9, 0.5, 3},
      {Op::pow, 2, -126, 0x1p-126}, {Op::pow, 2, -140, 0x1p-140},
  };
  return kCases;
}

template <class T>
void expect_special_values() {
  for (const Case& c : special_values()) {
    // Alone, and in a block of ordinary values, where the rare regions run for the one's sake.
    for (const std::size_t size : {1u, 300u}) {
      std::vector<T> x(size, T{0.75}), y(size, T{1.5});
      x[size / 2] = static_cast<T>(c.x), y[size / 2] = static_cast<T>(c.y);
      const T got = run(c.op, x, y)[size / 2];
      const T want = static_cast<T>(c.want);
      const bool same = std::isnan(want) ? std::isnan(got)
                                         : got == want && std::signbit(got) == std::signbit(want);
      EXPECT_TRUE(same) << info(c.op).name << "(" << c.x << ", " << c.y << ") gave " << got
                        << ", not " << want;
    }
  }
}

TEST(Math, SpecialValuesFloat32) { expect_special_values<float>(); }
TEST(Math, SpecialValuesFloat64) { expect_special_values<double>(); }

// Powers of integers and roots that have an exact result give it.
TEST(Math, ExactPowersAreExact) {
  std::vector<float> x, y, want;
  for (int base = 2; base < 256; ++base) {
    double power = 1;
    for (int n = 1; power * base <= 0x1p24; ++n) {
      power *= base;
      x.push_back(static_cast<float>(base)), y.push_back(static_cast<float>(n));
      want.push_back(static_cast<float>(power));
      x.push_back(static_cast<float>(-base)), y.push_back(static_cast<float>(n));
      want.push_back(static_cast<float>(n % 2 == 0 ? power : -power));
    }
  }
  EXPECT_GT(want.size(), 1000u);
  EXPECT_EQ(run(Op::pow, x, y), want);
  const std::vector<double> x64(x.begin(), x.end()), y64(y.begin(), y.end());
  EXPECT_EQ(run(Op::pow, x64, y64), std::vector<double>(want.begin(), want.end()));
}

// A lane's result depends on that lane alone, whether or not a rare region runs for another.
template <class T, class U>
void expect_lanes_independent() {
  std::uint64_t state = 7;
  std::vector<T> x(1000), y(1000);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = std::bit_cast<T>(static_cast<U>(random_bits(state)));
    y[i] = std::bit_cast<T>(static_cast<U>(random_bits(state)));
    if (i % 2 == 0) x[i] = static_cast<T>(uniform(state, 0, 2)), y[i] = static_cast<T>(i % 7);
  }
  for (const Op op : kOpsMeasured) {
    const std::vector<T> together = run(op, x, y);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const T alone = run(op, std::vector<T>{x[i]}, std::vector<T>{y[i]})[0];
      const bool same = std::bit_cast<U>(alone) == std::bit_cast<U>(together[i]);
      EXPECT_TRUE(same || (std::isnan(alone) && std::isnan(together[i])))
          << info(op).name << "(" << x[i] << ", " << y[i] << ")";
    }
  }
}

TEST(Math, LanesAreIndependent) {
  expect_lanes_independent<float, std::uint32_t>();
  expect_lanes_independent<double, std::uint64_t>();
}

// Every expanding operation has a function for both types; those of float32 compute nothing in
// float64; regions are paired and not nested; operands come first.
TEST(Math, InstructionsAreWellFormed) {
  int expanding = 0;
  for (int i = 0; i < kOpCount; ++i) {
    const Op op = static_cast<Op>(i);
    if (!has(op, kExpands)) continue;
    ++expanding;
    for (const DType type : {DType::float32, DType::float64}) {
      const Function& f = *expansion(op, type);
      EXPECT_EQ(f.name, std::string(info(op).name) + "_" + std::string(brief(type)));
      EXPECT_EQ(f.params.size(), info(op).arity);
      bool rare = false;
      for (Value v = 0; v < f.insts.size(); ++v) {
        const Inst& inst = f.insts[v];
        EXPECT_TRUE(type == DType::float64 || inst.dtype != DType::float64) << f.name;
        EXPECT_EQ(inst.lanes, 1);
        for (const Value arg : inst.args) EXPECT_TRUE(arg == kNoValue || arg < v) << f.name;
        if (inst.code == Code::rare || inst.code == Code::end_rare) {
          EXPECT_NE(rare, inst.code == Code::rare) << f.name;
          rare = !rare;
        }
        EXPECT_FALSE(inst.code == Code::op && has(inst.op, kExpands)) << f.name;
      }
      EXPECT_FALSE(rare) << f.name;
    }
  }
  EXPECT_EQ(expanding * 2, static_cast<int>(math_table().size()));
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

// The bits of the results are part of the numerics: one number for each function over a fixed
// sample. A change here is a change of the numerics' version.
template <class T, class U>
std::uint64_t digest(Op op) {
  std::vector<T> x, y;
  std::uint64_t state = 11;
  for (int i = 0; i < 20000; ++i) {
    x.push_back(std::bit_cast<T>(static_cast<U>(random_bits(state))));
    y.push_back(std::bit_cast<T>(static_cast<U>(random_bits(state))));
    x.push_back(static_cast<T>(uniform(state, -20, 20)));
    y.push_back(static_cast<T>(uniform(state, -20, 20)));
    x.push_back(static_cast<T>(uniform(state, 0, 2)));
    y.push_back(static_cast<T>(uniform(state, -80, 80)));
  }
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const T value : run(op, x, y)) {
    const std::uint64_t bits = std::isnan(value) ? 1 : std::bit_cast<U>(value);
    hash = (hash ^ bits) * 0x100000001b3;
    hash ^= hash >> 32;
  }
  return hash;
}

TEST(Math, BitsAreFrozen) {
  const struct {
    Op op;
    std::uint64_t single, twofold;
  } kDigests[] = {
      {Op::exp, 0x16e69e1cc9cafeab, 0x7027dd84c9ef9293},
      {Op::log, 0x0529beb4866079ed, 0x423210c0952e96f2},
      {Op::sin, 0x59a74fd0f6644044, 0x8e6b9e0f549a3857},
      {Op::cos, 0x69a81a63100d792c, 0x1147fba78cb1c03e},
      {Op::tanh, 0xbe9505eb4a62c56d, 0xaf8dafda10639106},
      {Op::pow, 0xaebe510054f2bfe8, 0x122fc72f627b3d26},
  };
  for (const auto& d : kDigests) {
    EXPECT_EQ((digest<float, std::uint32_t>(d.op)), d.single) << info(d.op).name;
    EXPECT_EQ((digest<double, std::uint64_t>(d.op)), d.twofold) << info(d.op).name;
  }
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
