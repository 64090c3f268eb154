// Operations that are computed as a whole from arrays in memory: by a library, or by the host.
//
// A call walks its axes as nested loops would; an array lies along each of them at a stride, so
// that transposed, repeated, sliced and permuted operands are cases of one layout. What the axes
// are is the kind's matter:
//   contract   batch axes, then m, n, k: result[.., m, n] = sum over k of operand 0 [.., m, k]
//              times operand 1 [.., k, n]
//   scan       rows, then the axis along which operand 0 is summed up (op)
//   sort       rows, then the axis along which operand 0 is put in order: result 0 are the
//              elements, result 1 where each was (int64); one of them may be wanted by nobody
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
  static constexpr std::uint32_t kNobody = ~std::uint32_t{0};
  std::uint32_t buffer = 0;  // into Plan::buffers; kNobody: a result that nobody wants
  DType dtype = DType::float32;
  SizeExpr offset;                // of the first element, in elements
  std::vector<SizeExpr> strides;  // in elements, one an axis of the call; 0: the same all along it
};
struct Call {
  NodeKind what = NodeKind::contract;
  Op op = Op::add;                // of a kind that has one
  std::vector<SizeExpr> extents;  // of the axes
  std::vector<CallArray> operands, results;
  // Memory to work in: a temporary of bytes, where it has one, and how many there are.
  std::uint32_t workspace = CallArray::kNobody;
  SizeExpr workspace_bytes;
  std::uint32_t report = 0;  // into Plan::clusters
};
// How messages and explain name it: "matmul".
std::string_view call_name(NodeKind what);
// What is wrong with it, whatever the plan; empty if nothing is.
std::string_view error_of(const Call& call);

// A call with sizes and memory, as devices are given it.
class BoundCall {
 public:
  struct Array {
    std::byte* data = nullptr;  // of the first element; null: nobody wants it
    DType dtype = DType::float32;
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
  Op op() const { return op_; }
  DType dtype() const { return arrays_[0].dtype; }
  std::size_t results() const { return arrays_.size() - operands_; }
  std::span<const std::int64_t> extents() const { return extents_; }
  std::int64_t from_last(std::size_t axis) const { return extents_[extents_.size() - 1 - axis]; }
  const Array& operand(std::size_t i) const { return arrays_[i]; }
  const Array& result(std::size_t i) const { return arrays_[operands_ + i]; }
  std::span<std::byte> workspace() const { return workspace_; }  // maybe none
  // The elements of an array that lie furthest, before its first one (<= 0) and behind it.
  struct Reach {
    std::int64_t low = 0, high = 0;
    bool empty = false;  // it has no elements
    std::int64_t size() const { return empty ? 0 : high - low + 1; }
  };
  Reach reach(const Array& array) const;
  // The call on arrays that lie elsewhere, in the same order: operands, then results.
  void move(std::size_t array, std::byte* data) { arrays_[array].data = data; }
  void drop_workspace() { workspace_ = {}; }

 private:
  NodeKind what_;
  Op op_;
  std::size_t operands_;
  std::vector<std::int64_t> numbers_;
  std::span<const std::int64_t> extents_;
  std::vector<Array> arrays_;
  std::span<std::byte> workspace_;
};

// The definition of a call's meaning.
void interpret(const BoundCall& call);

}  // namespace kiln::ir
