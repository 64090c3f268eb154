// Running sums and their kin against loops, and their order against NUMERICS.md.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;
using kn::_;
using kn::slice;

// A row in the order of NUMERICS.md, written as it stands there.
std::vector<float> in_order(const std::vector<float>& x) {
  constexpr std::size_t kSegment = 32, kTile = 1024;
  std::vector<float> out(x.size()), totals;
  for (std::size_t tile = 0; tile < x.size(); tile += kTile) {
    const std::size_t end = std::min(tile + kTile, x.size());
    std::vector<float> segments;  // totals
    for (std::size_t s = tile; s < end; s += kSegment) {
      const std::size_t last = std::min(s + kSegment, end);
      for (std::size_t i = s; i < last; ++i) out[i] = i == s ? x[i] : out[i - 1] + x[i];
      segments.push_back(out[last - 1]);
    }
    for (std::size_t step = 1; step < kSegment; step *= 2) {
      const std::vector<float> before = segments;
      for (std::size_t s = step; s < segments.size(); ++s)
        segments[s] = before[s - step] + before[s];
    }
    for (std::size_t i = tile + kSegment; i < end; ++i)
      out[i] = segments[(i - tile) / kSegment - 1] + out[i];
    totals.push_back(out[end - 1]);
  }
  if (totals.size() > 1) {
    const std::vector<float> prefixes = in_order(totals);
    for (std::size_t i = kTile; i < x.size(); ++i) out[i] = prefixes[i / kTile - 1] + out[i];
  }
  return out;
}

std::vector<float> noise(std::int64_t n, std::uint32_t seed) {
  std::vector<float> x;
  for (std::int64_t i = 0; i < n; ++i) {
    seed = seed * 1664525u + 1013904223u;
    x.push_back(static_cast<float>(seed >> 8) * 0x1p-24f - 0.4f);
  }
  return x;
}

TEST(Scan, SumsFloatsInTheCanonicalOrder) {
  for (const std::int64_t n : {2, 31, 32, 33, 64, 1000, 1023, 1024, 1025, 2048, 3100, 40000}) {
    const std::vector<float> x = noise(n, 7);
    EXPECT_EQ(values<float>(kn::cumulative_sum(kn::Array(x))), in_order(x)) << n;
  }
  const std::vector<float> x = noise(1 << 20 | 5000, 3);  // tiles of tiles
  EXPECT_EQ(values<float>(kn::cumulative_sum(kn::Array(x))), in_order(x));
}

// The same bits whichever axis it is, and however the rows lie.
TEST(Scan, OrdersEveryLayoutAlike) {
  for (const std::int64_t n : {33, 1025}) {
    for (const std::int64_t rows : {1, 5, 16, 37, 100}) {
      const kn::Array x = kn::reshape(kn::Array(noise(n * rows, 11)), {rows, n});
      kn::eval(x);
      const std::vector<float> expected = values<float>(kn::cumulative_sum(x, 1));
      for (std::int64_t r = 0; r < rows; ++r) {
        const std::vector<float> row = values<float>(kn::Array(x[r]));
        EXPECT_EQ(values<float>(kn::cumulative_sum(kn::Array(row))), in_order(row));
        const std::vector<float> mine(expected.begin() + r * n, expected.begin() + (r + 1) * n);
        EXPECT_EQ(mine, in_order(row));
      }
      kn::Array turned = x.T() + 0.f;
      kn::eval(turned);
      EXPECT_EQ(values<float>(kn::cumulative_sum(turned, 0).T()), expected);
      EXPECT_EQ(values<float>(kn::cumulative_sum(x.T(), 0).T()), expected);
      EXPECT_EQ(values<float>(kn::flip(kn::cumulative_sum(kn::flip(kn::flip(x, 1), 1), 1), 0)),
                values<float>(kn::flip(kn::cumulative_sum(x, 1), 0)));
    }
  }
}

TEST(Scan, OfEveryType) {
  for (const kn::DType dtype :
       {kn::bool_, kn::int8, kn::uint8, kn::int16, kn::uint16, kn::int32, kn::uint32, kn::int64,
        kn::uint64, kn::float16, kn::bfloat16, kn::float32, kn::float64}) {
    kn::Array x = (kn::arange(24, kn::int64) * 5 % 7).astype(dtype);
    x = kn::reshape(x, {4, 6});
    kn::eval(x);
    const auto check = [&](const kn::Array& got, const std::function<double(double, double)>& op) {
      const auto from = values<double>(x.astype(kn::float64));
      const auto sums = values<double>(got.astype(kn::float64));
      for (std::size_t i = 0; i < 24; ++i)
        EXPECT_EQ(sums[i], i % 6 == 0 ? from[i] : op(sums[i - 1], from[i])) << i;
    };
    check(kn::cumulative_sum(x, 1), [](double a, double b) { return a + b; });
    check(kn::cumulative_prod(x, 1), [](double a, double b) { return a * b; });
    check(kn::cummax(x, 1), [](double a, double b) { return std::max(a, b); });
    check(kn::cummin(x, 1), [](double a, double b) { return std::min(a, b); });
    EXPECT_EQ(kn::cumulative_sum(x).dtype(), kn::sum(x).dtype());
    EXPECT_EQ(kn::cummax(x).dtype(), dtype);
  }
}

TEST(Scan, InitialElementsNaNsAndNothing) {
  EXPECT_EQ(values<float>(kn::cumulative_sum(kn::Array{1.f, 2.f, 3.f}, 0, kn::include_initial)),
            (std::vector<float>{0, 1, 3, 6}));
  EXPECT_EQ(values<float>(kn::cumulative_prod(kn::Array{2.f, 3.f}, -1, kn::include_initial)),
            (std::vector<float>{1, 2, 6}));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto highs = values<float>(kn::cummax(kn::Array{1.f, nan, 3.f}));
  EXPECT_EQ(highs[0], 1);
  EXPECT_TRUE(std::isnan(highs[1]) && std::isnan(highs[2]));
  EXPECT_TRUE(std::signbit(values<float>(kn::cumulative_sum(kn::Array{-0.f, -0.f}))[0]));
  EXPECT_EQ(kn::cumulative_sum(kn::zeros({0, 3}), 0, kn::include_initial).shape(),
            kn::Shape({1, 3}));
  EXPECT_EQ(values<float>(kn::cumulative_sum(kn::ones({3, 1}), 1)), (std::vector<float>{1, 1, 1}));
}

// Between kernels: a histogram's distribution, a moving average by differences.
TEST(Scan, StandsBetweenOtherOperations) {
  const kn::Array x = kn::arange(100, kn::float32);
  const kn::Array sums = kn::cumulative_sum(x * 2.f, 0, kn::include_initial);
  const kn::Array means = (sums(slice(4, _)) - sums(slice(0, -4))) / 8.f;
  EXPECT_EQ(values<float>(means(slice(0, 3))), (std::vector<float>{1.5, 2.5, 3.5}));
}

}  // namespace
