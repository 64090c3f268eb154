// New arrays: filled ones, ranges, and data of the host's that is strided, borrowed, or both.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "kiln/array.h"

#pragma GCC visibility push(default)
namespace kiln {
inline namespace v0 {

// Without a dtype: float32. UserError: a negative extent, more than 32 axes, more than 2^62
// elements.
[[nodiscard]] Array zeros(const Shape& shape, MaybeDType dtype = {}, MaybeDevice device = {},
                          Where where = Where::here());
[[nodiscard]] Array ones(const Shape& shape, MaybeDType dtype = {}, MaybeDevice device = {},
                         Where where = Where::here());
[[nodiscard]] Array empty(const Shape& shape, MaybeDType dtype = {}, MaybeDevice device = {},
                          Where where = Where::here());  // of zeros
// Without a dtype, of the value's: bool, int64 or float32 for a C++ scalar. The value may be a 0-d
// Array.
[[nodiscard]] Array full(const Shape& shape, Operand value, MaybeDType dtype = {},
                         MaybeDevice device = {});
// Of x's shape, and dtype and device unless given.
[[nodiscard]] Array zeros_like(const Array& x, MaybeDType dtype = {}, MaybeDevice device = {},
                               Where where = Where::here());
[[nodiscard]] Array ones_like(const Array& x, MaybeDType dtype = {}, MaybeDevice device = {},
                              Where where = Where::here());
[[nodiscard]] Array empty_like(const Array& x, MaybeDType dtype = {}, MaybeDevice device = {},
                               Where where = Where::here());
[[nodiscard]] Array full_like(const Array& x, Operand value, MaybeDType dtype = {},
                              MaybeDevice device = {});

// start, start + step, ... before stop: ceil((stop - start) / step) elements, element i being
// start + i * step in the result's dtype; integers wrap. Without a dtype: int64 for integers, else
// float32. Bounds are C++ scalars; UserError for a 0 step, an Array, bounds that are not finite, or
// a start that does not fit an integer dtype.
[[nodiscard]] Array arange(Operand stop, MaybeDType dtype = {}, MaybeDevice device = {});
[[nodiscard]] Array arange(Operand start, Operand stop, Operand step = 1, MaybeDType dtype = {},
                           MaybeDevice device = {});
// count values from start to stop, both included; of float32 unless a floating dtype is given.
[[nodiscard]] Array linspace(double start, double stop, Extent count, MaybeDType dtype = {},
                             MaybeDevice device = {}, Where where = Where::here());
// 1 where column - row == diagonal, else 0; as many columns as rows unless given.
[[nodiscard]] Array eye(Extent rows, std::optional<std::int64_t> columns = {},
                        std::int64_t diagonal = 0, MaybeDType dtype = {}, MaybeDevice device = {},
                        Where where = Where::here());

// Host memory: element (i, j, ...) is at data[i * strides[0] + j * strides[1] + ...]; strides count
// elements and have any sign.
struct Layout {
  Shape shape;
  std::vector<std::int64_t> strides;
};
namespace frontend {
[[nodiscard]] Array copy_strided(DType dtype, const void* data, const Layout& layout, Where where);
[[nodiscard]] Array borrow_strided(DType dtype, const void* data, const Layout& layout,
                                   std::shared_ptr<const void> owner, Where where);
}  // namespace frontend

// Copies now. UserError if there is not one stride an axis.
template <Element T>
[[nodiscard]] Array from_host(const T* data, const Layout& layout, Where where = Where::here()) {
  return frontend::copy_strided(dtype_of<T>(), data, layout, where);
}
// Copies nothing on the CPU device and keeps `owner`, which must not be null; the memory must not
// change while some array uses it.
template <Element T>
[[nodiscard]] Array borrow(const T* data, const Layout& layout, std::shared_ptr<const void> owner,
                           Where where = Where::here()) {
  return frontend::borrow_strided(dtype_of<T>(), data, layout, std::move(owner), where);
}

}  // namespace v0
}  // namespace kiln
#pragma GCC visibility pop
