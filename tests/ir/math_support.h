// Measures the functions of ir/math, run by the interpreter of ir, against references: in units in
// the last place (ulp) of the exact result, subnormal numbers having the ulp of the least normal
// ones, and infinity counting as the power of two that follows the largest number.
#pragma once
#include <cstdint>
#include <functional>
#include <ostream>
#include <span>
#include <vector>

#include <mpfr.h>

#include "ir/function.h"

namespace kiln::ir {

// The largest error met, and the first result that is wrong in kind (NaN, sign of zero, symmetry).
struct Worst {
  double ulp = 0;
  double x = 0, y = 0, got = 0;
  std::int64_t wrong = 0;
  double wrong_x = 0, wrong_y = 0, wrong_got = 0;

  void count(double error, double at_x, double at_y, double result);
  void count_wrong(double at_x, double at_y, double result);
  void merge(const Worst& other);
};
std::ostream& operator<<(std::ostream& out, const Worst& worst);

std::vector<float> run(Op op, const std::vector<float>& x, const std::vector<float>& y = {});
std::vector<double> run(Op op, const std::vector<double>& x, const std::vector<double>& y = {});

enum class Symmetry { none, odd, even };

// Every step-th of the 2^32 bit patterns. With a symmetry the reference is asked for half of them
// and the other half must have the same bits (but the sign).
Worst sweep(Op op, double (*reference)(double), Symmetry symmetry, std::uint64_t step);

// Pairs for which |x|^y is around the range of normal numbers, and some of any bits.
Worst sample_pow_f32(std::int64_t count);

Worst check_pow_f32(const std::vector<float>& x, const std::vector<float>& y);

// The next x, y of a double-precision function.
using Draw = std::function<void(std::uint64_t& state, double& x, double& y)>;
std::uint64_t random_bits(std::uint64_t& state);
double uniform(std::uint64_t& state, double low, double high);
Draw any_bits();
Draw between(double low, double high);  // and any bits, half of the time
Draw pow_pairs();

using Exact = int (*)(mpfr_t result, const mpfr_t x, const mpfr_t y);
using Quick = long double (*)(long double x, long double y);

// `count` draws against MPFR.
Worst sample_exact(Op op, Exact exact, const Draw& draw, std::int64_t count);
// The same against a reference in extended precision; what comes within 0.01 ulp of the worst so
// far, or differs in kind, is looked at again with MPFR; all is where long double is no wider.
Worst sample_quick(Op op, Quick quick, Exact exact, const Draw& draw, std::int64_t count);
Worst check_exact(Op op, Exact exact, std::span<const double> x, std::span<const double> y);

// Runs work(chunk) for every chunk below `chunks` on all processors and merges.
Worst in_parallel(std::int64_t chunks, const std::function<Worst(std::int64_t chunk)>& work);

}  // namespace kiln::ir
