#include "frontend/layout.h"

#include <algorithm>
#include <cstring>

namespace kiln::inline v0::frontend {

namespace {
bool has_elements(std::span<const std::int64_t> shape) {
  return std::ranges::find(shape, 0) == shape.end();
}
}  // namespace

double divisor(std::span<const std::int64_t> shape, std::span<const std::int64_t> axes,
               double correction) {
  double count = 1;
  for (const std::int64_t axis : axes)
    count *= static_cast<double>(shape[static_cast<std::size_t>(axis)]);
  return std::max(count - correction, 0.0);
}

std::vector<std::int64_t> dense_strides(std::span<const std::int64_t> shape) {
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t next = 1;
  for (std::size_t i = shape.size(); i-- > 0; next *= shape[i]) strides[i] = next;
  return strides;
}

bool is_dense(std::span<const std::int64_t> shape, std::span<const std::int64_t> strides) {
  std::int64_t next = 1;
  for (std::size_t i = shape.size(); i-- > 0; next *= shape[i]) {
    if (shape[i] != 1 && strides[i] != next) return !has_elements(shape);
  }
  return true;
}

// The innermost axis in a tight loop.
void gather(std::byte* to, const std::byte* from, std::span<const std::int64_t> shape,
            std::span<const std::int64_t> strides, std::int64_t size) {
  if (!has_elements(shape)) return;
  const std::size_t outer = shape.empty() ? 0 : shape.size() - 1;
  const std::int64_t inner = shape.empty() ? 1 : shape.back();
  const std::int64_t step = shape.empty() ? 0 : strides.back() * size;
  std::vector<std::int64_t> index(outer, 0);
  for (;;) {
    for (std::int64_t i = 0; i < inner; ++i, to += size)
      std::memcpy(to, from + i * step, static_cast<std::size_t>(size));
    std::size_t axis = outer;
    for (; axis > 0; --axis) {
      const std::size_t a = axis - 1;
      from += strides[a] * size;
      if (++index[a] < shape[a]) break;
      from -= strides[a] * index[a] * size;
      index[a] = 0;
    }
    if (axis == 0) return;
  }
}

}  // namespace kiln::inline v0::frontend
