// Operations that are computed as a whole from arrays in memory: by a library, or by the host.
//
// A call walks its axes as nested loops would; an array lies along each of them at a stride, so
// that transposed, repeated, sliced and permuted operands are cases of one layout. What the axes
// are is the kind's matter:
//   contract   batch axes, then m, n, k: result[.., m, n] = sum over k of operand 0 [.., m, k]
//              times operand 1 [.., k, n]
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "ir/size_expr.h"

namespace kiln::ir {

struct CallArray {
  std::uint32_t buffer = 0;       // into Plan::buffers
  SizeExpr offset;                // of the first element, in elements
  std::vector<SizeExpr> strides;  // in elements, one an axis of the call; 0: the same all along it
};
struct Call {
  NodeKind what = NodeKind::contract;
  DType dtype = DType::float32;
  std::vector<SizeExpr> extents;  // of the axes
  std::vector<CallArray> operands, results;
  std::uint32_t report = 0;  // into Plan::clusters
};
// How messages and explain name it: "matmul".
std::string_view call_name(NodeKind what);

// A call with sizes and memory, as devices are given it.
class BoundCall {
 public:
  struct Array {
    std::byte* data = nullptr;  // of the first element
    std::span<const std::int64_t> strides;
    template <class T>
    T* as() const {
      return reinterpret_cast<T*>(data);
    }
  };
  // syms: values of the plan's symbols; data(buffer) is where a buffer begins. A call without
  // elements has no addresses.
  BoundCall(const Call& call, std::span<const std::int64_t> syms,
            const std::function<std::byte*(std::uint32_t)>& data);
  BoundCall(const BoundCall&) = delete;
  BoundCall& operator=(const BoundCall&) = delete;

  NodeKind what() const { return what_; }
  DType dtype() const { return dtype_; }
  std::span<const std::int64_t> extents() const { return extents_; }
  std::int64_t from_last(std::size_t axis) const { return extents_[extents_.size() - 1 - axis]; }
  const Array& operand(std::size_t i) const { return arrays_[i]; }
  const Array& result(std::size_t i) const { return arrays_[operands_ + i]; }
  // Elements from the first of an array's to behind the furthest; 0: it has none.
  std::int64_t span(const Array& array) const;

 private:
  NodeKind what_;
  DType dtype_;
  std::size_t operands_;
  std::vector<std::int64_t> numbers_;
  std::span<const std::int64_t> extents_;
  std::vector<Array> arrays_;
};

// The definition of a call's meaning.
void interpret(const BoundCall& call);

}  // namespace kiln::ir
