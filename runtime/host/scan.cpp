// A dense row goes tile by tile: the running sums of eight segments at a time, which do not wait
// for each other; then what stands before each segment, and before the tile, is added, a vector at
// a time. Rows that lie across go side by side.
#include "runtime/host/scan.h"

#include <algorithm>
#include <array>

#include "ir/error.h"
#include "ir/fp_state.h"
#include "ir/scan_order.h"

namespace kiln::runtime {

namespace {

constexpr std::int64_t kGrain = 16384;  // elements that are worth a thread
constexpr int kManyLanes = 64;          // rows side by side
constexpr int kLanes = 16;              // or so many
constexpr int kChains = 8;              // segments at a time

template <class T>
T* row_of(const ir::BoundCall& call, const ir::BoundCall::Array& array, std::int64_t row) {
  T* at = array.as<T>();
  for (std::size_t i = call.extents().size() - 1; i-- > 0; row /= call.extents()[i])
    at += row % call.extents()[i] * array.strides[i];
  return at;
}

// One tile; of fewer elements than others only the last.
template <ir::Op op, class T>
void scan_tile(const T* x, T* out, int count, ir::ScanOrder<op, T>& order) {
  constexpr int n = ir::kScanSegment;
  const auto end_of = [count](int s) { return std::min((s + 1) * n, count); };
  const int segments = (count + n - 1) / n;
  int s = 0;
  for (; (s + kChains) * n <= count; s += kChains) {
    T sums[kChains] = {};
    for (int c = 0; c < kChains; ++c) out[(s + c) * n] = sums[c] = x[(s + c) * n];
    for (int i = 1; i < n; ++i) {
      for (int c = 0; c < kChains; ++c) {
        const int at = (s + c) * n + i;
        out[at] = sums[c] = ir::scanned<op>(sums[c], x[at]);
      }
    }
  }
  for (; s < segments; ++s) {
    T sum = out[s * n] = x[s * n];
    for (int i = s * n + 1; i < end_of(s); ++i) out[i] = sum = ir::scanned<op>(sum, x[i]);
  }
  // What stands before each segment: totals shifted and added.
  std::array<T, n> prefix{};
  for (s = 0; s < segments; ++s) prefix[static_cast<std::size_t>(s)] = out[end_of(s) - 1];
  for (int step = 1; step < segments; step *= 2) {
    for (s = segments - 1; s >= step; --s) {
      const auto at = static_cast<std::size_t>(s);
      prefix[at] = ir::scanned<op>(prefix[at - static_cast<std::size_t>(step)], prefix[at]);
    }
  }
  for (s = 1; s < segments; ++s) {
    const T before = prefix[static_cast<std::size_t>(s - 1)];
    for (int i = s * n; i < end_of(s); ++i) out[i] = ir::scanned<op>(before, out[i]);
  }
  T total = out[count - 1];
  if (order.tiles() > 0) {
    const T before = order.tile_prefix(0);
    for (int i = 0; i < count; ++i) out[i] = ir::scanned<op>(before, out[i]);
  }
  if (count == ir::kScanTile) order.end_tile(&total);
}

template <ir::Op op, class T>
void scan_row(const T* x, std::int64_t step, T* out, std::int64_t out_step, std::int64_t n) {
  ir::ScanOrder<op, T> order;
  std::int64_t i = 0;
  if (step == 1 && out_step == 1) {
    for (; i < n; i += ir::kScanTile) {
      const auto count = static_cast<int>(std::min<std::int64_t>(n - i, ir::kScanTile));
      scan_tile<op, T>(x + i, out + i, count, order);
    }
  }
  for (; i < n; ++i) {
    T sum = x[i * step];
    order.next(&sum);
    out[i * out_step] = sum;
  }
}

// Neighbouring rows, their elements side by side.
template <ir::Op op, class T, int lanes>
void scan_rows(const T* x, std::int64_t step, T* out, std::int64_t out_step, std::int64_t n) {
  ir::ScanOrder<op, T, lanes> order;
  for (std::int64_t i = 0; i < n; ++i) {
    T sums[lanes] = {};
    std::copy(x + i * step, x + i * step + lanes, sums);
    order.next(sums);
    std::copy(sums, sums + lanes, out + i * out_step);
  }
}

template <ir::Op op, class T>
void scan_range(const ir::BoundCall& call, std::int64_t begin, std::int64_t end) {
  const ir::FloatState state;
  const std::int64_t n = call.from_last(0);
  const ir::BoundCall::Array &from = call.operand(0), &to = call.result(0);
  const std::size_t axes = call.extents().size() - 1;
  // How many rows lie side by side, from one on.
  const bool across = axes > 0 && from.strides[axes - 1] == 1 && to.strides[axes - 1] == 1;
  const std::int64_t beside = across ? call.extents()[axes - 1] : 1;
  for (std::int64_t row = begin; row < end;) {
    const T* const x = row_of<const T>(call, from, row);
    T* const out = row_of<T>(call, to, row);
    const std::int64_t room = across ? std::min(beside - row % beside, end - row) : 1;
    if (room >= kManyLanes) {
      scan_rows<op, T, kManyLanes>(x, from.strides[axes], out, to.strides[axes], n);
      row += kManyLanes;
    } else if (room >= kLanes) {
      scan_rows<op, T, kLanes>(x, from.strides[axes], out, to.strides[axes], n);
      row += kLanes;
    } else {
      scan_row<op, T>(x, from.strides[axes], out, to.strides[axes], n);
      ++row;
    }
  }
}

}  // namespace

void host_scan(const ir::BoundCall& call, Workers& workers) {
  std::int64_t rows = 1;
  for (const std::int64_t extent : call.extents().first(call.extents().size() - 1)) rows *= extent;
  ir::with_scan(call.op(), call.dtype(), [&](auto element, auto op) {
    workers.run(rows, kGrain / call.from_last(0) + 1, true,
                [&](std::int64_t begin, std::int64_t end) {
                  scan_range<decltype(op)::value, decltype(element)>(call, begin, end);
                });
  });
}

}  // namespace kiln::runtime
