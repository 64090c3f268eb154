// Atomics, lane after lane, so that a launch gives the same result every time.

#include "tests/cudasim/exec/access.h"
#include "tests/cudasim/exec/float_bits.h"
#include "tests/cudasim/exec/lanes.h"

namespace cudasim {
namespace {

// The new value from the old one and the operands.
struct AtomicAdd {
  template <class T>
  static T apply(T old, T b, T) {
    if constexpr (std::is_floating_point_v<T>) {
      return canonical(old + b);
    } else {
      return static_cast<T>(old + b);
    }
  }
};
// The f32 atomic add on global memory keeps subnormals on devices this simulates.
struct AtomicMin {
  template <class T>
  static T apply(T old, T b, T) {
    return b < old ? b : old;
  }
};
struct AtomicMax {
  template <class T>
  static T apply(T old, T b, T) {
    return old < b ? b : old;
  }
};
struct AtomicInc {
  template <class T>
  static T apply(T old, T b, T) {
    return old >= b ? T{0} : static_cast<T>(old + 1);
  }
};
struct AtomicDec {
  template <class T>
  static T apply(T old, T b, T) {
    return old == 0 || old > b ? b : static_cast<T>(old - 1);
  }
};
struct AtomicAnd {
  template <class T>
  static T apply(T old, T b, T) {
    return static_cast<T>(old & b);
  }
};
struct AtomicOr {
  template <class T>
  static T apply(T old, T b, T) {
    return static_cast<T>(old | b);
  }
};
struct AtomicXor {
  template <class T>
  static T apply(T old, T b, T) {
    return static_cast<T>(old ^ b);
  }
};
struct AtomicExch {
  template <class T>
  static T apply(T, T b, T) {
    return b;
  }
};
struct AtomicCas {
  template <class T>
  static T apply(T old, T compare, T value) {
    return old == compare ? value : old;
  }
};

template <U16 (*kEncode)(double, Rounding), float (*kDecode)(U16)>
struct HalfAdd {
  static U16 one(U16 a, U16 b) {
    return kEncode(static_cast<double>(kDecode(a)) + kDecode(b), Rounding::kNearest);
  }
  template <class T>
  static T apply(T old, T b, T) {
    if constexpr (sizeof(T) == 2) {
      return one(old, b);
    } else {
      return one(static_cast<U16>(old), static_cast<U16>(b)) |
             static_cast<U32>(one(static_cast<U16>(old >> 16), static_cast<U16>(b >> 16))) << 16;
    }
  }
};
using AddHalf = HalfAdd<half_from_double, half_to_float>;
using AddBrain = HalfAdd<bf16_from_double, bf16_to_float>;

template <class T, class Op>
void run_atomic(Warp& w, const Inst& in, U32 mask) {
  resolve(w, in, mask, sizeof(T), AccessKind::kAtomic);
  w.worker->counters.atomics += static_cast<U32>(std::popcount(mask));
  const T* b = operand<T>(w, in.b);
  const T* c = in.c == kNoSlot ? b : operand<T>(w, in.c);
  alignas(64) T old[kLanes];
  for_lanes(mask, [&](U32 l) {
    T value;
    std::memcpy(&value, reinterpret_cast<const void*>(w.address[l]), sizeof(T));
    old[l] = value;
    const T next = Op::apply(value, b[l], c[l]);
    std::memcpy(reinterpret_cast<void*>(w.address[l]), &next, sizeof(T));
  });
  if (in.d == kNoSlot) return;
  T* d = reg<T>(w, in.d);
  for_lanes(mask, [&](U32 l) { d[l] = old[l]; });
}

template <class Op>
Handler integers(Type type) {
  switch (type) {
    case Type::kU32:
      return &run_atomic<U32, Op>;
    case Type::kS32:
      return &run_atomic<S32, Op>;
    case Type::kU64:
      return &run_atomic<U64, Op>;
    case Type::kS64:
      return &run_atomic<S64, Op>;
    default:
      return nullptr;
  }
}

template <class Op>
Handler bits(Type type) {
  if (type == Type::kB32) return &run_atomic<U32, Op>;
  return type == Type::kB64 ? &run_atomic<U64, Op> : nullptr;
}

Handler add(Type type) {
  switch (type) {
    case Type::kF32:
      return &run_atomic<float, AtomicAdd>;
    case Type::kF64:
      return &run_atomic<double, AtomicAdd>;
    case Type::kF16:
      return &run_atomic<U16, AddHalf>;
    case Type::kF16x2:
      return &run_atomic<U32, AddHalf>;
    case Type::kBf16:
      return &run_atomic<U16, AddBrain>;
    case Type::kBf16x2:
      return &run_atomic<U32, AddBrain>;
    case Type::kS64:
      return nullptr;
    default:
      return integers<AtomicAdd>(type);
  }
}

}  // namespace

Handler atomic_op(AtomicOp op, Type type) {
  switch (op) {
    case AtomicOp::kAdd:
      return add(type);
    case AtomicOp::kMin:
      return integers<AtomicMin>(type);
    case AtomicOp::kMax:
      return integers<AtomicMax>(type);
    case AtomicOp::kInc:
      return type == Type::kU32 ? &run_atomic<U32, AtomicInc> : nullptr;
    case AtomicOp::kDec:
      return type == Type::kU32 ? &run_atomic<U32, AtomicDec> : nullptr;
    case AtomicOp::kAnd:
      return bits<AtomicAnd>(type);
    case AtomicOp::kOr:
      return bits<AtomicOr>(type);
    case AtomicOp::kXor:
      return bits<AtomicXor>(type);
    case AtomicOp::kExch:
      return bits<AtomicExch>(type);
    case AtomicOp::kCas:
      if (type == Type::kB16) return &run_atomic<U16, AtomicCas>;
      return bits<AtomicCas>(type);
  }
  return nullptr;
}

}  // namespace cudasim
