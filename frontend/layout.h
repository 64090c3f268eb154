// Where the elements of an array lie: row-major, or by strides. Strides count elements.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace kiln::inline v0::frontend {

// The number of elements along axes, minus correction; at least 0.
double divisor(std::span<const std::int64_t> shape, std::span<const std::int64_t> axes,
               double correction);
std::vector<std::int64_t> dense_strides(std::span<const std::int64_t> shape);
// Row-major without gaps, as is whatever has no elements.
bool is_dense(std::span<const std::int64_t> shape, std::span<const std::int64_t> strides);
// The same elements of `size` bytes each, row-major without gaps.
void gather(std::byte* to, const std::byte* from, std::span<const std::int64_t> shape,
            std::span<const std::int64_t> strides, std::int64_t size);

}  // namespace kiln::inline v0::frontend
