// Private to ir: the loops behind evaluate(), one a (operation, type), looked up once by whoever
// runs an instruction many times. They assume the standard floating-point state.
#pragma once
#include <cstdint>

#include "ir/op.h"

namespace kiln::ir {

using ArrayLoop = void (*)(std::int64_t n, const void* const* in, void* out);

// The loop of an operation whose types are in order (type_error); kExpands operations have one too,
// which runs their expansion.
ArrayLoop loop_of(Op op, DType type, DType result);

ArrayLoop cast_loop(DType from, DType to);    // ir/scalar_cast.cpp
ArrayLoop expansion_loop(Op op, DType type);  // ir/function.cpp

// Whether this processor runs the loops compiled for AVX2 and FMA.
bool has_wide_loops();

}  // namespace kiln::ir
