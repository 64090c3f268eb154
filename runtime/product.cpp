#include "runtime/product.h"

#include <algorithm>

#include "ir/error.h"
#include "ir/mutant.h"
#include "runtime/error.h"

namespace kiln::runtime {

namespace {

Matrix lies(std::int64_t rows, std::int64_t columns, std::int64_t row, std::int64_t column) {
  if ((column == 1 || columns == 1) && (row >= columns || rows == 1))
    return {false, std::max({mutant(ir::Mutant::gaps) ? 1 : row, columns, std::int64_t{1}})};
  if ((row == 1 || rows == 1) && (column >= rows || columns == 1))
    return {true, std::max({column, rows, std::int64_t{1}})};
  throw DeviceError("matmul: neither rows nor columns of an operand are dense",
                    "a copy of the operand");
}

// Of a vector of one element any step will do, but libraries want one.
std::int64_t step(std::int64_t extent, std::int64_t stride) { return extent == 1 ? 1 : stride; }

}  // namespace

Product::Product(const ir::BoundCall& call)
    : m(call.from_last(2)),
      n(call.from_last(1)),
      k(call.from_last(0)),
      call_(call),
      axes_(call.extents().size() - 3) {
  ir::internal_check(call.what() == ir::NodeKind::contract, "product: another call");
  ir::internal_check(call.dtype() == ir::DType::float32 || call.dtype() == ir::DType::float64,
                     "matmul: float32 or float64 expected");
  const auto matrix_strides = [&](const ir::BoundCall::Array& array) {
    return array.strides.subspan(axes_);
  };
  const auto x = matrix_strides(a_array()), y = matrix_strides(b_array()),
             z = matrix_strides(c_array());
  a = lies(m, k, x[0], x[2]);
  b = lies(k, n, y[2], y[1]);
  c = lies(m, n, z[0], z[1]);
  ir::internal_check(!c.transposed, "product: a transposed result");
  a_step = step(k, x[2]);
  b_step = step(k, y[2]);
  c_step = n == 1 ? step(m, z[0]) : step(n, z[1]);
  if (b.transposed && mutant(ir::Mutant::leading_dimension)) b.leading = n;
  for (const std::int64_t extent : batch()) batch_size_ *= extent;
}

}  // namespace kiln::runtime
