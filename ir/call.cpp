#include "ir/call.h"

#include <cstring>

#include "ir/array_ops.h"
#include "ir/error.h"

namespace kiln::ir {

std::string_view call_name(NodeKind what) {
  if (what == NodeKind::contract) return "matmul";
  if (what == NodeKind::scan) return "scan";
  if (what == NodeKind::sort) return "sort";
  internal_error("call: a kind that is none");
}

std::string_view error_of(const Call& call) {
  const auto has = [&](std::size_t operands, std::size_t results, std::size_t axes) {
    return call.operands.size() == operands && call.results.size() == results &&
           call.extents.size() >= axes;
  };
  if (role(call.what) != Role::call) return "a call of what is none";
  if (call.what == NodeKind::contract) {
    if (!has(2, 1, 3)) return "a product has two operands, one result, and at least three axes";
    for (const CallArray* array : {&call.operands[1], &call.results[0]})
      if (array->dtype != call.operands[0].dtype) return "arrays of a product differ in type";
  } else if (call.what == NodeKind::scan) {
    if (!has(1, 1, 1)) return "a scan has one operand, one result, and at least one axis";
    if (call.results[0].dtype != call.operands[0].dtype) return "arrays of a scan differ in type";
  } else if (call.what == NodeKind::sort) {
    if (!has(1, 2, 1)) return "sorting takes one operand, has two results, and at least one axis";
    if (call.results[0].dtype != call.operands[0].dtype || call.results[1].dtype != DType::int64)
      return "results of sorting are of other types";
  }
  for (const std::vector<CallArray>* list : {&call.operands, &call.results}) {
    for (const CallArray& array : *list)
      if (array.strides.size() != call.extents.size()) return "an array without all strides";
  }
  return "";
}

BoundCall::BoundCall(const Call& call, std::span<const std::int64_t> syms,
                     const std::function<std::byte*(std::uint32_t)>& data)
    : what_(call.what), op_(call.op), operands_(call.operands.size()) {
  const std::size_t axes = call.extents.size();
  const std::size_t arrays = operands_ + call.results.size();
  numbers_.reserve(axes * (arrays + 1));  // spans point into it
  arrays_.reserve(arrays);
  for (const SizeExpr& extent : call.extents) numbers_.push_back(extent.evaluate(syms));
  extents_ = {numbers_.data(), axes};
  for (const std::vector<CallArray>* list : {&call.operands, &call.results}) {
    for (const CallArray& array : *list) {
      std::byte* const begin = array.buffer == CallArray::kNobody ? nullptr : data(array.buffer);
      const std::int64_t* const strides = numbers_.data() + numbers_.size();
      for (const SizeExpr& stride : array.strides) numbers_.push_back(stride.evaluate(syms));
      const std::int64_t offset = array.offset.evaluate(syms) * size_of(array.dtype);
      arrays_.push_back(
          {begin == nullptr ? nullptr : begin + offset, array.dtype, {strides, axes}});
    }
  }
  if (call.workspace != CallArray::kNobody) {
    workspace_ = {data(call.workspace),
                  static_cast<std::size_t>(call.workspace_bytes.evaluate(syms))};
  }
}

BoundCall::Reach BoundCall::reach(const Array& array) const {
  Reach reach;
  for (std::size_t i = 0; i < extents_.size(); ++i) {
    if (array.strides[i] == 0) continue;
    reach.empty = reach.empty || extents_[i] == 0;
    (array.strides[i] < 0 ? reach.low : reach.high) += (extents_[i] - 1) * array.strides[i];
  }
  return reach;
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

// Where the array's elements are that have one index along all axes but the last ones, counted in
// row-major order.
std::byte* at_row(const BoundCall& call, const BoundCall::Array& array, std::int64_t number,
                  std::size_t last_axes) {
  std::int64_t offset = 0;
  for (std::size_t i = call.extents().size() - last_axes; i-- > 0; number /= call.extents()[i])
    offset += number % call.extents()[i] * array.strides[i];
  return array.data + offset * size_of(array.dtype);
}
std::int64_t rows_of(const BoundCall& call, std::size_t last_axes) {
  std::int64_t rows = 1;
  for (const std::int64_t extent : call.extents().first(call.extents().size() - last_axes))
    rows *= extent;
  return rows;
}

void interpret_contract(const BoundCall& call) {
  const std::size_t batch_axes = call.extents().size() - 3;
  const std::int64_t m = call.from_last(2), n = call.from_last(1), k = call.from_last(0);
  const std::int64_t bytes = size_of(call.dtype());
  const std::int64_t batch = rows_of(call, 3);
  std::vector<std::byte> a(static_cast<std::size_t>(m * k * bytes));
  std::vector<std::byte> b(static_cast<std::size_t>(k * n * bytes));
  std::vector<std::byte> c(static_cast<std::size_t>(m * n * bytes));
  for (std::int64_t number = 0; number < batch; ++number) {
    const auto at = [&](const BoundCall::Array& array) { return at_row(call, array, number, 3); };
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

void interpret_scan(const BoundCall& call) {
  const std::int64_t n = call.from_last(0), bytes = size_of(call.dtype());
  std::vector<std::byte> from(static_cast<std::size_t>(n * bytes)), to(from.size());
  for (std::int64_t row = 0; row < rows_of(call, 1); ++row) {
    copy_matrix(from.data(), 1, 0, at_row(call, call.operand(0), row, 1),
                call.operand(0).strides.back(), 0, n, 1, bytes);
    scan_along(call.op(), call.dtype(), 1, n, 1, from.data(), to.data());
    copy_matrix(at_row(call, call.result(0), row, 1), call.result(0).strides.back(), 0, to.data(),
                1, 0, n, 1, bytes);
  }
}

void interpret_sort(const BoundCall& call) {
  const std::int64_t n = call.from_last(0), bytes = size_of(call.dtype());
  std::vector<std::byte> from(static_cast<std::size_t>(n * bytes)), to(from.size());
  std::vector<std::int64_t> places(static_cast<std::size_t>(n));
  for (std::int64_t row = 0; row < rows_of(call, 1); ++row) {
    copy_matrix(from.data(), 1, 0, at_row(call, call.operand(0), row, 1),
                call.operand(0).strides.back(), 0, n, 1, bytes);
    sort_along(call.op(), call.dtype(), 1, n, 1, from.data(), to.data(), places.data());
    const auto give = [&](const BoundCall::Array& result, const void* sorted) {
      if (result.data == nullptr) return;
      copy_matrix(at_row(call, result, row, 1), result.strides.back(), 0,
                  static_cast<const std::byte*>(sorted), 1, 0, n, 1, size_of(result.dtype));
    };
    give(call.result(0), to.data());
    give(call.result(1), places.data());
  }
}

}  // namespace

void interpret(const BoundCall& call) {
  if (call.what() == NodeKind::contract) return interpret_contract(call);
  if (call.what() == NodeKind::scan) return interpret_scan(call);
  if (call.what() == NodeKind::sort) return interpret_sort(call);
  internal_error("call: a kind that is none");
}

}  // namespace kiln::ir
