// The threads that kernels and compilations are spread over. Ranges are contiguous per thread, so
// that a thread meets the same part of an array again and again; idle threads steal. In a forked
// child, which has none of its parent's threads, everything runs on the caller.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

namespace kiln::runtime {

// More would only wait for each other: 64, or eight a core where that is more.
int most_threads();
// One a core where `wanted` is 0, else as many as wanted, up to most_threads.
int usable_threads(std::int64_t wanted);

class Workers {
 public:
  explicit Workers(int threads);  // as usable_threads has it
  ~Workers();

  int threads() const { return threads_.load(std::memory_order_relaxed); }
  // For work that begins from now on.
  void set_threads(int threads);

  // Calls body(begin, end) for ranges that make up [0, items), each of at least `grain` items but
  // the last. `even`: one range a thread; else as many as keep threads busy until the end.
  template <class Body>
  void run(std::int64_t items, std::int64_t grain, bool even, const Body& body) {
    begun_.fetch_add(1, std::memory_order_release);
    run(items, grain, even, &call<Body>, &body);
    (void)ended_.load(std::memory_order_acquire);
  }

 private:
  using Range = void (*)(Workers& workers, const void* body, std::int64_t begin, std::int64_t end);
  template <class Body>
  static void call(Workers& workers, const void* body, std::int64_t begin, std::int64_t end) {
    (void)workers.begun_.load(std::memory_order_acquire);
    (*static_cast<const Body*>(body))(begin, end);
    workers.ended_.fetch_add(1, std::memory_order_release);
  }
  void run(std::int64_t items, std::int64_t grain, bool even, Range range, const void* body);

  struct Arena;
  std::shared_ptr<Arena> arena();
  std::atomic<int> threads_;
  std::uint32_t generation_;  // of fork, when made
  std::mutex mutex_;          // of the pointer
  std::shared_ptr<Arena> arena_;
  // The order that the thread library gives, said once more where a race detector can see it: the
  // library itself, and workers.cpp with its inline code, are not instrumented.
  std::atomic<std::uint64_t> begun_{0}, ended_{0};
};

}  // namespace kiln::runtime
