// One integer an axis, of at most as many axes as an array may have; on the stack.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "ir/graph.h"

namespace kiln::inline v0::frontend {

class PerAxis {
 public:
  PerAxis() {}  // leaves the memory as it is
  explicit PerAxis(std::span<const std::int64_t> list) {
    for (const std::int64_t n : list) push_back(n);
  }
  void push_back(std::int64_t n) { data_[size_++] = n; }
  void assign(std::size_t size, std::int64_t n) {
    size_ = 0;
    while (size_ < size) push_back(n);
  }
  std::int64_t& operator[](std::size_t i) { return data_[i]; }
  const std::int64_t& operator[](std::size_t i) const { return data_[i]; }
  std::int64_t& back() { return data_[size_ - 1]; }
  std::size_t size() const { return size_; }
  const std::int64_t* begin() const { return data_; }
  const std::int64_t* end() const { return data_ + size_; }

 private:
  std::int64_t data_[ir::kMaxRank];
  std::size_t size_ = 0;
};

}  // namespace kiln::inline v0::frontend
