#include <algorithm>
#include <cmath>

#include "tests/cudasim/exec/float_bits.h"
#include "tests/cudasim/exec/lanes.h"
#include "tests/cudasim/exec/ops.h"

namespace cudasim {
namespace {

// Rounds to a format with kPrecision significant bits, smallest normal exponent kMinExponent and
// infinity encoded as kInfinity: one rounding, subnormals included.
template <int kPrecision, int kMinExponent, U32 kInfinity>
U16 encode(double value, Rounding rounding) {
  const U64 bits = std::bit_cast<U64>(value);
  const U32 sign = static_cast<U32>(bits >> 63) << 15;
  const U64 fraction = bits & 0xfffffffffffffu;
  const int biased = static_cast<int>(bits >> 52 & 0x7ff);
  if (biased == 0x7ff) return static_cast<U16>(fraction != 0 ? 0x7fff : sign | kInfinity);
  if (biased == 0) {
    const bool up = fraction != 0 && ((rounding == Rounding::kUp && sign == 0) ||
                                      (rounding == Rounding::kDown && sign != 0));
    return static_cast<U16>(sign | (up ? 1 : 0));
  }
  const int exponent = biased - 1023;
  const bool normal = exponent >= kMinExponent;
  const int quantum = (normal ? exponent : kMinExponent) - (kPrecision - 1);
  const int shift = std::min(quantum - (exponent - 52), 63);
  const U64 significand = fraction | U64{1} << 52;
  U64 kept = significand >> shift;
  const U64 rest = significand & ((U64{1} << shift) - 1);
  const U64 half = U64{1} << (shift - 1);
  bool up = false;
  switch (rounding) {
    case Rounding::kZero:
      break;
    case Rounding::kUp:
      up = rest != 0 && sign == 0;
      break;
    case Rounding::kDown:
      up = rest != 0 && sign != 0;
      break;
    default:
      up = rest > half || (rest == half && (kept & 1) != 0);
  }
  kept += up ? 1 : 0;
  const U64 base = normal ? static_cast<U64>(exponent - kMinExponent) << (kPrecision - 1) : 0;
  const U64 code = base + kept;  // a carry moves on to the next exponent by itself
  if (code < kInfinity) return static_cast<U16>(sign | code);
  const bool to_infinity = rounding == Rounding::kNone || rounding == Rounding::kNearest ||
                           (rounding == Rounding::kUp && sign == 0) ||
                           (rounding == Rounding::kDown && sign != 0);
  return static_cast<U16>(sign | (to_infinity ? kInfinity : kInfinity - 1));
}

// The sum rounded to odd, so that a second rounding to a narrow format is exact.
double add_to_odd(double a, double b) {
  const double sum = a + b;
  const double part = sum - a;
  const double error = (a - (sum - part)) + (b - part);
  U64 bits = std::bit_cast<U64>(sum);
  if (error == 0 || error != error || (bits & 1) != 0) return sum;
  bits += std::signbit(error) == std::signbit(sum) ? U64{1} : ~U64{0};
  return std::bit_cast<double>(bits);
}

struct Half {
  static float decode(U16 bits) { return half_to_float(bits); }
  static U16 round(double value) { return half_from_double(value, Rounding::kNearest); }
  static constexpr U16 kExponent = 0x7c00;
  static constexpr U16 kOne = 0x3c00;
};
struct Brain {
  static float decode(U16 bits) { return bf16_to_float(bits); }
  static U16 round(double value) { return bf16_from_double(value, Rounding::kNearest); }
  static constexpr U16 kExponent = 0x7f80;
  static constexpr U16 kOne = 0x3f80;
};

template <class F>
U16 flush16(U16 bits) {
  return (bits & F::kExponent) == 0 ? static_cast<U16>(bits & 0x8000) : bits;
}

struct AddH {
  template <class F>
  static U16 apply(U16 a, U16 b) {
    return F::round(add_to_odd(F::decode(a), F::decode(b)));
  }
};
struct SubH {
  template <class F>
  static U16 apply(U16 a, U16 b) {
    return F::round(add_to_odd(F::decode(a), -static_cast<double>(F::decode(b))));
  }
};
struct MulH {
  template <class F>
  static U16 apply(U16 a, U16 b) {
    return F::round(static_cast<double>(F::decode(a)) * F::decode(b));
  }
};
struct FmaH {
  template <class F>
  static U16 apply(U16 a, U16 b, U16 c) {
    return F::round(add_to_odd(static_cast<double>(F::decode(a)) * F::decode(b), F::decode(c)));
  }
};
template <bool kMin, bool kNan>
struct MinMaxH {
  template <class F>
  static U16 apply(U16 a, U16 b) {
    const bool a_nan = (a & 0x7fff) > F::kExponent;
    const bool b_nan = (b & 0x7fff) > F::kExponent;
    if (a_nan || b_nan) return kNan || (a_nan && b_nan) ? U16{0x7fff} : (a_nan ? b : a);
    // Sign and size as one ordered integer puts -0 below +0.
    const S32 x = a & 0x8000 ? -(a & 0x7fff) - 1 : a;
    const S32 y = b & 0x8000 ? -(b & 0x7fff) - 1 : b;
    return (kMin ? x < y : x > y) ? a : b;
  }
};
struct AbsH {
  template <class F>
  static U16 apply(U16 a) {
    return static_cast<U16>(a & 0x7fff);
  }
};
struct NegH {
  template <class F>
  static U16 apply(U16 a) {
    return static_cast<U16>(a ^ 0x8000);
  }
};
struct Ex2H {
  template <class F>
  static U16 apply(U16 a) {
    return F::round(std::exp2(static_cast<double>(F::decode(a))));
  }
};
struct TanhH {
  template <class F>
  static U16 apply(U16 a) {
    return F::round(std::tanh(static_cast<double>(F::decode(a))));
  }
};

template <class F, class Op, bool kFlush, bool kSat>
struct Single {
  using D = U16;
  using A = U16;
  using B = U16;
  using C = U16;
  static U16 in(U16 x) { return kFlush ? flush16<F>(x) : x; }
  template <class... Args>
  static U16 apply(Args... args) {
    U16 result = Op::template apply<F>(in(args)...);
    if (kSat) {
      const float value = F::decode(result);
      result = value > 0 ? (value < 1 ? result : F::kOne) : U16{0};
    }
    return in(result);
  }
};

template <class F, class Op, bool kFlush, bool kSat>
struct Pair {
  using D = U32;
  using A = U32;
  using B = U32;
  using C = U32;
  using One = Single<F, Op, kFlush, kSat>;
  template <class... Args>
  static U32 apply(Args... args) {
    const U16 low = One::apply(static_cast<U16>(args)...);
    const U16 high = One::apply(static_cast<U16>(args >> 16)...);
    return low | static_cast<U32>(high) << 16;
  }
};

template <class Op, int kArity>
Handler handler() {
  if constexpr (kArity == 1) {
    return &run_unary<Op>;
  } else if constexpr (kArity == 2) {
    return &run_binary<Op>;
  } else {
    return &run_ternary<Op>;
  }
}

template <template <class, class, bool, bool> class Shape, class F, class Op, int kArity>
Handler pick_mode(const FloatMode& mode) {
  if (mode.flush) {
    return mode.saturate ? handler<Shape<F, Op, true, true>, kArity>()
                         : handler<Shape<F, Op, true, false>, kArity>();
  }
  return mode.saturate ? handler<Shape<F, Op, false, true>, kArity>()
                       : handler<Shape<F, Op, false, false>, kArity>();
}

template <class Op, int kArity>
Handler pick(Type type, const FloatMode& mode) {
  switch (type) {
    case Type::kF16:
      return pick_mode<Single, Half, Op, kArity>(mode);
    case Type::kF16x2:
      return pick_mode<Pair, Half, Op, kArity>(mode);
    case Type::kBf16:
      return mode.flush || mode.saturate ? nullptr : pick_mode<Single, Brain, Op, kArity>(mode);
    case Type::kBf16x2:
      return mode.flush || mode.saturate ? nullptr : pick_mode<Pair, Brain, Op, kArity>(mode);
    default:
      return nullptr;
  }
}

// ex2.approx.ftz.bf16 is the one flushing form of bf16.
Handler pick_ex2(Type type, FloatMode mode) {
  if (type == Type::kBf16 || type == Type::kBf16x2) mode.flush = false;
  return pick<Ex2H, 1>(type, mode);
}

}  // namespace

float half_to_float(U16 bits) {
  const U32 sign = static_cast<U32>(bits & 0x8000) << 16;
  const U32 size = bits & 0x7fff;
  // Scaling by a power of two places the exponent, subnormals included, exactly.
  const float scaled = std::bit_cast<float>(size << 13) * 0x1p112f;
  const U32 special = 0x7f800000u | (size & 0x3ff) << 13;
  const U32 result = size >= 0x7c00 ? special : std::bit_cast<U32>(scaled);
  return std::bit_cast<float>(sign | result);
}

float bf16_to_float(U16 bits) { return std::bit_cast<float>(static_cast<U32>(bits) << 16); }

U16 half_from_double(double value, Rounding rounding) {
  return encode<11, -14, 0x7c00>(value, rounding);
}

U16 bf16_from_double(double value, Rounding rounding) {
  return encode<8, -126, 0x7f80>(value, rounding);
}

Handler half_op(FloatOp op, Type type, const FloatMode& mode) {
  if (mode.rounding != Rounding::kNone && mode.rounding != Rounding::kNearest) return nullptr;
  const bool bits_only =
      op == FloatOp::kMin || op == FloatOp::kMax || op == FloatOp::kAbs || op == FloatOp::kNeg;
  if (bits_only && mode.saturate) return nullptr;
  switch (op) {
    case FloatOp::kAdd:
      return pick<AddH, 2>(type, mode);
    case FloatOp::kSub:
      return pick<SubH, 2>(type, mode);
    case FloatOp::kMul:
      return pick<MulH, 2>(type, mode);
    case FloatOp::kFma:
      return pick<FmaH, 3>(type, mode);
    case FloatOp::kMin:
      return mode.nan ? pick<MinMaxH<true, true>, 2>(type, mode)
                      : pick<MinMaxH<true, false>, 2>(type, mode);
    case FloatOp::kMax:
      return mode.nan ? pick<MinMaxH<false, true>, 2>(type, mode)
                      : pick<MinMaxH<false, false>, 2>(type, mode);
    case FloatOp::kAbs:
      return pick<AbsH, 1>(type, mode);
    case FloatOp::kNeg:
      return pick<NegH, 1>(type, mode);
    case FloatOp::kEx2:
      return pick_ex2(type, mode);
    case FloatOp::kTanh:
      return pick<TanhH, 1>(type, mode);
    default:
      return nullptr;
  }
}

}  // namespace cudasim
