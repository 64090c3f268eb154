#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "ir/math/build.h"

namespace kiln::ir::math {

// sin and cos of a = |x|: n is the integer nearest to a * 2 / pi, a - n pi/2 is known as head +
// tail, |head| <= pi/4 (and a little), and the quadrant n mod 4 chooses between sin and cos of it
// and the sign. The tail keeps the error below one ulp also where the result is much smaller
// than 1.
//
// a - n pi/2: pi/2 in three pieces. The first product is exact inside its fma, and so is the
// difference (it cancels); the second product and the sum are done with their rounding errors,
// where Fast2Sum is exact because what it adds to is a multiple of a coarser unit. From a certain
// |x| on (and for infinities and NaN) the fraction of a * 2 / pi is instead computed in integers,
// from the words of 2 / pi that the exponent selects (Payne and Hanek), in a rare region, which
// holds the polynomials once more: one region gives one value.
namespace {

struct Reduced {
  Val head, tail;
  Val quadrant;  // of Format::uint; its two low bits count
};

struct Constants {
  const Format& format;
  double two_over_pi;
  double half_pi[3];  // the pieces; their sum is good to three times a number's precision
  double limit;       // the integer reduction takes |x| from here on
};
constexpr Constants kSingleConstants{
    kSingle, 0x1.45f306p-1, {0x1.921fb6p+0, -0x1.777a5cp-25, -0x1.ee59dap-50}, 1e5};
constexpr Constants kDoubleConstants{
    kDouble,
    0x1.45f306dc9c883p-1,
    {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54, -0x1.f1976b7ed8fbcp-110},
    1e9};

Reduced reduce(const Constants& c, Val a) {
  const Format& f = c.format;
  const Val rounded = fma(a, like(a, c.two_over_pi), like(a, f.round));
  const Val n = rounded - f.round;
  const Val first = fma(n, like(a, -c.half_pi[0]), a);
  const Val product = n * -c.half_pi[1];
  const Val product_tail = fma(n, like(a, -c.half_pi[1]), -product);
  const Val head = first + product;
  const Val sum_tail = (first - head) + product;
  const Val tail = sum_tail + fma(n, like(a, -c.half_pi[2]), product_tail);
  return {head, tail, unsigned_bits(f, rounded)};
}

// The bits of 2 / pi after the binary point, a word of zeros first.
constexpr std::array<std::uint32_t, 7> kWords32{0,          0xa2f9836e, 0x4e441529, 0xfc2757d1,
                                                0xf534ddc0, 0xdb629599, 0x3c439041};
constexpr std::array<std::uint64_t, 19> kWords64{0,
                                                 0xa2f9836e4e441529,
                                                 0xfc2757d1f534ddc0,
                                                 0xdb6295993c439041,
                                                 0xfe5163abdebbc561,
                                                 0xb7246e3a424dd2e0,
                                                 0x06492eea09d1921c,
                                                 0xfe1deb1cb129a73e,
                                                 0xe88235f52ebb4484,
                                                 0xe99c7026b45f7e41,
                                                 0x3991d639835339f4,
                                                 0x9c845f8bbdf9283b,
                                                 0x1ff897ffde05980f,
                                                 0xef2f118b5a0a6d1f,
                                                 0x6d367ecf27cb09b7,
                                                 0x4f463f669e5fea2d,
                                                 0x7527bac7ebe5f17b,
                                                 0x3d0739f78a5292ea,
                                                 0x6bfb5fb11f8d5d08};

// The three words that begin at bit `from` of the table: words from / width .. are chosen by
// halving (one select for each bit of the number of the word), then shifted together.
template <class Word>
std::array<Val, 3> window(const Format& f, FunctionBuilder& b, std::span<const Word> table,
                          Val from) {
  std::vector<Val> words;
  for (const Word word : table) {
    words.push_back(b.constant_int(f.uint, static_cast<std::int64_t>(word)));
  }
  const int log_width = f.width == 32 ? 5 : 6;
  const Val block = from >> log_width;
  std::size_t step = 1;
  while (2 * step <= table.size() - 4) step *= 2;
  for (; step >= 1; step /= 2) {
    const Val far = (block & static_cast<double>(step)) != 0;
    const std::size_t kept = std::min(words.size() - step, step + 3);
    for (std::size_t i = 0; i < kept; ++i) words[i] = select(far, words[i + step], words[i]);
    words.erase(words.begin() + static_cast<std::ptrdiff_t>(kept), words.end());
  }
  const Val shift = from & (f.width - 1);
  const Val back = f.width - shift;
  std::array<Val, 3> result;
  for (std::size_t i = 0; i < 3; ++i) {
    const Val upper = words[i] << shift;
    result[i] = upper | (words[i + 1] >> back);
  }
  return result;
}

// head + tail = (high + low) 2^-64 pi/2, where low is at most an ulp of high.
Reduced angle(const Constants& c, Val high, Val low, Val quadrant, Val a) {
  const Format& f = c.format;
  FunctionBuilder& b = *a.builder;
  const Val fraction = high + low;
  const Val fraction_tail = low - (fraction - high);
  constexpr double scale = 0x1p-64;
  const Val first = like(a, c.half_pi[0] * scale);
  const Val r = fraction * first;
  const Val r_error = fma(fraction, first, -r);
  const Val second = fraction * (c.half_pi[1] * scale);
  const Val rest = r_error + fma(fraction_tail, first, second);
  const Val sum = r + rest;
  const Val head = select(a < infinity(f, b), sum, quiet_nan(f, b));
  return {head, rest - (sum - r), quadrant};
}

// |x| * 2 / pi modulo 4 as a 64-bit multiple of 2^-62, from 96 bits of 2 / pi.
Reduced reduce_huge_f32(FunctionBuilder& b, Val a) {
  const auto wide = [](Val v) { return cast(DType::uint64, v); };
  const Val bits = bitcast(DType::uint32, a);
  const auto w = window<std::uint32_t>(kSingle, b, kWords32, (bits >> 23) - 128);
  const Val m = (bits << 8) | b.constant_int(DType::uint32, 0x80000000);
  const Val m_wide = wide(m);
  const Val upper = wide(w[0] * m) << 32;
  const Val middle = wide(w[1]) * m_wide;
  const Val turns = upper + middle + wide(mul_hi(w[2], m));
  const Val fraction = bitcast(DType::int64, turns << 2);
  const Val high = cast(DType::float32, fraction);
  const Val low = cast(DType::float32, fraction - cast(DType::int64, high));
  const Val half = b.constant_int(DType::uint64, std::int64_t{1} << 61);
  return angle(kSingleConstants, high, low, cast(DType::uint32, (turns + half) >> 62), a);
}

// The same as a 128-bit multiple of 2^-126, from 192 bits of 2 / pi.
Reduced reduce_huge_f64(FunctionBuilder& b, Val a) {
  const Val bits = bitcast(DType::uint64, a);
  const auto w = window<std::uint64_t>(kDouble, b, kWords64, (bits >> 52) - 1024);
  const Val m = (bits << 11) | sign_mask(kDouble, b);
  const Val middle = w[1] * m;
  const Val lower = middle + mul_hi(w[2], m);
  const Val carry = select(lower < middle, like(m, 1), like(m, 0));
  const Val middle_high = mul_hi(w[1], m);
  const Val upper = w[0] * m + middle_high + carry;
  const Val fraction_bits = upper << 2;
  const Val fraction = bitcast(DType::int64, fraction_bits | (lower >> 62));
  const Val high = cast(DType::float64, fraction);
  const Val low = cast(DType::float64, fraction - cast(DType::int64, high));
  const Val lowest = cast(DType::float64, lower << 2) * 0x1p-64;
  const Val half = b.constant_int(DType::uint64, std::int64_t{1} << 61);
  return angle(kDoubleConstants, high, low + lowest, (upper + half) >> 62, a);
}

// sin: the sign of x and bit 1 of n; cos: bit 1 of n + 1, and the two values change places.
Val combine(const Format& f, Val x, bool cosine, Val quadrant, Val sin_r, Val cos_r) {
  const Val mask = sign_mask(f, *x.builder);
  const Val odd = (quadrant & 1) != 0;
  const Val y = cosine ? select(odd, sin_r, cos_r) : select(odd, cos_r, sin_r);
  const Val turned = (cosine ? quadrant + 1 : quadrant) << (f.width - 2);
  const Val sign = (cosine ? turned : turned ^ unsigned_bits(f, x)) & mask;
  return bitcast(f.real, unsigned_bits(f, y) ^ sign);
}

// r + (r^3 P(r^2) + tail) and 1 + r (r^3 Q(r^2) - r / 2 - tail).
Val values(const Constants& c, Val x, bool cosine, const Reduced& r,
           std::initializer_list<double> p_coefficients,
           std::initializer_list<double> q_coefficients) {
  const Val z = r.head * r.head;
  const Val cube = r.head * z;
  const Val p = horner(z, p_coefficients);
  const Val sin_r = r.head + fma(p, cube, r.tail);
  const Val q = horner(z, q_coefficients);
  const Val inner = fma(r.head, like(x, -0.5), cube * q) - r.tail;
  const Val cos_r = fma(inner, r.head, like(x, 1));
  return combine(c.format, x, cosine, r.quadrant, sin_r, cos_r);
}

// P of degree 2 (relative error of the sine 4.2e-9), Q of degree 2 (1.4e-10).
// Bound: 0.927 ulp. Cost: 33 operations, 80 in the rare region.
Function sin_or_cos_f32(const char* name, bool cosine) {
  FunctionBuilder b(name, {DType::float32}, DType::float32);
  const Val x = b.param(0);
  const Val a = abs(x);
  const auto value = [&](const Reduced& r) {
    return values(kSingleConstants, x, cosine, r, {-0x1.99223ap-13, 0x1.1106d2p-7, -0x1.555544p-3},
                  {0x1.99e228p-16, -0x1.6c0c1cp-10, 0x1.55554ap-5});
  };
  const Val y = value(reduce(kSingleConstants, a));
  const Val huge = ~(a < kSingleConstants.limit);
  return finish(b, b.rare(huge, y, [&] { return value(reduce_huge_f32(b, a)); }));
}

// P of degree 5 (relative error of the sine 4.1e-18), Q of degree 5 (6.4e-20).
// Bound: 0.95 ulp (measured). Cost: 39 operations, 112 in the rare region.
Function sin_or_cos_f64(const char* name, bool cosine) {
  FunctionBuilder b(name, {DType::float64}, DType::float64);
  const Val x = b.param(0);
  const Val a = abs(x);
  const auto value = [&](const Reduced& r) {
    return values(kDoubleConstants, x, cosine, r,
                  {0x1.5d819de3b34c1p-33, -0x1.ae5e2a4a889cfp-26, 0x1.71de352b0ef3cp-19,
                   -0x1.a01a019bb8c96p-13, 0x1.111111110f5acp-7, -0x1.5555555555547p-3},
                  {-0x1.8f9766723037bp-37, 0x1.1ee9bf16f1e6ep-29, -0x1.27e4f7c80f6d4p-22,
                   0x1.a01a019c56c53p-16, -0x1.6c16c16c14ddfp-10, 0x1.555555555554ap-5});
  };
  const Val y = value(reduce(kDoubleConstants, a));
  const Val huge = ~(a < kDoubleConstants.limit);
  return finish(b, b.rare(huge, y, [&] { return value(reduce_huge_f64(b, a)); }));
}

}  // namespace

Function sin_f32() { return sin_or_cos_f32("sin_f32", false); }
Function sin_f64() { return sin_or_cos_f64("sin_f64", false); }
Function cos_f32() { return sin_or_cos_f32("cos_f32", true); }
Function cos_f64() { return sin_or_cos_f64("cos_f64", true); }

}  // namespace kiln::ir::math
