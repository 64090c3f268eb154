// A fixed-length array that lives on the stack up to N elements and on the heap beyond.
#pragma once
#include <array>
#include <cstddef>
#include <memory>

namespace kiln::runtime {

template <class T, std::size_t N>
class SmallArray {
 public:
  explicit SmallArray(std::size_t size) : size_(size) {
    if (size > N) heap_ = std::make_unique<T[]>(size);
  }
  T* data() { return heap_ ? heap_.get() : inline_.data(); }
  T& operator[](std::size_t i) { return data()[i]; }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_;
  std::array<T, N> inline_;
  std::unique_ptr<T[]> heap_;
};

}  // namespace kiln::runtime
