// Elements in order along an axis.
//
// Order is by (element, place): equal elements keep their order (every sort is stable, rising or
// falling), zeros are equal whatever their sign, NaN comes last either way. So the result does not
// depend on the device. Rows are sorted as a whole, in memory, by the host: on a GPU they are
// copied there and back, which Transfers::forbid refuses. UserError: an axis that does not exist; a
// 0-d array; k < 0 or more than there are along the axis.
#pragma once
#include <cstdint>

#include "kiln/array.h"

#pragma GCC visibility push(default)
namespace kiln {
inline namespace v0 {

enum class Order : std::uint8_t { rising, falling };
inline constexpr Order rising = Order::rising;
inline constexpr Order falling = Order::falling;

// x's shape and dtype.
[[nodiscard]] Array sort(const Array& x, std::int64_t axis = -1, Order order = rising,
                         Where where = Where::here());
// x's shape, int64: where along the axis each element of sort(x) was.
[[nodiscard]] Array argsort(const Array& x, std::int64_t axis = -1, Order order = rising,
                            Where where = Where::here());
// Both, found together.
struct Sorted {
  Array values, indices;
};
[[nodiscard]] Sorted sorted(const Array& x, std::int64_t axis = -1, Order order = rising,
                            Where where = Where::here());
// The first k of sorted(x): falling, the k largest. Costs as much as sorted(x).
[[nodiscard]] Sorted top_k(const Array& x, std::int64_t k, std::int64_t axis = -1,
                           Order order = falling, Where where = Where::here());

}  // namespace v0
}  // namespace kiln
#pragma GCC visibility pop
