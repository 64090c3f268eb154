#include "ir/math/build.h"

namespace kiln::ir::math {

// x^y = 2^(y log2 |x|), the logarithm and its product with y as unevaluated sums of two numbers.
// |x| = 2^e m, m in [sqrt(1/2), sqrt(2)); s = (m - 1) / (m + 1), z = s^2,
// log2 m = s (C0 + z (C1 + z ...)) with Ck = 2 / ((2k + 1) log 2). The error of y log2 |x| counts
// by its absolute size, up to 150 (1075) here: the logarithm carries 9 (12) bits beyond a single
// number's. Negative x, zeros, infinities, NaN and results outside the normal range end in a rare
// region.
namespace {

// A value head + tail, |tail| at most about an ulp of head.
struct Pair {
  Val head, tail;
};

// |x|^y with the sign of an odd integer power, and what Annex F of C99 states, from p 2^n, which is
// |x|^y for |x| positive and finite; a = y log2 |x| rounded. Above `overflow` and below `underflow`
// p and n mean nothing.
Val finish_pow(const Format& f, FunctionBuilder& b, Val x, Val y, Val a, Val p, Val rounded,
               double overflow, double underflow) {
  const Val inf = infinity(f, b);
  const Val zero = like(x, 0);
  const Val ax = abs(x);
  Val v = scale_wide(f, b, p, rounded);
  v = select(a > overflow, inf, v);
  v = select(a < underflow, zero, v);
  const Val down = y < 0;
  v = select(ax == 0, select(down, inf, zero), v);
  v = select(ax == inf, select(down, zero, inf), v);

  const Val half = y * 0.5;
  const Val integral = rint(y) == y;
  const Val odd = integral & (rint(half) != half);
  const Val signed_zero = unsigned_bits(f, x) & sign_mask(f, b);
  const Val sign = select(odd, signed_zero, b.constant_int(f.uint, 0));
  v = bitcast(f.real, unsigned_bits(f, v) | sign);

  v = select((x < 0) & (ax < inf) & ~integral, quiet_nan(f, b), v);
  v = select((ax == 1) & (abs(y) == inf), like(x, 1), v);
  v = select((x != x) | (y != y), x + y, v);
  return select((x == 1) | (y == 0), like(x, 1), v);
}

struct Constants {
  const Format& format;
  std::int64_t sqrt_half;  // bits of sqrt(1/2)
  double least;            // the least normal number
  double c0, c0_tail;      // 2 / log 2
  double plain;            // a result is surely normal with |y log2 |x|| below this
  double overflow, underflow;
};
constexpr Constants kSingleConstants{kSingle,       0x3f3504f3, 0x1p-126, 0x1.715476p+1,
                                     0x1.4ae0cp-25, 125,        129,      -151};
constexpr Constants kDoubleConstants{
    kDouble, 0x3fe6a09e667f3bcd, 0x1p-1022, 0x1.71547652b82fep+1, 0x1.777d0ffda0d24p-55, 1021, 1025,
    -1077};

struct Quotient {
  Pair s, z;
};

// s and z: i = 1 / (m + 1) gives the quotient and, from the exact remainder, its tail.
Quotient quotient(Val m) {
  const Val d = m + 1;
  const Val d_tail = m - (d - 1);
  const Val i = 1 / d;
  const Val t = m - 1;
  const Val s = t * i;
  const Val minus_s = -s;
  const Val remainder = fma(minus_s, d, t);
  const Val s_tail = fma(minus_s, d_tail, remainder) * i;
  const Val z = s * s;
  const Val z_error = fma(s, s, -z);
  return {{s, s_tail}, {z, fma(s + s, s_tail, z_error)}};
}

// big + small and its rounding error.
Pair fast_sum(double big, Val small) {
  const Val sum = small + big;
  return {sum, small - (sum - big)};
}

// s (C0 + z P) + e.
Pair log2_from(const Constants& c, const Quotient& x, Pair sum, Val e) {
  const auto [s, s_tail] = x.s;
  const auto [z, z_tail] = x.z;
  const auto [p, p_tail] = sum;
  const Val w = z * p;
  const Val w_error = fma(z, p, -w);
  const Val w_more = fma(z, p_tail, w_error);
  const Val w_tail = fma(z_tail, p, w_more);
  const auto [v, v_error] = fast_sum(c.c0, w);
  const Val v_tail = v_error + (w_tail + c.c0_tail);
  const Val u = s * v;
  const Val u_error = fma(s, v, -u);
  const Val u_more = fma(s, v_tail, u_error);
  const Val u_tail = fma(s_tail, v, u_more);
  const Val head = e + u;
  return {head, (u - (head - e)) + u_tail};
}

// P(z) = C1 + q of degree 3: error 2^-36 of C0.
Pair log2_f32(Val m, Val e) {
  const Quotient x = quotient(m);
  const Val q = horner(x.z.head, {0x1.58abcep-2, 0x1.a5c96cp-2, 0x1.2777p-1, -0x1.28c4b2p-27});
  return log2_from(kSingleConstants, x, fast_sum(0x1.ec709ep-1, q), e);
}

// P(z) = C1 + z (C2 + z R(z)), R of degree 7: error 2^-76 of C0. C2 too has a tail.
Pair log2_f64(Val m, Val e) {
  const Quotient x = quotient(m);
  const Val z = x.z.head;
  const Val r = horner(
      z, {0x1.3b0d6bf327503p-3, 0x1.3549817cfec47p-3, 0x1.5ba6a39cd73fp-3, 0x1.89f3839e5ed8p-3,
          0x1.c68f56f07207p-3, 0x1.0c9a849907e3dp-2, 0x1.484b13d7c046ap-2, 0x1.a61762a7aded9p-2});
  const Val rest = fma(z, r, like(z, 0x1.e4b29ccc535d4p-55));
  const auto [c2, c2_tail] = fast_sum(0x1.2776c50ef9bfep-1, rest);
  const Val q = z * c2;
  const Val q_error = fma(z, c2, -q);
  const Val q_more = fma(z, c2_tail, q_error);
  const Val q_tail = fma(x.z.tail, c2, q_more);
  const auto [p, p_error] = fast_sum(0x1.ec709dc3a03fdp-1, q);
  const Val p_tail = p_error + (q_tail + 0x1.d27f05548af0cp-55);
  return log2_from(kDoubleConstants, x, {p, p_tail}, e);
}

Function pow_of(const char* name, const Constants& c, Pair (*log2)(Val, Val),
                std::initializer_list<double> coefficients) {
  const Format& f = c.format;
  const std::int64_t one = std::int64_t{1} << f.fraction;
  const std::int64_t exponents = (std::int64_t{1} << (f.width - f.fraction - 1)) - 2;
  FunctionBuilder b(name, {f.real, f.real}, f.real);
  const Val x = b.param(0);
  const Val y = b.param(1);
  const Val bits = signed_bits(f, x);
  const Val above = bitcast(f.uint, bits - b.constant_int(f.sint, one));
  const Val special = above >= b.constant_int(f.uint, exponents * one);
  const Val scaled = b.rare(special, bits, [&] {
    const Val ax = abs(x);
    const Val shifted = signed_bits(f, ax * static_cast<double>(one));
    const Val up = shifted - b.constant_int(f.sint, f.fraction * one);
    return select(ax < c.least, up, signed_bits(f, ax));
  });
  const Val e = (scaled - b.constant_int(f.sint, c.sqrt_half)) >> f.fraction;
  const Val m = bitcast(f.real, scaled - (e << f.fraction));
  const Pair l = log2(m, cast(f.real, e));

  const Val a = y * l.head;
  const Val a_error = fma(y, l.head, -a);
  const Val a_tail = fma(y, l.tail, a_error);
  const Val rounded = a + f.round;
  const Val n = rounded - f.round;
  const Val r = (a - n) + a_tail;
  const Val p = horner(r, coefficients);
  const Val rare = special | ~(abs(a) < c.plain);
  return finish(b, b.rare(rare, scale(f, p, rounded), [&] {
    return finish_pow(f, b, x, y, a, p, rounded, c.overflow, c.underflow);
  }));
}

}  // namespace

// 2^r of degree 6, relative error 3.8e-9.
// Bound: 0.96 ulp (measured). Cost: 67 operations, one of them a division, 55 in the rare regions.
Function pow_f32() {
  return pow_of("pow_f32", kSingleConstants, log2_f32,
                {0x1.3fb5f2p-13, 0x1.5f0e12p-10, 0x1.3b309p-7, 0x1.c6af72p-5, 0x1.ebfbd8p-3,
                 0x1.62e43p-1, 1});
}

// 2^r of degree 11, relative error 5.8e-18.
// Bound: 0.96 ulp (measured). Cost: 87 operations, one of them a division, 55 in the rare regions.
Function pow_f64() {
  return pow_of(
      "pow_f64", kDoubleConstants, log2_f64,
      {0x1.e9650ee77f5f5p-32, 0x1.e61e117f50c89p-28, 0x1.b5252c940f434p-24, 0x1.62bfc5f5269f3p-20,
       0x1.ffcbfc61b2e76p-17, 0x1.4309130f8b405p-13, 0x1.5d87fe789f8c1p-10, 0x1.3b2ab6fb9fd4bp-7,
       0x1.c6b08d704a128p-5, 0x1.ebfbdff82c5a6p-3, 0x1.62e42fefa39efp-1, 1});
}

}  // namespace kiln::ir::math
