// Private to ir: the meaning of each scalar operation on one element, as templates over the stored
// type. Two loops are made of each: one for any processor, one for AVX2 and FMA.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "ir/half.h"
#include "ir/scalar_loops.h"

namespace kiln::ir {

struct Bool {
  std::uint8_t bits;
};
struct Half {
  std::uint16_t bits;
};
struct Bfloat {
  std::uint16_t bits;
};

// The stored C++ type of a dtype.
template <DType t>
struct StoredOf;
template <>
struct StoredOf<DType::bool_> {
  using Type = Bool;
};
template <>
struct StoredOf<DType::int8> {
  using Type = std::int8_t;
};
template <>
struct StoredOf<DType::int16> {
  using Type = std::int16_t;
};
template <>
struct StoredOf<DType::int32> {
  using Type = std::int32_t;
};
template <>
struct StoredOf<DType::int64> {
  using Type = std::int64_t;
};
template <>
struct StoredOf<DType::uint8> {
  using Type = std::uint8_t;
};
template <>
struct StoredOf<DType::uint16> {
  using Type = std::uint16_t;
};
template <>
struct StoredOf<DType::uint32> {
  using Type = std::uint32_t;
};
template <>
struct StoredOf<DType::uint64> {
  using Type = std::uint64_t;
};
template <>
struct StoredOf<DType::float16> {
  using Type = Half;
};
template <>
struct StoredOf<DType::bfloat16> {
  using Type = Bfloat;
};
template <>
struct StoredOf<DType::float32> {
  using Type = float;
};
template <>
struct StoredOf<DType::float64> {
  using Type = double;
};
template <DType t>
using Stored = typename StoredOf<t>::Type;
inline constexpr int kRealCount = static_cast<int>(DType::float64) + 1;

// What a stored element is computed in.
[[gnu::always_inline]] inline std::uint8_t widen(Bool x) { return x.bits; }
[[gnu::always_inline]] inline float widen(Half x) { return inline_half_to_float(x.bits); }
[[gnu::always_inline]] inline float widen(Bfloat x) { return bfloat_to_float(x.bits); }
template <class T>
[[gnu::always_inline]] inline T widen(T x) {
  return x;
}
template <class S, class C>
[[gnu::always_inline]] inline S narrow(C x) {
  if constexpr (std::is_same_v<S, Half>) {
    return Half{inline_float_to_half(x)};
  } else if constexpr (std::is_same_v<S, Bfloat>) {
    return Bfloat{inline_float_to_bfloat(x)};
  } else if constexpr (std::is_same_v<S, Bool>) {
    return Bool{static_cast<std::uint8_t>(x)};
  } else {
    return static_cast<S>(x);
  }
}

template <int kBytes>
struct BitsOf;
template <>
struct BitsOf<1> {
  using Type = std::uint8_t;
};
template <>
struct BitsOf<2> {
  using Type = std::uint16_t;
};
template <>
struct BitsOf<4> {
  using Type = std::uint32_t;
};
template <>
struct BitsOf<8> {
  using Type = std::uint64_t;
};
template <class T>
using Bits = typename BitsOf<sizeof(T)>::Type;

// min and max of floats: NaN propagates, -0 < +0 (equal values differ in the sign of zero only).
template <bool kMax, class F>
[[gnu::always_inline]] inline F extreme(F a, F b) {
  const Bits<F> x = std::bit_cast<Bits<F>>(a), y = std::bit_cast<Bits<F>>(b);
  const Bits<F> same = kMax ? (x & y) : (x | y);
  const bool first = kMax ? a > b : a < b;
  const bool second = kMax ? b > a : b < a;
  Bits<F> r = first ? x : same;
  r = second ? y : r;
  r = b != b ? y : r;
  r = a != a ? x : r;
  return std::bit_cast<F>(r);
}

template <Op op, class F>
[[gnu::always_inline]] inline F float_op(F a, F b, F c) {
  if constexpr (op == Op::add) return a + b;
  if constexpr (op == Op::sub) return a - b;
  if constexpr (op == Op::mul) return a * b;
  if constexpr (op == Op::div) return a / b;
  if constexpr (op == Op::min) return extreme<false>(a, b);
  if constexpr (op == Op::max) return extreme<true>(a, b);
  if constexpr (op == Op::fma) return std::fma(a, b, c);
  if constexpr (op == Op::sqrt) return std::sqrt(a);
  if constexpr (op == Op::floor) return std::floor(a);
  if constexpr (op == Op::ceil) return std::ceil(a);
  if constexpr (op == Op::trunc) return std::trunc(a);
  if constexpr (op == Op::rint) return std::rint(a);
}

// Division truncates; x / 0 = 0, x % 0 = 0; the least integer / -1 wraps to itself, remainder 0.
template <bool kRemainder, class T>
[[gnu::always_inline]] inline T divide(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (b == T{-1}) return kRemainder ? T{0} : static_cast<T>(Bits<T>{0} - static_cast<Bits<T>>(a));
  }
  return static_cast<T>(kRemainder ? a % b : a / b);
}

template <class T>
[[gnu::always_inline]] inline T high_product(T a, T b) {
  if constexpr (sizeof(T) == 8) {
    __extension__ using Wide = std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>;
    return static_cast<T>((static_cast<Wide>(a) * static_cast<Wide>(b)) >> 64);
  } else {
    // No wider than needed: g++ 12 vectorises 16 signed bits multiplied in 64 bits as unsigned.
    using Signed = std::conditional_t<sizeof(T) == 4, std::int64_t, std::int32_t>;
    using Wide = std::conditional_t<std::is_signed_v<T>, Signed, std::make_unsigned_t<Signed>>;
    return static_cast<T>((static_cast<Wide>(a) * static_cast<Wide>(b)) >> (8 * sizeof(T)));
  }
}

// The shift amount is taken as unsigned.
template <bool kLeft, class T>
[[gnu::always_inline]] inline T shift(T a, T b) {
  using U = Bits<T>;
  constexpr U kWidth = 8 * sizeof(T);
  const U amount = static_cast<U>(b);
  if constexpr (!kLeft && std::is_signed_v<T>) {
    return static_cast<T>(a >> (amount < kWidth ? amount : kWidth - 1));
  } else {
    const U inside = amount < kWidth ? amount : 0;
    const U moved =
        static_cast<U>(kLeft ? static_cast<U>(a) << inside : static_cast<U>(a) >> inside);
    return static_cast<T>(amount < kWidth ? moved : U{0});
  }
}

template <Op op, class T>
[[gnu::always_inline]] inline T int_op(T a, T b) {
  using U = Bits<T>;
  // 64-bit arithmetic: products of narrow unsigned types would overflow int.
  using W = std::uint64_t;
  const U x = static_cast<U>(a), y = static_cast<U>(b);
  if constexpr (op == Op::add) return static_cast<T>(static_cast<U>(x + y));
  if constexpr (op == Op::sub) return static_cast<T>(static_cast<U>(x - y));
  if constexpr (op == Op::mul) {
    using P = std::conditional_t<sizeof(T) == 8, W, std::uint32_t>;
    return static_cast<T>(static_cast<U>(static_cast<P>(x) * static_cast<P>(y)));
  }
  if constexpr (op == Op::idiv) return divide<false>(a, b);
  if constexpr (op == Op::irem) return divide<true>(a, b);
  if constexpr (op == Op::mul_hi) return high_product(a, b);
  if constexpr (op == Op::neg) return static_cast<T>(static_cast<U>(U{0} - x));
  if constexpr (op == Op::abs) return a < 0 ? static_cast<T>(static_cast<U>(U{0} - x)) : a;
  if constexpr (op == Op::min) return b < a ? b : a;
  if constexpr (op == Op::max) return a < b ? b : a;
  if constexpr (op == Op::and_) return static_cast<T>(x & y);
  if constexpr (op == Op::or_) return static_cast<T>(x | y);
  if constexpr (op == Op::xor_) return static_cast<T>(x ^ y);
  if constexpr (op == Op::not_) return static_cast<T>(static_cast<U>(~x));
  if constexpr (op == Op::shl) return shift<true>(a, b);
  if constexpr (op == Op::shr) return shift<false>(a, b);
  if constexpr (op == Op::clz) return static_cast<T>(std::countl_zero(x));
  if constexpr (op == Op::ctz) return static_cast<T>(std::countr_zero(x));
  if constexpr (op == Op::popcount) return static_cast<T>(std::popcount(x));
}

template <Op op, class C>
[[gnu::always_inline]] inline bool compare(C a, C b) {
  if constexpr (op == Op::eq) return a == b;
  if constexpr (op == Op::ne) return a != b;
  if constexpr (op == Op::lt) return a < b;
  if constexpr (op == Op::le) return a <= b;
}

// One element of every operation but Choose and Convert, on stored elements.
template <Op op, class S>
[[gnu::always_inline]] inline auto apply(S a, S b, S c) {
  using C = decltype(widen(a));
  if constexpr (info(op).rule == OpRule::Compare) {
    return Bool{static_cast<std::uint8_t>(compare<op>(widen(a), widen(b)))};
  } else if constexpr (std::is_same_v<S, Bool>) {
    if constexpr (op == Op::not_)
      return Bool{static_cast<std::uint8_t>(a.bits ^ 1)};
    else
      return Bool{int_op<op>(a.bits, b.bits)};
  } else if constexpr (!std::is_floating_point_v<C>) {
    return int_op<op>(a, b);
  } else if constexpr (op == Op::neg || op == Op::abs) {
    // The sign bit only, NaN included.
    constexpr Bits<S> kSign = static_cast<Bits<S>>(Bits<S>{1} << (8 * sizeof(S) - 1));
    const Bits<S> x = std::bit_cast<Bits<S>>(a);
    return std::bit_cast<S>(static_cast<Bits<S>>(op == Op::neg ? x ^ kSign : x & ~kSign));
  } else {
    return narrow<S>(float_op<op>(widen(a), widen(b), widen(c)));
  }
}

// Truncates toward zero, saturates, NaN gives 0. The bounds are powers of two, exact in F.
template <class I, class F>
[[gnu::always_inline]] inline I saturate(F x) {
  constexpr F kLow = static_cast<F>(std::numeric_limits<I>::min());
  constexpr F kEnd = static_cast<F>(std::numeric_limits<I>::max() / 2 + 1) * F{2};
  const F above = x < kLow ? kLow : x;
  const F inside = above < kEnd ? above : F{0};  // also NaN
  const I value = static_cast<I>(inside);
  return x >= kEnd ? std::numeric_limits<I>::max() : value;
}

template <class To, class From>
[[gnu::always_inline]] inline To convert(From x) {
  using C = decltype(widen(x));
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else if constexpr (std::is_same_v<To, Bool>) {
    return Bool{static_cast<std::uint8_t>(widen(x) != 0)};
  } else if constexpr (std::is_same_v<To, Half> && std::is_same_v<C, double>) {
    return Half{inline_double_to_half(x)};
  } else if constexpr (std::is_same_v<To, Bfloat> && std::is_same_v<C, double>) {
    return Bfloat{inline_double_to_bfloat(x)};
  } else if constexpr (std::is_same_v<To, Half> || std::is_same_v<To, Bfloat>) {
    return narrow<To>(static_cast<float>(widen(x)));
  } else if constexpr (std::is_floating_point_v<C> && std::is_integral_v<To>) {
    return saturate<To>(widen(x));
  } else {
    return static_cast<To>(widen(x));
  }
}

template <class T>
[[gnu::always_inline]] inline T element(const void* base, std::int64_t i) {
  T value;
  std::memcpy(&value, static_cast<const std::byte*>(base) + i * std::int64_t{sizeof(T)}, sizeof(T));
  return value;
}
template <class T>
[[gnu::always_inline]] inline void set_element(void* base, std::int64_t i, T value) {
  std::memcpy(static_cast<std::byte*>(base) + i * std::int64_t{sizeof(T)}, &value, sizeof(T));
}

// An operation over arrays. Inputs are read before the element of the same index is written, so
// `out` may be one of them.
template <Op op, class S>
struct Elementwise {
  [[gnu::always_inline]] static void run(std::int64_t n, const void* const* in, void* out) {
    constexpr int kArity = info(op).arity;
    const void* a = in[0];
    const void* b = in[kArity > 1 ? 1 : 0];
    const void* c = in[kArity > 2 ? 2 : 0];
    for (std::int64_t i = 0; i < n; ++i) {
      set_element(out, i, apply<op, S>(element<S>(a, i), element<S>(b, i), element<S>(c, i)));
    }
  }
};

template <class U>
struct Choose {
  [[gnu::always_inline]] static void run(std::int64_t n, const void* const* in, void* out) {
    const void* condition = in[0];
    const void* a = in[1];
    const void* b = in[2];
    for (std::int64_t i = 0; i < n; ++i) {
      const U x = element<U>(a, i), y = element<U>(b, i);
      set_element(out, i, element<std::uint8_t>(condition, i) != 0 ? x : y);
    }
  }
};

template <class To, class From>
struct Convert {
  [[gnu::always_inline]] static void run(std::int64_t n, const void* const* in, void* out) {
    const void* a = in[0];
    for (std::int64_t i = 0; i < n; ++i) set_element(out, i, convert<To>(element<From>(a, i)));
  }
};

// Body is one of the above.
template <class Body>
void plain_loop(std::int64_t n, const void* const* in, void* out) {
  Body::run(n, in, out);
}
#if defined(__x86_64__)
template <class Body>
[[gnu::target("avx2,fma,bmi,lzcnt,popcnt")]] void wide_loop(std::int64_t n, const void* const* in,
                                                            void* out) {
  Body::run(n, in, out);
}
#else
template <class Body>
void wide_loop(std::int64_t n, const void* const* in, void* out) {
  Body::run(n, in, out);
}
#endif

struct LoopPair {
  ArrayLoop plain = nullptr, wide = nullptr;
};
template <class Body>
constexpr LoopPair loops() {
  return {plain_loop<Body>, wide_loop<Body>};
}

}  // namespace kiln::ir
