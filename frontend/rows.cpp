#include "kiln/rows.h"

#include <algorithm>

#include "frontend/binary.h"
#include "frontend/promote.h"
#include "kiln/elementwise.h"
#include "kiln/reductions.h"

namespace kiln::inline v0 {

using frontend::Access;
using frontend::cast;
using frontend::Composite;
using frontend::literal;
using frontend::reduced;
using ir::Op;
using Extents = std::vector<std::int64_t>;

namespace {

// The array in its working type, and its checked axes.
struct Rows {
  Array x;
  Extents axes;
  DType result;
};
Rows rows(const char* function, const Array& x, const Axes& axes, Where where) {
  Extents list = frontend::check_axes(function, axes, Access::node(x), where);
  const DType result = frontend::floating_of(x.dtype());
  frontend::check_takes(function, frontend::kFloat, result, Operand(x, where), nullptr, where);
  return {cast(x, frontend::working_dtype(result), where), std::move(list), result};
}

// Of no elements there is no largest; the result has none either, or is a sum of nothing.
Array largest(const Rows& r, Where where) { return reduced(Op::max, r.x, r.axes, keepdims, where); }
Array total(const Array& x, const Rows& r, Keep keep, Where where) {
  return reduced(Op::add, x, r.axes, keep, where);
}
Array average(const Array& x, const Rows& r, Where where) {
  return divide(total(x, r, keepdims, where), frontend::count_of(x, r.axes, 0, x.dtype(), where));
}

}  // namespace

Array softmax(const Array& x, const Axes& axes, Where where) {
  const Composite scope(where);
  const Rows r = rows("softmax", x, axes, where);
  const Array e = exp(subtract(r.x, largest(r, where)), where);
  return cast(divide(e, total(e, r, keepdims, where)), r.result, where);
}

Array log_softmax(const Array& x, const Axes& axes, Where where) {
  const Composite scope(where);
  const Rows r = rows("log_softmax", x, axes, where);
  const Array shifted = subtract(r.x, largest(r, where));
  const Array s = log(total(exp(shifted, where), r, keepdims, where), where);
  return cast(subtract(shifted, s), r.result, where);
}

Array logsumexp(const Array& x, const Axes& axes, Keep keep, Where where) {
  const Composite scope(where);
  const Rows r = rows("logsumexp", x, axes, where);
  const Array top = largest(r, where);
  const Array shift = kiln::where(isfinite(top, where), top, literal(r.x.dtype(), 0, where));
  const Array s = log(total(exp(subtract(r.x, shift), where), r, keepdims, where), where);
  const Array result = cast(add(s, shift), r.result, where);
  if (keep == Keep::yes) return result;
  Extents extents;
  for (std::int64_t i = 0; i < x.ndim(); ++i) {
    if (!std::binary_search(r.axes.begin(), r.axes.end(), i)) extents.push_back(x.shape()[i]);
  }
  return frontend::reshaped(result, Shape(extents), where);
}

Array layer_norm(const Array& x, const Axes& axes, double epsilon, Where where) {
  const Composite scope(where);
  const Rows r = rows("layer_norm", x, axes, where);
  const Array centred = subtract(r.x, average(r.x, r, where));
  const Array variance = average(multiply(centred, centred), r, where);
  const Array deviation = sqrt(add(variance, literal(r.x.dtype(), epsilon, where)), where);
  return cast(divide(centred, deviation), r.result, where);
}

Array rms_norm(const Array& x, const Axes& axes, double epsilon, Where where) {
  const Composite scope(where);
  const Rows r = rows("rms_norm", x, axes, where);
  const Array square = average(multiply(r.x, r.x), r, where);
  const Array scale = sqrt(add(square, literal(r.x.dtype(), epsilon, where)), where);
  return cast(divide(r.x, scale), r.result, where);
}

}  // namespace kiln::inline v0
