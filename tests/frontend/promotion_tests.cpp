// The complete promotion table, and weak scalars.
#include <complex>

#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;
using kn::DType;

constexpr DType kTypes[] = {kn::bool_,    kn::int8,    kn::int16,  kn::int32,  kn::int64,
                            kn::uint8,    kn::uint16,  kn::uint32, kn::uint64, kn::float16,
                            kn::bfloat16, kn::float32, kn::float64};
constexpr const char* kShort[] = {"b1", "i1", "i2", "i4", "i8", "u1", "u2",
                                  "u4", "u8", "f2", "bf", "f4", "f8"};

DType from_short(std::string_view name) {
  for (int i = 0; i < 13; ++i) {
    if (name == kShort[i]) return kTypes[i];
  }
  ADD_FAILURE() << name;
  return kn::bool_;
}

// Rows and columns in the order of kTypes. Within a kind: the array API's table. Mixed kinds:
// documented in kiln/elementwise.h.
constexpr const char* kTable[13][13] = {
    {"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "bf", "f4", "f8"},
    {"i1", "i1", "i2", "i4", "i8", "i2", "i4", "i8", "f8", "f2", "bf", "f4", "f8"},
    {"i2", "i2", "i2", "i4", "i8", "i2", "i4", "i8", "f8", "f4", "f4", "f4", "f8"},
    {"i4", "i4", "i4", "i4", "i8", "i4", "i4", "i8", "f8", "f8", "f8", "f8", "f8"},
    {"i8", "i8", "i8", "i8", "i8", "i8", "i8", "i8", "f8", "f8", "f8", "f8", "f8"},
    {"u1", "i2", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "bf", "f4", "f8"},
    {"u2", "i4", "i4", "i4", "i8", "u2", "u2", "u4", "u8", "f4", "f4", "f4", "f8"},
    {"u4", "i8", "i8", "i8", "i8", "u4", "u4", "u4", "u8", "f8", "f8", "f8", "f8"},
    {"u8", "f8", "f8", "f8", "f8", "u8", "u8", "u8", "u8", "f8", "f8", "f8", "f8"},
    {"f2", "f2", "f4", "f8", "f8", "f2", "f4", "f8", "f8", "f2", "f4", "f4", "f8"},
    {"bf", "bf", "f4", "f8", "f8", "bf", "f4", "f8", "f8", "f4", "bf", "f4", "f8"},
    {"f4", "f4", "f4", "f8", "f8", "f4", "f4", "f8", "f8", "f4", "f4", "f4", "f8"},
    {"f8", "f8", "f8", "f8", "f8", "f8", "f8", "f8", "f8", "f8", "f8", "f8", "f8"},
};

TEST(Promotion, OfTwoArrays) {
  for (int i = 0; i < 13; ++i) {
    for (int j = 0; j < 13; ++j) {
      const kn::Array a = kn::zeros({2}, kTypes[i]), b = kn::zeros({2}, kTypes[j]);
      const DType wanted = from_short(kTable[i][j]);
      EXPECT_EQ(kn::result_type({a, b}), wanted) << kShort[i] << " " << kShort[j];
      EXPECT_EQ((a + b).dtype(), wanted) << kShort[i] << " " << kShort[j];
      EXPECT_EQ(kn::maximum(a, b).dtype(), wanted);
      EXPECT_EQ(kn::where(a == b, a, b).dtype(), wanted);
      EXPECT_EQ((a < b).dtype(), kn::bool_);
    }
  }
}

struct Weak {
  const char *array, *with_bool, *with_int, *with_float, *with_double, *divided;
};
constexpr Weak kWeak[] = {
    {"b1", "b1", "i8", "f4", "f4", "f4"}, {"i1", "i1", "i1", "f4", "f4", "f4"},
    {"i2", "i2", "i2", "f4", "f4", "f4"}, {"i4", "i4", "i4", "f4", "f8", "f8"},
    {"i8", "i8", "i8", "f4", "f8", "f8"}, {"u1", "u1", "u1", "f4", "f4", "f4"},
    {"u2", "u2", "u2", "f4", "f4", "f4"}, {"u4", "u4", "u4", "f4", "f8", "f8"},
    {"u8", "u8", "u8", "f4", "f8", "f8"}, {"f2", "f2", "f2", "f2", "f2", "f2"},
    {"bf", "bf", "bf", "bf", "bf", "bf"}, {"f4", "f4", "f4", "f4", "f4", "f4"},
    {"f8", "f8", "f8", "f8", "f8", "f8"},
};

TEST(Promotion, OfWeakScalars) {
  for (const Weak& row : kWeak) {
    SCOPED_TRACE(row.array);
    const kn::Array x = kn::ones({3}, from_short(row.array));
    EXPECT_EQ((x + true).dtype(), from_short(row.with_bool));
    EXPECT_EQ((x + 1).dtype(), from_short(row.with_int));
    EXPECT_EQ((1u + x).dtype(), from_short(row.with_int));
    EXPECT_EQ((x * 2.5).dtype(), from_short(row.with_double));
    for (const kn::Operand& one : {kn::Operand(2.5f), kn::Operand(kn::half{0x4100})}) {
      EXPECT_EQ((one * x).dtype(), from_short(row.with_float));
      EXPECT_EQ((x / one).dtype(), from_short(row.with_float));
    }
    // Every function with operands finds the dtype in the same way.
    const kn::Array yes = x == x;
    for (const bool narrow : {true, false}) {
      const kn::Operand half = narrow ? kn::Operand(0.5f) : kn::Operand(0.5);
      const DType wanted = from_short(narrow ? row.with_float : row.with_double);
      EXPECT_EQ(kn::maximum(x, half).dtype(), wanted);
      EXPECT_EQ(kn::minimum(half, x).dtype(), wanted);
      EXPECT_EQ(kn::clip(x, half, half).dtype(), wanted);
      EXPECT_EQ(kn::where(yes, x, half).dtype(), wanted);
      EXPECT_EQ(kn::where(yes, half, x).dtype(), wanted);
      EXPECT_EQ(kn::floor_divide(x, half).dtype(), wanted);
      EXPECT_EQ(kn::remainder(half, x).dtype(), wanted);
      EXPECT_EQ(kn::pow(x, half).dtype(), wanted);
      EXPECT_EQ(kn::pow(half, x).dtype(), wanted);
      EXPECT_EQ(kn::copysign(x, half).dtype(), wanted);
      EXPECT_EQ((x < half).dtype(), kn::bool_);
      EXPECT_EQ(kn::where(yes, half, half).dtype(), kn::float32);
    }
    EXPECT_EQ((x / x).dtype(), from_short(row.divided));
    EXPECT_EQ(kn::mean(x).dtype(), from_short(row.divided));
    EXPECT_EQ(kn::exp(x).dtype(), from_short(row.divided));
  }
}

TEST(Promotion, OfSums) {
  for (const DType t : {kn::bool_, kn::int8, kn::int16, kn::int32, kn::int64}) {
    EXPECT_EQ(kn::sum(kn::ones({3}, t)).dtype(), kn::int64);
    EXPECT_EQ(kn::prod(kn::ones({3}, t)).dtype(), kn::int64);
  }
  for (const DType t : {kn::uint8, kn::uint16, kn::uint32, kn::uint64}) {
    EXPECT_EQ(kn::sum(kn::ones({3}, t)).dtype(), kn::uint64);
  }
  for (const DType t : {kn::float16, kn::bfloat16, kn::float32, kn::float64}) {
    EXPECT_EQ(kn::sum(kn::ones({3}, t)).dtype(), t);
  }
}

TEST(Promotion, DataKeepsItsCppType) {
  EXPECT_EQ((kn::Array{1.0}).dtype(), kn::float64);
  EXPECT_EQ((kn::Array{1.f}).dtype(), kn::float32);
  EXPECT_EQ((kn::Array{1}).dtype(), kn::int32);
  EXPECT_EQ((kn::Array{1l}).dtype(), kn::int64);
  EXPECT_EQ((kn::Array{true}).dtype(), kn::bool_);
  EXPECT_EQ(kn::Array(std::vector<unsigned char>{1}).dtype(), kn::uint8);
  EXPECT_EQ(kn::full({2}, 1).dtype(), kn::int64);
  EXPECT_EQ(kn::full({2}, 1.0).dtype(), kn::float32);
  EXPECT_EQ(kn::full({2}, true).dtype(), kn::bool_);
  EXPECT_EQ(kn::zeros({2}).dtype(), kn::float32);
  EXPECT_EQ(kn::arange(3).dtype(), kn::int64);
  EXPECT_EQ(kn::arange(3.0).dtype(), kn::float32);
}

TEST(Promotion, AFloatBesideIntegersIsComputedInFloat32) {
  on_each_device([] {
    const kn::Array i{16777217, -3}, u(std::vector<std::uint64_t>{1, ~std::uint64_t{0}});
    EXPECT_EQ(values<float>(i + 0.5f), (std::vector<float>{16777216.f, -2.5f}));
    EXPECT_EQ(values<double>(i + 0.5), (std::vector<double>{16777217.5, -2.5}));
    EXPECT_EQ(values<float>(u * 2.f), (std::vector<float>{2.f, 0x1p65f}));
    EXPECT_EQ(values<double>(i / 2), (std::vector<double>{8388608.5, -1.5}));
    EXPECT_EQ(values<double>(kn::mean(i)), (std::vector<double>{8388607}));
    // Writing does not change the dtype: what does not fit its kind is refused, float or double.
    kn::Array x = i;
    expect_contains(message_of([&] { x.at(0) += 0.5f; }), "float32 does not convert to int32");
    expect_contains(message_of([&] { x.at(0) += 0.5; }), "float64 does not convert to int32");
    expect_contains(message_of([&] { x.at(0) = 0.5f; }), "float32 does not convert to int32");
    expect_contains(message_of([&] { x *= 0.5f; }), "float32 does not convert to int32");
    expect_contains(message_of([&] { return kn::pad(x, {1}, 0.5f); }), "float32 does not convert");
  });
}

// Functions of C++ scalars alone give 0-d arrays of the scalars' own types.
TEST(Promotion, OfScalarsAlone) {
  on_each_device([] {
    const auto is = [](const kn::Array& x, DType dtype, double value) {
      EXPECT_EQ(x.shape(), kn::Shape{});
      EXPECT_EQ(x.dtype(), dtype);
      EXPECT_EQ(x.astype(kn::float64).item<double>(), value);
    };
    is(kn::exp(0.0f), kn::float32, 1);
    is(kn::exp(0.0), kn::float64, 1);
    is(kn::sqrt(4), kn::float64, 2);
    is(kn::sqrt(static_cast<short>(4)), kn::float32, 2);
    is(kn::sqrt(kn::half{0x4400}), kn::float16, 2);
    is(kn::abs(-3), kn::int32, 3);
    is(kn::abs(-3l), kn::int64, 3);
    is(kn::negative(static_cast<signed char>(3)), kn::int8, -3);
    is(kn::square(static_cast<unsigned char>(3)), kn::uint8, 9);
    is(kn::bitwise_invert(0xfffffffeu), kn::uint32, 1);
    is(kn::round(2.5f), kn::float32, 2);
    is(kn::isnan(2.0f), kn::bool_, 0);
    is(kn::logical_not(false), kn::bool_, 1);
    is(kn::maximum(2.0f, 3.0f), kn::float32, 3);
    is(kn::maximum(2.0f, 3.0), kn::float64, 3);
    is(kn::maximum(2, 3.5f), kn::float32, 3.5);
    is(kn::add(2, 3), kn::int32, 5);
    is(kn::add(true, 3l), kn::int64, 4);
    is(kn::divide(1, 2), kn::float64, 0.5);
    is(kn::divide(1, 2.0f), kn::float32, 0.5);
    is(kn::pow(2, 10), kn::int32, 1024);
    is(kn::pow(2.0f, 3), kn::float32, 8);
    is(kn::pow(4, 0.5), kn::float64, 2);
    is(kn::clip(2.5f, 0, 1), kn::float32, 1);
    is(kn::where(true, 2.0, 3.0), kn::float64, 2);
    is(kn::less(1, 2.5f), kn::bool_, 1);
    is(kn::logical_and(1, 0.0), kn::bool_, 0);
    is(kn::copysign(2.0f, -1), kn::float32, -2);
  });
  int line = 0;
  const std::string message = message_of([] { return kn::pow(2, -1); }, &line);
  EXPECT_EQ(line, __LINE__ - 1);
  expect_contains(message, "an integer to a negative power");
  expect_contains(message_of([] { return kn::square(true); }, &line), "square: takes");
  EXPECT_EQ(line, __LINE__ - 1);
}

// A function of the user's takes what Kiln's own take.
kn::Array half_of(kn::Operand x) {
  const kn::LineScope scope(x.where());
  return kn::multiply(x.array(), 0.5f);
}
TEST(Promotion, OfAUsersFunctionOfAnOperand) {
  EXPECT_EQ(half_of(3.0f).item<float>(), 1.5f);
  EXPECT_EQ(half_of(3.0f).dtype(), kn::float32);
  EXPECT_EQ(values<float>(half_of(kn::Array{1.f, 2.f})), (std::vector<float>{0.5f, 1.f}));
  int line = 0;
  message_of([] { return half_of(std::complex<float>()); }, &line);
  EXPECT_EQ(line, __LINE__ - 1);
}

TEST(Promotion, AnIntegerThatDoesNotFitIsAnError) {
  const kn::Array bytes = kn::zeros({2}, kn::uint8);
  expect_contains(message_of([&] { return bytes + 256; }), "the scalar 256 does not fit uint8");
  expect_contains(message_of([&] { return bytes - -1; }), "the scalar -1 does not fit uint8");
  expect_contains(message_of([&] { static_cast<void>(kn::zeros({2}, kn::int8) < 128); }),
                  "does not fit int8");
  expect_contains(message_of([&] { return kn::zeros({2}, kn::int64) + 0xffffffffffffffffu; }),
                  "does not fit int64");
  EXPECT_EQ(values<int>(bytes + 255), (std::vector<int>{255, 255}));
}

}  // namespace
