#include "ir/math/build.h"

namespace kiln::ir::math {

// Of a = |x|, with the sign put back at the end. Small a: a + a^3 P(a^2). Otherwise
// tanh(a) = 1 - 2 / (exp(2a) + 1), where exp(2a) + 1 = (2^n + 1) + 2^n (exp(2r) - 1) is rounded
// once; a is cut off where the result is 1. NaN takes the first way.

namespace {

struct Constants {
  const Format& format;
  double limit;  // a below this is small
  double one;    // from here on the result is 1
  double two_log2_e, half_ln2, half_ln2_tail;
};

// `small`: P; `exponential`: (exp(2r) - 1) / r.
Function tanh_of(const char* name, const Constants& c, std::initializer_list<double> small,
                 std::initializer_list<double> exponential) {
  const Format& f = c.format;
  FunctionBuilder b(name, {f.real}, f.real);
  const Val x = b.param(0);
  const Val a = abs(x);
  const Val z = a * a;
  const Val p = horner(z, small);
  const Val near = fma(p, a * z, a);

  const Val cut = select(a < c.one, a, like(a, c.one));
  const Val round = like(x, f.round);
  const Val rounded = fma(cut, like(x, c.two_log2_e), round);
  const Val n = rounded - round;
  const Val r_rough = fma(n, like(x, -c.half_ln2), cut);
  const Val r = fma(n, like(x, -c.half_ln2_tail), r_rough);
  const Val e = horner(r, exponential) * r;
  const Val power = power_of_two_of(f, rounded);
  const Val power_and_one = power + 1;
  const Val far = 1 - 2 / fma(power, e, power_and_one);
  return finish(b, with_sign_of(f, b, select(a >= c.limit, far, near), x));
}

}  // namespace

// P of degree 6, relative error 3.4e-9, for a < 0.975, from where on the rounding errors of the
// quotient stay below half an ulp of the result; exp(2r) - 1 of degree 6.
// Bound: 0.936 ulp. Cost: 32 operations, one of them a division.
Function tanh_f32() {
  constexpr Constants kConstants{kSingle,       0x1.f33334p-1, 10,
                                 0x1.715476p+1, 0x1.62e43p-2,  -0x1.05c61p-30};
  return tanh_of("tanh_f32", kConstants,
                 {-0x1.8f1ddap-12, 0x1.36c0c4p-9, -0x1.072706p-7, 0x1.60dcf8p-6, -0x1.b981aep-5,
                  0x1.110cf4p-3, -0x1.555542p-2},
                 {0x1.6a64ecp-4, 0x1.123c4ap-2, 0x1.55589ep-1, 0x1.55548ep+0, 0x1.fffffcp+0, 2});
}

// P of degree 10, relative error 1.0e-17, for a < 0.625; exp(2r) - 1 of degree 11.
// Bound: 1.25 ulp (measured). Cost: 41 operations, one of them a division.
Function tanh_f64() {
  constexpr Constants kConstants{
      kDouble, 0.625, 20, 0x1.71547652b82fep+1, 0x1.62e42fefa39efp-2, 0x1.abc9e3b39803fp-57};
  return tanh_of(
      "tanh_f64", kConstants,
      {-0x1.0da4a0f1bf849p-16, 0x1.438fb8f5c314fp-14, -0x1.df54cb7155e89p-13, 0x1.3365faf258609p-11,
       -0x1.7d689f11f4481p-10, 0x1.d6cf279954d3fp-9, -0x1.226e1627b6e16p-7, 0x1.664f477aa8e77p-6,
       -0x1.ba1ba1b504efap-5, 0x1.111111110aca6p-3, -0x1.55555555554ffp-2},
      {0x1.ad83ca015b51dp-15, 0x1.28aef17e26333p-12, 0x1.71df24ba266c8p-10, 0x1.a0199879144d2p-8,
       0x1.a01a0129aa37fp-6, 0x1.6c16c184babf4p-4, 0x1.111111112808fp-2, 0x1.55555555505f8p-1,
       0x1.55555555554f8p+0, 0x1.000000000000ap+1, 2});
}

}  // namespace kiln::ir::math
