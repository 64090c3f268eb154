#include "kiln/elementwise.h"

#include "frontend/binary.h"
#include "frontend/promote.h"

namespace kiln::inline v0 {

using frontend::Access;
using frontend::binary;
using frontend::Composite;
using frontend::Gives;
using frontend::kAny;
using frontend::kBits;
using frontend::kBool;
using frontend::kFloat;
using frontend::kInt;
using frontend::kNumbers;
using frontend::line_of;
using frontend::Rule;
using frontend::unary;
using ir::Op;

namespace {
constexpr Rule kAdd{"add", Op::add, kAny, Gives::same, false, Op::or_};
constexpr Rule kSubtract{"subtract", Op::sub};
constexpr Rule kMultiply{"multiply", Op::mul, kAny, Gives::same, false, Op::and_};
constexpr Rule kDivide{"divide", Op::div, kFloat, Gives::floating};
constexpr Rule kMaximum{"maximum", Op::max, kAny, Gives::same, false, Op::or_};
constexpr Rule kMinimum{"minimum", Op::min, kAny, Gives::same, false, Op::and_};
constexpr Rule kEqual{"equal", Op::eq, kAny, Gives::boolean};
constexpr Rule kNotEqual{"not_equal", Op::ne, kAny, Gives::boolean};
constexpr Rule kLess{"less", Op::lt, kAny, Gives::boolean};
constexpr Rule kLessEqual{"less_equal", Op::le, kAny, Gives::boolean};
constexpr Rule kGreater{"greater", Op::lt, kAny, Gives::boolean, true};
constexpr Rule kGreaterEqual{"greater_equal", Op::le, kAny, Gives::boolean, true};
constexpr Rule kAnd{"bitwise_and", Op::and_, kBits};
constexpr Rule kOr{"bitwise_or", Op::or_, kBits};
constexpr Rule kXor{"bitwise_xor", Op::xor_, kBits};
constexpr Rule kShiftLeft{"bitwise_left_shift", Op::shl, kInt};
constexpr Rule kShiftRight{"bitwise_right_shift", Op::shr, kInt};

// A floating result of any operand, one op.
Array floating(std::string_view name, Op op, const Array& x, Where where) {
  return unary({name, op, kFloat, Gives::floating}, x, where);
}

// Rounding leaves integers alone.
Array rounding(std::string_view name, Op op, const Array& x, Where where) {
  frontend::check_takes(name, kNumbers, x.dtype(), Operand(x, where), nullptr, where);
  return ir::is_int(frontend::to_ir(x.dtype())) ? x : unary({name, op}, x, where);
}

Array logical(std::string_view name, Op op, const Operand& left, const Operand& right) {
  const Where where = Access::where(left);
  const Array a = frontend::truth(frontend::as_array(name, left), where);
  const Array b = frontend::truth(frontend::as_array(name, right), Access::where(right));
  return binary({name, op, kBool}, Operand(a, where), Operand(b, where));
}
}  // namespace

Array add(Operand left, Operand right) { return binary(kAdd, left, right); }
Array subtract(Operand left, Operand right) { return binary(kSubtract, left, right); }
Array multiply(Operand left, Operand right) { return binary(kMultiply, left, right); }
Array divide(Operand left, Operand right) { return binary(kDivide, left, right); }
Array maximum(Operand left, Operand right) { return binary(kMaximum, left, right); }
Array minimum(Operand left, Operand right) { return binary(kMinimum, left, right); }
Array equal(Operand left, Operand right) { return binary(kEqual, left, right); }
Array not_equal(Operand left, Operand right) { return binary(kNotEqual, left, right); }
Array less(Operand left, Operand right) { return binary(kLess, left, right); }
Array less_equal(Operand left, Operand right) { return binary(kLessEqual, left, right); }
Array greater(Operand left, Operand right) { return binary(kGreater, left, right); }
Array greater_equal(Operand left, Operand right) { return binary(kGreaterEqual, left, right); }
Array bitwise_and(Operand left, Operand right) { return binary(kAnd, left, right); }
Array bitwise_or(Operand left, Operand right) { return binary(kOr, left, right); }
Array bitwise_xor(Operand left, Operand right) { return binary(kXor, left, right); }
Array bitwise_left_shift(Operand left, Operand right) { return binary(kShiftLeft, left, right); }
Array bitwise_right_shift(Operand left, Operand right) { return binary(kShiftRight, left, right); }

Array Array::apply(Operator op, const Operand& left, const Operand& right) {
  static constexpr const Rule* kRules[] = {// in the order of Operator; null: remainder
                                           &kAdd,       &kSubtract, &kMultiply,     &kDivide,
                                           nullptr,     &kEqual,    &kNotEqual,     &kLess,
                                           &kLessEqual, &kGreater,  &kGreaterEqual, &kAnd,
                                           &kOr,        &kXor,      &kShiftLeft,    &kShiftRight};
  const auto index = static_cast<std::size_t>(op);
  if (index < std::size(kRules) && kRules[index] != nullptr) {
    return binary(*kRules[index], left, right);
  }
  // && and || have no line of their own: that of what made the left operand stands in.
  const auto lined = [&](const Operand& x) {
    return Operand(Access::array(x), Access::node(Access::array(left))->where);
  };
  switch (op) {
    case Operator::negative:
      return negative(left.array(), left.where());
    case Operator::invert:
      return bitwise_invert(left.array(), left.where());
    case Operator::both:
      return logical_and(lined(left), lined(right));
    case Operator::either:
      return logical_or(lined(left), lined(right));
    default:
      return kiln::remainder(left, right);
  }
}
// Nor has this.
Array Array::operator!() const { return logical_not(*this, Access::node(*this)->where); }

namespace {
// In place: shape and dtype stay.
void update(Array& target, const Rule& rule, const Operand& right) {
  const Where where = Access::where(right);
  const Array value = binary(rule, Operand(target, where), right);
  if (!(value.shape() == target.shape())) {
    frontend::Complaint(rule.name,
                        "an update in place cannot change the shape " +
                            frontend::to_text(target.shape()) + " to " +
                            frontend::to_text(value.shape()),
                        where)
        .operand("left", target)
        .operand("right", right)
        .advise("x = x + y")
        .raise();
  }
  target = frontend::within_kind(rule.name, value, target.dtype(), where);
}
}  // namespace

Array& Array::operator+=(Operand right) & { return update(*this, kAdd, right), *this; }
Array& Array::operator-=(Operand right) & { return update(*this, kSubtract, right), *this; }
Array& Array::operator*=(Operand right) & { return update(*this, kMultiply, right), *this; }
Array& Array::operator/=(Operand right) & { return update(*this, kDivide, right), *this; }

Array negative(const Array& x, Where where) { return unary({"negative", Op::neg}, x, where); }
Array positive(const Array& x, Where where) {
  frontend::check_takes("positive", kNumbers, x.dtype(), Operand(x, where), nullptr, where);
  return x;
}
Array abs(const Array& x, Where where) {
  if (x.dtype() == bool_ || ir::is_unsigned_int(frontend::to_ir(x.dtype()))) return x;
  return unary({"abs", Op::abs}, x, where);
}
Array square(const Array& x, Where where) {
  return binary({"square", Op::mul}, Operand(x, where), Operand(x, where));
}
Array sqrt(const Array& x, Where where) { return floating("sqrt", Op::sqrt, x, where); }
Array exp(const Array& x, Where where) { return floating("exp", Op::exp, x, where); }
Array log(const Array& x, Where where) { return floating("log", Op::log, x, where); }
Array sin(const Array& x, Where where) { return floating("sin", Op::sin, x, where); }
Array cos(const Array& x, Where where) { return floating("cos", Op::cos, x, where); }
Array tanh(const Array& x, Where where) { return floating("tanh", Op::tanh, x, where); }
Array floor(const Array& x, Where where) { return rounding("floor", Op::floor, x, where); }
Array ceil(const Array& x, Where where) { return rounding("ceil", Op::ceil, x, where); }
Array trunc(const Array& x, Where where) { return rounding("trunc", Op::trunc, x, where); }
Array round(const Array& x, Where where) { return rounding("round", Op::rint, x, where); }
Array bitwise_invert(const Array& x, Where where) {
  return unary({"bitwise_invert", Op::not_, kBits}, x, where);
}

Array logical_and(Operand left, Operand right) {
  return logical("logical_and", Op::and_, left, right);
}
Array logical_or(Operand left, Operand right) {
  return logical("logical_or", Op::or_, left, right);
}
Array logical_xor(Operand left, Operand right) {
  return logical("logical_xor", Op::xor_, left, right);
}
Array logical_not(const Array& x, Where where) {
  return unary({"logical_not", Op::not_, kBool}, frontend::truth(x, where), where);
}

Array where(Operand condition, Operand yes, Operand no) {
  const Where line = Access::where(condition);
  const Array mask = frontend::as_array("where", condition);
  frontend::check_takes("where: the condition", kBool, mask.dtype(), condition, nullptr, line);
  const bool scalars = !Access::is_array(yes) && !Access::is_array(no);
  const DType dtype = scalars && Access::is_array(condition)
                          ? frontend::default_dtype(Access::dtype(yes), Access::dtype(no))
                          : frontend::common_dtype("where", yes, no);
  frontend::check_takes("where", kAny, dtype, yes, &no, line);
  return frontend::map(
      "where", Op::select, dtype,
      {mask, frontend::as_array("where", yes, dtype), frontend::as_array("where", no, dtype)},
      line);
}

Array clip(Operand x, Operand low, Operand high) {
  const Composite scope(Access::where(x));
  return minimum(maximum(x, low), high);
}

Array astype(const Array& x, DType dtype, Where where) {
  if (dtype == bool_) return frontend::truth(x, where);
  for (const DType t : {x.dtype(), dtype}) {
    frontend::check_takes("astype", kAny, t, Operand(x, where), nullptr, where);
  }
  return frontend::cast(x, dtype, where);
}
Array Array::astype(DType dtype, Where where) const { return kiln::astype(*this, dtype, where); }

DType result_type(const Arrays& arrays, Where where) {
  if (arrays.list().empty()) {
    frontend::Complaint("result_type", "no arrays", where).advise("one array or more").raise();
  }
  DType result = arrays.list()[0].dtype();
  for (const Array& x : arrays.list()) {
    const std::optional<DType> both = frontend::promote(result, x.dtype());
    if (!both) {
      frontend::Complaint("result_type", "complex dtypes are reserved", where)
          .operand("array", x)
          .advise("two arrays, of the real and the imaginary parts")
          .raise();
    }
    result = *both;
  }
  return result;
}

}  // namespace kiln::inline v0
