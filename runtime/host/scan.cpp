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
constexpr int kLanes = 16;              // rows side by side
constexpr int kChains = 8;              // segments at a time

template <class T>
T* row_of(const ir::BoundCall& call, const ir::BoundCall::Array& array, std::int64_t row) {
  T* at = array.as<T>();
  for (std::size_t i = call.extents().size() - 1; i-- > 0; row /= call.extents()[i])
    at += row % call.extents()[i] * array.strides[i];
  return at;
}

// One whole tile.
template <ir::Op op, class T>
void scan_tile(const T* x, T* out, ir::ScanOrder<op, T>& order) {
  constexpr int n = ir::kScanSegment;
  for (int first = 0; first < n; first += kChains) {
    T sums[kChains] = {};
    for (int c = 0; c < kChains; ++c) out[(first + c) * n] = sums[c] = x[(first + c) * n];
    for (int i = 1; i < n; ++i) {
      for (int c = 0; c < kChains; ++c) {
        const int at = (first + c) * n + i;
        out[at] = sums[c] = ir::scanned<op>(sums[c], x[at]);
      }
    }
  }
  std::array<T, n> totals;
  for (int s = 0; s < n; ++s) totals[static_cast<std::size_t>(s)] = out[s * n + n - 1];
  // Shifted and added, as far as each segment's own predecessors.
  std::array<T, n> prefix = totals;
  for (int step = 1; step < n; step *= 2) {
    for (int s = n - 1; s >= step; --s) {
      const auto at = static_cast<std::size_t>(s);
      prefix[at] = ir::scanned<op>(prefix[at - static_cast<std::size_t>(step)], prefix[at]);
    }
  }
  for (int s = 1; s < n; ++s) {
    const T before = prefix[static_cast<std::size_t>(s - 1)];
    for (int i = 0; i < n; ++i) out[s * n + i] = ir::scanned<op>(before, out[s * n + i]);
  }
  T total = out[ir::kScanTile - 1];
  if (order.tiles() > 0) {
    const T before = order.tile_prefix(0);
    for (int i = 0; i < ir::kScanTile; ++i) out[i] = ir::scanned<op>(before, out[i]);
  }
  order.end_tile(&total);
}

template <ir::Op op, class T>
void scan_row(const T* x, std::int64_t step, T* out, std::int64_t out_step, std::int64_t n) {
  ir::ScanOrder<op, T> order;
  std::int64_t i = 0;
  if (step == 1 && out_step == 1) {
    for (; i + ir::kScanTile <= n; i += ir::kScanTile) scan_tile<op, T>(x + i, out + i, order);
  }
  for (; i < n; ++i) {
    T sum = x[i * step];
    order.next(&sum);
    out[i * out_step] = sum;
  }
}

// Neighbouring rows, their elements side by side.
template <ir::Op op, class T>
void scan_rows(const T* x, std::int64_t step, T* out, std::int64_t out_step, std::int64_t n) {
  ir::ScanOrder<op, T, kLanes> order;
  for (std::int64_t i = 0; i < n; ++i) {
    T sums[kLanes] = {};
    std::copy(x + i * step, x + i * step + kLanes, sums);
    order.next(sums);
    std::copy(sums, sums + kLanes, out + i * out_step);
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
    if (across && row % beside + kLanes <= beside && row + kLanes <= end) {
      scan_rows<op, T>(x, from.strides[axes], out, to.strides[axes], n);
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
