// The text of one scalar operation over the texts of its operands.
#pragma once
#include <span>
#include <string>

#include "codegen/cuda/prelude.h"
#include "codegen/cuda/spelling.h"

namespace kiln::codegen::cuda {

// A value as text. 16-bit floats have two: as a float, for arithmetic, and as the struct of their
// bits, for memory; the second saves converting twice.
struct Expression {
  Text value;
  std::string stored;
};
// `value` where it is not a 16-bit float or is one already; `raw` a float still to be rounded.
Expression expression(ir::DType type, Text value, Prelude& prelude);
Expression rounded(ir::DType type, const Text& raw, Prelude& prelude);
Expression from_stored(ir::DType type, const Text& stored, Prelude& prelude);

struct Operand {
  Text plain;          // a constant of a narrow or long type converts without change
  Text exact;          // has the type itself
  std::string stored;  // 16-bit floats: the struct
  bool constant = false;
  std::int64_t integer = 0;  // a constant integer's value
};

// `is_index`: integer arithmetic that cannot overflow, division by a positive number.
Expression spell_op(ir::Op op, ir::DType type, ir::DType result, std::span<const Operand> operands,
                    bool is_index, Prelude& prelude);

}  // namespace kiln::codegen::cuda
