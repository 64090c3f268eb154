// Private to ir/math: the words in which the functions are written.
#pragma once
#include <cstdint>
#include <initializer_list>

#include "ir/function.h"

namespace kiln::ir::math {

// The layout of a float type and the integers of its width.
struct Format {
  DType real, sint, uint;
  int width;
  int fraction;  // stored bits of the significand
  int bias;
  double round;  // 1.5 * 2^fraction: a + round - round is a rounded to an integer, and the low
                 // bits of a + round hold it; |a| < 2^(fraction - 1)
};
inline constexpr Format kSingle{DType::float32, DType::int32, DType::uint32, 32, 23, 127, 0x1.8p23};
inline constexpr Format kDouble{DType::float64, DType::int64, DType::uint64, 64, 52,
                                1023,           0x1.8p52};

inline Val real(const Format& f, FunctionBuilder& b, double value) {
  return b.constant(f.real, value);
}

// ((c0 x + c1) x + c2) x ... : the coefficients from the highest power down.
inline Val horner(Val x, std::initializer_list<double> coefficients) {
  const double* c = coefficients.begin();
  Val sum = like(x, *c);
  for (++c; c != coefficients.end(); ++c) sum = fma(sum, x, like(x, *c));
  return sum;
}

inline Val signed_bits(const Format& f, Val x) { return bitcast(f.sint, x); }
inline Val unsigned_bits(const Format& f, Val x) { return bitcast(f.uint, x); }

// 2^n for an integer n (type sint) in the range of normal numbers: 2 operations.
inline Val power_of_two(const Format& f, Val n) {
  return bitcast(f.real, (n + f.bias) << f.fraction);
}

// The same where `rounded` is n + f.round.
inline Val power_of_two_of(const Format& f, Val rounded) {
  const Val shifted = signed_bits(f, rounded) << f.fraction;
  return bitcast(f.real, shifted + like(shifted, f.bias * static_cast<double>(1LL << f.fraction)));
}

// p * 2^n where `rounded` is n + f.round and the result is normal: 2 operations on bits.
inline Val scale(const Format& f, Val p, Val rounded) {
  return bitcast(f.real, signed_bits(f, p) + (signed_bits(f, rounded) << f.fraction));
}

// The same for results that may be subnormal or infinite, |n| < 2 * bias: two exact factors and at
// most one rounding.
inline Val scale_wide(const Format& f, FunctionBuilder& b, Val p, Val rounded) {
  const Val n = signed_bits(f, rounded) - signed_bits(f, real(f, b, f.round));
  const Val half = n >> 1;
  return p * power_of_two(f, half) * power_of_two(f, n - half);
}

inline Val sign_mask(const Format& f, FunctionBuilder& b) {
  return b.constant_bits(f.uint, std::uint64_t{1} << (f.width - 1));
}

// |magnitude| with x's sign, for a magnitude that is not negative: 2 operations.
inline Val with_sign_of(const Format& f, FunctionBuilder& b, Val magnitude, Val x) {
  return bitcast(f.real, unsigned_bits(f, magnitude) | (unsigned_bits(f, x) & sign_mask(f, b)));
}

inline Val infinity(const Format& f, FunctionBuilder& b) {
  return b.constant_bits(f.real, ((std::uint64_t{1} << (f.width - f.fraction - 1)) - 1)
                                     << f.fraction);
}
inline Val quiet_nan(const Format& f, FunctionBuilder& b) {
  return b.constant_bits(f.real, ((std::uint64_t{1} << (f.width - f.fraction)) - 1)
                                     << (f.fraction - 1));
}

// Ends a function: gives its instructions, less unused ones, in the order of a walk from the result
// through the operands, which, unlike the order of their construction, no compiler's order of
// evaluating arguments can change.
Function finish(FunctionBuilder& b, Val result);

Function exp_f32();
Function exp_f64();
Function log_f32();
Function log_f64();
Function sin_f32();
Function sin_f64();
Function cos_f32();
Function cos_f64();
Function tanh_f32();
Function tanh_f64();
Function pow_f32();
Function pow_f64();

}  // namespace kiln::ir::math
