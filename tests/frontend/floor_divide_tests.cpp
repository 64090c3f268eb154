// floor_divide and remainder of floats against exact arithmetic, on pairs that are hard to round.
#include <mpfr.h>

#include <cmath>
#include <limits>
#include <random>

#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;

// floor(a / b) and a - b * floor(a / b), exactly, as far as kBits go.
class Exact {
 public:
  Exact() { mpfr_inits2(kBits, a_, b_, q_, r_, static_cast<mpfr_ptr>(nullptr)); }
  ~Exact() { mpfr_clears(a_, b_, q_, r_, static_cast<mpfr_ptr>(nullptr)); }
  Exact(const Exact&) = delete;
  Exact& operator=(const Exact&) = delete;

  void divide(double a, double b) {
    mpfr_set_d(a_, a, MPFR_RNDN);
    mpfr_set_d(b_, b, MPFR_RNDN);
    mpfr_div(q_, a_, b_, MPFR_RNDD);  // no whole number lies between it and the true quotient
    mpfr_floor(q_, q_);
    mpfr_mul(r_, q_, b_, MPFR_RNDN);
    mpfr_sub(r_, a_, r_, MPFR_RNDN);
  }
  template <class T>
  T quotient() const {
    return round<T>(q_);
  }
  template <class T>
  T remainder() const {
    return round<T>(r_);
  }

 private:
  template <class T>
  static T round(mpfr_srcptr x) {
    if constexpr (std::is_same_v<T, float>) {
      return mpfr_get_flt(x, MPFR_RNDN);
    } else {
      return mpfr_get_d(x, MPFR_RNDN);
    }
  }
  static constexpr mpfr_prec_t kBits = 2400;
  mpfr_t a_, b_, q_, r_;
};

template <class T>
struct Pairs {
  std::vector<T> a, b;
  void add(T x, T y) {
    if (!std::isfinite(x) || !std::isfinite(y) || y == 0) return;
    for (const T s : {T(1), T(-1)}) {
      a.insert(a.end(), {s * x, s * x});
      b.insert(b.end(), {y, -y});
    }
  }
  // x and its neighbours.
  void add_near(T x, T y) {
    T below = x, above = x;
    add(x, y);
    for (int i = 0; i < 2; ++i) {
      below = std::nextafter(below, T(0));
      above = std::nextafter(above, std::numeric_limits<T>::infinity());
      add(below, y);
      add(above, y);
    }
  }
};

// Quotients next to whole numbers of every size up to the bound, next to the bound itself, of
// denormals, and any.
template <class T>
Pairs<T> hard_pairs(int bits, double whole) {
  using Limits = std::numeric_limits<T>;
  std::mt19937_64 random(7);
  const auto unit = [&] { return std::uniform_real_distribution<double>(1, 2)(random); };
  const auto between = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  Pairs<T> pairs;
  for (int i = 0; i < 1500; ++i) {
    const T b = static_cast<T>(std::ldexp(unit(), between(-20, 20)));
    const double k = std::floor(std::ldexp(unit(), between(0, bits - 1)));
    pairs.add_near(static_cast<T>(k * static_cast<double>(b)), b);
    pairs.add_near(static_cast<T>((whole - between(0, 3)) * static_cast<double>(b)), b);
    pairs.add(static_cast<T>(std::ldexp(unit(), between(-10, bits + 10))), b);
    const T tiny = Limits::denorm_min() * static_cast<T>(between(1, 1000));
    pairs.add(Limits::denorm_min() * static_cast<T>(between(0, 1 << 20)), tiny);
    pairs.add(tiny, b);
    pairs.add_near(tiny * static_cast<T>(std::floor(k)), tiny);
  }
  pairs.add_near(Limits::max(), Limits::max());
  pairs.add(Limits::max(), Limits::denorm_min());
  pairs.add(Limits::min(), Limits::max());
  pairs.add(T(69015.88f), T(0.014618834f));
  pairs.add(T(612589918562563.4), T(0.15272392381449984));
  return pairs;
}

template <class T>
void check(kn::DType dtype, int bits) {
  const double whole = std::ldexp(1.0, bits);
  const Pairs<T> pairs = hard_pairs<T>(bits, whole);
  std::vector<T> quotients, remainders;
  Exact exact;
  for (std::size_t i = 0; i < pairs.a.size(); ++i) {
    const T rounded = pairs.a[i] / pairs.b[i];
    exact.divide(static_cast<double>(pairs.a[i]), static_cast<double>(pairs.b[i]));
    const T floor = exact.quotient<T>();
    const bool counts = std::abs(static_cast<double>(rounded)) <= whole &&
                        std::abs(static_cast<double>(floor)) <= whole;
    quotients.push_back(counts ? floor : rounded);
    remainders.push_back(exact.remainder<T>());
  }
  on_each_device([&] {
    const kn::Array a = kn::Array(pairs.a).astype(dtype), b = kn::Array(pairs.b).astype(dtype);
    const kn::Array q = kn::floor_divide(a, b), r = kn::remainder(a, b);
    kn::eval({q, r});
    const std::vector<T> got = values<T>(q), left = values<T>(r);
    int wrong = 0;
    for (std::size_t i = 0; i < got.size() && wrong < 5; ++i) {
      const double size = std::abs(static_cast<double>(pairs.a[i] / pairs.b[i]));
      const bool same = got[i] == quotients[i];
      const bool rest = size >= std::ldexp(1.0, 2 * bits) || left[i] == remainders[i];
      wrong += same && rest ? 0 : 1;
      EXPECT_TRUE(same && rest) << std::hexfloat << pairs.a[i] << " by " << pairs.b[i] << " gives "
                                << got[i] << " and " << left[i] << ", not " << quotients[i]
                                << " and " << remainders[i];
    }
  });
}

TEST(FloorDivide, IsExactInFloat32) { check<float>(kn::float32, 24); }
TEST(FloorDivide, IsExactInFloat64) { check<double>(kn::float64, 53); }

// In float32, rounded once.
TEST(FloorDivide, OfHalvesRoundsOnce) {
  std::mt19937_64 random(3);
  std::vector<float> a, b;
  for (int i = 0; i < 4000; ++i) {
    a.push_back(std::ldexp(static_cast<float>(random() % 4096) - 2048,
                           static_cast<int>(random() % 20) - 14));
    b.push_back(std::ldexp(static_cast<float>(random() % 4096) - 2048.5f,
                           static_cast<int>(random() % 20) - 14));
  }
  on_each_device([&] {
    for (const kn::DType dtype : {kn::float16, kn::bfloat16}) {
      const kn::Array x = kn::Array(a).astype(dtype), y = kn::Array(b).astype(dtype);
      const std::vector<float> own_x = values<float>(x.astype(kn::float32)),
                               own_y = values<float>(y.astype(kn::float32));
      std::vector<float> quotients, remainders;
      Exact exact;
      for (std::size_t i = 0; i < a.size(); ++i) {
        exact.divide(static_cast<double>(own_x[i]), static_cast<double>(own_y[i]));
        const float rounded = own_x[i] / own_y[i];
        quotients.push_back(std::abs(rounded) <= 0x1p24f ? exact.quotient<float>() : rounded);
        remainders.push_back(exact.remainder<float>());
      }
      const auto rounded = [&](const std::vector<float>& v) {
        return values<float>(kn::Array(v).astype(dtype).astype(kn::float32));
      };
      EXPECT_EQ(values<float>(kn::floor_divide(x, y).astype(kn::float32)), rounded(quotients));
      EXPECT_EQ(values<float>(kn::remainder(x, y).astype(kn::float32)), rounded(remainders));
    }
  });
}

// Zeros, infinities and NaN against each other: the table is NumPy's.
TEST(FloorDivide, OfSpecialValues) {
  const double inf = std::numeric_limits<double>::infinity(),
               nan = std::numeric_limits<double>::quiet_NaN();
  struct Row {
    double a, b, quotient, remainder;
  };
  const Row rows[] = {
      {0.0, 1, 0.0, 0.0},    {-0.0, 1, -0.0, 0.0},   {0.0, -1, -0.0, -0.0},
      {-0.0, -1, 0.0, -0.0}, {0.0, 0.0, nan, nan},   {1, 0.0, inf, nan},
      {1, -0.0, -inf, nan},  {-1, 0.0, -inf, nan},   {-1, -0.0, inf, nan},
      {inf, 1, nan, nan},    {-inf, 1, nan, nan},    {inf, -1, nan, nan},
      {inf, 0.0, inf, nan},  {inf, -0.0, -inf, nan}, {-inf, 0.0, -inf, nan},
      {inf, inf, nan, nan},  {-inf, inf, nan, nan},  {1, inf, 0.0, 1},
      {-1, inf, -1, inf},    {1, -inf, -1, -inf},    {-1, -inf, 0.0, -1},
      {0.0, inf, 0.0, 0.0},  {-0.0, inf, -0.0, 0.0}, {0.0, -inf, -0.0, -0.0},
      {nan, 1, nan, nan},    {1, nan, nan, nan},     {nan, 0.0, nan, nan},
      {nan, inf, nan, nan},  {0.5, 1, 0.0, 0.5},     {-0.5, 1, -1, 0.5},
      {0.5, -1, -1, -0.5},   {-0.5, -1, 0.0, -0.5},
  };
  std::vector<double> a, b;
  for (const Row& row : rows) {
    a.push_back(row.a);
    b.push_back(row.b);
  }
  const auto same = [](double x, double y) {
    return (std::isnan(x) && std::isnan(y)) || (x == y && std::signbit(x) == std::signbit(y));
  };
  on_each_device([&] {
    for (const kn::DType dtype : {kn::float16, kn::bfloat16, kn::float32, kn::float64}) {
      const kn::Array x = kn::Array(a).astype(dtype), y = kn::Array(b).astype(dtype);
      const auto q = values<double>(kn::floor_divide(x, y).astype(kn::float64)),
                 r = values<double>(kn::remainder(x, y).astype(kn::float64));
      for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_TRUE(same(q[i], rows[i].quotient) && same(r[i], rows[i].remainder))
            << a[i] << " by " << b[i] << " gives " << q[i] << " and " << r[i];
      }
    }
  });
}

}  // namespace
