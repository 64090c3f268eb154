// The reference meaning of the scalar operations, over arrays: what every backend is tested
// against, what the interpreters run and what constant folding uses.
#pragma once
#include <cstdint>
#include <span>

#include "ir/op.h"

namespace kiln::ir {

// out[i] = op(in[0][i], in[1][i], ...) for i < n. Arrays are densely stored elements of `type`
// (the operands' common type: for Choose that of the two values, in[0] being bool; for Convert the
// operand's) and `result`. `out` may be one of `in`. Ops with kExpands run their ir/math function.
// Runs with round-to-nearest and denormals kept whatever the caller's floating-point state.
void evaluate(Op op, DType type, DType result, std::int64_t n, const void* const* in, void* out);

// One element in the low bits of a 64-bit word (bool: 0 or 1), upper bits zero.
std::uint64_t evaluate_bits(Op op, DType type, DType result, std::span<const std::uint64_t> in);

// Literals: the element of `type` nearest to a double, or an integer wrapped to `type`.
std::uint64_t bits_of(DType type, double value);
std::uint64_t bits_of_int(DType type, std::int64_t value);
double to_double(DType type, std::uint64_t bits);

}  // namespace kiln::ir
