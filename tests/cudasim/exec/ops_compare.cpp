#include "tests/cudasim/exec/float_bits.h"
#include "tests/cudasim/exec/lanes.h"
#include "tests/cudasim/exec/ops.h"

namespace cudasim {
namespace {

// How a register's bits are read for a comparison.
template <class T>
struct Plain {
  using Stored = T;
  static T decode(T value) { return value; }
};
struct Flushed {
  using Stored = float;
  static float decode(float value) { return flush32(value); }
};
struct HalfBits {
  using Stored = U16;
  static float decode(U16 value) { return half_to_float(value); }
};
struct BrainBits {
  using Stored = U16;
  static float decode(U16 value) { return bf16_to_float(value); }
};

template <Compare kCompare, class T>
bool holds(T a, T b) {
  switch (kCompare) {
    case Compare::kEq:
      return a == b;
    case Compare::kNe:
      return a < b || a > b;
    case Compare::kLt:
      return a < b;
    case Compare::kLe:
      return a <= b;
    case Compare::kGt:
      return a > b;
    case Compare::kGe:
      return a >= b;
    case Compare::kEqu:
      return !(a < b || a > b);
    case Compare::kNeu:
      return !(a == b);
    case Compare::kLtu:
      return !(a >= b);
    case Compare::kLeu:
      return !(a > b);
    case Compare::kGtu:
      return !(a <= b);
    case Compare::kGeu:
      return !(a < b);
    case Compare::kNum:
      return a == a && b == b;
    case Compare::kNan:
      return !(a == a && b == b);
  }
  return false;
}

U32 combined(U32 result, U32 with, Combine how) {
  switch (how) {
    case Combine::kNone:
      return result;
    case Combine::kAnd:
      return result & with;
    case Combine::kOr:
      return result | with;
    case Combine::kXor:
      return result ^ with;
  }
  return result;
}

// d | e = (a compare b) combined with c, and its complement combined with c.
template <class Read, Compare kCompare>
void run_setp(Warp& w, const Inst& in, U32 mask) {
  const auto* a = operand<typename Read::Stored>(w, in.a);
  const auto* b = operand<typename Read::Stored>(w, in.b);
  const U32 result =
      lanes_where([&](U32 l) { return holds<kCompare>(Read::decode(a[l]), Read::decode(b[l])); });
  const Combine how = static_cast<Combine>(in.mode);
  const U32 with = how == Combine::kNone ? 0 : predicate(w, in.c);
  if (in.d != kNoSlot) set_predicate(w, in.d, combined(result, with, how), mask);
  if (in.e != kNoSlot) set_predicate(w, in.e, combined(~result, with, how), mask);
}

template <class Read>
Handler any_compare(Compare compare) {
  switch (compare) {
    case Compare::kEq:
      return &run_setp<Read, Compare::kEq>;
    case Compare::kNe:
      return &run_setp<Read, Compare::kNe>;
    case Compare::kLt:
      return &run_setp<Read, Compare::kLt>;
    case Compare::kLe:
      return &run_setp<Read, Compare::kLe>;
    case Compare::kGt:
      return &run_setp<Read, Compare::kGt>;
    case Compare::kGe:
      return &run_setp<Read, Compare::kGe>;
    default:
      return nullptr;
  }
}

template <class Read>
Handler float_compare(Compare compare) {
  switch (compare) {
    case Compare::kEqu:
      return &run_setp<Read, Compare::kEqu>;
    case Compare::kNeu:
      return &run_setp<Read, Compare::kNeu>;
    case Compare::kLtu:
      return &run_setp<Read, Compare::kLtu>;
    case Compare::kLeu:
      return &run_setp<Read, Compare::kLeu>;
    case Compare::kGtu:
      return &run_setp<Read, Compare::kGtu>;
    case Compare::kGeu:
      return &run_setp<Read, Compare::kGeu>;
    case Compare::kNum:
      return &run_setp<Read, Compare::kNum>;
    case Compare::kNan:
      return &run_setp<Read, Compare::kNan>;
    default:
      return any_compare<Read>(compare);
  }
}

template <class T>
void run_selp(Warp& w, const Inst& in, U32 mask) {
  const auto* a = operand<T>(w, in.a);
  const auto* b = operand<T>(w, in.b);
  const U32 choose = predicate(w, in.c);
  write_lanes(reg<T>(w, in.d), mask, [&](U32 l) { return (choose >> l & 1) != 0 ? a[l] : b[l]; });
}

template <class T, class Selector, bool kFlush>
void run_slct(Warp& w, const Inst& in, U32 mask) {
  const auto* a = operand<T>(w, in.a);
  const auto* b = operand<T>(w, in.b);
  const auto* c = operand<Selector>(w, in.c);
  write_lanes(reg<T>(w, in.d), mask, [&](U32 l) {
    Selector selector = c[l];
    if constexpr (kFlush) selector = flush32(selector);
    return selector >= 0 ? a[l] : b[l];
  });
}

template <class T>
Handler slct(bool float_selector, bool flush) {
  if (!float_selector) return &run_slct<T, S32, false>;
  return flush ? &run_slct<T, float, true> : &run_slct<T, float, false>;
}

}  // namespace

Handler setp_op(Compare compare, Type type, bool flush) {
  if (flush && type != Type::kF32 && type != Type::kF16) return nullptr;
  const bool equality = compare == Compare::kEq || compare == Compare::kNe;
  if (is_bits(type) && !equality) return nullptr;
  switch (type) {
    case Type::kF32:
      return flush ? float_compare<Flushed>(compare) : float_compare<Plain<float>>(compare);
    case Type::kF64:
      return float_compare<Plain<double>>(compare);
    case Type::kF16:
      return float_compare<HalfBits>(compare);
    case Type::kBf16:
      return float_compare<BrainBits>(compare);
    case Type::kU16:
    case Type::kB16:
      return any_compare<Plain<U16>>(compare);
    case Type::kU32:
    case Type::kB32:
      return any_compare<Plain<U32>>(compare);
    case Type::kU64:
    case Type::kB64:
      return any_compare<Plain<U64>>(compare);
    case Type::kS16:
      return any_compare<Plain<S16>>(compare);
    case Type::kS32:
      return any_compare<Plain<S32>>(compare);
    case Type::kS64:
      return any_compare<Plain<S64>>(compare);
    default:
      return nullptr;
  }
}

Handler selp_op(Type type) {
  switch (type_bytes(type)) {
    case 2:
      return &run_selp<U16>;
    case 4:
      return &run_selp<U32>;
    case 8:
      return &run_selp<U64>;
    default:
      return nullptr;
  }
}

Handler slct_op(Type type, bool float_selector, bool flush) {
  switch (type_bytes(type)) {
    case 2:
      return slct<U16>(float_selector, flush);
    case 4:
      return slct<U32>(float_selector, flush);
    case 8:
      return slct<U64>(float_selector, flush);
    default:
      return nullptr;
  }
}

}  // namespace cudasim
