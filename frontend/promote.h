// Type promotion, as documented in kiln/elementwise.h.
#pragma once
#include <optional>

#include "frontend/access.h"

namespace kiln::inline v0::frontend {

// The dtype that holds both; none for complex ones.
std::optional<DType> promote(DType a, DType b);
// The dtype of a weak scalar beside an array of dtype t.
DType promote_scalar(DType t, Access::ScalarKind kind);
// Of a scalar alone: bool, int64 or float32.
DType default_dtype(Access::ScalarKind kind);
// Itself if floating, else the float that true division gives.
DType floating_of(DType t);
// The dtype of sums: 64 bits for integers and bool.
DType sum_dtype(DType t);
// The type in which composites compute: float32 for 16-bit floats.
DType working_dtype(DType t);
// Whether every value of `from` is one of `to`.
bool converts_exactly(DType from, DType to);

}  // namespace kiln::inline v0::frontend
