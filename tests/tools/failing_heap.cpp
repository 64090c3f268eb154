#include "tests/failing_heap.h"

#include <cstdlib>
#include <new>

namespace kiln_tests {
namespace {

constexpr std::int64_t kNever = -1;
thread_local std::int64_t left = kNever;  // allocations before the one that fails
thread_local bool failed = false;

}  // namespace

FailingHeap::FailingHeap(std::int64_t n) {
  failed = false;
  left = n;
}
FailingHeap::~FailingHeap() { left = kNever; }

bool heap_failed() { return failed; }

void* allocated(std::size_t bytes) {
  if (left >= 0 && left-- == 0) {
    failed = true;
    throw std::bad_alloc();
  }
  void* const memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace kiln_tests

void* operator new(std::size_t bytes) { return kiln_tests::allocated(bytes); }
// By default it calls the one above; that of an address sanitizer does not.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  try {
    return kiln_tests::allocated(bytes);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
