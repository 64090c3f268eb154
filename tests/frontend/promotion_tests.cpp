// The complete promotion table, and weak scalars.
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
  const char *array, *with_bool, *with_int, *with_float, *divided;
};
constexpr Weak kWeak[] = {
    {"b1", "b1", "i8", "f4", "f4"}, {"i1", "i1", "i1", "f4", "f4"}, {"i2", "i2", "i2", "f4", "f4"},
    {"i4", "i4", "i4", "f8", "f8"}, {"i8", "i8", "i8", "f8", "f8"}, {"u1", "u1", "u1", "f4", "f4"},
    {"u2", "u2", "u2", "f4", "f4"}, {"u4", "u4", "u4", "f8", "f8"}, {"u8", "u8", "u8", "f8", "f8"},
    {"f2", "f2", "f2", "f2", "f2"}, {"bf", "bf", "bf", "bf", "bf"}, {"f4", "f4", "f4", "f4", "f4"},
    {"f8", "f8", "f8", "f8", "f8"},
};

TEST(Promotion, OfWeakScalars) {
  for (const Weak& row : kWeak) {
    SCOPED_TRACE(row.array);
    const kn::Array x = kn::ones({3}, from_short(row.array));
    EXPECT_EQ((x + true).dtype(), from_short(row.with_bool));
    EXPECT_EQ((x + 1).dtype(), from_short(row.with_int));
    EXPECT_EQ((1u + x).dtype(), from_short(row.with_int));
    EXPECT_EQ((x * 2.5).dtype(), from_short(row.with_float));
    EXPECT_EQ((2.5f * x).dtype(), from_short(row.with_float));
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

TEST(Promotion, AnIntegerThatDoesNotFitIsAnError) {
  const kn::Array bytes = kn::zeros({2}, kn::uint8);
  expect_contains(message_of([&] { bytes + 256; }), "the scalar 256 does not fit uint8");
  expect_contains(message_of([&] { bytes - -1; }), "the scalar -1 does not fit uint8");
  expect_contains(message_of([&] { static_cast<void>(kn::zeros({2}, kn::int8) < 128); }),
                  "does not fit int8");
  expect_contains(message_of([&] { kn::zeros({2}, kn::int64) + 0xffffffffffffffffu; }),
                  "does not fit int64");
  EXPECT_EQ(values<int>(bytes + 255), (std::vector<int>{255, 255}));
}

}  // namespace
