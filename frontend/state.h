// The frontend's process-wide state beside the trace: cached plans, counters, the list of
// transfers. Built on first use and never destroyed.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "frontend/compile_account.h"
#include "frontend/investment.h"
#include "frontend/ledger.h"
#include "frontend/plan_cache.h"
#include "kiln/evaluate.h"

namespace kiln::inline v0::frontend {

struct State {
  explicit State(std::size_t cached_plans) : plans(cached_plans) {}

  PlanCache plans;
  Investments investments;
  CompileAccount compiles;
  std::atomic<std::int64_t> plans_built{0}, plans_reused{0}, recomputed{0};
  std::atomic<std::int64_t> planned{0};  // nodes of graphs that were planned
  std::atomic<std::int64_t> runs{0};     // evaluations, readings and looks at plans: for timeit
  Ledger ledger;
  std::string planted_fault;  // by tests: passes::Options::fault of plans made from now on
  // Signalled, with the trace's lock, when an evaluation ends.
  std::condition_variable finished;

  // Around fork(): a child has none of the threads that evaluate, hold these locks or wait.
  void before_fork();
  void after_fork(bool child);

  void add_transfer(Transfer transfer);
  std::vector<Transfer> transfers();

 private:
  static constexpr std::size_t kTransfers = 10000;
  std::mutex mutex_;
  std::deque<Transfer> transfers_;
};

State& state();

}  // namespace kiln::inline v0::frontend
