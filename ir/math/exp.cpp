#include "ir/math/build.h"

namespace kiln::ir::math {

// After Cody and Waite: exp(x) = 2^n exp(r), n the integer nearest to x / log 2, r = x - n log 2 in
// two pieces
// (|r| <= 0.347), exp(r) by Horner's rule. 2^n is added to the exponent; where the result may be
// subnormal or infinite, the factor is applied in two steps in a rare region, where the limits at
// which the answer is 0 or infinite also cut off arguments too large for n.

namespace {

struct Constants {
  const Format& format;
  double log2_e, ln2, ln2_tail;
  double plain;           // up to this |x| the result is normal
  double infinite, zero;  // beyond these the result is that
};

Function exp_of(const char* name, const Constants& c, std::initializer_list<double> coefficients) {
  const Format& f = c.format;
  FunctionBuilder b(name, {f.real}, f.real);
  const Val x = b.param(0);
  const Val round = like(x, f.round);
  const Val rounded = fma(x, like(x, c.log2_e), round);
  const Val n = rounded - round;
  const Val near = fma(n, like(x, -c.ln2), x);
  const Val r = fma(n, like(x, -c.ln2_tail), near);
  const Val p = horner(r, coefficients);
  const Val wide = ~(abs(x) < c.plain);
  return finish(b, b.rare(wide, scale(f, p, rounded), [&] {
    const Val y = scale_wide(f, b, p, rounded);
    const Val bounded = select(x > c.infinite, infinity(f, b), y);
    return select(x < c.zero, like(x, 0), bounded);
  }));
}

}  // namespace

// Degree 6, relative error of the polynomial 3.2e-9 (minimax over float32 coefficients).
// Bound: 0.892 ulp. Cost: 15 operations, 13 in the rare region.
Function exp_f32() {
  constexpr Constants kConstants{kSingle, 0x1.715476p+0, 0x1.62e43p-1, -0x1.05c61p-29, 87,
                                 89,      -104};
  return exp_of("exp_f32", kConstants,
                {0x1.6a64ecp-10, 0x1.123c4ap-7, 0x1.55589ep-5, 0x1.55548ep-3, 0x1.fffffcp-2, 1, 1});
}

// Degree 11, relative error of the polynomial 3.8e-18.
// Bound: 0.90 ulp (measured). Cost: 20 operations, 13 in the rare region.
Function exp_f64() {
  constexpr Constants kConstants{
      kDouble, 0x1.71547652b82fep+0, 0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56, 708, 710, -746};
  return exp_of(
      "exp_f64", kConstants,
      {0x1.ad83ca015b51dp-26, 0x1.28aef17e26333p-22, 0x1.71df24ba266c8p-19, 0x1.a0199879144d2p-16,
       0x1.a01a0129aa37fp-13, 0x1.6c16c184babf4p-10, 0x1.111111112808fp-7, 0x1.55555555505f8p-5,
       0x1.55555555554f8p-3, 0x1.000000000000ap-1, 1, 1});
}

}  // namespace kiln::ir::math
