// What the elementwise functions share: finding the common dtype of operands, scalars included.
#pragma once
#include <cstdint>
#include <string_view>

#include "frontend/record.h"

namespace kiln::inline v0::frontend {

// Which dtypes a function takes, as bits.
enum Takes : std::uint8_t { kBool = 1, kInt = 2, kFloat = 4, kNumbers = 6, kAny = 7, kBits = 3 };
enum class Gives : std::uint8_t { same, boolean, floating };

struct Rule {
  std::string_view name;
  ir::Op op;
  Takes takes = kNumbers;
  Gives gives = Gives::same;
  bool swapped = false;          // the op takes (right, left)
  ir::Op on_bool = ir::Op::add;  // with kBool taken: the op for bool, if different
};

// Throws if the function does not take the dtype.
void check_takes(std::string_view function, Takes takes, DType dtype, const Operand& x,
                 const Operand* y, Where where);
// The dtype of two operands by the promotion rules.
DType common_dtype(std::string_view function, const Operand& left, const Operand& right);
// The operand as an array of the dtype; a scalar becomes a 0-d run-time scalar.
Array as_array(std::string_view function, const Operand& x, DType dtype);
Array as_array(std::string_view function, const Operand& x);  // of its own dtype
// The dtype of an operand that gives its dtype to a result: of a scalar bool, int64 or float32.
DType given_dtype(const Operand& x);

Array binary(const Rule& rule, const Operand& left, const Operand& right);
Array unary(const Rule& rule, const Array& x, Where where);
// x != 0, or x itself if it is bool.
Array truth(const Array& x, Where where);
// x converted to dtype for storing it there: UserError if the kind is above.
Array within_kind(std::string_view function, const Array& x, DType dtype, Where where);

}  // namespace kiln::inline v0::frontend
