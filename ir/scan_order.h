// The canonical order of running sums and products (NUMERICS.md, Scan): in tiles of 1024 elements,
// 32 segments of 32; totals of tiles by the same order again.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

#include "ir/error.h"
#include "ir/scalar_semantics.h"

namespace kiln::ir {

inline constexpr int kScanSegment = 32;  // elements of a segment, and segments of a tile
inline constexpr int kScanTile = kScanSegment * kScanSegment;

// `a` stands before `b`.
template <Op op, class T>
[[gnu::always_inline]] inline T scanned(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return float_op<op>(a, b, T{});
  } else {
    return int_op<op>(a, b);
  }
}

// The last of `count` totals behind a scan by shifting and adding in five steps.
template <Op op, class T>
T scan_of_totals(const T* totals, int count) {
  std::array<T, kScanSegment> sums{};
  for (int i = 0; i < count; ++i) sums[static_cast<std::size_t>(i)] = totals[i];
  for (int step = 1; step < count; step *= 2) {
    for (int i = count - 1; i >= step; --i) {
      const auto at = static_cast<std::size_t>(i);
      sums[at] = scanned<op>(sums[at - static_cast<std::size_t>(step)], sums[at]);
    }
  }
  return sums[static_cast<std::size_t>(count - 1)];
}

// One row after another for each of `lanes` rows side by side.
template <Op op, class T, int lanes = 1>
class ScanOrder {
 public:
  using Values = std::array<T, lanes>;

  // The next elements; what the rows come to with them takes their place.
  void next(T* x) {
    if (in_segment_ == 0) {
      for (std::size_t l = 0; l < lanes; ++l) local_[l] = x[l];
    } else {
      for (std::size_t l = 0; l < lanes; ++l) local_[l] = scanned<op>(local_[l], x[l]);
    }
    within_ = local_;
    if (segment_ > 0) {
      for (std::size_t l = 0; l < lanes; ++l) within_[l] = scanned<op>(prefix_[l], within_[l]);
    }
    for (std::size_t l = 0; l < lanes; ++l) x[l] = within_[l];
    if (tiles_ > 0) {
      for (std::size_t l = 0; l < lanes; ++l) x[l] = scanned<op>(tile_prefix_[l], x[l]);
    }
    if (++in_segment_ == kScanSegment) end_segment();
  }
  // Of rows whose tiles are summed elsewhere: the total of the next tile; what the rows come to
  // with it takes its place.
  void end_tile(T* total) {
    if (above_ == nullptr) above_ = std::make_unique<ScanOrder>();
    above_->next(total);
    for (std::size_t l = 0; l < lanes; ++l) tile_prefix_[l] = total[l];
    ++tiles_;
  }
  std::int64_t tiles() const { return tiles_; }
  T tile_prefix(std::size_t lane) const { return tile_prefix_[lane]; }

 private:
  void end_segment() {
    in_segment_ = 0;
    totals_[static_cast<std::size_t>(segment_)] = local_;
    if (++segment_ == kScanSegment) {
      segment_ = 0;
      end_tile(within_.data());
      return;
    }
    std::array<T, kScanSegment> of_lane{};
    for (std::size_t l = 0; l < lanes; ++l) {
      for (std::size_t s = 0; s < static_cast<std::size_t>(segment_); ++s)
        of_lane[s] = totals_[s][l];
      prefix_[l] = scan_of_totals<op>(of_lane.data(), segment_);
    }
  }

  int in_segment_ = 0, segment_ = 0;
  std::int64_t tiles_ = 0;
  Values local_{}, within_{}, prefix_{}, tile_prefix_{};
  std::array<Values, kScanSegment> totals_{};
  std::unique_ptr<ScanOrder> above_;  // of the totals of tiles
};

// Calls f(element, order of the operation) with an element of the C++ type of dtype and a
// std::integral_constant of op: add, mul, min or max. 16-bit floats and bool are computed in
// others.
template <class F>
void with_scan(Op op, DType dtype, F f) {
  const auto with_op = [&](auto element) {
    if (op == Op::add) return f(element, std::integral_constant<Op, Op::add>{});
    if (op == Op::mul) return f(element, std::integral_constant<Op, Op::mul>{});
    if (op == Op::min) return f(element, std::integral_constant<Op, Op::min>{});
    f(element, std::integral_constant<Op, Op::max>{});
  };
  switch (dtype) {
    case DType::int8:
      return with_op(std::int8_t{});
    case DType::int16:
      return with_op(std::int16_t{});
    case DType::int32:
      return with_op(std::int32_t{});
    case DType::int64:
      return with_op(std::int64_t{});
    case DType::uint8:
      return with_op(std::uint8_t{});
    case DType::uint16:
      return with_op(std::uint16_t{});
    case DType::uint32:
      return with_op(std::uint32_t{});
    case DType::uint64:
      return with_op(std::uint64_t{});
    case DType::float32:
      return with_op(float{});
    case DType::float64:
      return with_op(double{});
    case DType::bool_:
    case DType::float16:
    case DType::bfloat16:
    case DType::complex64:
    case DType::complex128:
      internal_error("scan: a type that is computed in another");
  }
}

}  // namespace kiln::ir
