// The same elements seen otherwise, and joined, padded and repeated ones. None of these computes or
// copies: they become index arithmetic of the kernels that read them.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "kiln/array.h"

#pragma GCC visibility push(default)
namespace kiln {
inline namespace v0 {

// Same elements, row-major. One extent may be -1: what is left. UserError if the sizes differ.
[[nodiscard]] Array reshape(const Array& x, const Shape& shape, Where where = Where::here());
// Axis i of the result is axis axes[i] of x; every axis once.
[[nodiscard]] Array permute_dims(const Array& x, const Axes& axes, Where where = Where::here());
// All axes reversed; of the given axes as permute_dims.
[[nodiscard]] Array transpose(const Array& x, const Axes& axes = all_axes,
                              Where where = Where::here());
// The last two axes swapped; at least two are needed.
[[nodiscard]] Array matrix_transpose(const Array& x, Where where = Where::here());
// The named axes moved to where `to` says, the others in order.
[[nodiscard]] Array moveaxis(const Array& x, const Axes& from, const Axes& to,
                             Where where = Where::here());
[[nodiscard]] Array swapaxes(const Array& x, std::int64_t a, std::int64_t b,
                             Where where = Where::here());
// New axes of extent 1 at these places of the result.
[[nodiscard]] Array expand_dims(const Array& x, const Axes& axes, Where where = Where::here());
// Without these axes, whose extent must be 1; all_axes drops every axis of extent 1.
[[nodiscard]] Array squeeze(const Array& x, const Axes& axes = all_axes,
                            Where where = Where::here());
[[nodiscard]] Array flatten(const Array& x, Where where = Where::here());
[[nodiscard]] Array broadcast_to(const Array& x, const Shape& shape, Where where = Where::here());
[[nodiscard]] std::vector<Array> broadcast_arrays(const Arrays& arrays,
                                                  Where where = Where::here());
// Reversed along these axes.
[[nodiscard]] Array flip(const Array& x, const Axes& axes = all_axes, Where where = Where::here());
// Elements moved by shift places along an axis, around the end; over all axes as if flattened.
[[nodiscard]] Array roll(const Array& x, std::int64_t shift, const Axes& axis = all_axes,
                         Where where = Where::here());

// How many elements to put before and after an axis.
struct Margin {
  Extent before, after;
  template <Integer T>
  constexpr Margin(T both) : before(both), after(both) {}
  constexpr Margin(Extent b, Extent a) : before(b), after(a) {}
};
// One margin an axis, or one for all. UserError for negative ones. The value is cast to x's dtype.
[[nodiscard]] Array pad(const Array& x, const std::vector<Margin>& margins, Operand value = 0,
                        Where where = Where::here());

// Joined along an axis; other extents are equal. Dtypes are promoted.
[[nodiscard]] Array concat(const Arrays& arrays, std::int64_t axis = 0,
                           Where where = Where::here());
// Joined along a new axis; shapes are equal.
[[nodiscard]] Array stack(const Arrays& arrays, std::int64_t axis = 0, Where where = Where::here());
[[nodiscard]] std::vector<Array> unstack(const Array& x, std::int64_t axis = 0,
                                         Where where = Where::here());
// Each element `times` times in a row.
[[nodiscard]] Array repeat(const Array& x, Extent times, std::int64_t axis,
                           Where where = Where::here());
// The array put side by side with itself, times[i] times along axis i.
[[nodiscard]] Array tile(const Array& x, const Shape& times, Where where = Where::here());

// 0 above, below the given diagonal of the last two axes.
[[nodiscard]] Array tril(const Array& x, std::int64_t diagonal = 0, Where where = Where::here());
[[nodiscard]] Array triu(const Array& x, std::int64_t diagonal = 0, Where where = Where::here());

}  // namespace v0
}  // namespace kiln
#pragma GCC visibility pop
