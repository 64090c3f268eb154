#include "runtime/host/workers.h"

#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "ir/mutant.h"
#include "runtime/registry.h"

namespace kiln::runtime {

struct Workers::Arena {
  explicit Arena(int threads) : arena(threads) {
    // More threads than cores are only had by raising the library's own limit. Of several such
    // controls the lowest holds; that of an arena before this one goes with its last work.
    if (threads > tbb::info::default_concurrency()) {
      control.emplace(tbb::global_control::max_allowed_parallelism,
                      static_cast<std::size_t>(threads));
    }
  }
  std::optional<tbb::global_control> control;
  tbb::task_arena arena;  // its threads start with the first parallel work
};

namespace {
int cores() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }
}  // namespace

int most_threads() { return std::max(64, 8 * cores()); }

int usable_threads(std::int64_t wanted) {
  if (wanted <= 0) return cores();
  return static_cast<int>(std::min<std::int64_t>(wanted, most_threads()));
}

Workers::Workers(int threads)
    : threads_(usable_threads(threads)),
      generation_(fork_generation()),
      arena_(std::make_shared<Arena>(threads_)) {}

void Workers::set_threads(int threads) {
  if (generation_ != fork_generation()) return;  // a child runs on one, and the lock may be held
  auto arena = std::make_shared<Arena>(usable_threads(threads));
  const std::lock_guard lock(mutex_);
  threads_ = usable_threads(threads);
  std::swap(arena_, arena);
}

std::shared_ptr<Workers::Arena> Workers::arena() {
  const std::lock_guard lock(mutex_);
  return arena_;
}

Workers::~Workers() {
  // The parent's threads are not here to be joined.
  if (generation_ != fork_generation()) new std::shared_ptr<Arena>(std::move(arena_));
}

void Workers::run(std::int64_t items, std::int64_t grain, bool even, Range range,
                  const void* body) {
  grain = std::max<std::int64_t>(grain, 1);
  const std::int64_t parts = std::min<std::int64_t>(threads(), items / grain);
  if (parts <= 1 || generation_ != fork_generation()) {
    if (items > 0) range(*this, body, 0, items);
    return;
  }
  const std::shared_ptr<Arena> arena = this->arena();
  if (even) {
    arena->arena.execute([&] {
      tbb::parallel_for(
          std::int64_t{0}, parts,
          [&](std::int64_t i) {
            const std::int64_t end = items * (i + 1) / parts;
            range(*this, body, items * i / parts, end - (mutant(ir::Mutant::lost_item) ? 1 : 0));
          },
          tbb::static_partitioner());
    });
    return;
  }
  // Halving stops at ranges of less than 2 * grain items, so no piece is smaller than grain.
  const tbb::blocked_range<std::int64_t> all(0, items, static_cast<std::size_t>(2 * grain - 1));
  arena->arena.execute([&] {
    tbb::parallel_for(
        all,
        [&](const tbb::blocked_range<std::int64_t>& r) { range(*this, body, r.begin(), r.end()); },
        tbb::auto_partitioner());
  });
}

}  // namespace kiln::runtime
