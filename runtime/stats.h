// Counters of what devices did. Each device has its own; they only grow.
#pragma once
#include <atomic>
#include <cstdint>

namespace kiln::runtime {

struct Stats {
  std::int64_t launched = 0;     // kernels and library calls; empty grids are not launched
  std::int64_t compiled = 0;     // kernels made anew
  std::int64_t memory_hits = 0;  // kernels found in memory, on disk
  std::int64_t disk_hits = 0;
  std::int64_t bytes_read = 0;  // compulsory bytes of the launched kernels
  std::int64_t bytes_written = 0;
  std::int64_t uploads = 0, upload_bytes = 0;
  std::int64_t downloads = 0, download_bytes = 0;

  Stats& operator+=(const Stats& other);
  Stats operator-(const Stats& other) const;
  bool operator==(const Stats&) const = default;
};

struct Counters {
  using Counter = std::atomic<std::int64_t>;
  Counter launched{0}, compiled{0}, memory_hits{0}, disk_hits{0};
  Counter bytes_read{0}, bytes_written{0};
  Counter uploads{0}, upload_bytes{0}, downloads{0}, download_bytes{0};

  static void add(Counter& counter, std::int64_t n) {
    counter.fetch_add(n, std::memory_order_relaxed);
  }
  Stats read() const;
};

}  // namespace kiln::runtime
