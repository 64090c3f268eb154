#include "ir/strided.h"

#include <cstring>

#include "ir/mutant.h"

namespace kiln::ir {

std::vector<std::int64_t> dense_strides(std::span<const std::int64_t> extents) {
  std::vector<std::int64_t> strides(extents.size());
  std::int64_t stride = 1;
  for (std::size_t i = extents.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= extents[i];
  }
  return strides;
}

std::int64_t element_count(std::span<const std::int64_t> extents) {
  std::int64_t count = 1;
  for (const std::int64_t extent : extents) count *= extent;
  return count;
}

namespace {

template <std::size_t kBytes>
void copy_row(std::int64_t n, const std::byte* from, std::int64_t from_stride, std::byte* to,
              std::int64_t to_stride) {
  constexpr std::int64_t kStep = kBytes;
  for (std::int64_t i = 0; i < n; ++i) {
    std::memcpy(to + i * to_stride * kStep, from + i * from_stride * kStep, kBytes);
  }
}

void copy_row(std::int64_t bytes, std::int64_t n, const std::byte* from, std::int64_t from_stride,
              std::byte* to, std::int64_t to_stride) {
  if (from_stride == 1 && to_stride == 1) {
    std::memcpy(to, from, static_cast<std::size_t>(n * bytes));
    return;
  }
  switch (bytes) {
    case 1:
      return copy_row<1>(n, from, from_stride, to, to_stride);
    case 2:
      return copy_row<2>(n, from, from_stride, to, to_stride);
    case 4:
      return copy_row<4>(n, from, from_stride, to, to_stride);
    default:
      return copy_row<8>(n, from, from_stride, to, to_stride);
  }
}

}  // namespace

void copy_strided(std::span<const std::int64_t> extents, std::int64_t bytes, const std::byte* from,
                  std::span<const std::int64_t> from_strides, std::byte* to,
                  std::span<const std::int64_t> to_strides) {
  if (element_count(extents) == 0) return;
  const std::size_t rank = extents.size();
  if (rank == 0) return copy_row(bytes, 1, from, 1, to, 1);
  std::vector<std::int64_t> index(rank, 0);
  while (true) {
    copy_row(bytes, extents[rank - 1], from, from_strides[rank - 1], to, to_strides[rank - 1]);
    std::size_t axis = rank - 1;
    while (axis-- > 0) {
      from += (mutant(Mutant::copy_stride) ? to_strides : from_strides)[axis] * bytes;
      to += to_strides[axis] * bytes;
      if (++index[axis] < extents[axis]) break;
      from -= extents[axis] * from_strides[axis] * bytes;
      to -= extents[axis] * to_strides[axis] * bytes;
      index[axis] = 0;
    }
    if (axis == static_cast<std::size_t>(-1)) return;
  }
}

}  // namespace kiln::ir
