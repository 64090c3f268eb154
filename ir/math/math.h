// The meaning of the transcendental operations: straight-line functions of arithmetic and bit
// operations, written once and run by the interpreter, the CPU code and the CUDA code, so that all
// give the same bits. Accuracy and cost of each: ir/math/README.md; derivations: beside the code.
//
// Invariants: a float32 function holds no float64 operation; constants are exact (hexadecimal);
// what few arguments need stands in a rare region; infinities, NaN and signed zeros are as in
// Annex F of C99.
#pragma once
#include <span>

#include "ir/function.h"

namespace kiln::ir {

struct MathEntry {
  Op op;
  DType type;  // float32 or float64, of the operands and the result
  Function (*build)();
};

// Every expanding operation for each type. ir::expansion() builds and keeps them.
std::span<const MathEntry> math_table();

}  // namespace kiln::ir
