// Functions of rows (all elements along some axes), by their definitions; they fuse like anything
// written by hand. float16 and bfloat16 are computed in float32 and rounded once.
#pragma once
#include "kiln/array.h"

#pragma GCC visibility push(default)
namespace kiln {
inline namespace v0 {

// exp(x - max) / sum(exp(x - max))
[[nodiscard]] Array softmax(const Array& x, const Axes& axes = -1, Where where = Where::here());
// x - max - log(sum(exp(x - max)))
[[nodiscard]] Array log_softmax(const Array& x, const Axes& axes = -1, Where where = Where::here());
// log(sum(exp(x - max))) + max, where max counts as 0 if it is not finite
[[nodiscard]] Array logsumexp(const Array& x, const Axes& axes = all_axes, Keep keep = Keep::no,
                              Where where = Where::here());
// (x - mean) / sqrt(var + epsilon)
[[nodiscard]] Array layer_norm(const Array& x, const Axes& axes = -1, double epsilon = 1e-5,
                               Where where = Where::here());
// x / sqrt(mean(x^2) + epsilon)
[[nodiscard]] Array rms_norm(const Array& x, const Axes& axes = -1, double epsilon = 1e-5,
                             Where where = Where::here());

}  // namespace v0
}  // namespace kiln
#pragma GCC visibility pop
