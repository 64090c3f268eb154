// A heap that fails when it is told to: each operator new of a test program asks it.
#pragma once
#include <cstdint>
#include <new>

namespace kiln_tests {

// While it lives, the allocation number n of this thread, from 0 on, throws std::bad_alloc.
class FailingHeap {
 public:
  explicit FailingHeap(std::int64_t n);
  ~FailingHeap();
  FailingHeap(const FailingHeap&) = delete;
  FailingHeap& operator=(const FailingHeap&) = delete;
};

// Whether the one that lived last on this thread had as many allocations.
bool heap_failed();

// Calls body() with each of its allocations failing in turn, then without a failure; check() after
// each of them. Gives how many there were.
template <class Body, class Check>
std::int64_t with_each_allocation_failing(Body body, Check check) {
  for (std::int64_t n = 0;; ++n) {
    body(n);
    if (!heap_failed()) return n;
    check();
  }
}

}  // namespace kiln_tests
