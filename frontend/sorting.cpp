#include "kiln/sorting.h"

#include <fmt/format.h>

#include "frontend/binary.h"
#include "frontend/promote.h"
#include "frontend/record.h"
#include "kiln/creation.h"
#include "kiln/views.h"

namespace kiln::inline v0 {

using frontend::Access;
using frontend::Complaint;
using frontend::Composite;

namespace {

std::int64_t check(const char* function, const Array& x, std::int64_t axis, Where where) {
  frontend::check_takes(function, frontend::kAny, x.dtype(), Operand(x, where), nullptr, where);
  return frontend::check_axis(function, axis, x.ndim(), where, Access::node(x));
}

ir::Op op_of(Order order) { return order == Order::rising ? ir::Op::min : ir::Op::max; }

}  // namespace

Array sort(const Array& x, std::int64_t axis, Order order, Where where) {
  const Composite scope(where);
  return frontend::sorted(op_of(order), x, check("sort", x, axis, where), {0}, where)[0];
}

Array argsort(const Array& x, std::int64_t axis, Order order, Where where) {
  const Composite scope(where);
  return frontend::sorted(op_of(order), x, check("argsort", x, axis, where), {1}, where)[0];
}

Sorted sorted(const Array& x, std::int64_t axis, Order order, Where where) {
  const Composite scope(where);
  const auto both =
      frontend::sorted(op_of(order), x, check("sorted", x, axis, where), {0, 1}, where);
  return {both[0], both[1]};
}

Sorted top_k(const Array& x, std::int64_t k, std::int64_t axis, Order order, Where where) {
  const Composite scope(where);
  const std::int64_t along = check("top_k", x, axis, where);
  if (k < 0 || k > x.shape()[along]) {
    Complaint("top_k", fmt::format("the first {} of {} along axis {}", k, x.shape()[along], along),
              where)
        .operand("array", x)
        .advise("0 <= k <= the extent of the axis")
        .raise();
  }
  const auto both = frontend::sorted(op_of(order), x, along, {0, 1}, where);
  std::vector<std::int64_t> shape(x.shape().begin(), x.shape().end());
  shape[static_cast<std::size_t>(along)] = k;
  const std::vector<std::int64_t> begin(shape.size(), 0), step(shape.size(), 1);
  return {frontend::sliced(both[0], shape, begin, step, where),
          frontend::sliced(both[1], shape, begin, step, where)};
}

}  // namespace kiln::inline v0
