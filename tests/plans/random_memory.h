// Values for tests, and memory that they lie in.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <vector>

#include "ir/dtype.h"

namespace kiln::ir::test {

// Bits of any value; of floats `special` ones too: NaN, infinities, denormals, signed zeros.
std::uint64_t random_value(std::mt19937_64& engine, DType dtype, bool special);

// Whether strides descend, none less than the length of what lies behind its axis (ir::Input).
inline bool descend(std::span<const std::int64_t> extents, std::span<const std::int64_t> strides) {
  std::int64_t length = 1;
  for (std::size_t i = extents.size(); i-- > 0;) {
    if (extents[i] == 1) continue;
    if (strides[i] < length) return false;
    length = strides[i] * extents[i];
  }
  return true;
}

// Memory of so many elements, those of an array filled by `next` in row-major order: the first at
// byte `first`, the others at these strides (none: dense). What belongs to none is NaN, or 0xA5.
std::vector<std::byte> memory_of(DType dtype, std::int64_t elements, std::int64_t first,
                                 const std::vector<std::int64_t>& extents,
                                 const std::vector<std::int64_t>& strides,
                                 const std::function<std::uint64_t()>& next);

}  // namespace kiln::ir::test
