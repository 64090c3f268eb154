// Private to ir: copies between arrays of one shape and any strides.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace kiln::ir {

// Strides of a dense row-major array, in elements.
std::vector<std::int64_t> dense_strides(std::span<const std::int64_t> extents);
std::int64_t element_count(std::span<const std::int64_t> extents);

// Strides in elements of `bytes` bytes; from and to are the elements of index (0, 0, ...).
void copy_strided(std::span<const std::int64_t> extents, std::int64_t bytes, const std::byte* from,
                  std::span<const std::int64_t> from_strides, std::byte* to,
                  std::span<const std::int64_t> to_strides);

}  // namespace kiln::ir
