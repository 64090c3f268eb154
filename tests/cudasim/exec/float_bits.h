// Bit-level float helpers shared by the float handlers: flushing of subnormals, the one NaN a
// device makes, and the host's rounding mode.
#pragma once

#include <bit>
#include <cfenv>

#include "tests/cudasim/exec/ops.h"

namespace cudasim {

inline constexpr U32 kNan32 = 0x7fffffffu;

// Subnormals become zeros of their sign.
inline float flush32(float x) {
  const U32 bits = std::bit_cast<U32>(x);
  return std::bit_cast<float>((bits & 0x7f800000u) == 0 ? bits & 0x80000000u : bits);
}

inline float canonical(float x) { return x != x ? std::bit_cast<float>(kNan32) : x; }
// f64 instructions keep the payload of a NaN operand, as the host does.
inline double canonical(double x) { return x; }

// NaN becomes +0.
template <class T>
T saturate(T x) {
  return x > 0 ? (x < 1 ? x : T{1}) : T{0};
}

inline int host_rounding(Rounding rounding) {
  switch (rounding) {
    case Rounding::kZero:
      return FE_TOWARDZERO;
    case Rounding::kDown:
      return FE_DOWNWARD;
    case Rounding::kUp:
      return FE_UPWARD;
    default:
      return FE_TONEAREST;
  }
}

// Sets the host's rounding mode for a scope. Operands must be loaded and results stored inside it.
class RoundingScope {
 public:
  explicit RoundingScope(Rounding rounding) { std::fesetround(host_rounding(rounding)); }
  ~RoundingScope() { std::fesetround(FE_TONEAREST); }
  RoundingScope(const RoundingScope&) = delete;
  RoundingScope& operator=(const RoundingScope&) = delete;
};

}  // namespace cudasim
