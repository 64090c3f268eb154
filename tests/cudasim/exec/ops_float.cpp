#include <cmath>

#include "tests/cudasim/exec/float_bits.h"
#include "tests/cudasim/exec/lanes.h"
#include "tests/cudasim/exec/ops.h"

namespace cudasim {
namespace {

struct AddF {
  template <class T>
  static T apply(T a, T b) {
    return a + b;
  }
};
struct SubF {
  template <class T>
  static T apply(T a, T b) {
    return a - b;
  }
};
struct MulF {
  template <class T>
  static T apply(T a, T b) {
    return a * b;
  }
};
struct DivF {
  template <class T>
  static T apply(T a, T b) {
    return a / b;
  }
};
// The quotient of a divisor beyond 2^126 is zero: the documented gap of div.approx.
struct DivApproxF {
  static float apply(float a, float b) {
    const float size = std::fabs(b);
    if (size > 0x1p126f && size <= 0x1.fffffep127f && !(std::fabs(a) <= 0x1.fffffep127f)) {
      return std::bit_cast<float>(kNan32);
    }
    if (size > 0x1p126f && size <= 0x1.fffffep127f)
      return std::copysign(0.0f, a) * std::copysign(1.0f, b);
    return a / b;
  }
};
// NaN loses unless asked for; -0 is below +0.
template <bool kNan>
struct MinF {
  template <class T>
  static T apply(T a, T b) {
    if (a != a || b != b) return kNan || (a != a && b != b) ? a + b : (a != a ? b : a);
    if (a == b) return std::signbit(a) ? a : b;
    return a < b ? a : b;
  }
};
template <bool kNan>
struct MaxF {
  template <class T>
  static T apply(T a, T b) {
    if (a != a || b != b) return kNan || (a != a && b != b) ? a + b : (a != a ? b : a);
    if (a == b) return std::signbit(a) ? b : a;
    return a > b ? a : b;
  }
};
struct FmaF {
  static float apply(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
  static double apply(double a, double b, double c) { return __builtin_fma(a, b, c); }
};
struct SqrtF {
  template <class T>
  static T apply(T a) {
    return std::sqrt(a);
  }
};
struct RcpF {
  template <class T>
  static T apply(T a) {
    return T{1} / a;
  }
};

// Approximate units: computed in f64 and rounded once, so more exact than a device.
struct RsqrtF {
  static float apply(float a) {
    return static_cast<float>(1.0 / std::sqrt(static_cast<double>(a)));
  }
  static double apply(double a) { return 1.0 / std::sqrt(a); }
};
struct SinF {
  static float apply(float a) { return static_cast<float>(std::sin(static_cast<double>(a))); }
};
struct CosF {
  static float apply(float a) { return static_cast<float>(std::cos(static_cast<double>(a))); }
};
struct Lg2F {
  static float apply(float a) { return static_cast<float>(std::log2(static_cast<double>(a))); }
};
struct Ex2F {
  static float apply(float a) { return static_cast<float>(std::exp2(static_cast<double>(a))); }
};
struct TanhF {
  static float apply(float a) { return static_cast<float>(std::tanh(static_cast<double>(a))); }
};

// Sign operations pass every other bit on.
struct AbsF {
  static float apply(float a) { return std::bit_cast<float>(std::bit_cast<U32>(a) & 0x7fffffffu); }
  static double apply(double a) { return std::bit_cast<double>(std::bit_cast<U64>(a) << 1 >> 1); }
};
struct NegF {
  static float apply(float a) { return std::bit_cast<float>(std::bit_cast<U32>(a) ^ 0x80000000u); }
  static double apply(double a) {
    return std::bit_cast<double>(std::bit_cast<U64>(a) ^ (U64{1} << 63));
  }
};

// One instruction's arithmetic around the bare operation: flush, operate, saturate, flush, NaN.
template <class T, class Op, bool kFlush, bool kSat>
struct Wrapped {
  using D = T;
  using A = T;
  using B = T;
  using C = T;
  static T in(T x) {
    if constexpr (kFlush) return flush32(x);
    return x;
  }
  template <class... Args>
  static T apply(Args... args) {
    T result = Op::apply(in(args)...);
    if constexpr (kSat) {
      result = saturate(result);
    } else {
      result = canonical(result);
    }
    return in(result);
  }
};

template <class T, class Op, bool kFlush>
struct SignOnly {
  using D = T;
  using A = T;
  static T apply(T a) {
    if constexpr (kFlush) a = flush32(a);
    return Op::apply(a);
  }
};

template <class T>
struct Copysign {
  using D = T;
  using A = T;
  using B = T;
  static T apply(T sign, T size) { return std::copysign(size, sign); }
};

template <Handler kRun>
void run_rounded(Warp& w, const Inst& in, U32 mask) {
  const RoundingScope scope(static_cast<Rounding>(in.mode));
  kRun(w, in, mask);
}

template <Handler kRun>
Handler rounded(Rounding rounding) {
  return rounding == Rounding::kNone || rounding == Rounding::kNearest ? kRun : &run_rounded<kRun>;
}

template <class T, class Op, bool kFlush, bool kSat, int kArity>
Handler wrapped(Rounding rounding) {
  using W = Wrapped<T, Op, kFlush, kSat>;
  if constexpr (kArity == 1) {
    return rounded<&run_unary<W>>(rounding);
  } else if constexpr (kArity == 2) {
    return rounded<&run_binary<W>>(rounding);
  } else {
    return rounded<&run_ternary<W>>(rounding);
  }
}

template <class Op, int kArity>
Handler pick(Type type, const FloatMode& mode) {
  if (type == Type::kF64) {
    if (mode.flush || mode.saturate) return nullptr;
    return wrapped<double, Op, false, false, kArity>(mode.rounding);
  }
  if (type != Type::kF32) return nullptr;
  if (mode.flush) {
    return mode.saturate ? wrapped<float, Op, true, true, kArity>(mode.rounding)
                         : wrapped<float, Op, true, false, kArity>(mode.rounding);
  }
  return mode.saturate ? wrapped<float, Op, false, true, kArity>(mode.rounding)
                       : wrapped<float, Op, false, false, kArity>(mode.rounding);
}

template <class Op>
Handler pick_sign(Type type, const FloatMode& mode) {
  if (type == Type::kF64) return mode.flush ? nullptr : &run_unary<SignOnly<double, Op, false>>;
  if (type != Type::kF32) return nullptr;
  return mode.flush ? &run_unary<SignOnly<float, Op, true>>
                    : &run_unary<SignOnly<float, Op, false>>;
}

// Moves a finite result by up to kUlps units in the last place, chosen by a hash of result and
// seed: the jitter mode, which shows code that leans on an approximate unit being exact.
float jittered(float value, U32 ulps, U64 seed) {
  const U32 bits = std::bit_cast<U32>(value);
  const U32 size = bits & 0x7fffffffu;
  if (size < 0x01000000u || size > 0x7f000000u) return value;
  const U64 hash = (bits + seed) * 0x9e3779b97f4a7c15u;
  const U32 step = static_cast<U32>(hash >> 40) % (2 * ulps + 1);
  return std::bit_cast<float>(bits + step - ulps);
}

template <class Op, bool kFlush, U32 kUlps, int kArity>
void run_approx(Warp& w, const Inst& in, U32 mask) {
  using W = Wrapped<float, Op, kFlush, false>;
  if constexpr (kArity == 1) {
    run_unary<W>(w, in, mask);
  } else {
    run_binary<W>(w, in, mask);
  }
  const Options& options = *w.worker->options;
  if (!options.jitter) return;
  auto* d = reg<float>(w, in.d);
  for_lanes(mask, [&](U32 l) { d[l] = jittered(d[l], kUlps, options.seed); });
}

template <class Op, U32 kUlps, int kArity = 1>
Handler approx(Type type, const FloatMode& mode) {
  if (type != Type::kF32 || mode.saturate) return nullptr;
  return mode.flush ? &run_approx<Op, true, kUlps, kArity> : &run_approx<Op, false, kUlps, kArity>;
}

// rcp.approx.ftz.f64 and rsqrt.approx.ftz.f64 see and give the upper 32 bits only; subnormals are
// zeros on both sides.
double flush64(double x) {
  const U64 bits = std::bit_cast<U64>(x);
  const U64 sign = bits & (U64{1} << 63);
  return (bits & 0x7ff0000000000000u) == 0 ? std::bit_cast<double>(sign) : x;
}
template <class Op>
struct UpperHalf {
  using D = double;
  using A = double;
  static double apply(double a) {
    const U64 upper = std::bit_cast<U64>(a) & 0xffffffff00000000u;
    const double result = flush64(Op::apply(flush64(std::bit_cast<double>(upper))));
    if (result != result) return std::bit_cast<double>(U64{0x7fffffff00000000u});
    return std::bit_cast<double>(std::bit_cast<U64>(result) & 0xffffffff00000000u);
  }
};

Handler minmax(FloatOp op, Type type, const FloatMode& mode) {
  if (mode.saturate || mode.rounding != Rounding::kNone) return nullptr;
  if (op == FloatOp::kMin)
    return mode.nan ? pick<MinF<true>, 2>(type, mode) : pick<MinF<false>, 2>(type, mode);
  return mode.nan ? pick<MaxF<true>, 2>(type, mode) : pick<MaxF<false>, 2>(type, mode);
}

Handler approx_op(FloatOp op, Type type, const FloatMode& mode) {
  switch (op) {
    case FloatOp::kDivApprox:
      return approx<DivApproxF, 2, 2>(type, mode);
    case FloatOp::kSqrtApprox:
      return approx<SqrtF, 1>(type, mode);
    case FloatOp::kRcpApprox:
      if (type == Type::kF64) return mode.flush ? &run_unary<UpperHalf<RcpF>> : nullptr;
      return approx<RcpF, 1>(type, mode);
    case FloatOp::kRsqrtApprox:
      if (type == Type::kF64) {
        return mode.flush ? &run_unary<UpperHalf<RsqrtF>>
                          : &run_unary<Wrapped<double, RsqrtF, false, false>>;
      }
      return approx<RsqrtF, 1>(type, mode);
    case FloatOp::kSin:
      return approx<SinF, 2>(type, mode);
    case FloatOp::kCos:
      return approx<CosF, 2>(type, mode);
    case FloatOp::kLg2:
      return approx<Lg2F, 1>(type, mode);
    case FloatOp::kEx2:
      return approx<Ex2F, 2>(type, mode);
    case FloatOp::kTanh:
      return approx<TanhF, 4096>(type, mode);
    default:
      return nullptr;
  }
}

template <class T>
struct TestBits;
template <>
struct TestBits<float> {
  using U = U32;
  static constexpr U32 kExponent = 0x7f800000u;
  static constexpr U32 kSize = 0x7fffffffu;
};
template <>
struct TestBits<double> {
  using U = U64;
  static constexpr U64 kExponent = 0x7ff0000000000000u;
  static constexpr U64 kSize = 0x7fffffffffffffffu;
};

enum class FloatClass : U8 { kFinite, kInfinite, kNumber, kNotANumber, kNormal, kSubnormal };

template <class T, FloatClass kClass>
void run_testp(Warp& w, const Inst& in, U32 mask) {
  using B = TestBits<T>;
  const auto* a = operand<typename B::U>(w, in.a);
  const U32 result = lanes_where([&](U32 l) {
    const auto size = a[l] & B::kSize;
    switch (kClass) {
      case FloatClass::kFinite:
        return size < B::kExponent;
      case FloatClass::kInfinite:
        return size == B::kExponent;
      case FloatClass::kNumber:
        return size <= B::kExponent;
      case FloatClass::kNotANumber:
        return size > B::kExponent;
      case FloatClass::kNormal:
        return size < B::kExponent && (size & B::kExponent) != 0;
      case FloatClass::kSubnormal:
        return size != 0 && (size & B::kExponent) == 0;
    }
    return false;
  });
  set_predicate(w, in.d, result, mask);
}

template <class T>
Handler testp(std::string_view what) {
  if (what == "finite") return &run_testp<T, FloatClass::kFinite>;
  if (what == "infinite") return &run_testp<T, FloatClass::kInfinite>;
  if (what == "number") return &run_testp<T, FloatClass::kNumber>;
  if (what == "notanumber") return &run_testp<T, FloatClass::kNotANumber>;
  if (what == "normal") return &run_testp<T, FloatClass::kNormal>;
  return what == "subnormal" ? &run_testp<T, FloatClass::kSubnormal> : nullptr;
}

}  // namespace

Handler float_op(FloatOp op, Type type, const FloatMode& mode) {
  switch (op) {
    case FloatOp::kAdd:
      return pick<AddF, 2>(type, mode);
    case FloatOp::kSub:
      return pick<SubF, 2>(type, mode);
    case FloatOp::kMul:
      return pick<MulF, 2>(type, mode);
    case FloatOp::kDiv:
      return mode.saturate ? nullptr : pick<DivF, 2>(type, mode);
    case FloatOp::kFma:
      return pick<FmaF, 3>(type, mode);
    case FloatOp::kSqrt:
      return mode.saturate ? nullptr : pick<SqrtF, 1>(type, mode);
    case FloatOp::kRcp:
      return mode.saturate ? nullptr : pick<RcpF, 1>(type, mode);
    case FloatOp::kMin:
    case FloatOp::kMax:
      return minmax(op, type, mode);
    case FloatOp::kAbs:
      return pick_sign<AbsF>(type, mode);
    case FloatOp::kNeg:
      return pick_sign<NegF>(type, mode);
    case FloatOp::kCopysign:
      if (type == Type::kF64) return &run_binary<Copysign<double>>;
      return type == Type::kF32 ? &run_binary<Copysign<float>> : nullptr;
    default:
      return approx_op(op, type, mode);
  }
}

Handler testp_op(std::string_view what, Type type) {
  if (type == Type::kF64) return testp<double>(what);
  return type == Type::kF32 ? testp<float>(what) : nullptr;
}

}  // namespace cudasim
