// Conversions of the 16-bit floats as inline integer code: one rounding, independent of the
// floating-point state, and free of branches so that loops over arrays vectorise.
#pragma once
#include <bit>
#include <cstdint>

namespace kiln::ir {

// A float of kFromMantissa mantissa bits and bias kFromBias, given by its bits, to the nearest even
// 16-bit float of 15 - kMantissa exponent bits. The source's exponent range must be the wider one,
// by enough that its subnormals round to zero.
template <class Bits, int kFromMantissa, int kFromBias, int kMantissa>
constexpr std::uint16_t narrow_float(Bits bits) {
  constexpr int kWidth = 8 * sizeof(Bits);
  constexpr int kBias = (1 << (14 - kMantissa)) - 1;
  constexpr int kDrop = kFromMantissa - kMantissa;
  constexpr Bits kInf = Bits((1 << (15 - kMantissa)) - 1) << kMantissa;
  constexpr Bits kFromInf = ((Bits{1} << (kWidth - 1 - kFromMantissa)) - 1) << kFromMantissa;
  constexpr Bits kLeastNormal = Bits(kFromBias - kBias + 1) << kFromMantissa;

  const Bits magnitude = bits & ~(Bits{1} << (kWidth - 1));
  const Bits rebased = magnitude - (Bits(kFromBias - kBias) << kFromMantissa);
  Bits normal = (rebased + (Bits{1} << (kDrop - 1)) - 1 + ((rebased >> kDrop) & 1)) >> kDrop;
  normal = normal > kInf ? kInf : normal;

  const Bits implicit = Bits{1} << kFromMantissa;
  const Bits mantissa = (magnitude & (implicit - 1)) | implicit;
  const Bits exponent = magnitude >> kFromMantissa;
  const Bits wanted = Bits(kFromBias - kBias + 1 + kDrop) - exponent;
  const Bits largest = kFromMantissa + 2;
  const Bits shift = magnitude >= kLeastNormal ? 1 : wanted > largest ? largest : wanted;
  const Bits subnormal =
      (mantissa + (Bits{1} << (shift - 1)) - 1 + ((mantissa >> shift) & 1)) >> shift;

  const Bits finite = magnitude >= kLeastNormal ? normal : subnormal;
  constexpr Bits kNaN = kInf | (Bits{1} << (kMantissa - 1));
  const Bits sign = (bits >> (kWidth - 16)) & 0x8000;
  return static_cast<std::uint16_t>(magnitude > kFromInf ? kNaN : (finite | sign));
}

constexpr std::uint16_t inline_float_to_half(float x) {
  return narrow_float<std::uint32_t, 23, 127, 10>(std::bit_cast<std::uint32_t>(x));
}
constexpr std::uint16_t inline_double_to_half(double x) {
  return narrow_float<std::uint64_t, 52, 1023, 10>(std::bit_cast<std::uint64_t>(x));
}
constexpr std::uint16_t inline_double_to_bfloat(double x) {
  return narrow_float<std::uint64_t, 52, 1023, 7>(std::bit_cast<std::uint64_t>(x));
}
constexpr std::uint16_t inline_float_to_bfloat(float x) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  return static_cast<std::uint16_t>((bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : rounded);
}
constexpr float inline_half_to_float(std::uint16_t h) {
  const std::uint32_t sign = static_cast<std::uint32_t>(h & 0x8000) << 16;
  const std::uint32_t magnitude = h & 0x7fff;
  const std::uint32_t rebias = std::uint32_t{112} << 23;
  const std::uint32_t normal = (magnitude << 13) + (magnitude >= 0x7c00 ? 2 * rebias : rebias);
  // A subnormal is an integer times 2^-24: exact, and free of float32 subnormals.
  const float small = static_cast<float>(static_cast<std::int32_t>(magnitude)) * 0x1p-24f;
  const std::uint32_t subnormal = std::bit_cast<std::uint32_t>(small);
  return std::bit_cast<float>((magnitude < 0x400 ? subnormal : normal) | sign);
}

}  // namespace kiln::ir
