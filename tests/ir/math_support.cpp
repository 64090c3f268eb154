#include "tests/ir/math_support.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cfloat>
#include <cmath>
#include <limits>
#include <mutex>
#include <thread>

#include "ir/scalar.h"

namespace kiln::ir {
namespace {

constexpr std::int64_t kChunk = 1 << 14;

template <class T>
std::vector<T> run_as(Op op, DType type, const std::vector<T>& x, const std::vector<T>& y) {
  std::vector<T> out(x.size());
  const void* in[] = {x.data(), y.data()};
  evaluate(*expansion(op, type), static_cast<std::int64_t>(x.size()), in, out.data());
  return out;
}

template <class T>
constexpr int kDigits = std::numeric_limits<T>::digits;
template <class T>
constexpr int kLeast =
    std::numeric_limits<T>::min_exponent - kDigits<T>;  // log2 of the least number
template <class T>
constexpr int kEnd = std::numeric_limits<T>::max_exponent;  // 2^kEnd overflows

double power_of_two(int n) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(n + 1023) << 52);
}

// The error of a float against a double reference; negative if it is wrong in kind.
double ulps(float got, double exact) {
  if (std::isnan(exact) || std::isnan(got)) return std::isnan(exact) && std::isnan(got) ? 0 : -1;
  if (std::signbit(exact) != std::signbit(got)) return -1;
  const double end = power_of_two(kEnd<float>);
  const double r = std::min(std::fabs(exact), end);
  const double g = std::min(std::fabs(static_cast<double>(got)), end);
  const int exponent = static_cast<int>(std::bit_cast<std::uint64_t>(r) >> 52) - 1022;
  const int last =
      std::clamp(exponent, kLeast<float> + kDigits<float>, kEnd<float>) - kDigits<float>;
  return std::fabs(g - r) * power_of_two(-last);
}

// The same of a double against a reference in extended precision.
double ulps(double got, long double exact) {
  if (std::isnan(exact) || std::isnan(got)) return std::isnan(exact) && std::isnan(got) ? 0 : -1;
  if (std::signbit(exact) != std::signbit(got)) return -1;
  const long double end = std::ldexp(1.0L, kEnd<double>);
  const long double r = std::min(std::fabs(exact), end);
  const long double g = std::min(std::fabs(static_cast<long double>(got)), end);
  int exponent = 0;
  std::frexp(r, &exponent);
  const int last =
      std::clamp(exponent, kLeast<double> + kDigits<double>, kEnd<double>) - kDigits<double>;
  return static_cast<double>(std::ldexp(std::fabs(g - r), -last));
}

class Mpfr {
 public:
  Mpfr() { mpfr_init2(value_, 240); }
  ~Mpfr() { mpfr_clear(value_); }
  Mpfr(const Mpfr&) = delete;
  Mpfr& operator=(const Mpfr&) = delete;
  mpfr_t& operator*() { return value_; }

 private:
  mpfr_t value_;
};

class ExactReference {
 public:
  explicit ExactReference(Exact exact) : exact_(exact) {}

  double ulps(double x, double y, double got) {
    mpfr_set_d(*x_, x, MPFR_RNDN);
    mpfr_set_d(*y_, y, MPFR_RNDN);
    exact_(*result_, *x_, *y_);
    if (mpfr_nan_p(*result_) || std::isnan(got)) {
      return mpfr_nan_p(*result_) && std::isnan(got) ? 0 : -1;
    }
    if ((mpfr_signbit(*result_) != 0) != std::signbit(got)) return -1;
    mpfr_set_ui_2exp(*end_, 1, kEnd<double>, MPFR_RNDN);
    mpfr_abs(*result_, *result_, MPFR_RNDN);
    mpfr_min(*result_, *result_, *end_, MPFR_RNDN);
    mpfr_set_d(*got_, std::fabs(got), MPFR_RNDN);
    mpfr_min(*got_, *got_, *end_, MPFR_RNDN);
    const auto exponent = mpfr_zero_p(*result_) ? kLeast<double> : mpfr_get_exp(*result_);
    const auto last =
        std::clamp<mpfr_exp_t>(exponent, kLeast<double> + kDigits<double>, kEnd<double>) -
        kDigits<double>;
    mpfr_sub(*got_, *got_, *result_, MPFR_RNDN);
    mpfr_mul_2si(*got_, *got_, -last, MPFR_RNDN);
    return std::fabs(mpfr_get_d(*got_, MPFR_RNDN));
  }

 private:
  Exact exact_;
  Mpfr x_, y_, result_, got_, end_;
};

void note(Worst& worst, double error, double x, double y, double got) {
  if (error < 0) {
    worst.count_wrong(x, y, got);
  } else {
    worst.count(error, x, y, got);
  }
}

Worst check(Op op, Exact exact, const std::vector<double>& x, const std::vector<double>& y) {
  Worst worst;
  ExactReference reference(exact);
  const std::vector<double> got = run(op, x, y);
  for (std::size_t i = 0; i < x.size(); ++i) {
    note(worst, reference.ulps(x[i], y[i], got[i]), x[i], y[i], got[i]);
  }
  return worst;
}

struct Drawn {
  std::vector<double> x, y;
};
Drawn draw_chunk(const Draw& draw, std::int64_t chunk, std::int64_t size) {
  Drawn drawn;
  drawn.x.resize(static_cast<std::size_t>(size));
  drawn.y.resize(static_cast<std::size_t>(size));
  std::uint64_t state = static_cast<std::uint64_t>(chunk) << 32;
  for (std::size_t i = 0; i < drawn.x.size(); ++i) draw(state, drawn.x[i], drawn.y[i]);
  return drawn;
}

}  // namespace

void Worst::count(double error, double at_x, double at_y, double result) {
  if (error <= ulp) return;
  ulp = error, x = at_x, y = at_y, got = result;
}

void Worst::count_wrong(double at_x, double at_y, double result) {
  if (wrong++ == 0) wrong_x = at_x, wrong_y = at_y, wrong_got = result;
}

void Worst::merge(const Worst& other) {
  count(other.ulp, other.x, other.y, other.got);
  if (wrong == 0) wrong_x = other.wrong_x, wrong_y = other.wrong_y, wrong_got = other.wrong_got;
  wrong += other.wrong;
}

std::ostream& operator<<(std::ostream& out, const Worst& worst) {
  out << worst.ulp << " ulp at x = " << std::hexfloat << worst.x << ", y = " << worst.y
      << ", which gave " << worst.got << std::defaultfloat;
  if (worst.wrong > 0) {
    out << "; " << worst.wrong << " wrong, the first at x = " << std::hexfloat << worst.wrong_x
        << ", y = " << worst.wrong_y << ", which gave " << worst.wrong_got << std::defaultfloat;
  }
  return out;
}

std::vector<float> run(Op op, const std::vector<float>& x, const std::vector<float>& y) {
  return run_as(op, DType::float32, x, y);
}
std::vector<double> run(Op op, const std::vector<double>& x, const std::vector<double>& y) {
  return run_as(op, DType::float64, x, y);
}

Worst in_parallel(std::int64_t chunks, const std::function<Worst(std::int64_t chunk)>& work) {
  Worst total;
  std::mutex mutex;
  std::atomic<std::int64_t> next{0};
  const auto loop = [&] {
    Worst mine;
    for (std::int64_t chunk = next++; chunk < chunks; chunk = next++) mine.merge(work(chunk));
    mpfr_free_cache();
    const std::lock_guard lock(mutex);
    total.merge(mine);
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) {
    threads.emplace_back(loop);
  }
  for (std::thread& thread : threads) thread.join();
  return total;
}

Worst sweep(Op op, double (*reference)(double), Symmetry symmetry, std::uint64_t step) {
  const std::uint64_t end = std::uint64_t{1} << (symmetry == Symmetry::none ? 32 : 31);
  const std::uint64_t count = (end + step - 1) / step;
  const auto chunks = static_cast<std::int64_t>((count + kChunk - 1) / kChunk);
  return in_parallel(chunks, [&](std::int64_t chunk) {
    Worst worst;
    const std::uint64_t first = static_cast<std::uint64_t>(chunk) * kChunk;
    std::vector<float> x(std::min<std::uint64_t>(kChunk, count - first));
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = std::bit_cast<float>(static_cast<std::uint32_t>((first + i) * step));
    }
    const std::vector<float> got = run(op, x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double exact = reference(static_cast<double>(x[i]));
      note(worst, ulps(got[i], exact), static_cast<double>(x[i]), 0, static_cast<double>(got[i]));
    }
    if (symmetry == Symmetry::none) return worst;
    for (float& v : x) v = -v;
    const std::vector<float> mirrored = run(op, x);
    const std::uint32_t sign = symmetry == Symmetry::odd ? 0x80000000u : 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const bool same = std::bit_cast<std::uint32_t>(mirrored[i]) ==
                        (std::bit_cast<std::uint32_t>(got[i]) ^ sign);
      if (!same && !(std::isnan(mirrored[i]) && std::isnan(got[i]))) {
        worst.count_wrong(static_cast<double>(x[i]), 0, static_cast<double>(mirrored[i]));
      }
    }
    return worst;
  });
}

Worst check_pow_f32(const std::vector<float>& x, const std::vector<float>& y) {
  Worst worst;
  const std::vector<float> got = run(Op::pow, x, y);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double a = static_cast<double>(x[i]), b = static_cast<double>(y[i]);
    note(worst, ulps(got[i], std::pow(a, b)), a, b, static_cast<double>(got[i]));
  }
  return worst;
}

Worst sample_pow_f32(std::int64_t count) {
  return in_parallel((count + kChunk - 1) / kChunk, [](std::int64_t chunk) {
    std::vector<float> x(kChunk), y(kChunk);
    std::uint64_t state = static_cast<std::uint64_t>(chunk) << 32;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const std::uint64_t bits = random_bits(state);
      const auto low = static_cast<std::uint32_t>(bits);
      x[i] = std::bit_cast<float>(i % 3 == 0 ? 0x3f000000 + (low & 0xffffff) : low & 0x7fffffff);
      const float logarithm = std::log2(x[i]);
      y[i] = static_cast<float>(uniform(state, -152, 130)) / logarithm;
      if (i % 8 == 5) y[i] = std::bit_cast<float>(static_cast<std::uint32_t>(bits >> 32));
      if (i % 16 == 0) x[i] = -x[i], y[i] = std::rint(y[i]);
    }
    return check_pow_f32(x, y);
  });
}

std::uint64_t random_bits(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

double uniform(std::uint64_t& state, double low, double high) {
  return low + (high - low) * (static_cast<double>(random_bits(state) >> 11) * 0x1p-53);
}

Draw any_bits() {
  return [](std::uint64_t& state, double& x, double& y) {
    x = std::bit_cast<double>(random_bits(state));
    y = std::bit_cast<double>(random_bits(state));
  };
}

Draw between(double low, double high) {
  return [=](std::uint64_t& state, double& x, double& y) {
    y = 0;
    x = random_bits(state) % 2 == 0 ? std::bit_cast<double>(random_bits(state))
                                    : uniform(state, low, high);
  };
}

Draw pow_pairs() {
  return [](std::uint64_t& state, double& x, double& y) {
    const std::uint64_t bits = random_bits(state);
    x = std::bit_cast<double>(bits & 0x7fffffffffffffff);
    if (bits % 2 == 0) x = std::bit_cast<double>(0x3fe0000000000000 + (bits >> 11));
    y = uniform(state, -1080, 1030) / std::log2(x);
    const std::uint64_t kind = random_bits(state) % 16;
    if (kind == 0) y = std::bit_cast<double>(random_bits(state));
    if (kind == 1) x = -x, y = std::rint(y);
  };
}

Worst sample_exact(Op op, Exact exact, const Draw& draw, std::int64_t count) {
  constexpr std::int64_t kFew = 1 << 10;
  return in_parallel((count + kFew - 1) / kFew, [&](std::int64_t chunk) {
    const Drawn drawn = draw_chunk(draw, chunk, kFew);
    return check(op, exact, drawn.x, drawn.y);
  });
}

Worst sample_quick(Op op, Quick quick, Exact exact, const Draw& draw, std::int64_t count) {
  if constexpr (LDBL_MANT_DIG < 64) return sample_exact(op, exact, draw, count);
  std::atomic<double> largest{0.5};
  return in_parallel((count + kChunk - 1) / kChunk, [&](std::int64_t chunk) {
    Worst worst;
    const Drawn drawn = draw_chunk(draw, chunk, kChunk);
    const std::vector<double> got = run(op, drawn.x, drawn.y);
    std::vector<double> again_x, again_y;
    for (std::size_t i = 0; i < got.size(); ++i) {
      const double x = drawn.x[i], y = drawn.y[i];
      const double error = ulps(got[i], quick(x, y));
      if (error >= 0 && error < largest - 0.01) continue;
      again_x.push_back(x), again_y.push_back(y);
    }
    worst = check(op, exact, again_x, again_y);
    double seen = largest;
    while (seen < worst.ulp && !largest.compare_exchange_weak(seen, worst.ulp)) {
    }
    return worst;
  });
}

Worst check_exact(Op op, Exact exact, std::span<const double> x, std::span<const double> y) {
  std::vector<double> second(y.begin(), y.end());
  second.resize(x.size());
  return check(op, exact, {x.begin(), x.end()}, second);
}

}  // namespace kiln::ir
