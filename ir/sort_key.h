// The order of sorting as unsigned numbers: a < b where the element of a stands before that of b.
// Equal elements have equal keys, zeros are equal, and NaN comes last, rising or falling.
#pragma once
#include <cstdint>
#include <type_traits>

#include "ir/dtype.h"
#include "ir/error.h"
#include "ir/mutant.h"

namespace kiln::ir {

// Bits: of an IEEE float with `mantissa` bits of it, the sign in front.
template <class Bits>
Bits float_sort_key(Bits bits, int mantissa, bool falling) {
  constexpr int kWidth = 8 * sizeof(Bits);
  constexpr Bits kSign = static_cast<Bits>(Bits{1} << (kWidth - 1));
  const Bits magnitude = static_cast<Bits>(bits & ~kSign);
  const Bits infinity = static_cast<Bits>((static_cast<Bits>(kSign - 1) >> mantissa) << mantissa);
  if (magnitude > infinity) return static_cast<Bits>(~Bits{0});
  if (magnitude == 0 && !mutant(Mutant::order_of_zeros)) return kSign;
  const Bits key = (bits & kSign) != 0 ? static_cast<Bits>(~bits) : static_cast<Bits>(bits | kSign);
  return falling ? static_cast<Bits>(~key) : key;
}
template <class Integer>
constexpr auto integer_sort_key(Integer value, bool falling) {
  using Bits = std::make_unsigned_t<Integer>;
  constexpr Bits kSign =
      std::is_signed_v<Integer> ? static_cast<Bits>(Bits{1} << (8 * sizeof(Bits) - 1)) : Bits{0};
  const auto key = static_cast<Bits>(static_cast<Bits>(value) ^ kSign);
  return falling ? static_cast<Bits>(~key) : key;
}

// Calls f(element type, key of an element's bits) with a type of unsigned integers as wide as an
// element of dtype.
template <class F>
void with_sort_key(DType dtype, bool falling, F f) {
  const auto of_float = [&](auto bits, int mantissa) {
    f(bits, [=](decltype(bits) x) { return float_sort_key(x, mantissa, falling); });
  };
  const auto of_integer = [&](auto integer) {
    using Bits = std::make_unsigned_t<decltype(integer)>;
    f(Bits{}, [=](Bits x) { return integer_sort_key(static_cast<decltype(integer)>(x), falling); });
  };
  switch (dtype) {
    case DType::bool_:
    case DType::uint8:
      return of_integer(std::uint8_t{});
    case DType::int8:
      return of_integer(std::int8_t{});
    case DType::int16:
      return of_integer(std::int16_t{});
    case DType::int32:
      return of_integer(std::int32_t{});
    case DType::int64:
      return of_integer(std::int64_t{});
    case DType::uint16:
      return of_integer(std::uint16_t{});
    case DType::uint32:
      return of_integer(std::uint32_t{});
    case DType::uint64:
      return of_integer(std::uint64_t{});
    case DType::float16:
      return of_float(std::uint16_t{}, 10);
    case DType::bfloat16:
      return of_float(std::uint16_t{}, 7);
    case DType::float32:
      return of_float(std::uint32_t{}, 23);
    case DType::float64:
      return of_float(std::uint64_t{}, 52);
    case DType::complex64:
    case DType::complex128:
      internal_error("complex numbers have no order");
  }
}

}  // namespace kiln::ir
