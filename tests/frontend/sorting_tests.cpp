// Sorting against std::stable_sort by what NUMERICS.md says of order, and what is computed for it.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;
using kn::_;
using kn::slice;

// Whether a stands before b, whatever their places.
bool before(double a, double b, kn::Order order) {
  if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
  return order == kn::rising ? a < b : a > b;
}

// Places along the last axis of a dense array, and what lies there.
void expect_sorted(const kn::Array& x, std::int64_t axis, kn::Order order) {
  const std::vector<double> from = values<double>(kn::moveaxis(x, axis, -1).astype(kn::float64));
  const auto both = kn::sorted(x, axis, order);
  ASSERT_EQ(both.values.shape(), x.shape());
  EXPECT_EQ(both.values.dtype(), x.dtype());
  EXPECT_EQ(both.indices.dtype(), kn::int64);
  const auto elements = values<double>(kn::moveaxis(both.values, axis, -1).astype(kn::float64));
  const auto places = values<std::int64_t>(kn::moveaxis(both.indices, axis, -1));
  const auto n = static_cast<std::size_t>(x.shape()[axis]);
  std::vector<std::int64_t> expected(n);
  for (std::size_t row = 0; row < from.size(); row += n) {
    std::iota(expected.begin(), expected.end(), std::int64_t{0});
    std::ranges::stable_sort(expected, [&](std::int64_t a, std::int64_t b) {
      return before(from[row + static_cast<std::size_t>(a)],
                    from[row + static_cast<std::size_t>(b)], order);
    });
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_EQ(places[row + i], expected[i]) << "row " << row / n << ", place " << i;
      const double element = from[row + static_cast<std::size_t>(expected[i])];
      ASSERT_EQ(std::isnan(elements[row + i]), std::isnan(element));
      if (std::isnan(element)) continue;
      ASSERT_EQ(elements[row + i], element);
      ASSERT_EQ(std::signbit(elements[row + i]), std::signbit(element));
    }
  }
}

// Few distinct values, so that many are equal; exact in float64.
kn::Array mixed(const kn::Shape& shape, kn::DType dtype, std::int64_t distinct) {
  kn::Array x = kn::arange(shape.size(), kn::int64) * 7919 % distinct;
  if (dtype != kn::uint64) x = x - distinct / 3;
  x = kn::reshape(x, shape).astype(dtype);
  kn::eval(x);
  return x;
}

TEST(Sort, OrdersEveryTypeAlongEveryAxis) {
  for (const kn::DType dtype :
       {kn::bool_, kn::int8, kn::uint8, kn::int16, kn::uint16, kn::int32, kn::uint32, kn::int64,
        kn::uint64, kn::float16, kn::bfloat16, kn::float32, kn::float64}) {
    for (const kn::Order order : {kn::rising, kn::falling}) {
      for (const std::int64_t axis : {0, 1, 2, -1})
        expect_sorted(mixed({3, 5, 4}, dtype, 23), axis, order);
    }
  }
}

// Lengths at which another way is taken, and those beside them.
TEST(Sort, OrdersRowsOfAllLengths) {
  for (const std::int64_t n : {1, 2, 25, 47, 48, 49, 513, 3000}) {
    for (const kn::DType dtype : {kn::uint8, kn::int32, kn::float32, kn::float64}) {
      expect_sorted(mixed({2, n}, dtype, 1000), 1, kn::rising);
      expect_sorted(mixed({n, 3}, dtype, 50), 0, kn::falling);
    }
  }
  expect_sorted(mixed({70001}, kn::float32, 30000), 0, kn::rising);
  expect_sorted(mixed({70001}, kn::int64, 65000), 0, kn::falling);
}

TEST(Sort, ZerosAreEqualAndNaNComesLast) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> list{0, -0.f, nan, 1, -infinity, -0.f, infinity, -nan, 0, -1, 1e-42f, -1e-42f};
  for (int repeats = 0; repeats < 2; ++repeats) {
    for (const kn::DType dtype : {kn::float16, kn::float32, kn::float64}) {
      const kn::Array x = kn::Array(list).astype(dtype);
      expect_sorted(x, 0, kn::rising);
      expect_sorted(x, 0, kn::falling);
    }
    for (int i = 0; i < 6; ++i) list.insert(list.end(), list.begin(), list.begin() + 12);
    while (list.size() < 600) list.push_back(static_cast<float>(list.size() % 7) - 3);
  }
}

TEST(Sort, OrdersViewsWhereTheyLie) {
  const kn::Array x = mixed({6, 8, 5}, kn::float32, 61);
  for (const kn::Array& view :
       {kn::permute_dims(x, {2, 0, 1}), kn::flip(x), kn::Array(x(slice(1, _, 2), _, slice(0, 3))),
        kn::broadcast_to(x(0, _, _), {3, 8, 5}), kn::reshape(x, {48, 5}).T(),
        kn::Array(x(_, slice(6, 1, -2), _)), x + 1.f}) {
    for (std::int64_t axis = 0; axis < view.ndim(); ++axis) expect_sorted(view, axis, kn::rising);
  }
}

TEST(Sort, StandsBetweenOtherOperations) {
  const kn::Array x = mixed({4, 9}, kn::float32, 17);
  const kn::Array gaps =
      kn::sort(x * 2.f, 1)(_, slice(1, _)) - kn::sort(x * 2.f, 1)(_, slice(0, -1));
  EXPECT_TRUE(kn::all(gaps >= 0.f).item<bool>());
  EXPECT_EQ(values<float>(kn::max(gaps + 0.f, 1)).size(), 4u);
  const kn::Array twice = kn::sort(kn::sort(x, 0), 1);  // rows of sorted columns stay sorted
  EXPECT_TRUE(kn::all(twice(slice(1, _), _) >= twice(slice(0, -1), _)).item<bool>());
  EXPECT_EQ(values<std::int64_t>(kn::argsort(kn::argsort(kn::Array{3.f, 1.f, 2.f}))),
            (std::vector<std::int64_t>{2, 0, 1}));
}

TEST(Sort, WithoutElementsOrWithOne) {
  const auto none = kn::sorted(kn::zeros({3, 0}), 1);
  EXPECT_EQ(none.values.shape(), kn::Shape({3, 0}));
  EXPECT_EQ(none.indices.shape(), kn::Shape({3, 0}));
  const auto one = kn::sorted(kn::Array{2.f, 1.f}(_, kn::newaxis), 1);
  EXPECT_EQ(values<float>(one.values), (std::vector<float>{2, 1}));
  EXPECT_EQ(values<std::int64_t>(one.indices), (std::vector<std::int64_t>{0, 0}));
}

TEST(Sort, TheFirstKOfAll) {
  const kn::Array x = {5.f, 1.f, 4.f, 1.f, 3.f};
  const auto largest = kn::top_k(x, 2);
  EXPECT_EQ(values<float>(largest.values), (std::vector<float>{5, 4}));
  EXPECT_EQ(values<std::int64_t>(largest.indices), (std::vector<std::int64_t>{0, 2}));
  const auto least = kn::top_k(x, 3, 0, kn::rising);
  EXPECT_EQ(values<std::int64_t>(least.indices), (std::vector<std::int64_t>{1, 3, 4}));
  EXPECT_EQ(kn::top_k(x, 0).values.shape(), kn::Shape({0}));
}

std::int64_t launched() { return kn::stats().launched; }

// One call for both results, whichever is asked for first; nothing is computed twice.
TEST(Sort, ResultsAreComputedTogether) {
  if (interpreting()) GTEST_SKIP() << "the interpreter launches nothing";
  for (const bool values_first : {true, false}) {
    const auto both = kn::sorted(mixed({40, 30}, kn::float32, 300));
    const std::int64_t before_all = launched();
    kn::eval(values_first ? both.values : both.indices);
    EXPECT_EQ(launched() - before_all, 1);
    kn::eval(both.values, both.indices);
    EXPECT_EQ(launched() - before_all, 1);
  }
  // One that nobody holds is not there.
  const kn::Array x = mixed({40, 30}, kn::float32, 300);
  const kn::Array places = kn::argsort(x);
  const std::string text = kn::explain(places).text();
  EXPECT_NE(text.find("argsort(x"), std::string::npos) << text;
  EXPECT_EQ(text.find(" = sort("), std::string::npos) << text;
  // Both of equal calls are one call.
  const std::int64_t before_pair = launched();
  const kn::Array other = kn::sort(x), again = kn::argsort(x);
  kn::eval(other, again);
  EXPECT_EQ(launched() - before_pair, 1);
}

TEST(Sort, EagerlyOnceForBothResults) {
  const kn::Scope eager({.mode = kn::Mode::eager});
  expect_sorted(mixed({5, 30}, kn::float32, 40), 1, kn::rising);
  if (interpreting()) return;
  const kn::Array x = mixed({40, 30}, kn::float32, 300);
  const std::int64_t before = launched();
  const auto both = kn::sorted(x);
  EXPECT_EQ(launched() - before, 1);
}

// Pending operations are evaluated wherever that falls: between the two results as well.
TEST(Sort, AFlushBetweenItsResults) {
  for (int ahead = 0; ahead < 12; ++ahead) {
    const kn::Scope often({.flush_after = 1});
    kn::Array x = mixed({6}, kn::float32, 5);
    for (int i = 0; i < ahead; ++i) x = x + 1.f;
    const auto both = kn::sorted(x);
    EXPECT_EQ(values<std::int64_t>(both.indices), values<std::int64_t>(kn::argsort(x + 0.f)));
    EXPECT_EQ(values<float>(both.values), values<float>(kn::sort(x + 0.f)));
  }
}

// A sort hands NaNs on, to other places; a running sum from the first one on.
TEST(Sort, NaNsThatWereThereAreNoNewOnes) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const kn::Array x = {nan, 1.f, 2.f, 3.f};
  kn::eval(x);
  const kn::Scope trap({.nan = kn::Nan::trap});
  EXPECT_TRUE(std::isnan(values<float>(kn::sort(x))[3]));
  EXPECT_TRUE(std::isnan(values<float>(kn::cumulative_sum(x))[3]));
  const float infinity = std::numeric_limits<float>::infinity();
  const kn::Array y = {infinity, 1.f, -infinity, 2.f};
  EXPECT_THROW(kn::eval(kn::cumulative_sum(y)), std::exception);
}

}  // namespace
