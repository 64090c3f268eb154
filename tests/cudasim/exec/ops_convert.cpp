#include <cmath>
#include <limits>
#include <utility>

#include "tests/cudasim/exec/float_bits.h"
#include "tests/cudasim/exec/lanes.h"
#include "tests/cudasim/exec/ops.h"

namespace cudasim {
namespace {

// A conversion's types: how a lane is stored and what number it is.
template <class T>
struct Integer {
  using Stored = T;
  using Value = T;
};
// 8-bit values lie in 16-bit lanes; reading takes the low byte.
struct Byte {
  using Stored = U16;
  using Value = U8;
};
struct SignedByte {
  using Stored = U16;
  using Value = S8;
};
struct Half {
  using Stored = U16;
  static double decode(U16 bits) { return half_to_float(bits); }
  static U16 encode(double value, Rounding rounding) { return half_from_double(value, rounding); }
};
struct Brain {
  using Stored = U16;
  static double decode(U16 bits) { return bf16_to_float(bits); }
  static U16 encode(double value, Rounding rounding) { return bf16_from_double(value, rounding); }
};
struct Single {
  using Stored = float;
};
struct Double {
  using Stored = double;
};

template <class T>
inline constexpr bool kIsInteger = requires { typename T::Value; };
template <class T>
inline constexpr bool kIsHalf = requires { &T::decode; };
template <class T>
inline constexpr bool kIsSingle = std::is_same_v<typename T::Stored, float>;

constexpr U8 kIntegral = 16;
constexpr U8 kFlushBit = 32;
constexpr U8 kSaturateBit = 64;

double round_integral(double x, Rounding rounding) {
  switch (rounding) {
    case Rounding::kNearest:
      return std::nearbyint(x);
    case Rounding::kZero:
      return std::trunc(x);
    case Rounding::kDown:
      return std::floor(x);
    case Rounding::kUp:
      return std::ceil(x);
    case Rounding::kNone:
      break;
  }
  return x;
}

// NaN gives 0, values outside the range its nearest end.
template <class V>
V saturating(double x) {
  constexpr double kLow = static_cast<double>(std::numeric_limits<V>::min());
  constexpr double kPastHigh =
      0x1p1 * static_cast<double>(U64{1} << (std::numeric_limits<V>::digits - 1));
  if (x != x) return 0;
  if (x < kLow) return std::numeric_limits<V>::min();
  if (x >= kPastHigh) return std::numeric_limits<V>::max();
  return static_cast<V>(x);
}

template <class V, class S>
V clamp_integer(S value) {
  using Limits = std::numeric_limits<V>;
  if (std::cmp_less(value, Limits::min())) return Limits::min();
  if (std::cmp_greater(value, Limits::max())) return Limits::max();
  return static_cast<V>(value);
}

template <class From>
double read_number(typename From::Stored bits, bool flush) {
  if constexpr (kIsHalf<From>) {
    return From::decode(bits);
  } else if constexpr (kIsSingle<From>) {
    return flush ? flush32(bits) : bits;
  } else {
    return bits;
  }
}

// To a float type in the host's current rounding mode; halves take theirs as an argument.
template <class To>
typename To::Stored write_number(double value, Rounding rounding, bool flush, bool sat) {
  if (sat) value = saturate(value);
  if constexpr (kIsHalf<To>) {
    return To::encode(value, rounding);
  } else if constexpr (kIsSingle<To>) {
    const float result = canonical(static_cast<float>(value));
    return flush ? flush32(result) : result;
  } else {
    return value;
  }
}

// A 64-bit integer as a double, rounded to odd, so that rounding it again is exact.
template <class V>
double to_odd(V value) {
  constexpr V kExact = V{1} << 53;
  const bool exact = value <= kExact && (std::is_unsigned_v<V> || value >= V{0} - kExact);
  if (exact) return static_cast<double>(value);
  const V upper = static_cast<V>(value >> 11) | ((value & 2047) != 0 ? 1 : 0);
  return static_cast<double>(upper) * 2048;
}

template <class To, class From>
typename To::Stored convert(typename From::Stored bits, U8 mode) {
  const Rounding rounding = static_cast<Rounding>(mode & 15);
  const bool flush = (mode & kFlushBit) != 0;
  const bool sat = (mode & kSaturateBit) != 0;
  if constexpr (kIsInteger<To> && kIsInteger<From>) {
    const auto value = static_cast<typename From::Value>(bits);
    using V = typename To::Value;
    const V result = sat ? clamp_integer<V>(value) : static_cast<V>(value);
    return static_cast<typename To::Stored>(result);
  } else if constexpr (kIsInteger<To>) {
    const double value = read_number<From>(bits, flush);
    return static_cast<typename To::Stored>(
        saturating<typename To::Value>(round_integral(value, rounding)));
  } else if constexpr (kIsInteger<From>) {
    const auto value = static_cast<typename From::Value>(bits);
    if constexpr (kIsSingle<To>) {
      const float result = static_cast<float>(value);
      return sat ? saturate(result) : result;
    } else if constexpr (kIsHalf<To> && sizeof(typename From::Value) == 8) {
      return To::encode(to_odd(value), rounding);
    } else {
      return write_number<To>(static_cast<double>(value), rounding, false, sat);
    }
  } else if constexpr (kIsSingle<To> && std::is_same_v<From, Brain>) {
    // A shift of the bits, which keeps a NaN's payload.
    const float value = bf16_to_float(bits);
    if (sat) return saturate(value);
    return flush ? flush32(value) : value;
  } else {
    double value = read_number<From>(bits, flush);
    if ((mode & kIntegral) != 0) {
      value = round_integral(value, rounding);
      return write_number<To>(value, Rounding::kNearest, flush, sat);
    }
    return write_number<To>(value, rounding, flush, sat);
  }
}

template <class To, class From>
void run_convert(Warp& w, const Inst& in, U32 mask) {
  const auto* a = operand<typename From::Stored>(w, in.a);
  const U8 mode = in.mode;
  write_lanes(reg<typename To::Stored>(w, in.d), mask,
              [&](U32 l) { return convert<To, From>(a[l], mode); });
}

// The frequent modes as constants, so that the loops vectorise.
template <class To, class From, U8 kMode>
void run_fixed(Warp& w, const Inst& in, U32 mask) {
  const auto* a = operand<typename From::Stored>(w, in.a);
  write_lanes(reg<typename To::Stored>(w, in.d), mask,
              [&](U32 l) { return convert<To, From>(a[l], kMode); });
}

template <class To, class From>
void run_directed(Warp& w, const Inst& in, U32 mask) {
  const RoundingScope scope(static_cast<Rounding>(in.mode & 15));
  run_convert<To, From>(w, in, mask);
}

template <class To, class From>
Handler choose(const FloatMode& mode, bool integral) {
  const U8 plain = static_cast<U8>(mode.rounding);
  const bool simple = !mode.flush && !mode.saturate && !integral;
  if constexpr (kIsInteger<To> && kIsInteger<From>) {
    return simple ? &run_fixed<To, From, 0> : &run_convert<To, From>;
  } else if constexpr (kIsInteger<To>) {
    return &run_convert<To, From>;
  } else {
    if (simple && plain == 0) return &run_fixed<To, From, 0>;
    if (simple && plain == 1) return &run_fixed<To, From, 1>;
    const bool directed = plain > 1 && !integral && !kIsHalf<To>;
    return directed ? &run_directed<To, From> : &run_convert<To, From>;
  }
}

template <class F>
Handler with_type(Type type, F make) {
  switch (type) {
    case Type::kU8:
    case Type::kB8:
      return make(Byte{});
    case Type::kS8:
      return make(SignedByte{});
    case Type::kU16:
      return make(Integer<U16>{});
    case Type::kS16:
      return make(Integer<S16>{});
    case Type::kU32:
      return make(Integer<U32>{});
    case Type::kS32:
      return make(Integer<S32>{});
    case Type::kU64:
      return make(Integer<U64>{});
    case Type::kS64:
      return make(Integer<S64>{});
    case Type::kF16:
      return make(Half{});
    case Type::kBf16:
      return make(Brain{});
    case Type::kF32:
      return make(Single{});
    case Type::kF64:
      return make(Double{});
    default:
      return nullptr;
  }
}

template <class F>
void run_pair(Warp& w, const Inst& in, U32 mask) {
  const auto* high = operand<float>(w, in.a);
  const auto* low = operand<float>(w, in.b);
  const auto rounding = static_cast<Rounding>(in.mode & 15);
  const bool relu = (in.mode & kSaturateBit) != 0;
  const auto one = [&](float x) {
    return F::encode(relu && !(x > 0) && x == x ? 0.0 : static_cast<double>(x), rounding);
  };
  write_lanes(reg<U32>(w, in.d), mask, [&](U32 l) {
    return static_cast<U32>(one(high[l])) << 16 | static_cast<U32>(one(low[l]));
  });
}

}  // namespace

Handler cvt_op(Type to, Type from, const FloatMode& mode, bool integral) {
  const bool from_float = is_float(from);
  const bool to_float = is_float(to);
  if (integral && (!from_float || !to_float)) return nullptr;
  if (from_float && !to_float && mode.rounding == Rounding::kNone) return nullptr;
  if (!from_float && to_float && mode.rounding == Rounding::kNone) return nullptr;
  if (!from_float && !to_float && mode.rounding != Rounding::kNone) return nullptr;
  return with_type(to, [&](auto t) -> Handler {
    return with_type(
        from, [&](auto f) -> Handler { return choose<decltype(t), decltype(f)>(mode, integral); });
  });
}

Handler cvt_pair_op(Type to, const FloatMode& mode, bool) {
  if (mode.rounding != Rounding::kNearest && mode.rounding != Rounding::kZero) return nullptr;
  if (to == Type::kF16x2) return &run_pair<Half>;
  return to == Type::kBf16x2 ? &run_pair<Brain> : nullptr;
}

}  // namespace cudasim
