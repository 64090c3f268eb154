// Sizes that caching allocators round up to: eight steps a doubling, multiples of 64 bytes.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>

namespace kiln::runtime {

inline std::int64_t size_class(std::int64_t bytes) {
  constexpr std::int64_t kLeast = 64;
  if (bytes <= kLeast) return kLeast;
  const int exponent = std::bit_width(static_cast<std::uint64_t>(bytes - 1)) - 1;
  const int shift = std::max(exponent - 3, 6);
  return (((bytes - 1) >> shift) + 1) << shift;
}

}  // namespace kiln::runtime
