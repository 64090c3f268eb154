#include "frontend/state.h"

#include <new>

#include "frontend/environment.h"

namespace kiln::inline v0::frontend {

State& state() {
  static State* const instance =
      new State(static_cast<std::size_t>(std::max<std::int64_t>(1, environment().cached_plans)));
  return *instance;
}

void State::before_fork() {
  plans.mutex().lock();
  ledger.mutex().lock();
  investments.mutex().lock();
  compiles.mutex().lock();
  mutex_.lock();
}

void State::after_fork(bool child) {
  if (child) new (&finished) std::condition_variable;  // the old one's waiters never leave it
  mutex_.unlock();
  compiles.mutex().unlock();
  investments.mutex().unlock();
  ledger.mutex().unlock();
  plans.mutex().unlock();
}

void State::add_transfer(Transfer transfer) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (transfers_.size() == kTransfers) transfers_.pop_front();
  transfers_.push_back(std::move(transfer));
}

std::vector<Transfer> State::transfers() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return {transfers_.begin(), transfers_.end()};
}

}  // namespace kiln::inline v0::frontend
