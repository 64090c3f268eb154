// Values of the elementwise functions, NumPy's as the measure.
#include <cmath>
#include <limits>

#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Equal, NaN equal to NaN, zeros of one sign.
void expect_same(const std::vector<double>& got, const std::vector<double>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(wanted[i])) {
      EXPECT_TRUE(std::isnan(got[i])) << "element " << i << " is " << got[i];
    } else {
      EXPECT_EQ(got[i], wanted[i]) << "element " << i;
      EXPECT_EQ(std::signbit(got[i]), std::signbit(wanted[i])) << "element " << i;
    }
  }
}

TEST(Elementwise, IntegerDivisionRoundsDown) {
  on_each_device([] {
    const kn::Array a = {7, -7, 7, -7, 6, -6, 0, 5}, b = {3, 3, -3, -3, 3, 3, 5, 0};
    EXPECT_EQ(values<int>(kn::floor_divide(a, b)), (std::vector<int>{2, -3, -3, 2, 2, -2, 0, 0}));
    EXPECT_EQ(values<int>(a % b), (std::vector<int>{1, 2, -2, -1, 0, 0, 0, 0}));
    const kn::Array u = a.astype(kn::uint8);
    EXPECT_EQ(values<int>(kn::floor_divide(u, 4)), (std::vector<int>{1, 62, 1, 62, 1, 62, 0, 1}));
  });
}

TEST(Elementwise, FloatRemainderHasTheDivisorsSign) {
  on_each_device([] {
    const std::vector<double> a = {7.5, -7.5, 7.5, -7.5, 6, -6, 1, -1, kInf, 1, 1, kNan, 1e10};
    const std::vector<double> b = {2, 2, -2, -2, 3, 3, kInf, kInf, 2, 0, -kInf, 1, 3};
    const kn::Array x(a), y(b);
    expect_same(values<double>(x % y),
                {1.5, .5, -.5, -1.5, 0, 0, 1, kInf, kNan, kNan, -kInf, kNan, 1});
    expect_same(values<double>(kn::floor_divide(x, y)),
                {3, -4, -4, 3, 2, -2, 0, -1, kNan, kInf, -1, kNan, 3333333333});
  });
}

TEST(Elementwise, TrueDivisionOfIntegers) {
  on_each_device([] {
    const kn::Array a = {1, 7, -9}, b = {2, 2, 2};
    EXPECT_EQ(values<double>(a / b), (std::vector<double>{.5, 3.5, -4.5}));
    EXPECT_EQ(values<double>(a / 0), (std::vector<double>{kInf, kInf, -kInf}));
  });
}

TEST(Elementwise, SignsAndClasses) {
  on_each_device([] {
    const std::vector<double> v = {-kInf, -2.5, -0.0, 0.0, 1.5, kInf, kNan};
    const kn::Array x(v);
    expect_same(values<double>(kn::sign(x)), {-1, -1, 0, 0, 1, 1, kNan});
    expect_same(values<double>(kn::abs(x)), {kInf, 2.5, 0, 0, 1.5, kInf, kNan});
    expect_same(values<double>(-x), {kInf, 2.5, 0, -0.0, -1.5, -kInf, kNan});
    EXPECT_EQ(values<bool>(kn::isnan(x)), (std::vector<bool>{0, 0, 0, 0, 0, 0, 1}));
    EXPECT_EQ(values<bool>(kn::isinf(x)), (std::vector<bool>{1, 0, 0, 0, 0, 1, 0}));
    EXPECT_EQ(values<bool>(kn::isfinite(x)), (std::vector<bool>{0, 1, 1, 1, 1, 0, 0}));
    EXPECT_EQ(values<bool>(kn::signbit(x)), (std::vector<bool>{1, 1, 1, 0, 0, 0, 0}));
    expect_same(values<double>(kn::copysign(x, kn::Array{-1.0})),
                {-kInf, -2.5, -0.0, -0.0, -1.5, -kInf, kNan});
    EXPECT_EQ(values<bool>(kn::isnan(kn::Array{1, 2})), (std::vector<bool>{0, 0}));
    EXPECT_EQ(values<bool>(kn::isfinite(kn::Array{1, 2})), (std::vector<bool>{1, 1}));
    EXPECT_EQ(values<int>(kn::sign(kn::Array{-5, 0, 5})), (std::vector<int>{-1, 0, 1}));
  });
}

TEST(Elementwise, Rounding) {
  on_each_device([] {
    const kn::Array x = {-1.5, -0.5, 0.5, 1.5, 2.5, 1.2, -1.7};
    expect_same(values<double>(kn::round(x)), {-2, -0.0, 0, 2, 2, 1, -2});
    expect_same(values<double>(kn::floor(x)), {-2, -1, 0, 1, 2, 1, -2});
    expect_same(values<double>(kn::ceil(x)), {-1, -0.0, 1, 2, 3, 2, -1});
    expect_same(values<double>(kn::trunc(x)), {-1, -0.0, 0, 1, 2, 1, -1});
    EXPECT_EQ(kn::floor(kn::Array{1, 2}).dtype(), kn::int32);
  });
}

TEST(Elementwise, ExtremesAndClip) {
  on_each_device([] {
    const kn::Array x = {1.0, kNan, -0.0, 5.0}, y = {2.0, 1.0, 0.0, kNan};
    expect_same(values<double>(kn::maximum(x, y)), {2, kNan, 0, kNan});
    expect_same(values<double>(kn::minimum(x, y)), {1, kNan, -0.0, kNan});
    EXPECT_EQ(values<int>(kn::clip(kn::Array{-3, 1, 9}, 0, 5)), (std::vector<int>{0, 1, 5}));
    EXPECT_EQ(values<bool>(kn::maximum(kn::Array{true, false}, false)), (std::vector<bool>{1, 0}));
  });
}

TEST(Elementwise, Powers) {
  on_each_device([] {
    const kn::Array x = {2.0, -3.0, 0.5};
    EXPECT_EQ(values<double>(kn::pow(x, 2)), (std::vector<double>{4, 9, .25}));
    EXPECT_EQ(values<double>(kn::pow(x, 0)), (std::vector<double>{1, 1, 1}));
    EXPECT_EQ(values<double>(kn::pow(x, -1)), (std::vector<double>{.5, 1 / -3.0, 2}));
    EXPECT_EQ(values<double>(kn::pow(x, kn::Array{3.0, 3.0, 1.0})),
              (std::vector<double>{8, -27, .5}));
    EXPECT_EQ(values<int>(kn::pow(kn::Array{2, -3, 7}, 3)), (std::vector<int>{8, -27, 343}));
    EXPECT_EQ(values<int>(kn::pow(kn::Array{2, 3, 1, -1, 0, 2}, kn::Array{10, 4, -5, -3, 0, -1})),
              (std::vector<int>{1024, 81, 1, -1, 1, 0}));
    expect_contains(message_of([] { return kn::pow(kn::Array{2}, -1); }),
                    "an integer to a negative power");
  });
}

TEST(Elementwise, BitsAndLogic) {
  on_each_device([] {
    const kn::Array a = {12, 10, -1}, b = {10, 3, 1};
    EXPECT_EQ(values<int>(a & b), (std::vector<int>{8, 2, 1}));
    EXPECT_EQ(values<int>(a | b), (std::vector<int>{14, 11, -1}));
    EXPECT_EQ(values<int>(a ^ b), (std::vector<int>{6, 9, -2}));
    EXPECT_EQ(values<int>(~a), (std::vector<int>{-13, -11, 0}));
    EXPECT_EQ(values<int>(a << 2), (std::vector<int>{48, 40, -4}));
    EXPECT_EQ(values<int>(a >> 1), (std::vector<int>{6, 5, -1}));
    const kn::Array p = {true, true, false}, q = {true, false, false};
    EXPECT_EQ(values<bool>(p && q), (std::vector<bool>{1, 0, 0}));
    EXPECT_EQ(values<bool>(p || q), (std::vector<bool>{1, 1, 0}));
    EXPECT_EQ(values<bool>(!p), (std::vector<bool>{0, 0, 1}));
    EXPECT_EQ(values<bool>(kn::logical_xor(p, q)), (std::vector<bool>{0, 1, 0}));
    EXPECT_EQ(values<bool>(kn::logical_and(kn::Array{2.0, 0.0}, kn::Array{1, 1})),
              (std::vector<bool>{1, 0}));
    EXPECT_EQ(values<bool>(p + q), (std::vector<bool>{1, 1, 0}));
    EXPECT_EQ(values<bool>(p * q), (std::vector<bool>{1, 0, 0}));
  });
}

TEST(Elementwise, ComparisonsKnowNan) {
  on_each_device([] {
    const kn::Array x = {1.0, kNan, 3.0}, y = {1.0, kNan, 2.0};
    EXPECT_EQ(values<bool>(x == y), (std::vector<bool>{1, 0, 0}));
    EXPECT_EQ(values<bool>(x != y), (std::vector<bool>{0, 1, 1}));
    EXPECT_EQ(values<bool>(x < y), (std::vector<bool>{0, 0, 0}));
    EXPECT_EQ(values<bool>(x <= y), (std::vector<bool>{1, 0, 0}));
    EXPECT_EQ(values<bool>(x > y), (std::vector<bool>{0, 0, 1}));
    EXPECT_EQ(values<bool>(x >= y), (std::vector<bool>{1, 0, 1}));
    EXPECT_EQ(values<bool>(2.0 > y), (std::vector<bool>{1, 0, 0}));
  });
}

TEST(Elementwise, Casts) {
  on_each_device([] {
    const kn::Array x = {1.9, -1.9, 300.0, kNan, -kInf, 1e20};
    EXPECT_EQ(values<int>(x.astype(kn::int32)),
              (std::vector<int>{1, -1, 300, 0, INT32_MIN, INT32_MAX}));
    EXPECT_EQ(values<int>(x.astype(kn::uint8)), (std::vector<int>{1, 0, 255, 0, 0, 255}));
    EXPECT_EQ(values<bool>(x.astype(kn::bool_)), (std::vector<bool>{1, 1, 1, 1, 1, 1}));
    EXPECT_EQ(values<bool>(kn::Array{0.5, 0.0}.astype(kn::bool_)), (std::vector<bool>{1, 0}));
    EXPECT_EQ(values<int>(kn::Array{300, -1}.astype(kn::uint8)), (std::vector<int>{44, 255}));
    EXPECT_EQ(values<float>(kn::Array{1.0 / 3}.astype(kn::float16)),
              (std::vector<float>{0.33325195f}));
  });
}

TEST(Elementwise, WhereTakesScalars) {
  on_each_device([] {
    const kn::Array x = {1.f, -2.f, 3.f};
    EXPECT_EQ(values<float>(kn::where(x > 0, x, 0)), (std::vector<float>{1, 0, 3}));
    EXPECT_EQ(values<int>(kn::where(x > 0, 1, 2)), (std::vector<int>{1, 2, 1}));
    expect_contains(message_of([&] { return kn::where(x, x, x); }), "takes bool, not float32");
  });
}

TEST(Elementwise, FunctionsNearTheirValues) {
  on_each_device([] {
    const std::vector<double> v = {0.1, 1.0, 2.5, 7.0};
    const kn::Array x(v);
    const auto check = [&](const kn::Array& y, double (*f)(double)) {
      const std::vector<double> got = values<double>(y);
      for (std::size_t i = 0; i < v.size(); ++i)
        EXPECT_NEAR(got[i], f(v[i]), 1e-13 * std::abs(f(v[i])));
    };
    check(kn::exp(x), [](double t) { return std::exp(t); });
    check(kn::log(x), [](double t) { return std::log(t); });
    check(kn::sin(x), [](double t) { return std::sin(t); });
    check(kn::cos(x), [](double t) { return std::cos(t); });
    check(kn::tanh(x), [](double t) { return std::tanh(t); });
    check(kn::sqrt(x), [](double t) { return std::sqrt(t); });
    check(kn::reciprocal(x), [](double t) { return 1 / t; });
    check(kn::sigmoid(x), [](double t) { return 1 / (1 + std::exp(-t)); });
    check(kn::square(x), [](double t) { return t * t; });
    check(kn::relu(x - 2), [](double t) { return t > 2 ? t - 2 : 0; });
  });
}

TEST(Elementwise, UpdatesInPlaceLeaveCopies) {
  kn::Array a = {1, 2, 3};
  const kn::Array b = a;
  a += 1;
  a *= 2;
  a -= kn::Array{1, 1, 1};
  EXPECT_EQ(values<int>(a), (std::vector<int>{3, 5, 7}));
  EXPECT_EQ(values<int>(b), (std::vector<int>{1, 2, 3}));
  expect_contains(message_of([&] { a /= 2; }), "float64 does not convert to int32 implicitly");
  expect_contains(message_of([&] { a += kn::zeros({2, 3}, kn::int32); }),
                  "cannot change the shape (3) to (2, 3)");
}

TEST(Elementwise, SixteenBitFloatsRoundOnceAnOperation) {
  on_each_device([] {
    const kn::Array x = kn::Array{1.0, 2.0}.astype(kn::float16),
                    y = kn::Array{0.00048828125, 0.0009}.astype(kn::float16);
    EXPECT_EQ(values<float>(x + y), (std::vector<float>{1.f, 2.f}));
    EXPECT_EQ((x * y).dtype(), kn::float16);
    EXPECT_EQ(values<float>(kn::mean(x)), (std::vector<float>{1.5f}));
  });
}

}  // namespace
