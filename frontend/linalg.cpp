#include "kiln/linalg.h"

#include <fmt/format.h>

#include "frontend/binary.h"
#include "frontend/promote.h"
#include "kiln/elementwise.h"
#include "kiln/reductions.h"
#include "kiln/views.h"

namespace kiln::inline v0 {

using frontend::Access;
using frontend::cast;
using frontend::Complaint;
using frontend::Composite;
using frontend::to_text;
using Extents = std::vector<std::int64_t>;

namespace {

// Leading axes of both broadcast against each other.
Array with_batch(const Array& x, const Shape& batch, Where where) {
  Extents extents(batch.begin(), batch.end());
  extents.push_back(x.shape()[-2]);
  extents.push_back(x.shape()[-1]);
  return frontend::broadcast(x, Shape(extents), where);
}

Shape batch_of(const Array& a, const Array& b, Where where) {
  Extents x(a.shape().begin(), a.shape().end() - 2), y(b.shape().begin(), b.shape().end() - 2);
  if (x.size() < y.size()) std::swap(x, y);
  for (std::size_t i = 0; i < y.size(); ++i) {
    std::int64_t& n = x[x.size() - y.size() + i];
    if (n == 1) n = y[i];
    if (y[i] == 1 || y[i] == n) continue;
    Complaint("matmul",
              fmt::format("leading axes of {} and {} do not broadcast", to_text(a.shape()),
                          to_text(b.shape())),
              where)
        .operand("left", a)
        .operand("right", b)
        .advise("leading extents that are equal or 1; expand_dims makes axes of extent 1")
        .raise();
  }
  return Shape(x);
}

Array product(const Array& a, const Array& b, Where where) {
  const DType dtype = a.dtype();
  const Shape batch = batch_of(a, b, where);
  if (ir::is_float(frontend::to_ir(dtype))) {
    const DType work = frontend::working_dtype(dtype);
    const Array left = with_batch(cast(a, work, where), batch, where);
    const Array right = with_batch(cast(b, work, where), batch, where);
    return cast(frontend::contracted(left, right, where), dtype, where);
  }
  // Integers: products summed, wrapping in their own dtype.
  const Array left = expand_dims(a, -1, where), right = expand_dims(b, -3, where);
  const Array products = frontend::map("matmul", ir::Op::mul, dtype, {left, right}, where);
  return frontend::reduced(ir::Op::add, products, {products.ndim() - 2}, Keep::no, where);
}

}  // namespace

Array matmul(const Array& left, const Array& right, Where where) {
  const Composite scope(where);
  frontend::Node* const nodes[] = {Access::node(left), Access::node(right)};
  frontend::common_device("matmul", nodes, where);
  const DType dtype = frontend::common_dtype("matmul", Operand(left, where), Operand(right, where));
  const Operand second(right, where);
  frontend::check_takes("matmul", frontend::kNumbers, dtype, Operand(left, where), &second, where);
  const auto refuse = [&](const std::string& message) {
    Complaint("matmul", message, where)
        .operand("left", left)
        .operand("right", right)
        .advise("(..., m, k) times (..., k, n); a 1-d operand is a row or a column")
        .raise();
  };
  if (left.ndim() == 0 || right.ndim() == 0) refuse("a 0-d operand");
  const Array a = left.ndim() == 1 ? expand_dims(left, 0, where) : left;
  const Array b = right.ndim() == 1 ? expand_dims(right, 1, where) : right;
  if (a.shape()[-1] != b.shape()[-2]) {
    refuse(fmt::format("shapes {} and {} do not multiply: inner extents are {} and {}",
                       to_text(left.shape()), to_text(right.shape()), a.shape()[-1],
                       b.shape()[-2]));
  }
  Array result = product(cast(a, dtype, where), cast(b, dtype, where), where);
  if (right.ndim() == 1) result = squeeze(result, -1, where);
  if (left.ndim() == 1) result = squeeze(result, right.ndim() == 1 ? -1 : -2, where);
  return result;
}

Array vecdot(const Array& left, const Array& right, std::int64_t axis, Where where) {
  const Composite scope(where);
  const Array products = multiply(left, right);
  frontend::check_takes("vecdot", frontend::kNumbers, products.dtype(), Operand(products, where),
                        nullptr, where);
  const std::int64_t a =
      frontend::check_axis("vecdot", axis, left.ndim(), where, Access::node(left)) - left.ndim();
  const std::int64_t b =
      frontend::check_axis("vecdot", axis, right.ndim(), where, Access::node(right)) - right.ndim();
  if (a != b || left.shape()[a] != right.shape()[b]) {
    Complaint("vecdot",
              fmt::format("axis {} of shapes {} and {} differs", axis, to_text(left.shape()),
                          to_text(right.shape())),
              where)
        .operand("left", left)
        .operand("right", right)
        .advise("an axis of one extent in both; sum(x * y, axis) broadcasts")
        .raise();
  }
  return frontend::reduced(ir::Op::add, products, {products.ndim() + a}, Keep::no, where);
}

Array outer(const Array& left, const Array& right, Where where) {
  const Composite scope(where);
  if (left.ndim() != 1 || right.ndim() != 1) {
    Complaint("outer", "takes 1-d arrays", where)
        .operand("left", left)
        .operand("right", right)
        .advise("x.reshape({-1}) of each, or x(_, newaxis) * y")
        .raise();
  }
  return multiply(expand_dims(left, 1, where), right);
}

}  // namespace kiln::inline v0
