// What the process has spent on planning and compiling, by the lines that asked for it; and how far
// a compile is that takes long.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "ir/plan.h"
#include "kiln/measure.h"
#include "runtime/cache.h"

namespace kiln::inline v0::frontend {

class CompileAccount {
 public:
  // A new graph was planned for an evaluation at this line, and its kernels were compiled. Gives
  // the line to say, once, when it has become much; else nothing.
  std::string add(Where where, double seconds);
  CompileReport report();
  std::mutex& mutex() { return mutex_; }  // for fork

 private:
  struct Total {
    Where where;
    std::int64_t graphs = 0;
    double seconds = 0;
  };
  static constexpr std::size_t kMost = 4096;  // lines
  std::mutex mutex_;
  std::map<std::pair<std::string, int>, Total> totals_;
  std::int64_t graphs_ = 0;
  double seconds_ = 0;
  bool said_ = false;
};

// One line on a terminal for a plan whose compile takes more than two seconds: how far it is.
class CompileProgress {
 public:
  CompileProgress(const ir::Plan& plan, Where where);
  ~CompileProgress();
  CompileProgress(const CompileProgress&) = delete;
  CompileProgress& operator=(const CompileProgress&) = delete;
  // The same compiler, that counts; lives no longer than this.
  runtime::Compiler counting(const runtime::Compiler& compiler);

 private:
  void step();

  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  const Where where_;
  const std::size_t kernels_;
  const bool shows_;
  std::atomic<std::size_t> done_{0};
  std::atomic<bool> shown_{false};
};

}  // namespace kiln::inline v0::frontend
