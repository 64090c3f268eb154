// The functions of ir/math: special values, exact results, what their instructions promise and
// their frozen bits. Their errors are measured in math_error_tests.cpp.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "ir/math/math.h"
#include "tests/ir/math_support.h"

namespace kiln::ir {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

constexpr Op kOpsMeasured[] = {Op::exp, Op::log, Op::sin, Op::cos, Op::tanh, Op::pow};

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

}  // namespace
}  // namespace kiln::ir
