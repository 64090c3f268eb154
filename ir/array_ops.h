// Private to ir: the meaning of array operations that are not elementwise and not reductions by a
// scalar operation.
#pragma once
#include <cstdint>

#include "ir/op.h"

namespace kiln::ir {

// out[o][i] = the index k of the first extreme of x[o][k][i], op in {min, max}: by <, so that zeros
// are equal; the first NaN is extreme; 0 where the axis is empty.
void arg_extreme(Op op, DType type, std::int64_t outer, std::int64_t n, std::int64_t inner,
                 const void* x, std::int64_t* out);

// out[o][.][i]: op over the elements x[o][.][i] up to each, in the order of scan_order.h.
void scan_along(Op op, DType type, std::int64_t outer, std::int64_t n, std::int64_t inner,
                const void* x, void* out);

// out[o][.][i]: the elements x[o][.][i] in order (ir/nodes.def, sort), and in `places` the k that
// each had; rising for min, falling for max.
void sort_along(Op op, DType type, std::int64_t outer, std::int64_t n, std::int64_t inner,
                const void* x, void* out, std::int64_t* places);

// c = a b for `batch` row-major matrices (m, k) (k, n), by sums over k in rising order: of float32
// for 16-bit floats, rounded once; outside the promise of equal bits.
void matrix_product(DType type, std::int64_t batch, std::int64_t m, std::int64_t n, std::int64_t k,
                    const void* a, const void* b, void* c);

}  // namespace kiln::ir
