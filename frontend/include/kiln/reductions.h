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
[[nodiscard]] Array sum(const Array& x, const Axes& axes = all_axes, Keep keep = Keep::no,
                        Where where = Where::here());
[[nodiscard]] Array prod(const Array& x, const Axes& axes = all_axes, Keep keep = Keep::no,
                         Where where = Where::here());
// sum / n; integers give float32 (8 and 16 bits) or float64.
[[nodiscard]] Array mean(const Array& x, const Axes& axes = all_axes, Keep keep = Keep::no,
                         Where where = Where::here());
// mean of (x - mean(x))^2, with max(n - correction, 0) for n; std is its square root. Under `using
// namespace kiln` it is still kiln::std: `std` alone is the namespace.
[[nodiscard]] Array var(const Array& x, const Axes& axes = all_axes, Correction correction = {0},
                        Keep keep = Keep::no, Where where = Where::here());
[[nodiscard]] Array std(const Array& x, const Axes& axes = all_axes, Correction correction = {0},
                        Keep keep = Keep::no, Where where = Where::here());
// NaN if any element is; -0 < +0. Elementwise these are maximum and minimum: max(x, y) does not
// compile, and max(x, 2) is the maximum along axis 2.
[[nodiscard]] Array max(const Array& x, const Axes& axes = all_axes, Keep keep = Keep::no,
                        Where where = Where::here());
[[nodiscard]] Array min(const Array& x, const Axes& axes = all_axes, Keep keep = Keep::no,
                        Where where = Where::here());
// Of truth values: a number is true if it is not 0. Of no elements: any false, all true.
[[nodiscard]] Array any(const Array& x, const Axes& axes = all_axes, Keep keep = Keep::no,
                        Where where = Where::here());
[[nodiscard]] Array all(const Array& x, const Axes& axes = all_axes, Keep keep = Keep::no,
                        Where where = Where::here());
[[nodiscard]] Array count_nonzero(const Array& x, const Axes& axes = all_axes, Keep keep = Keep::no,
                                  Where where = Where::here());
// The index (int64) of the first extreme along one axis, or of the flattened array; NaN counts as
// extreme.
[[nodiscard]] Array argmax(const Array& x, std::optional<std::int64_t> axis = {},
                           Keep keep = Keep::no, Where where = Where::here());
[[nodiscard]] Array argmin(const Array& x, std::optional<std::int64_t> axis = {},
                           Keep keep = Keep::no, Where where = Where::here());

// Along an axis, of all elements up to each, itself among them; with an initial element the extent
// is one more, and what comes first is 0 or 1. Dtypes as of sum and prod. The order of floating
// sums and products depends on the extent alone (32 x 32 tiles, ir/NUMERICS.md). Rows are computed
// as a whole, in memory, by the host: on a GPU they are copied there and back, which
// Transfers::forbid refuses. From the other end: flip before and after.
enum class Initial : std::uint8_t { no, yes };
inline constexpr Initial include_initial = Initial::yes;
[[nodiscard]] Array cumulative_sum(const Array& x, std::int64_t axis = -1,
                                   Initial initial = Initial::no, Where where = Where::here());
[[nodiscard]] Array cumulative_prod(const Array& x, std::int64_t axis = -1,
                                    Initial initial = Initial::no, Where where = Where::here());
// The greatest and the least so far; NaN from the first one on.
[[nodiscard]] Array cummax(const Array& x, std::int64_t axis = -1, Where where = Where::here());
[[nodiscard]] Array cummin(const Array& x, std::int64_t axis = -1, Where where = Where::here());

// max(x, y) and max(x, 0.5) do not compile, and say what to write instead. One overload is more
// constrained than std::max, for those who say `using namespace std`.
namespace frontend {
template <class T>
concept NoAxis = std::convertible_to<const T&, Operand> && !Integer<T> && !std::same_as<T, Array>;
template <class T>
constexpr bool never = false;
template <NoAxis T>
void max(const Array&, const T&) {
  static_assert(never<T>,
                "elementwise it is maximum(x, y); max takes axes: max(x, 0), max(x, {0, 1})");
}
template <class T>
  requires std::same_as<T, Array>
void max(const T&, const T&) {
  static_assert(never<T>,
                "elementwise it is maximum(x, y); max takes axes: max(x, 0), max(x, {0, 1})");
}
template <Element T>
void max(const T&, const Array&) {
  static_assert(never<T>,
                "elementwise it is maximum(x, y); max takes axes: max(x, 0), max(x, {0, 1})");
}
template <NoAxis T>
void min(const Array&, const T&) {
  static_assert(never<T>,
                "elementwise it is minimum(x, y); min takes axes: min(x, 0), min(x, {0, 1})");
}
template <class T>
  requires std::same_as<T, Array>
void min(const T&, const T&) {
  static_assert(never<T>,
                "elementwise it is minimum(x, y); min takes axes: min(x, 0), min(x, {0, 1})");
}
template <Element T>
void min(const T&, const Array&) {
  static_assert(never<T>,
                "elementwise it is minimum(x, y); min takes axes: min(x, 0), min(x, {0, 1})");
}
}  // namespace frontend
using frontend::max;
using frontend::min;

}  // namespace v0
}  // namespace kiln
#pragma GCC visibility pop
