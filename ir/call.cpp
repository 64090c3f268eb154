#include "ir/call.h"

#include <cstring>

#include "ir/array_ops.h"
#include "ir/error.h"

namespace kiln::ir {

std::string_view call_name(NodeKind what) {
  if (what == NodeKind::contract) return "matmul";
  internal_error("call: a kind that is none");
}

BoundCall::BoundCall(const Call& call, std::span<const std::int64_t> syms,
                     const std::function<std::byte*(std::uint32_t)>& data)
    : what_(call.what), dtype_(call.dtype), operands_(call.operands.size()) {
  const std::size_t axes = call.extents.size();
  const std::size_t arrays = operands_ + call.results.size();
  numbers_.reserve(axes * (arrays + 1));  // spans point into it
  arrays_.reserve(arrays);
  for (const SizeExpr& extent : call.extents) numbers_.push_back(extent.evaluate(syms));
  extents_ = {numbers_.data(), axes};
  for (const std::vector<CallArray>* list : {&call.operands, &call.results}) {
    for (const CallArray& array : *list) {
      std::byte* const begin = data(array.buffer);
      const std::int64_t* const strides = numbers_.data() + numbers_.size();
      for (const SizeExpr& stride : array.strides) numbers_.push_back(stride.evaluate(syms));
      const std::int64_t offset = array.offset.evaluate(syms) * size_of(dtype_);
      arrays_.push_back({begin == nullptr ? nullptr : begin + offset, {strides, axes}});
    }
  }
}

std::int64_t BoundCall::span(const Array& array) const {
  std::int64_t last = 0;
  for (std::size_t i = 0; i < extents_.size(); ++i) {
    if (extents_[i] == 0 && array.strides[i] != 0) return 0;
    if (extents_[i] > 1) last += (extents_[i] - 1) * array.strides[i];
  }
  return last + 1;
}

namespace {

// One matrix of a batch, as it lies, to one that is dense or from it.
void copy_matrix(std::byte* to, std::int64_t to_row, std::int64_t to_column, const std::byte* from,
                 std::int64_t from_row, std::int64_t from_column, std::int64_t rows,
                 std::int64_t columns, std::int64_t bytes) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) {
      std::memcpy(to + (r * to_row + c * to_column) * bytes,
                  from + (r * from_row + c * from_column) * bytes, static_cast<std::size_t>(bytes));
    }
  }
}

void interpret_contract(const BoundCall& call) {
  const std::size_t batch_axes = call.extents().size() - 3;
  const std::int64_t m = call.from_last(2), n = call.from_last(1), k = call.from_last(0);
  const std::int64_t bytes = size_of(call.dtype());
  std::int64_t batch = 1;
  for (const std::int64_t extent : call.extents().first(batch_axes)) batch *= extent;
  std::vector<std::byte> a(static_cast<std::size_t>(m * k * bytes));
  std::vector<std::byte> b(static_cast<std::size_t>(k * n * bytes));
  std::vector<std::byte> c(static_cast<std::size_t>(m * n * bytes));
  for (std::int64_t number = 0; number < batch; ++number) {
    const auto at = [&](const BoundCall::Array& array) {
      std::int64_t offset = 0, left = number;
      for (std::size_t i = batch_axes; i-- > 0; left /= call.extents()[i])
        offset += left % call.extents()[i] * array.strides[i];
      return array.data + offset * bytes;
    };
    const auto strides = [&](const BoundCall::Array& array) {
      return array.strides.subspan(batch_axes);
    };
    const auto& x = call.operand(0);
    const auto& y = call.operand(1);
    const auto& z = call.result(0);
    if (k > 0) {
      copy_matrix(a.data(), k, 1, at(x), strides(x)[0], strides(x)[2], m, k, bytes);
      copy_matrix(b.data(), n, 1, at(y), strides(y)[2], strides(y)[1], k, n, bytes);
    }
    matrix_product(call.dtype(), 1, m, n, k, a.data(), b.data(), c.data());
    copy_matrix(at(z), strides(z)[0], strides(z)[1], c.data(), n, 1, m, n, bytes);
  }
}

}  // namespace

void interpret(const BoundCall& call) {
  if (call.what() == NodeKind::contract) return interpret_contract(call);
  internal_error("call: a kind that is none");
}

}  // namespace kiln::ir
