#include <limits>
#include <type_traits>

#include "tests/cudasim/exec/lanes.h"
#include "tests/cudasim/exec/ops.h"

namespace cudasim {
namespace {

template <class T>
using Unsigned = std::make_unsigned_t<T>;

template <class T>
struct WideOf;
template <>
struct WideOf<U16> {
  using Type = U32;
};
template <>
struct WideOf<S16> {
  using Type = S32;
};
template <>
struct WideOf<U32> {
  using Type = U64;
};
template <>
struct WideOf<S32> {
  using Type = S64;
};
template <>
struct WideOf<U64> {
  __extension__ using Type = unsigned __int128;
};
template <>
struct WideOf<S64> {
  __extension__ using Type = __int128;
};
template <class T>
using Wide = typename WideOf<T>::Type;

template <class T>
T wrap_add(T a, T b) {
  return static_cast<T>(static_cast<U64>(a) + static_cast<U64>(b));
}
template <class T>
T wrap_mul(T a, T b) {
  return static_cast<T>(static_cast<U64>(a) * static_cast<U64>(b));
}
template <class T>
T high_mul(T a, T b) {
  return static_cast<T>((static_cast<Wide<T>>(a) * static_cast<Wide<T>>(b)) >> (8 * sizeof(T)));
}

template <class T>
struct Same {
  using D = T;
  using A = T;
  using B = T;
  using C = T;
};

template <class T>
struct Add : Same<T> {
  static T apply(T a, T b) { return wrap_add(a, b); }
};
template <class T>
struct Sub : Same<T> {
  static T apply(T a, T b) { return static_cast<T>(static_cast<U64>(a) - static_cast<U64>(b)); }
};
template <class T>
T clamp_to_32(S64 value) {
  const S64 low = std::numeric_limits<T>::min();
  const S64 high = std::numeric_limits<T>::max();
  return static_cast<T>(value < low ? low : value > high ? high : value);
}
struct AddSat : Same<S32> {
  static S32 apply(S32 a, S32 b) { return clamp_to_32<S32>(S64{a} + b); }
};
struct SubSat : Same<S32> {
  static S32 apply(S32 a, S32 b) { return clamp_to_32<S32>(S64{a} - b); }
};
template <class T>
struct MulLo : Same<T> {
  static T apply(T a, T b) { return wrap_mul(a, b); }
};
template <class T>
struct MulHi : Same<T> {
  static T apply(T a, T b) { return high_mul(a, b); }
};
template <class T>
struct MulWide : Same<T> {
  using D = Wide<T>;
  static D apply(T a, T b) { return static_cast<D>(static_cast<D>(a) * static_cast<D>(b)); }
};
template <class T>
struct MadLo : Same<T> {
  static T apply(T a, T b, T c) { return wrap_add(wrap_mul(a, b), c); }
};
template <class T>
struct MadHi : Same<T> {
  static T apply(T a, T b, T c) { return wrap_add(high_mul(a, b), c); }
};
template <class T>
struct MadWide : Same<T> {
  using D = Wide<T>;
  using C = Wide<T>;
  static D apply(T a, T b, C c) {
    return wrap_add<D>(static_cast<D>(static_cast<D>(a) * static_cast<D>(b)), c);
  }
};
template <class T>
struct Sad : Same<T> {
  static T apply(T a, T b, T c) {
    const U64 distance = a < b ? static_cast<U64>(b) - static_cast<U64>(a)
                               : static_cast<U64>(a) - static_cast<U64>(b);
    return static_cast<T>(static_cast<U64>(c) + distance);
  }
};
// Division by zero gives all ones, the remainder then is the dividend: what devices do.
template <class T>
struct Div : Same<T> {
  static T apply(T a, T b) {
    if (b == 0) return static_cast<T>(~T{0});
    if constexpr (std::is_signed_v<T>) {
      if (b == -1) return static_cast<T>(U64{0} - static_cast<U64>(a));
    }
    return static_cast<T>(a / b);
  }
};
template <class T>
struct Rem : Same<T> {
  static T apply(T a, T b) {
    if (b == 0) return a;
    if constexpr (std::is_signed_v<T>) {
      if (b == -1) return 0;
    }
    return static_cast<T>(a % b);
  }
};
template <class T>
struct Abs : Same<T> {
  static T apply(T a) { return a < 0 ? static_cast<T>(U64{0} - static_cast<U64>(a)) : a; }
};
template <class T>
struct Neg : Same<T> {
  static T apply(T a) { return static_cast<T>(U64{0} - static_cast<U64>(a)); }
};
template <class T>
struct Min : Same<T> {
  static T apply(T a, T b) { return b < a ? b : a; }
};
template <class T>
struct Max : Same<T> {
  static T apply(T a, T b) { return a < b ? b : a; }
};

template <class F>
Handler with_int(Type type, F make) {
  switch (type) {
    case Type::kU16:
      return make(U16{});
    case Type::kS16:
      return make(S16{});
    case Type::kU32:
      return make(U32{});
    case Type::kS32:
      return make(S32{});
    case Type::kU64:
      return make(U64{});
    case Type::kS64:
      return make(S64{});
    default:
      return nullptr;
  }
}

template <template <class> class Op>
Handler unary(Type type) {
  return with_int(type, [](auto t) -> Handler { return &run_unary<Op<decltype(t)>>; });
}
template <template <class> class Op>
Handler binary(Type type) {
  return with_int(type, [](auto t) -> Handler { return &run_binary<Op<decltype(t)>>; });
}
template <template <class> class Op>
Handler ternary(Type type) {
  return with_int(type, [](auto t) -> Handler { return &run_ternary<Op<decltype(t)>>; });
}
// Widening products exist from 16 and 32 bits only.
template <template <class> class Op, bool kTernary>
Handler widening(Type type) {
  return with_int(type, [](auto t) -> Handler {
    if constexpr (sizeof t == 8) {
      return nullptr;
    } else if constexpr (kTernary) {
      return &run_ternary<Op<decltype(t)>>;
    } else {
      return &run_binary<Op<decltype(t)>>;
    }
  });
}

// a + b + carry in, for every kind of addend: subtraction adds the complement, so its carry flag is
// "no borrow", stored inverted (the flag PTX names is the borrow).
template <class T, bool kSubtract, bool kIn, bool kOut>
T add_with_carry(T a, T b, U32& flags, U32 lane) {
  __extension__ using Big = unsigned __int128;
  const U32 flag = kIn ? (flags >> lane) & 1 : 0;
  const T addend = kSubtract ? static_cast<T>(~b) : b;
  const U32 carry = kSubtract ? 1 - flag : flag;
  const Big sum = static_cast<Big>(a) + addend + carry;
  if (kOut) {
    const U32 out = static_cast<U32>(sum >> (8 * sizeof(T))) & 1;
    const U32 stored = kSubtract ? 1 - out : out;
    flags = (flags & ~(1u << lane)) | stored << lane;
  }
  return static_cast<T>(sum);
}

template <class T, bool kSubtract, bool kIn, bool kOut>
void run_carry(Warp& w, const Inst& in, U32 mask) {
  const auto* a = operand<T>(w, in.a);
  const auto* b = operand<T>(w, in.b);
  auto* d = reg<T>(w, in.d);
  for_lanes(mask,
            [&](U32 l) { d[l] = add_with_carry<T, kSubtract, kIn, kOut>(a[l], b[l], w.carry, l); });
}

template <class T, bool kHigh, bool kIn, bool kOut>
void run_mad_carry(Warp& w, const Inst& in, U32 mask) {
  using U = Unsigned<T>;
  const auto* a = operand<T>(w, in.a);
  const auto* b = operand<T>(w, in.b);
  const auto* c = operand<U>(w, in.c);
  auto* d = reg<U>(w, in.d);
  for_lanes(mask, [&](U32 l) {
    const T product = kHigh ? high_mul(a[l], b[l]) : wrap_mul(a[l], b[l]);
    d[l] = add_with_carry<U, false, kIn, kOut>(static_cast<U>(product), c[l], w.carry, l);
  });
}

template <class T, bool kIn, bool kOut>
Handler carry_handler(IntOp op) {
  using U = Unsigned<T>;
  switch (op) {
    case IntOp::kAdd:
      return &run_carry<U, false, kIn, kOut>;
    case IntOp::kSub:
      return &run_carry<U, true, kIn, kOut>;
    case IntOp::kMadLo:
      return &run_mad_carry<T, false, kIn, kOut>;
    case IntOp::kMadHi:
      return &run_mad_carry<T, true, kIn, kOut>;
    default:
      return nullptr;
  }
}

template <class Half, template <class> class Op>
struct PackedBinary {
  using D = U32;
  using A = U32;
  using B = U32;
  static U32 apply(U32 a, U32 b) {
    const auto low = Op<Half>::apply(static_cast<Half>(a), static_cast<Half>(b));
    const auto high = Op<Half>::apply(static_cast<Half>(a >> 16), static_cast<Half>(b >> 16));
    return static_cast<U16>(low) | static_cast<U32>(static_cast<U16>(high)) << 16;
  }
};

template <class Half>
Handler packed(IntOp op) {
  switch (op) {
    case IntOp::kAdd:
      return &run_binary<PackedBinary<Half, Add>>;
    case IntOp::kMin:
      return &run_binary<PackedBinary<Half, Min>>;
    case IntOp::kMax:
      return &run_binary<PackedBinary<Half, Max>>;
    default:
      return nullptr;
  }
}

template <bool kASigned, bool kBSigned, unsigned kBits>
S32 element(U32 value, unsigned index, bool is_signed) {
  const U32 field = (value >> (index * kBits)) & ((1u << kBits) - 1);
  if (!is_signed) return static_cast<S32>(field);
  return static_cast<S32>(field << (32 - kBits)) >> (32 - kBits);
}

template <bool kASigned, bool kBSigned>
struct Dp4a {
  using D = U32;
  using A = U32;
  using B = U32;
  using C = U32;
  static U32 apply(U32 a, U32 b, U32 c) {
    for (unsigned i = 0; i < 4; ++i) {
      const S32 x = element<kASigned, kBSigned, 8>(a, i, kASigned);
      const S32 y = element<kASigned, kBSigned, 8>(b, i, kBSigned);
      c += static_cast<U32>(x * y);
    }
    return c;
  }
};

// 16-bit elements of a times two bytes of b, the low or the high pair.
template <bool kASigned, bool kBSigned, bool kHigh>
struct Dp2a {
  using D = U32;
  using A = U32;
  using B = U32;
  using C = U32;
  static U32 apply(U32 a, U32 b, U32 c) {
    for (unsigned i = 0; i < 2; ++i) {
      const S32 x = element<kASigned, kBSigned, 16>(a, i, kASigned);
      const S32 y = element<kASigned, kBSigned, 8>(b, i + (kHigh ? 2 : 0), kBSigned);
      c += static_cast<U32>(x) * static_cast<U32>(y);
    }
    return c;
  }
};

template <bool kASigned, bool kBSigned>
Handler dp2a(bool high) {
  return high ? &run_ternary<Dp2a<kASigned, kBSigned, true>>
              : &run_ternary<Dp2a<kASigned, kBSigned, false>>;
}

}  // namespace

Handler int_op(IntOp op, Type type) {
  switch (op) {
    case IntOp::kAdd:
      return binary<Add>(type);
    case IntOp::kSub:
      return binary<Sub>(type);
    case IntOp::kAddSat:
      return type == Type::kS32 ? &run_binary<AddSat> : nullptr;
    case IntOp::kSubSat:
      return type == Type::kS32 ? &run_binary<SubSat> : nullptr;
    case IntOp::kMulLo:
      return binary<MulLo>(type);
    case IntOp::kMulHi:
      return binary<MulHi>(type);
    case IntOp::kMulWide:
      return widening<MulWide, false>(type);
    case IntOp::kMadLo:
      return ternary<MadLo>(type);
    case IntOp::kMadHi:
      return ternary<MadHi>(type);
    case IntOp::kMadWide:
      return widening<MadWide, true>(type);
    case IntOp::kSad:
      return ternary<Sad>(type);
    case IntOp::kDiv:
      return binary<Div>(type);
    case IntOp::kRem:
      return binary<Rem>(type);
    case IntOp::kAbs:
      return is_signed(type) ? unary<Abs>(type) : nullptr;
    case IntOp::kNeg:
      return is_signed(type) ? unary<Neg>(type) : nullptr;
    case IntOp::kMin:
      return binary<Min>(type);
    case IntOp::kMax:
      return binary<Max>(type);
  }
  return nullptr;
}

Handler carry_op(IntOp op, Type type, bool in, bool out) {
  const auto choose = [&](auto t) -> Handler {
    using T = decltype(t);
    if (in && out) return carry_handler<T, true, true>(op);
    if (in) return carry_handler<T, true, false>(op);
    return out ? carry_handler<T, false, true>(op) : nullptr;
  };
  switch (type) {
    case Type::kU32:
      return choose(U32{});
    case Type::kS32:
      return choose(S32{});
    case Type::kU64:
      return choose(U64{});
    case Type::kS64:
      return choose(S64{});
    default:
      return nullptr;
  }
}

Handler packed_int_op(IntOp op, Type type) {
  if (type == Type::kU16x2) return packed<U16>(op);
  return type == Type::kS16x2 ? packed<S16>(op) : nullptr;
}

Handler dp4a_op(bool a_signed, bool b_signed) {
  if (a_signed) return b_signed ? &run_ternary<Dp4a<true, true>> : &run_ternary<Dp4a<true, false>>;
  return b_signed ? &run_ternary<Dp4a<false, true>> : &run_ternary<Dp4a<false, false>>;
}

Handler dp2a_op(bool a_signed, bool b_signed, bool high) {
  if (a_signed) return b_signed ? dp2a<true, true>(high) : dp2a<true, false>(high);
  return b_signed ? dp2a<false, true>(high) : dp2a<false, false>(high);
}

}  // namespace cudasim
