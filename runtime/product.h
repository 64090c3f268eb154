// A call that multiplies matrices (ir/call.h, contract), as libraries take it.
#pragma once
#include <cstdint>
#include <span>

#include "ir/call.h"

namespace kiln::runtime {

// Row-major; transposed: it is the transpose that lies so. `leading` elements lie between the
// beginnings of two rows of what lies there, which may be more than a row has.
struct Matrix {
  bool transposed = false;
  std::int64_t leading = 1;
};

// C = A x B, (m, k) times (k, n), for each index of the batch.
class Product {
 public:
  // Throws DeviceError where neither the rows nor the columns of a matrix are dense.
  explicit Product(const ir::BoundCall& call);

  std::int64_t m, n, k;
  Matrix a, b, c;               // c is never transposed
  std::int64_t a_step, b_step;  // of operands that are vectors: from an element to the next
  std::int64_t c_step;

  ir::DType dtype() const { return call_.dtype(); }
  std::span<const std::int64_t> batch() const { return call_.extents().first(axes_); }
  std::int64_t batch_size() const { return batch_size_; }
  // Along a batch axis.
  std::int64_t stride(const ir::BoundCall::Array& array, std::size_t axis) const {
    return array.strides[axis];
  }
  // The array's matrix for an index of the batch, counted in row-major order.
  template <class T>
  T* matrix(const ir::BoundCall::Array& array, std::int64_t index) const {
    T* at = array.as<T>();
    for (std::size_t i = axes_; i-- > 0; index /= batch()[i])
      at += index % batch()[i] * array.strides[i];
    return at;
  }
  const ir::BoundCall::Array& a_array() const { return call_.operand(0); }
  const ir::BoundCall::Array& b_array() const { return call_.operand(1); }
  const ir::BoundCall::Array& c_array() const { return call_.result(0); }

 private:
  const ir::BoundCall& call_;
  std::size_t axes_;  // of the batch
  std::int64_t batch_size_ = 1;
};

}  // namespace kiln::runtime
