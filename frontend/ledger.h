// The account that Measure reads: seconds, counts and bytes by line, kept while somebody measures.
// Where nobody does, the cost is one relaxed load for each evaluation and copy.
#pragma once
#include <atomic>
#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "kiln/measure.h"
#include "runtime/execute.h"

namespace kiln::inline v0::frontend {

class Ledger {
 public:
  struct Key {
    Measure::Kind kind = Measure::Kind::evaluation;
    std::string name;
    std::vector<std::pair<std::string, int>> lines;  // by name: a file may have several addresses
    auto operator<=>(const Key&) const = default;
  };
  struct Total {
    std::vector<Where> lines;
    std::int64_t count = 0, bytes = 0;
    double seconds = 0;
  };
  using Totals = std::map<Key, Total>;

  bool open() const { return readers_.load(std::memory_order_relaxed) != 0; }
  Totals begin();  // what stands there when a reader comes
  void end();      // one less; the last takes everything along
  Totals totals();
  void add(Measure::Kind kind, std::string name, std::span<const ir::SourceLine> lines,
           std::int64_t bytes, double seconds);
  std::mutex& mutex() { return mutex_; }  // for fork

 private:
  std::atomic<int> readers_{0};
  std::mutex mutex_;
  Totals totals_;
};

// The time from its construction to its end, if somebody measures.
class Timed {
 public:
  Timed(Measure::Kind kind, const char* name, Where where, std::int64_t bytes = 0);
  ~Timed();
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;
  void leave_out() { open_ = false; }  // nothing was done
  bool open() const { return open_; }

 private:
  bool open_;
  Measure::Kind kind_;
  const char* name_;
  Where where_;
  std::int64_t bytes_;
  std::chrono::steady_clock::time_point start_;
};

// Enters launches into the ledger; empty if nobody measures.
runtime::LaunchWatch launch_watch();

}  // namespace kiln::inline v0::frontend
