// Products of matrices.
#pragma once
#include "kiln/array.h"

#pragma GCC visibility push(default)
namespace kiln {
inline namespace v0 {

// (..., m, k) x (..., k, n) -> (..., m, n), leading axes broadcast; a 1-d operand is a row (left)
// or a column (right) whose axis the result drops. float32 and float64 go to the BLAS of the
// device, whose order of summation is its own; float16 and bfloat16 are computed in float32 and
// rounded; integers wrap. Operands are read where they lie if their rows or columns do (transposes,
// rows and columns of larger arrays, one matrix for a batch, batch axes in any order; on CUDA one
// batch axis), else copied. One matrix on the right multiplies the rows of all of the left as one
// product. UserError: a 0-d operand, inner extents that differ.
[[nodiscard]] Array matmul(const Array& left, const Array& right, Where where = Where::here());
// Sum of products along an axis of both.
[[nodiscard]] Array vecdot(const Array& left, const Array& right, std::int64_t axis = -1,
                           Where where = Where::here());
// Products of every pair of two 1-d arrays.
[[nodiscard]] Array outer(const Array& left, const Array& right, Where where = Where::here());

}  // namespace v0
}  // namespace kiln
#pragma GCC visibility pop
