// A grid of the loops.
#pragma once
#include "bench/corpus/corpus.h"

namespace corpus {

// A grid of the loops; outside it are zeros.
struct Grid {
  Grid(std::int64_t h, std::int64_t w)
      : height(h), width(w), data(static_cast<std::size_t>(h * w)) {}
  float& operator()(std::int64_t y, std::int64_t x) {
    return data[static_cast<std::size_t>(y * width + x)];
  }
  float operator()(std::int64_t y, std::int64_t x) const {
    return data[static_cast<std::size_t>(y * width + x)];
  }
  [[nodiscard]] float padded(std::int64_t y, std::int64_t x) const {
    return y < 0 || x < 0 || y >= height || x >= width ? 0.f : (*this)(y, x);
  }
  // Round the edges, at most once.
  [[nodiscard]] float around(std::int64_t y, std::int64_t x) const {
    y = y < 0 ? y + height : y >= height ? y - height : y;
    x = x < 0 ? x + width : x >= width ? x - width : x;
    return (*this)(y, x);
  }
  std::int64_t height, width;
  Floats data;
};

}  // namespace corpus
