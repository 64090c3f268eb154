#include <algorithm>
#include <bit>

#include "tests/cudasim/exec/lanes.h"
#include "tests/cudasim/exec/ops.h"

namespace cudasim {
namespace {

template <class T>
inline constexpr U32 kBits = 8 * sizeof(T);

template <class T>
struct Same {
  using D = T;
  using A = T;
  using B = T;
  using C = T;
};

template <class T>
struct And : Same<T> {
  static T apply(T a, T b) { return static_cast<T>(a & b); }
};
template <class T>
struct Or : Same<T> {
  static T apply(T a, T b) { return static_cast<T>(a | b); }
};
template <class T>
struct Xor : Same<T> {
  static T apply(T a, T b) { return static_cast<T>(a ^ b); }
};
template <class T>
struct Not : Same<T> {
  static T apply(T a) { return static_cast<T>(~a); }
};
template <class T>
struct Cnot : Same<T> {
  static T apply(T a) { return a == 0 ? 1 : 0; }
};
// Shift amounts are 32-bit and clamp at the width.
template <class T>
struct Shl : Same<T> {
  using B = U32;
  static T apply(T a, U32 b) { return b >= kBits<T> ? T{0} : static_cast<T>(U64{a} << (b & 63)); }
};
template <class T>
struct Shr : Same<T> {
  using B = U32;
  static T apply(T a, U32 b) {
    const U32 most = kBits<T> - 1;
    if constexpr (std::is_signed_v<T>) {
      return static_cast<T>(a >> (b > most ? most : b));
    } else {
      return b > most ? T{0} : static_cast<T>(a >> b);
    }
  }
};
template <class T>
struct Brev : Same<T> {
  static T apply(T a) {
    T result = 0;
    for (U32 i = 0; i < kBits<T>; ++i) result = static_cast<T>(result << 1 | ((a >> i) & 1));
    return result;
  }
};
template <class T>
struct Clz : Same<T> {
  using D = U32;
  static U32 apply(T a) { return static_cast<U32>(std::countl_zero(a)); }
};
template <class T>
struct Popc : Same<T> {
  using D = U32;
  static U32 apply(T a) { return static_cast<U32>(std::popcount(a)); }
};
// The highest bit that differs from the sign; all ones where there is none.
template <class T, bool kShift>
struct Bfind : Same<T> {
  using D = U32;
  static U32 apply(T a) {
    using U = std::make_unsigned_t<T>;
    U bits = static_cast<U>(a);
    if constexpr (std::is_signed_v<T>) {
      if (a < 0) bits = static_cast<U>(~bits);
    }
    if (bits == 0) return 0xffffffffu;
    const U32 lead = static_cast<U32>(std::countl_zero(bits));
    return kShift ? lead : kBits<T> - 1 - lead;
  }
};
// Position and length are taken modulo 256; bits beyond the top repeat the sign.
template <class T>
struct Bfe : Same<T> {
  using B = U32;
  using C = U32;
  static T apply(T a, U32 b, U32 c) {
    using U = std::make_unsigned_t<T>;
    const U32 position = b & 0xff;
    const U32 length = c & 0xff;
    const U32 top = kBits<T> - 1;
    if (length == 0) return 0;
    U sign = 0;
    if constexpr (std::is_signed_v<T>) {
      const U32 last = std::min(position + length - 1, top);
      sign = static_cast<U>((static_cast<U>(a) >> last) & 1);
    }
    const U shifted = position > top ? U{0} : static_cast<U>(static_cast<U>(a) >> position);
    const U32 have = position > top ? 0 : kBits<T> - position;
    const U32 keep = std::min(length, have);
    const U low = keep >= kBits<T> ? static_cast<U>(~U{0}) : static_cast<U>((U{1} << keep) - 1);
    U result = static_cast<U>(shifted & low);
    if (sign != 0) result = static_cast<U>(result | static_cast<U>(~low));
    return static_cast<T>(result);
  }
};

template <class T>
void run_bfi(Warp& w, const Inst& in, U32 mask) {
  const auto* a = operand<T>(w, in.a);
  const auto* b = operand<T>(w, in.b);
  const auto* c = operand<U32>(w, in.c);
  const auto* e = operand<U32>(w, in.e);
  write_lanes(reg<T>(w, in.d), mask, [&](U32 l) {
    const U32 position = c[l] & 0xff;
    const U32 length = e[l] & 0xff;
    if (position >= kBits<T>) return b[l];
    const U32 keep = std::min(length, kBits<T> - position);
    const T ones = keep >= kBits<T> ? static_cast<T>(~T{0}) : static_cast<T>((T{1} << keep) - 1);
    const T field = static_cast<T>(ones << position);
    return static_cast<T>((b[l] & ~field) | ((a[l] << position) & field));
  });
}

struct Lop3 {
  static U32 apply(U32 a, U32 b, U32 c, U32 table) {
    U32 result = 0;
    for (U32 i = 0; i < 8; ++i) {
      if ((table >> i & 1) == 0) continue;
      result |= (i & 4 ? a : ~a) & (i & 2 ? b : ~b) & (i & 1 ? c : ~c);
    }
    return result;
  }
};

void run_lop3(Warp& w, const Inst& in, U32 mask) {
  const auto* a = operand<U32>(w, in.a);
  const auto* b = operand<U32>(w, in.b);
  const auto* c = operand<U32>(w, in.c);
  const U32 table = in.aux;
  write_lanes(reg<U32>(w, in.d), mask, [&](U32 l) { return Lop3::apply(a[l], b[l], c[l], table); });
}

template <bool kLeft, bool kWrap>
struct Shf : Same<U32> {
  static U32 apply(U32 low, U32 high, U32 amount) {
    const U32 n = kWrap ? amount & 31 : std::min(amount, 32u);
    const U64 both = U64{high} << 32 | low;
    return kLeft ? static_cast<U32>((both << n) >> 32) : static_cast<U32>(both >> n);
  }
};

// The selector names one of eight bytes in each nibble; its bit 3 spreads the byte's sign.
struct Prmt : Same<U32> {
  static U32 apply(U32 a, U32 b, U32 selector) {
    const U64 bytes = U64{b} << 32 | a;
    U32 result = 0;
    for (U32 i = 0; i < 4; ++i) {
      const U32 nibble = selector >> (4 * i) & 15;
      U32 byte = static_cast<U32>(bytes >> (8 * (nibble & 7))) & 0xff;
      if (nibble & 8) byte = byte & 0x80 ? 0xff : 0;
      result |= byte << (8 * i);
    }
    return result;
  }
};

// The special modes give byte i of the result from the two low bits of the selector.
template <class Choose>
struct PrmtMode : Same<U32> {
  static U32 apply(U32 a, U32 b, U32 selector) {
    const U64 bytes = U64{b} << 32 | a;
    U32 result = 0;
    for (U32 i = 0; i < 4; ++i) {
      result |= static_cast<U32>(bytes >> (8 * (Choose::index(selector & 3, i) & 7)) & 0xff)
                << (8 * i);
    }
    return result;
  }
};
struct Forward4 {
  static U32 index(U32 n, U32 i) { return n + i; }
};
struct Backward4 {
  static U32 index(U32 n, U32 i) { return n + 8 - i; }
};
struct Replicate8 {
  static U32 index(U32 n, U32) { return n; }
};
struct EdgeLeft {
  static U32 index(U32 n, U32 i) { return std::max(n, i); }
};
struct EdgeRight {
  static U32 index(U32 n, U32 i) { return std::min(n, i); }
};
struct Replicate16 {
  static U32 index(U32 n, U32 i) { return (n & 1) * 2 + (i & 1); }
};

template <class F>
Handler with_bits(Type type, F make) {
  switch (type_bytes(type)) {
    case 2:
      return make(U16{});
    case 4:
      return make(U32{});
    case 8:
      return make(U64{});
    default:
      return nullptr;
  }
}

template <class F>
Handler with_sign(Type type, F make) {
  switch (type) {
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
Handler binary(Type type) {
  return with_bits(type, [](auto t) -> Handler { return &run_binary<Op<decltype(t)>>; });
}
template <template <class> class Op>
Handler unary(Type type) {
  return with_bits(type, [](auto t) -> Handler { return &run_unary<Op<decltype(t)>>; });
}

Handler shr(Type type) {
  switch (type) {
    case Type::kS16:
      return &run_binary<Shr<S16>>;
    case Type::kS32:
      return &run_binary<Shr<S32>>;
    case Type::kS64:
      return &run_binary<Shr<S64>>;
    default:
      return binary<Shr>(type);
  }
}

void predicate_and(Warp& w, const Inst& in, U32 mask) {
  set_predicate(w, in.d, predicate(w, in.a) & predicate(w, in.b), mask);
}
void predicate_or(Warp& w, const Inst& in, U32 mask) {
  set_predicate(w, in.d, predicate(w, in.a) | predicate(w, in.b), mask);
}
void predicate_xor(Warp& w, const Inst& in, U32 mask) {
  set_predicate(w, in.d, predicate(w, in.a) ^ predicate(w, in.b), mask);
}
void predicate_not(Warp& w, const Inst& in, U32 mask) {
  set_predicate(w, in.d, ~predicate(w, in.a), mask);
}

}  // namespace

Handler bit_op(BitOp op, Type type) {
  switch (op) {
    case BitOp::kAnd:
      return binary<And>(type);
    case BitOp::kOr:
      return binary<Or>(type);
    case BitOp::kXor:
      return binary<Xor>(type);
    case BitOp::kNot:
      return unary<Not>(type);
    case BitOp::kCnot:
      return unary<Cnot>(type);
    case BitOp::kShl:
      return binary<Shl>(type);
    case BitOp::kShr:
      return shr(type);
    case BitOp::kBrev:
      return type_bytes(type) < 4 ? nullptr : unary<Brev>(type);
    case BitOp::kClz:
      return type_bytes(type) < 4 ? nullptr : unary<Clz>(type);
    case BitOp::kPopc:
      return type_bytes(type) < 4 ? nullptr : unary<Popc>(type);
    case BitOp::kBfe:
      return with_sign(type, [](auto t) -> Handler { return &run_ternary<Bfe<decltype(t)>>; });
    case BitOp::kBfind:
      return with_sign(type,
                       [](auto t) -> Handler { return &run_unary<Bfind<decltype(t), false>>; });
    case BitOp::kBfindShift:
      return with_sign(type,
                       [](auto t) -> Handler { return &run_unary<Bfind<decltype(t), true>>; });
    case BitOp::kBfi:
      if (type == Type::kB32) return &run_bfi<U32>;
      return type == Type::kB64 ? &run_bfi<U64> : nullptr;
  }
  return nullptr;
}

Handler predicate_op(BitOp op) {
  switch (op) {
    case BitOp::kAnd:
      return &predicate_and;
    case BitOp::kOr:
      return &predicate_or;
    case BitOp::kXor:
      return &predicate_xor;
    case BitOp::kNot:
      return &predicate_not;
    default:
      return nullptr;
  }
}

Handler shf_op(bool left, bool wrap) {
  if (left) return wrap ? &run_ternary<Shf<true, true>> : &run_ternary<Shf<true, false>>;
  return wrap ? &run_ternary<Shf<false, true>> : &run_ternary<Shf<false, false>>;
}

Handler lop3_op() { return &run_lop3; }

Handler prmt_op(std::string_view mode) {
  if (mode.empty()) return &run_ternary<Prmt>;
  if (mode == "f4e") return &run_ternary<PrmtMode<Forward4>>;
  if (mode == "b4e") return &run_ternary<PrmtMode<Backward4>>;
  if (mode == "rc8") return &run_ternary<PrmtMode<Replicate8>>;
  if (mode == "ecl") return &run_ternary<PrmtMode<EdgeLeft>>;
  if (mode == "ecr") return &run_ternary<PrmtMode<EdgeRight>>;
  if (mode == "rc16") return &run_ternary<PrmtMode<Replicate16>>;
  return nullptr;
}

}  // namespace cudasim
