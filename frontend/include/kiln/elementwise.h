// Functions of each element; operands of different shapes are broadcast.
//
// Broadcasting: shapes are aligned at their last axis; extents must be equal, or 1, which repeats.
//
// Dtypes of two arrays: within signed, unsigned or floating the wider; signed with unsigned the
// narrowest signed type that holds both (float64 for int64 with uint64); bool yields to the other;
// float16 with bfloat16 float32; an integer with a float the float, if its precision is at least
// the integer's class (8 bits: any; 16 bits: float32; 32 and 64 bits: float64). A C++ scalar is
// weak: it takes the array's dtype if its kind (bool < integer < floating) is not above the
// array's; above, integer with a bool array gives int64, a float with a bool or integer array
// float32, and a double float32 with bool and with 8- and 16-bit integers, float64 with wider ones.
// Of C++ scalars alone the result is a 0-d array: exp(2.0f) is float32, exp(2.0) float64; of two of
// one kind as of two arrays, of an integer with a float or double the latter's. where(x, 1.0, 0.0)
// of an array x: bool, int64 or float32, by kind.
//
// Functions that need floats take integers of 8 and 16 bits (and bool) as float32, wider ones as
// float64: so do `/` and mean. float16 and bfloat16 are computed in float32 and rounded once an
// operation.
//
// What float64 costs: twice the bytes everywhere. Most GPUs (all but the data centre's largest)
// compute it at 1/32 to 1/64 of the rate of float32, so that kernels of much arithmetic become that
// much slower; on a CPU the rate is half. i + 0.5f stays float32 where i + 0.5 does not, for i of
// int32 or int64; astype(float32) says it before `/`, mean and exp. explain notes each such kernel.
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
[[nodiscard]] Array add(Operand left, Operand right);
[[nodiscard]] Array subtract(Operand left, Operand right);
[[nodiscard]] Array multiply(Operand left, Operand right);
[[nodiscard]] Array divide(Operand left, Operand right);  // floats, also of integers
// Rounded down, and its remainder with the divisor's sign. Integers: by zero both are 0. Floats:
// floor_divide is exact while the quotient is at most 2^24 (float32), 2^53 (float64), and beyond is
// the rounded quotient; remainder is exact but for one rounding while it is below 2^48, 2^106.
// float16 and bfloat16 are computed in float32 and rounded at the end. Zeros and infinities as in
// NumPy: x / 0 is infinite, and an infinite dividend gives NaN.
[[nodiscard]] Array floor_divide(Operand left, Operand right);
[[nodiscard]] Array remainder(Operand left, Operand right);
// Floats: within 2 ulp. A C++ integer exponent from -2 to 4 multiplies repeatedly. Integers: wraps;
// to a negative exponent 1 / base truncated, and a negative scalar is a UserError.
[[nodiscard]] Array pow(Operand base, Operand exponent);
[[nodiscard]] Array negative(const Array& x, Where where = Where::here());
[[nodiscard]] Array positive(const Array& x, Where where = Where::here());
[[nodiscard]] Array abs(const Array& x, Where where = Where::here());
[[nodiscard]] Array sign(const Array& x, Where where = Where::here());  // -1, 0 or 1; NaN stays
[[nodiscard]] Array square(const Array& x, Where where = Where::here());
[[nodiscard]] Array reciprocal(const Array& x, Where where = Where::here());
// -0 < +0, and NaN if either is.
[[nodiscard]] Array maximum(Operand left, Operand right);
[[nodiscard]] Array minimum(Operand left, Operand right);
[[nodiscard]] Array clip(Operand x, Operand low, Operand high);  // minimum(maximum(x, low), high)

// Rounding; integers stay as they are.
[[nodiscard]] Array floor(const Array& x, Where where = Where::here());
[[nodiscard]] Array ceil(const Array& x, Where where = Where::here());
[[nodiscard]] Array trunc(const Array& x, Where where = Where::here());
[[nodiscard]] Array round(const Array& x, Where where = Where::here());  // halves to even

// Floating functions.
[[nodiscard]] Array sqrt(const Array& x, Where where = Where::here());
[[nodiscard]] Array exp(const Array& x, Where where = Where::here());
[[nodiscard]] Array log(const Array& x, Where where = Where::here());
[[nodiscard]] Array sin(const Array& x, Where where = Where::here());
[[nodiscard]] Array cos(const Array& x, Where where = Where::here());
[[nodiscard]] Array tanh(const Array& x, Where where = Where::here());
[[nodiscard]] Array sigmoid(const Array& x, Where where = Where::here());  // 1 / (1 + exp(-x))
[[nodiscard]] Array relu(const Array& x, Where where = Where::here());     // maximum(x, 0)

// Comparisons: bool.
[[nodiscard]] Array equal(Operand left, Operand right);
[[nodiscard]] Array not_equal(Operand left, Operand right);
[[nodiscard]] Array less(Operand left, Operand right);
[[nodiscard]] Array less_equal(Operand left, Operand right);
[[nodiscard]] Array greater(Operand left, Operand right);
[[nodiscard]] Array greater_equal(Operand left, Operand right);
[[nodiscard]] Array isnan(const Array& x, Where where = Where::here());
[[nodiscard]] Array isinf(const Array& x, Where where = Where::here());
[[nodiscard]] Array isfinite(const Array& x, Where where = Where::here());
// NaN counts as positive: its sign is not part of what is promised.
[[nodiscard]] Array signbit(const Array& x, Where where = Where::here());
[[nodiscard]] Array copysign(Operand magnitude, Operand sign);

// Logical functions of truth values: a number is true if it is not 0.
[[nodiscard]] Array logical_and(Operand left, Operand right);
[[nodiscard]] Array logical_or(Operand left, Operand right);
[[nodiscard]] Array logical_xor(Operand left, Operand right);
[[nodiscard]] Array logical_not(const Array& x, Where where = Where::here());

// Bits of integers, or of bool (shifts: integers only). A shift by the width or more gives 0, or
// the sign of a negative number shifted right.
[[nodiscard]] Array bitwise_and(Operand left, Operand right);
[[nodiscard]] Array bitwise_or(Operand left, Operand right);
[[nodiscard]] Array bitwise_xor(Operand left, Operand right);
[[nodiscard]] Array bitwise_invert(const Array& x, Where where = Where::here());
[[nodiscard]] Array bitwise_left_shift(Operand left, Operand right);
[[nodiscard]] Array bitwise_right_shift(Operand left, Operand right);

// yes where condition holds, else no. The condition is bool.
[[nodiscard]] Array where(Operand condition, Operand yes, Operand no);

// The functions above of one C++ scalar: exp(2.0f) is a 0-d array of float32. Templates, so that
// exp({1.f}) is of an array.
template <int = 0>
[[nodiscard]] Array negative(Operand x) {
  return negative(x.array(), x.where());
}
template <int = 0>
[[nodiscard]] Array positive(Operand x) {
  return positive(x.array(), x.where());
}
template <int = 0>
[[nodiscard]] Array abs(Operand x) {
  return abs(x.array(), x.where());
}
template <int = 0>
[[nodiscard]] Array sign(Operand x) {
  return sign(x.array(), x.where());
}
template <int = 0>
[[nodiscard]] Array square(Operand x) {
  return square(x.array(), x.where());
}
template <int = 0>
[[nodiscard]] Array reciprocal(Operand x) {
  return reciprocal(x.array(), x.where());
}
template <int = 0>
[[nodiscard]] Array floor(Operand x) {
  return floor(x.array(), x.where());
}
template <int = 0>
[[nodiscard]] Array ceil(Operand x) {
  return ceil(x.array(), x.where());
}
template <int = 0>
[[nodiscard]] Array trunc(Operand x) {
  return trunc(x.array(), x.where());
}
template <int = 0>
[[nodiscard]] Array round(Operand x) {
  return round(x.array(), x.where());
}
template <int = 0>
[[nodiscard]] Array sqrt(Operand x) {
  return sqrt(x.array(), x.where());
}
template <int = 0>
[[nodiscard]] Array exp(Operand x) {
  return exp(x.array(), x.where());
}
template <int = 0>
[[nodiscard]] Array log(Operand x) {
  return log(x.array(), x.where());
}
template <int = 0>
[[nodiscard]] Array sin(Operand x) {
  return sin(x.array(), x.where());
}
template <int = 0>
[[nodiscard]] Array cos(Operand x) {
  return cos(x.array(), x.where());
}
template <int = 0>
[[nodiscard]] Array tanh(Operand x) {
  return tanh(x.array(), x.where());
}
template <int = 0>
[[nodiscard]] Array sigmoid(Operand x) {
  return sigmoid(x.array(), x.where());
}
template <int = 0>
[[nodiscard]] Array relu(Operand x) {
  return relu(x.array(), x.where());
}
template <int = 0>
[[nodiscard]] Array isnan(Operand x) {
  return isnan(x.array(), x.where());
}
template <int = 0>
[[nodiscard]] Array isinf(Operand x) {
  return isinf(x.array(), x.where());
}
template <int = 0>
[[nodiscard]] Array isfinite(Operand x) {
  return isfinite(x.array(), x.where());
}
template <int = 0>
[[nodiscard]] Array signbit(Operand x) {
  return signbit(x.array(), x.where());
}
template <int = 0>
[[nodiscard]] Array logical_not(Operand x) {
  return logical_not(x.array(), x.where());
}
template <int = 0>
[[nodiscard]] Array bitwise_invert(Operand x) {
  return bitwise_invert(x.array(), x.where());
}

// Array::astype as a function.
[[nodiscard]] Array astype(const Array& x, DType dtype, Where where = Where::here());
// The dtype of an operation on these arrays.
[[nodiscard]] DType result_type(const Arrays& arrays, Where where = Where::here());

}  // namespace v0
}  // namespace kiln
#pragma GCC visibility pop
