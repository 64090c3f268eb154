// Type promotion, as documented in kiln/elementwise.h.
#pragma once
#include <optional>

#include "frontend/access.h"

namespace kiln::inline v0::frontend {

// The dtype that holds both; none for complex ones.
std::optional<DType> promote(DType a, DType b);
// The dtype of an array of dtype t beside a weak scalar of C++ type `scalar`.
DType promote_scalar(DType t, DType scalar);
// Of scalars of these C++ types, and nothing else: an integer takes a float's type.
DType promote_scalars(DType a, DType b);
// What scalars become beside arrays that give them no dtype: bool, int64 or float32.
DType default_dtype(DType scalar);
DType default_dtype(DType a, DType b);
// Itself if floating, else the float that true division gives.
DType floating_of(DType t);
// The dtype of sums: 64 bits for integers and bool.
DType sum_dtype(DType t);
// The type in which composites compute: float32 for 16-bit floats.
DType working_dtype(DType t);
// Whether every value of `from` is one of `to`.
bool converts_exactly(DType from, DType to);

}  // namespace kiln::inline v0::frontend
