// Loops over lanes. Under a full mask results go through a local array, which needs no alias checks
// and vectorises; a partial mask touches its own lanes only.
#pragma once

#include <bit>
#include <cstring>

#include "tests/cudasim/exec/machine.h"

namespace cudasim {

template <class F>
inline void for_lanes(U32 mask, F body) {
  for (U32 rest = mask; rest != 0; rest &= rest - 1) {
    body(static_cast<U32>(std::countr_zero(rest)));
  }
}

template <class D, class F>
inline void write_lanes(D* d, U32 mask, F value) {
  if (mask == kFullMask) {
    alignas(64) D result[kLanes];
    for (U32 l = 0; l < kLanes; ++l) result[l] = value(l);
    std::memcpy(d, result, sizeof result);
  } else {
    for_lanes(mask, [&](U32 l) { d[l] = value(l); });
  }
}

// The mask of lanes for which the condition holds; lanes outside `mask` are evaluated too.
template <class F>
inline U32 lanes_where(F condition) {
  alignas(64) U8 flags[kLanes];
  for (U32 l = 0; l < kLanes; ++l) flags[l] = condition(l) ? 1 : 0;
  U32 bits = 0;
  for (U32 group = 0; group < 4; ++group) {
    U64 eight;
    std::memcpy(&eight, flags + group * 8, 8);
    bits |= static_cast<U32>((eight * 0x0102040810204080u) >> 56) << (group * 8);
  }
  return bits;
}

template <class Op>
void run_unary(Warp& w, const Inst& in, U32 mask) {
  const auto* a = operand<typename Op::A>(w, in.a);
  write_lanes(reg<typename Op::D>(w, in.d), mask, [&](U32 l) { return Op::apply(a[l]); });
}

template <class Op>
void run_binary(Warp& w, const Inst& in, U32 mask) {
  const auto* a = operand<typename Op::A>(w, in.a);
  const auto* b = operand<typename Op::B>(w, in.b);
  write_lanes(reg<typename Op::D>(w, in.d), mask, [&](U32 l) { return Op::apply(a[l], b[l]); });
}

template <class Op>
void run_ternary(Warp& w, const Inst& in, U32 mask) {
  const auto* a = operand<typename Op::A>(w, in.a);
  const auto* b = operand<typename Op::B>(w, in.b);
  const auto* c = operand<typename Op::C>(w, in.c);
  write_lanes(reg<typename Op::D>(w, in.d), mask,
              [&](U32 l) { return Op::apply(a[l], b[l], c[l]); });
}

}  // namespace cudasim
