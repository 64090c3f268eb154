// Reductions over all axes, one or several; keepdims leaves them with extent 1.
//
// The order of floating sums and products depends on the reduced extents alone, so bits are the
// same on every device and however the reduction was fused. UserError: an axis that does not exist
// or is named twice; max, min, argmax, argmin of no elements.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <vector>

#include "kiln/array.h"

#pragma GCC visibility push(default)
namespace kiln {
inline namespace v0 {

// Integers and bool are summed and multiplied in 64 bits; float16 and bfloat16 in float32, rounded
// once.
Array sum(const Array& x, const Axes& axes = all_axes, Keep keep = Keep::no,
          Where where = Where::here());
Array prod(const Array& x, const Axes& axes = all_axes, Keep keep = Keep::no,
           Where where = Where::here());
// sum / n; integers give float32 (8 and 16 bits) or float64.
Array mean(const Array& x, const Axes& axes = all_axes, Keep keep = Keep::no,
           Where where = Where::here());
// mean of (x - mean(x))^2, with n - correction for n; std is its square root.
Array var(const Array& x, const Axes& axes = all_axes, Correction correction = {0},
          Keep keep = Keep::no, Where where = Where::here());
Array std(const Array& x, const Axes& axes = all_axes, Correction correction = {0},
          Keep keep = Keep::no, Where where = Where::here());
// NaN if any element is; -0 < +0.
Array max(const Array& x, AllAxes axes = all_axes, Keep keep = Keep::no,
          Where where = Where::here());
Array max(const Array& x, std::initializer_list<Extent> axes, Keep keep = Keep::no,
          Where where = Where::here());
Array min(const Array& x, AllAxes axes = all_axes, Keep keep = Keep::no,
          Where where = Where::here());
Array min(const Array& x, std::initializer_list<Extent> axes, Keep keep = Keep::no,
          Where where = Where::here());
// Elementwise is maximum(x, y); over an axis it is max(x, {0}).
template <class T>
  requires(std::same_as<T, Array> || Element<T>)
Array max(const Array&, const T&) = delete;
template <class T>
  requires(std::same_as<T, Array> || Element<T>)
Array min(const Array&, const T&) = delete;
// Of truth values: a number is true if it is not 0. Of no elements: any false, all true.
Array any(const Array& x, const Axes& axes = all_axes, Keep keep = Keep::no,
          Where where = Where::here());
Array all(const Array& x, const Axes& axes = all_axes, Keep keep = Keep::no,
          Where where = Where::here());
Array count_nonzero(const Array& x, const Axes& axes = all_axes, Keep keep = Keep::no,
                    Where where = Where::here());
// The index (int64) of the first extreme along one axis, or of the flattened array; NaN counts as
// extreme.
Array argmax(const Array& x, std::optional<std::int64_t> axis = {}, Keep keep = Keep::no,
             Where where = Where::here());
Array argmin(const Array& x, std::optional<std::int64_t> axis = {}, Keep keep = Keep::no,
             Where where = Where::here());

}  // namespace v0
}  // namespace kiln
#pragma GCC visibility pop
