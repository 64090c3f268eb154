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
    // More threads than cores are only had by raising the library's own limit.
    const auto most =
        tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism);
    const auto wanted = static_cast<std::size_t>(threads);
    if (wanted > most) control.emplace(tbb::global_control::max_allowed_parallelism, wanted);
  }
  std::optional<tbb::global_control> control;
  tbb::task_arena arena;  // its threads start with the first parallel work
};

Workers::Workers(int threads)
    : threads_(threads > 0 ? threads
                           : std::max(1, static_cast<int>(std::thread::hardware_concurrency()))),
      generation_(fork_generation()),
      arena_(std::make_unique<Arena>(threads_)) {}

Workers::~Workers() {
  // The parent's threads are not here to be joined.
  if (generation_ != fork_generation()) (void)arena_.release();
}

void Workers::run(std::int64_t items, std::int64_t grain, bool even, Range range,
                  const void* body) {
  grain = std::max<std::int64_t>(grain, 1);
  const std::int64_t parts = std::min<std::int64_t>(threads_, items / grain);
  if (parts <= 1 || generation_ != fork_generation()) {
    if (items > 0) range(*this, body, 0, items);
    return;
  }
  if (even) {
    arena_->arena.execute([&] {
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
  arena_->arena.execute([&] {
    tbb::parallel_for(
        all,
        [&](const tbb::blocked_range<std::int64_t>& r) { range(*this, body, r.begin(), r.end()); },
        tbb::auto_partitioner());
  });
}

}  // namespace kiln::runtime
