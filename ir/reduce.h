// Reductions by the canonical order, on dense arrays whose reduced extent comes first.
#pragma once
#include <cstdint>

#include "ir/op.h"

namespace kiln::ir {

// The value that a reduction of no elements has, and that changes no other: +0, 1, the extremes,
// all ones, 0.
std::uint64_t reduce_identity(Op op, DType type);
// The element that code pads with: the same but for float sums, where it is -0: x + -0 is x also
// for x = -0.
std::uint64_t reduce_padding(Op op, DType type);

// What a reduction accumulates in: float32 for 16-bit floats under add and mul, else the type
// itself.
DType accumulator(Op op, DType type);
// Whether the result depends on the order: add and mul of floats.
bool ordered(Op op, DType type);

// out[c] = x[0][c] op x[1][c] op ... for c < columns, in the canonical order where it matters. `x`
// has n rows of columns elements of `type`; out has elements of `type`.
void reduce_rows(Op op, DType type, std::int64_t n, std::int64_t columns, const void* x, void* out);

}  // namespace kiln::ir
