// Elementwise functions made of several operations.
#include <bit>
#include <cmath>
#include <limits>

#include "frontend/binary.h"
#include "frontend/promote.h"
#include "ir/scalar.h"
#include "kiln/elementwise.h"

namespace kiln::inline v0 {

using frontend::Access;
using frontend::as_array;
using frontend::cast;
using frontend::check_takes;
using frontend::Composite;
using frontend::kAny;
using frontend::kFloat;
using frontend::kInt;
using frontend::kNumbers;
using frontend::literal;
using frontend::map;
using frontend::Node;
using frontend::repairing;
using ir::Op;

namespace {

// Small words for expressions over arrays of one dtype; every line is the open composite's.
constexpr Where kScope{};
Array op(Op code, const Array& a, const Array& b) {
  return map("", code, a.dtype(), {a, b}, kScope);
}
Array test(Op code, const Array& a, const Array& b) { return map("", code, bool_, {a, b}, kScope); }
Array both(const Array& a, const Array& b) { return map("", Op::and_, bool_, {a, b}, kScope); }
Array pick(const Array& c, const Array& yes, const Array& no) {
  return map("", Op::select, yes.dtype(), {c, yes, no}, kScope);
}
Array like(const Array& x, double value) { return literal(x.dtype(), value, kScope); }

bool is_float(const Array& x) { return ir::is_float(frontend::to_ir(x.dtype())); }
bool is_signed(const Array& x) { return ir::is_signed_int(frontend::to_ir(x.dtype())); }

// Two operands of one number dtype, 16-bit floats as float32.
struct Numbers {
  Array a, b;
  DType result;
};
Numbers numbers(std::string_view name, const Operand& left, const Operand& right) {
  const DType dtype = frontend::common_dtype(name, left, right);
  check_takes(name, kNumbers, dtype, left, &right, Access::where(left));
  Numbers n{as_array(name, left, dtype), as_array(name, right, dtype), dtype};
  if (n.a.shape() != n.b.shape()) {  // complain before anything is recorded
    Node* const nodes[] = {Access::node(n.a), Access::node(n.b)};
    frontend::PerAxis made;
    frontend::broadcast_shape(name, nodes, Access::where(left), &made);
  }
  n.a = cast(n.a, frontend::working_dtype(dtype), kScope);
  n.b = cast(n.b, frontend::working_dtype(dtype), kScope);
  return n;
}

// a - trunc(a / b) * b, exact: it has a's sign.
Array float_modulus(const Array& a, const Array& b) {
  // fma makes each step exact; the second serves quotients too large for one.
  Array r = a;
  for (int step = 0; step < 2; ++step) {
    const Array q = map("", Op::trunc, a.dtype(), {op(Op::div, r, b)}, kScope);
    r = map("", Op::fma, a.dtype(), {map("", Op::neg, a.dtype(), {q}, kScope), b, r}, kScope);
  }
  const Array infinity = like(a, std::numeric_limits<double>::infinity());
  const Array size_a = map("", Op::abs, a.dtype(), {a}, kScope);
  const Array size_b = map("", Op::abs, b.dtype(), {b}, kScope);
  return pick(both(test(Op::eq, size_b, infinity), test(Op::lt, size_a, infinity)), a, r);
}

// Where a modulus is on the other side of 0 than the divisor.
Array other_side(const Array& modulus, const Array& b) {
  const Array zero = like(b, 0);
  const Array differ =
      map("", Op::xor_, bool_, {test(Op::lt, modulus, zero), test(Op::lt, b, zero)}, kScope);
  return both(test(Op::ne, modulus, zero), differ);
}

// A remainder of 0 takes the divisor's sign.
Array float_remainder(const Array& a, const Array& b) {
  const Array r = float_modulus(a, b), zero = like(a, 0);
  const Array moved = pick(other_side(r, b), op(Op::add, r, b), r);
  return pick(test(Op::eq, moved, zero), pick(test(Op::lt, b, zero), like(a, -0.0), zero), moved);
}

// The rounded quotient's floor q is the true one, or one more: where the quotient was rounded up to
// q. What is left, a - q * b, is then on the other side of 0 than b; its sign is exact, since a and
// b are multiples of the least denormal, and q is whole. Where 1 is less than the distance of
// neighbouring numbers, the rounded quotient stands.
Array float_floor_divide(const Array& a, const Array& b) {
  const Array zero = like(a, 0);
  const Array q = map("", Op::floor, a.dtype(), {op(Op::div, a, b)}, kScope);
  // Of a quotient of 0 all is left; 0 * infinity is not asked for.
  const Array left =
      pick(test(Op::eq, q, zero), a,
           map("", Op::fma, a.dtype(), {map("", Op::neg, a.dtype(), {q}, kScope), b, a}, kScope));
  const double whole = a.dtype() == float64 ? 0x1p53 : 0x1p24;
  const Array counts = test(Op::le, map("", Op::abs, a.dtype(), {q}, kScope), like(a, whole));
  const Array down = pick(both(counts, other_side(left, b)), op(Op::sub, q, like(a, 1)), q);
  // As in NumPy, an infinite dividend has no floor, unless the divisor is 0.
  const double infinity = std::numeric_limits<double>::infinity();
  const Array endless = test(Op::eq, map("", Op::abs, a.dtype(), {a}, kScope), like(a, infinity));
  return pick(both(endless, test(Op::ne, b, zero)),
              like(a, std::numeric_limits<double>::quiet_NaN()), down);
}

Array int_remainder(const Array& a, const Array& b) {
  const Array zero = like(a, 0);
  const Array r = pick(test(Op::eq, b, zero), zero, op(Op::irem, a, b));
  if (!is_signed(a)) return r;
  const Array other_side = test(Op::lt, op(Op::xor_, r, b), zero);
  return pick(both(test(Op::ne, r, zero), other_side), op(Op::add, r, b), r);
}

Array int_floor_divide(const Array& a, const Array& b) {
  const Array zero = like(a, 0);
  Array q = op(Op::idiv, a, b);
  if (is_signed(a)) {
    const Array r = op(Op::sub, a, op(Op::mul, q, b));
    const Array other_side = test(Op::lt, op(Op::xor_, r, b), zero);
    q = pick(both(test(Op::ne, r, zero), other_side), op(Op::sub, q, like(a, 1)), q);
  }
  return pick(test(Op::eq, b, zero), zero, q);
}

}  // namespace

Array remainder(Operand left, Operand right) {
  const Composite scope(Access::where(left));
  const Numbers n = numbers("remainder", left, right);
  const Array r = repairing(
      [&] { return is_float(n.a) ? float_remainder(n.a, n.b) : int_remainder(n.a, n.b); });
  return cast(r, n.result, kScope);
}

Array floor_divide(Operand left, Operand right) {
  const Composite scope(Access::where(left));
  const Numbers n = numbers("floor_divide", left, right);
  const Array q = repairing(
      [&] { return is_float(n.a) ? float_floor_divide(n.a, n.b) : int_floor_divide(n.a, n.b); });
  return cast(q, n.result, kScope);
}

namespace {

// x^k by squaring, k >= 0.
Array int_power(const Array& x, std::uint64_t k) {
  Array result;
  bool any = false;
  for (Array square = x;; square = op(Op::mul, square, square)) {
    if ((k & 1) != 0) {
      result = any ? op(Op::mul, result, square) : square;
      any = true;
    }
    k >>= 1;
    if (k == 0) break;
  }
  return any ? result : frontend::broadcast(like(x, 1), x.shape(), kScope);
}

Array int_power(const Array& x, const Array& k) {
  const int bits =
      static_cast<int>(8 * ir::size_of(frontend::to_ir(k.dtype()))) - (is_signed(k) ? 1 : 0);
  const Array zero = like(x, 0), one = like(x, 1);
  Array result = one, square = x;
  for (int bit = 0; bit < bits; ++bit) {
    const Array set = test(Op::ne, op(Op::and_, op(Op::shr, k, like(k, bit)), one), zero);
    result = pick(set, op(Op::mul, result, square), result);
    if (bit + 1 < bits) square = op(Op::mul, square, square);
  }
  if (!is_signed(k)) return result;
  // 1 / x^|k| truncated: not 0 only for 1 and -1 (and 0, whose reciprocal has no value).
  const Array odd = test(Op::ne, op(Op::and_, k, one), zero);
  const Array of_minus_one = pick(odd, like(x, -1), one);
  const Array inverse =
      pick(test(Op::eq, x, one), one, pick(test(Op::eq, x, like(x, -1)), of_minus_one, zero));
  return pick(test(Op::lt, k, zero), inverse, result);
}

// x^k by multiplying, where that is at least as exact as pow.
bool small_power(const Array& x, std::int64_t k, Array* result) {
  if (k < -2 || k > 4) return false;
  Array power = int_power(x, static_cast<std::uint64_t>(std::abs(k)));
  *result = k < 0 ? op(Op::div, like(x, 1), power) : power;
  return true;
}

}  // namespace

Array pow(Operand base, Operand exponent) {
  const Where where = Access::where(base);
  const Composite scope(where);
  if (!Access::is_array(base) && !Access::is_array(exponent)) {
    const Array x = as_array("pow", base, frontend::common_dtype("pow", base, exponent));
    return pow(Operand(x, where), exponent);
  }
  const bool literal_exponent = Access::is_array(base) && !Access::is_array(exponent) &&
                                Access::kind(exponent) == Access::ScalarKind::integer;
  if (literal_exponent) {
    const Array& x = Access::array(base);
    const std::int64_t k = Access::integer(exponent);
    check_takes("pow", kNumbers, x.dtype(), base, &exponent, where);
    if (!is_float(x)) {
      if (k < 0) {
        frontend::Complaint("pow", "an integer to a negative power is no integer", where)
            .operand("base", base)
            .operand("exponent", exponent)
            .advise("astype the base to a float")
            .raise();
      }
      return int_power(x, static_cast<std::uint64_t>(k));
    }
    Array result;
    if (small_power(cast(x, frontend::working_dtype(x.dtype()), kScope), k, &result)) {
      return cast(result, x.dtype(), kScope);
    }
  }
  const DType dtype = frontend::common_dtype("pow", base, exponent);
  check_takes("pow", kNumbers, dtype, base, &exponent, where);
  const Array x = as_array("pow", base, dtype), y = as_array("pow", exponent, dtype);
  if (is_float(x)) return map("pow", Op::pow, dtype, {x, y}, where);
  Node* const nodes[] = {Access::node(x), Access::node(y)};
  frontend::PerAxis made;
  frontend::broadcast_shape("pow", nodes, where, &made);
  return int_power(x, y);
}

Array reciprocal(const Array& x, Where where) {
  const DType dtype = frontend::floating_of(x.dtype());
  check_takes("reciprocal", kFloat, dtype, Operand(x, where), nullptr, where);
  const Array y = cast(x, dtype, where);
  return map("reciprocal", Op::div, dtype, {literal(dtype, 1, where), y}, where);
}

Array sign(const Array& x, Where where) {
  const Composite scope(where);
  check_takes("sign", kNumbers, x.dtype(), Operand(x, where), nullptr, where);
  const Array zero = like(x, 0), one = like(x, 1);
  if (!is_float(x) && !is_signed(x)) return pick(test(Op::ne, x, zero), one, zero);
  const Array rest = is_float(x) ? pick(test(Op::eq, x, zero), zero, x) : zero;
  return pick(test(Op::lt, zero, x), one, pick(test(Op::lt, x, zero), like(x, -1), rest));
}

Array sigmoid(const Array& x, Where where) {
  const Composite scope(where);
  const DType dtype = frontend::floating_of(x.dtype());
  check_takes("sigmoid", kFloat, dtype, Operand(x, where), nullptr, where);
  const Array y = cast(x, frontend::working_dtype(dtype), where);
  const Array e = exp(negative(y, where), where);
  return cast(op(Op::div, like(y, 1), op(Op::add, like(y, 1), e)), dtype, where);
}

Array relu(const Array& x, Where where) {
  const Composite scope(where);
  check_takes("relu", kNumbers, x.dtype(), Operand(x, where), nullptr, where);
  return op(Op::max, x, like(x, 0));
}

namespace {
Array constant_test(const Array& x, bool value, Where where) {
  return frontend::broadcast(literal(bool_, value ? 1 : 0, where), x.shape(), where);
}
}  // namespace

Array isnan(const Array& x, Where where) {
  check_takes("isnan", kAny, x.dtype(), Operand(x, where), nullptr, where);
  if (!is_float(x)) return constant_test(x, false, where);
  return map("isnan", Op::ne, bool_, {x, x}, where);
}

Array isinf(const Array& x, Where where) {
  const Composite scope(where);
  check_takes("isinf", kAny, x.dtype(), Operand(x, where), nullptr, where);
  if (!is_float(x)) return constant_test(x, false, where);
  return test(Op::eq, abs(x, where), like(x, std::numeric_limits<double>::infinity()));
}

Array isfinite(const Array& x, Where where) {
  const Composite scope(where);
  check_takes("isfinite", kAny, x.dtype(), Operand(x, where), nullptr, where);
  if (!is_float(x)) return constant_test(x, true, where);
  return test(Op::lt, abs(x, where), like(x, std::numeric_limits<double>::infinity()));
}

namespace {
DType bits_dtype(DType t) {
  switch (ir::size_of(frontend::to_ir(t))) {
    case 2:
      return int16;
    case 4:
      return int32;
    default:
      return int64;
  }
}
}  // namespace

Array signbit(const Array& x, Where where) {
  const Composite scope(where);
  check_takes("signbit", kNumbers, x.dtype(), Operand(x, where), nullptr, where);
  if (!is_float(x)) return test(Op::lt, x, like(x, 0));
  const Array bits = frontend::bitcast(x, bits_dtype(x.dtype()), where);
  return both(test(Op::lt, bits, like(bits, 0)), test(Op::eq, x, x));
}

Array copysign(Operand magnitude, Operand sign) {
  const Composite scope(Access::where(magnitude));
  const DType dtype = frontend::floating_of(frontend::common_dtype("copysign", magnitude, sign));
  check_takes("copysign", kFloat, dtype, magnitude, &sign, Access::where(magnitude));
  const Array x = as_array("copysign", magnitude, dtype), s = as_array("copysign", sign, dtype);
  Node* const nodes[] = {Access::node(x), Access::node(s)};
  frontend::PerAxis made;
  frontend::broadcast_shape("copysign", nodes, Access::where(magnitude), &made);
  const Array size = abs(x, kScope);
  return pick(signbit(s, kScope), map("", Op::neg, dtype, {size}, kScope), size);
}

}  // namespace kiln::inline v0
