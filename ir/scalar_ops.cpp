#include <array>

#include "ir/bytes.h"
#include "ir/error.h"
#include "ir/scalar_semantics.h"

namespace kiln::ir {
namespace {

constexpr bool accepts(OpRule rule, DType t) {
  switch (rule) {
    case OpRule::Arith:
      return is_int(t) || is_float(t);
    case OpRule::Float:
      return is_float(t);
    case OpRule::Int:
      return is_int(t);
    case OpRule::Bits:
      return is_int(t) || is_bool(t);
    case OpRule::Compare:
      return true;
    case OpRule::Choose:
    case OpRule::Convert:
      return false;
  }
  return false;
}

// Operations that mean the same on signed and unsigned integers share the unsigned loop.
constexpr bool sign_free(Op op) {
  switch (op) {
    case Op::add:
    case Op::sub:
    case Op::mul:
    case Op::neg:
    case Op::and_:
    case Op::or_:
    case Op::xor_:
    case Op::shl:
    case Op::clz:
    case Op::ctz:
    case Op::popcount:
    case Op::eq:
    case Op::ne:
      return true;
    default:
      return false;
  }
}

template <Op op, DType t>
constexpr LoopPair row_entry() {
  if constexpr (!accepts(info(op).rule, t) || has(op, kExpands)) {
    return {};
  } else if constexpr (is_signed_int(t) && sign_free(op)) {
    return loops<Elementwise<op, Bits<Stored<t>>>>();
  } else {
    return loops<Elementwise<op, Stored<t>>>();
  }
}

using Row = std::array<LoopPair, kRealCount>;
template <Op op, int... t>
constexpr Row make_row(std::integer_sequence<int, t...>) {
  return {row_entry<op, static_cast<DType>(t)>()...};
}
template <int... op>
constexpr std::array<Row, kOpCount> make_table(std::integer_sequence<int, op...>) {
  return {make_row<static_cast<Op>(op)>(std::make_integer_sequence<int, kRealCount>())...};
}
constexpr auto kTable = make_table(std::make_integer_sequence<int, kOpCount>());

constexpr LoopPair kChoose[] = {loops<Choose<std::uint8_t>>(), loops<Choose<std::uint16_t>>(),
                                loops<Choose<std::uint32_t>>(), loops<Choose<std::uint64_t>>()};

template <int kBytes>
void copy_loop(std::int64_t n, const void* const* in, void* out) {
  move_bytes(out, in[0], n * kBytes);
}
constexpr ArrayLoop kCopy[] = {copy_loop<1>, copy_loop<2>, copy_loop<4>, copy_loop<8>};

int size_log2(DType t) { return std::countr_zero(static_cast<std::uint64_t>(size_of(t))); }
ArrayLoop pick(const LoopPair& pair) { return has_wide_loops() ? pair.wide : pair.plain; }

}  // namespace

bool has_wide_loops() {
#if defined(__x86_64__)
  static const bool wide = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
  return wide;
#else
  return false;
#endif
}

ArrayLoop loop_of(Op op, DType type, DType result) {
  internal_check(!is_complex(type) && !is_complex(result), "complex operand of a scalar operation");
  if (op == Op::cast) return cast_loop(type, result);
  if (op == Op::bitcast) return kCopy[size_log2(type)];
  if (op == Op::select) return pick(kChoose[size_log2(type)]);
  if (has(op, kExpands)) return expansion_loop(op, type);
  const LoopPair& pair = kTable[static_cast<int>(op)][static_cast<int>(type)];
  internal_check(pair.plain != nullptr, "no such operation on this type");
  return pick(pair);
}

}  // namespace kiln::ir
