// floor_divide and remainder of integers against C++, on values of every magnitude side by side:
// CPUs divide vectors of them as floats where these are exact.
#include <limits>
#include <random>

#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;

template <class T>
class IntegerDivision : public testing::Test {};
using Types = testing::Types<std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t,
                             std::uint32_t, std::int64_t, std::uint64_t>;
TYPED_TEST_SUITE(IntegerDivision, Types);

// Rounded down; 0 where the divisor is 0; the least value / -1 wraps.
template <class T>
T quotient(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return static_cast<T>(0 - static_cast<std::uint64_t>(a));
  }
  const T q = static_cast<T>(a / b);
  return a % b != 0 && (a < 0) != (b < 0) ? static_cast<T>(q - 1) : q;
}

template <class T>
T rest(T a, T b) {
  if (b == 0) return 0;
  return static_cast<T>(static_cast<std::uint64_t>(a) -
                        static_cast<std::uint64_t>(quotient(a, b)) * static_cast<std::uint64_t>(b));
}

// Of a magnitude that is as likely small as large; often next to a power of two, or to a multiple.
template <class T>
std::vector<T> values(std::mt19937_64& random, std::size_t count) {
  std::vector<T> result = {0, 1, static_cast<T>(-1), std::numeric_limits<T>::min(),
                           std::numeric_limits<T>::max()};
  while (result.size() < count) {
    const auto bits = static_cast<int>(random() % (8 * sizeof(T)));
    const std::uint64_t power = std::uint64_t{1} << bits;
    const std::uint64_t near = power + random() % 5 - 2, any = random() & (2 * power - 1);
    const std::uint64_t x = random() % 3 == 0 ? near : any;
    result.push_back(static_cast<T>(random() % 2 == 0 ? x : 0 - x));
  }
  return result;
}

TYPED_TEST(IntegerDivision, IsExact) {
  using T = TypeParam;
  std::mt19937_64 random(7);
  // All magnitudes in one vector; and arrays in which every one is as small as float64 needs.
  for (const int shift : {0, static_cast<int>(2 * sizeof(T))}) {
    std::vector<T> a = values<T>(random, 2003), b = values<T>(random, 2003);
    std::shuffle(a.begin(), a.end(), random);
    for (std::size_t i = 0; i < a.size(); ++i) {
      a[i] = static_cast<T>(a[i] >> shift);
      b[i] = static_cast<T>(b[i] >> shift);
      // A multiple of the divisor, and its neighbours, are where a rounded quotient would be wrong.
      if (i % 3 != 0) continue;
      const auto multiple =
          static_cast<std::uint64_t>(quotient(a[i], b[i])) * static_cast<std::uint64_t>(b[i]);
      a[i] = static_cast<T>(multiple + i % 9 / 3 - 1);
    }
    const kn::Array x(a), y(b);
    const std::vector<T> q = kn::floor_divide(x, y).to_vector<T>(),
                         r = kn::remainder(x, y).to_vector<T>();
    for (std::size_t i = 0; i < a.size(); ++i) {
      ASSERT_EQ(+q[i], +quotient(a[i], b[i])) << +a[i] << " / " << +b[i];
      ASSERT_EQ(+r[i], +rest(a[i], b[i])) << +a[i] << " % " << +b[i];
    }
    for (std::size_t i = 5; i < 12; ++i) {  // one divisor for all
      const std::vector<T> by = kn::floor_divide(x, kn::Array(b[i])).to_vector<T>();
      for (std::size_t k = 0; k < a.size(); ++k)
        ASSERT_EQ(+by[k], +quotient(a[k], b[i])) << +a[k] << " / " << +b[i];
    }
  }
}

}  // namespace
