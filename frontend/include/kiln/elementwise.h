// Functions of each element; operands of different shapes are broadcast.
//
// Broadcasting: shapes are aligned at their last axis; extents must be equal, or 1, which repeats.
//
// Dtypes of two arrays: within signed, unsigned or floating the wider; signed with unsigned the
// narrowest signed type that holds both (float64 for int64 with uint64); bool yields to the other;
// float16 with bfloat16 float32; an integer with a float the float, if its precision is at least
// the integer's class (8 bits: any; 16 bits: float32; 32 and 64 bits: float64). A C++ scalar is
// weak: it takes the array's dtype if its kind (bool < integer < floating) is not above the
// array's; above, integer with a bool array gives int64, floating with a bool array float32, with
// 8- and 16-bit integers float32, with wider ones float64. Two scalars: bool, int64 or float32.
//
// Functions that need floats take integers of 8 and 16 bits (and bool) as float32, wider ones as
// float64. float16 and bfloat16 are computed in float32 and rounded once an operation.
//
// UserError: shapes that do not broadcast; dtypes that the function does not take; an integer
// scalar that does not fit; operands of different devices.
#pragma once
#include "kiln/array.h"

#pragma GCC visibility push(default)
namespace kiln {
inline namespace v0 {

// Arithmetic. On bool, add and maximum are "or", multiply and minimum "and"; the rest refuse it.
// Integers wrap.
Array add(Operand left, Operand right);
Array subtract(Operand left, Operand right);
Array multiply(Operand left, Operand right);
Array divide(Operand left, Operand right);  // floats, also of integers
// Rounded down, and its remainder with the divisor's sign. Integers: by zero both are 0. Floats:
// floor_divide is exact while the quotient is at most 2^24 (float32), 2^53 (float64), and beyond is
// the rounded quotient; remainder is exact but for one rounding while it is below 2^48, 2^106.
// float16 and bfloat16 are computed in float32 and rounded at the end. Zeros and infinities as in
// NumPy: x / 0 is infinite, and an infinite dividend gives NaN.
Array floor_divide(Operand left, Operand right);
Array remainder(Operand left, Operand right);
// Floats: within 2 ulp. A C++ integer exponent from -2 to 4 multiplies repeatedly. Integers: wraps;
// to a negative exponent 1 / base truncated, and a negative scalar is a UserError.
Array pow(Operand base, Operand exponent);
Array negative(const Array& x, Where where = Where::here());
Array positive(const Array& x, Where where = Where::here());
Array abs(const Array& x, Where where = Where::here());
Array sign(const Array& x, Where where = Where::here());  // -1, 0 or 1; NaN stays
Array square(const Array& x, Where where = Where::here());
Array reciprocal(const Array& x, Where where = Where::here());
// -0 < +0, and NaN if either is.
Array maximum(Operand left, Operand right);
Array minimum(Operand left, Operand right);
Array clip(Operand x, Operand low, Operand high);  // minimum(maximum(x, low), high)

// Rounding; integers stay as they are.
Array floor(const Array& x, Where where = Where::here());
Array ceil(const Array& x, Where where = Where::here());
Array trunc(const Array& x, Where where = Where::here());
Array round(const Array& x, Where where = Where::here());  // halves to even

// Floating functions.
Array sqrt(const Array& x, Where where = Where::here());
Array exp(const Array& x, Where where = Where::here());
Array log(const Array& x, Where where = Where::here());
Array sin(const Array& x, Where where = Where::here());
Array cos(const Array& x, Where where = Where::here());
Array tanh(const Array& x, Where where = Where::here());
Array sigmoid(const Array& x, Where where = Where::here());  // 1 / (1 + exp(-x))
Array relu(const Array& x, Where where = Where::here());     // maximum(x, 0)

// Comparisons: bool.
Array equal(Operand left, Operand right);
Array not_equal(Operand left, Operand right);
Array less(Operand left, Operand right);
Array less_equal(Operand left, Operand right);
Array greater(Operand left, Operand right);
Array greater_equal(Operand left, Operand right);
Array isnan(const Array& x, Where where = Where::here());
Array isinf(const Array& x, Where where = Where::here());
Array isfinite(const Array& x, Where where = Where::here());
// NaN counts as positive: its sign is not part of what is promised.
Array signbit(const Array& x, Where where = Where::here());
Array copysign(Operand magnitude, Operand sign);

// Logical functions of truth values: a number is true if it is not 0.
Array logical_and(Operand left, Operand right);
Array logical_or(Operand left, Operand right);
Array logical_xor(Operand left, Operand right);
Array logical_not(const Array& x, Where where = Where::here());

// Bits of integers, or of bool (shifts: integers only). A shift by the width or more gives 0, or
// the sign of a negative number shifted right.
Array bitwise_and(Operand left, Operand right);
Array bitwise_or(Operand left, Operand right);
Array bitwise_xor(Operand left, Operand right);
Array bitwise_invert(const Array& x, Where where = Where::here());
Array bitwise_left_shift(Operand left, Operand right);
Array bitwise_right_shift(Operand left, Operand right);

// yes where condition holds, else no. The condition is bool.
Array where(Operand condition, Operand yes, Operand no);

// Array::astype as a function.
Array astype(const Array& x, DType dtype, Where where = Where::here());
// The dtype of an operation on these arrays.
DType result_type(const Arrays& arrays, Where where = Where::here());

}  // namespace v0
}  // namespace kiln
#pragma GCC visibility pop
