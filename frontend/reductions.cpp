#include "kiln/reductions.h"

#include <fmt/format.h>

#include "frontend/binary.h"
#include "frontend/promote.h"
#include "kiln/elementwise.h"

namespace kiln::inline v0 {

using frontend::Access;
using frontend::cast;
using frontend::check_axes;
using frontend::check_takes;
using frontend::Complaint;
using frontend::Composite;
using frontend::kAny;
using frontend::reduced;
using frontend::working_dtype;
using ir::Op;
using Extents = std::vector<std::int64_t>;

namespace {

Extents prepare(const char* function, const Array& x, const Axes& axes, Where where) {
  check_takes(function, kAny, x.dtype(), Operand(x, where), nullptr, where);
  return check_axes(function, axes, Access::node(x), where);
}

// max and min have no value for no elements.
void need_elements(const char* function, const Array& x, const Extents& axes, Where where) {
  for (const std::int64_t axis : axes) {
    if (x.shape()[axis] != 0) continue;
    Complaint(function, fmt::format("axis {} has no elements", axis), where)
        .operand("array", x)
        .advise("a test of the extent before, or concat with a value to start from")
        .raise();
  }
}

Array extreme(const char* name, Op op, Op on_bool, const Array& x, const Axes& axes, Keep keep,
              Where where) {
  const Composite scope(where);
  const Extents list = prepare(name, x, axes, where);
  need_elements(name, x, list, where);
  return reduced(x.dtype() == bool_ ? on_bool : op, x, list, keep, where);
}

// The mean in the working type, kept as an array that broadcasts against x.
Array working_mean(const Array& x, const Extents& axes, Keep keep, Where where) {
  const Array n = frontend::count_of(x, axes, 0, x.dtype(), where);
  return divide(reduced(Op::add, x, axes, keep, where), n);
}

Array working_var(const Array& x, const Extents& axes, Correction correction, Keep keep,
                  Where where) {
  const Array centred = subtract(x, working_mean(x, axes, keepdims, where));
  const Array n = frontend::count_of(x, axes, correction.value, x.dtype(), where);
  return divide(reduced(Op::add, multiply(centred, centred), axes, keep, where), n);
}

Array in_working_type(const Array& x, Where where) {
  return cast(x, working_dtype(frontend::floating_of(x.dtype())), where);
}

}  // namespace

Array sum(const Array& x, const Axes& axes, Keep keep, Where where) {
  const Composite scope(where);
  const Extents list = prepare("sum", x, axes, where);
  return reduced(Op::add, cast(x, frontend::sum_dtype(x.dtype()), where), list, keep, where);
}

Array prod(const Array& x, const Axes& axes, Keep keep, Where where) {
  const Composite scope(where);
  const Extents list = prepare("prod", x, axes, where);
  return reduced(Op::mul, cast(x, frontend::sum_dtype(x.dtype()), where), list, keep, where);
}

Array mean(const Array& x, const Axes& axes, Keep keep, Where where) {
  const Composite scope(where);
  const Extents list = prepare("mean", x, axes, where);
  return cast(working_mean(in_working_type(x, where), list, keep, where),
              frontend::floating_of(x.dtype()), where);
}

Array var(const Array& x, const Axes& axes, Correction correction, Keep keep, Where where) {
  const Composite scope(where);
  const Extents list = prepare("var", x, axes, where);
  return cast(working_var(in_working_type(x, where), list, correction, keep, where),
              frontend::floating_of(x.dtype()), where);
}

Array std(const Array& x, const Axes& axes, Correction correction, Keep keep, Where where) {
  const Composite scope(where);
  const Extents list = prepare("std", x, axes, where);
  return cast(sqrt(working_var(in_working_type(x, where), list, correction, keep, where), where),
              frontend::floating_of(x.dtype()), where);
}

Array max(const Array& x, const Axes& axes, Keep keep, Where where) {
  return extreme("max", Op::max, Op::or_, x, axes, keep, where);
}
Array min(const Array& x, const Axes& axes, Keep keep, Where where) {
  return extreme("min", Op::min, Op::and_, x, axes, keep, where);
}

Array any(const Array& x, const Axes& axes, Keep keep, Where where) {
  const Composite scope(where);
  const Extents list = prepare("any", x, axes, where);
  return reduced(Op::or_, frontend::truth(x, where), list, keep, where);
}

Array all(const Array& x, const Axes& axes, Keep keep, Where where) {
  const Composite scope(where);
  const Extents list = prepare("all", x, axes, where);
  return reduced(Op::and_, frontend::truth(x, where), list, keep, where);
}

Array count_nonzero(const Array& x, const Axes& axes, Keep keep, Where where) {
  const Composite scope(where);
  const Extents list = prepare("count_nonzero", x, axes, where);
  return reduced(Op::add, cast(frontend::truth(x, where), int64, where), list, keep, where);
}

namespace {
Array arg_extreme(const char* name, Op op, const Array& x, std::optional<std::int64_t> axis,
                  Keep keep, Where where) {
  const Composite scope(where);
  Extents list = prepare(name, x, axis ? Axes(*axis) : Axes(all_axes), where);
  need_elements(name, x, list, where);
  const Array numbers = x.dtype() == bool_ ? cast(x, uint8, where) : x;
  const std::int64_t along = axis ? list[0] : 0;
  const Array flat = axis ? numbers : frontend::reshaped(numbers, Shape{x.size()}, where);
  const Array result = frontend::arg_reduced(op, flat, along, where);
  if (keep == Keep::no) return result;
  Extents kept(x.shape().begin(), x.shape().end());
  for (const std::int64_t i : list) kept[static_cast<std::size_t>(i)] = 1;
  return frontend::reshaped(result, Shape(kept), where);
}
}  // namespace

Array argmax(const Array& x, std::optional<std::int64_t> axis, Keep keep, Where where) {
  return arg_extreme("argmax", Op::max, x, axis, keep, where);
}
Array argmin(const Array& x, std::optional<std::int64_t> axis, Keep keep, Where where) {
  return arg_extreme("argmin", Op::min, x, axis, keep, where);
}

namespace {

// In a type that is scanned; rounded once, to `result`.
Array running(const char* name, Op op, const Array& x, std::int64_t axis, DType result,
              Initial initial, Where where) {
  check_takes(name, kAny, x.dtype(), Operand(x, where), nullptr, where);
  const std::int64_t along = frontend::check_axis(name, axis, x.ndim(), where, Access::node(x));
  const DType work = result == bool_ ? uint8 : working_dtype(result);
  Array sums = cast(frontend::scanned(op, cast(x, work, where), along, where), result, where);
  if (initial == Initial::no) return sums;
  Extents first(x.shape().begin(), x.shape().end());
  first[static_cast<std::size_t>(along)] = 1;
  const double value = op == Op::mul ? 1 : 0;
  const Array begin = frontend::filled(first, result, value, Access::node(x)->device, where);
  frontend::Node* const nodes[] = {Access::node(begin), Access::node(sums)};
  return frontend::concatenated(nodes, along, where);
}

}  // namespace

Array cumulative_sum(const Array& x, std::int64_t axis, Initial initial, Where where) {
  const Composite scope(where);
  return running("cumulative_sum", Op::add, x, axis, frontend::sum_dtype(x.dtype()), initial,
                 where);
}

Array cumulative_prod(const Array& x, std::int64_t axis, Initial initial, Where where) {
  const Composite scope(where);
  return running("cumulative_prod", Op::mul, x, axis, frontend::sum_dtype(x.dtype()), initial,
                 where);
}

Array cummax(const Array& x, std::int64_t axis, Where where) {
  const Composite scope(where);
  return running("cummax", Op::max, x, axis, x.dtype(), Initial::no, where);
}

Array cummin(const Array& x, std::int64_t axis, Where where) {
  const Composite scope(where);
  return running("cummin", Op::min, x, axis, x.dtype(), Initial::no, where);
}

}  // namespace kiln::inline v0
