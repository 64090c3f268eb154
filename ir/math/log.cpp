#include "ir/math/build.h"

namespace kiln::ir::math {
namespace {

struct Split {
  Val special;      // not a positive normal number
  Val significand;  // m in [sqrt(1/2), sqrt(2))
  Val exponent;     // e as an integer; x = 2^e m
};

// 6 operations on bits. Subnormal numbers are scaled first, in a rare region. For zero, negative
// numbers, infinities and NaN the parts have no meaning.
Split split(const Format& f, FunctionBuilder& b, Val x, std::int64_t sqrt_half) {
  const std::int64_t one = std::int64_t{1} << f.fraction;
  const std::int64_t exponents = (std::int64_t{1} << (f.width - f.fraction - 1)) - 2;
  const Val bits = signed_bits(f, x);
  const Val special = bitcast(f.uint, bits - b.constant_int(f.sint, one)) >=
                      b.constant_int(f.uint, exponents * one);
  const Val scaled = b.rare(special, bits, [&] {
    return signed_bits(f, x * static_cast<double>(one)) - b.constant_int(f.sint, f.fraction * one);
  });
  const Val e = (scaled - b.constant_int(f.sint, sqrt_half)) >> f.fraction;
  return {special, bitcast(f.real, scaled - (e << f.fraction)), e};
}

Val finish_special(const Format& f, FunctionBuilder& b, Val x, Val special, Val y) {
  return b.rare(special, y, [&] {
    const Val positive = select(x < infinity(f, b), y, x);
    const Val rest = select(x == 0, -infinity(f, b), positive);
    return select(x < 0, quiet_nan(f, b), rest);
  });
}

}  // namespace

// log(x) = e log 2 + log(m), x = 2^e m; with t = m - 1, log(m) = t + t^2 (-1/2 + t P(t)), P of
// degree 7 (relative error 6.3e-9). log 2 in one piece is enough: its error is 2^-29 of it.
// Bound: 0.936 ulp. Cost: 19 operations, 9 in the rare regions.
Function log_f32() {
  const Format& f = kSingle;
  FunctionBuilder b("log_f32", {f.real}, f.real);
  const Val x = b.param(0);
  const Split s = split(f, b, x, 0x3f3504f3);
  const Val t = s.significand - 1;
  const Val q = horner(t, {-0x1.35c6a2p-4, 0x1.048a0ap-3, -0x1.0dbe7p-3, 0x1.230222p-3,
                           -0x1.546fd8p-3, 0x1.999d9cp-3, -0x1.00022ap-2, 0x1.55555ap-2, -0.5});
  const Val log_m = fma(t * t, q, t);
  const Val y = fma(cast(f.real, s.exponent), like(x, 0x1.62e43p-1), log_m);
  return finish(b, finish_special(f, b, x, s.special, y));
}

// With t = m - 1, s = t / (2 + t) and z = s^2: log(m) = t - (t^2/2 - s (t^2/2 + z R(z))), R of
// degree 6 (relative error 4.5e-18); the arrangement is that of FDLIBM. log 2 in two pieces. Bound:
// 0.90 ulp (measured). Cost: 25 operations, one of them a division, 9 in the rare regions.
Function log_f64() {
  const Format& f = kDouble;
  FunctionBuilder b("log_f64", {f.real}, f.real);
  const Val x = b.param(0);
  const Split parts = split(f, b, x, 0x3fe6a09e667f3bcd);
  const Val t = parts.significand - 1;
  const Val s = t / (t + 2);
  const Val z = s * s;
  const Val half_square = t * 0.5 * t;
  const Val r = horner(
      z, {0x1.2b5f5b2f885e6p-3, 0x1.39fdcbbcec863p-3, 0x1.7462b925f9ffcp-3, 0x1.c71c62d649d8cp-3,
          0x1.2492492dfb9b8p-2, 0x1.99999999952b9p-2, 0x1.5555555555558p-1});
  const Val n = cast(f.real, parts.exponent);
  const Val inner = fma(z, r, half_square);
  const Val small = fma(s, inner, n * 0x1.abc9e3b39803fp-56);
  const Val log_m = t - (half_square - small);
  const Val y = fma(n, like(x, 0x1.62e42fefa39efp-1), log_m);
  return finish(b, finish_special(f, b, x, parts.special, y));
}

}  // namespace kiln::ir::math
