#include "tests/cudasim/exec/launch.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <numeric>
#include <thread>

namespace cudasim {
namespace {

constexpr U64 kParallelThreads = 1u << 14;  // below, a second host thread costs more than it brings

std::string triple(const U32 (&v)[3]) {
  return "(" + std::to_string(v[0]) + ", " + std::to_string(v[1]) + ", " + std::to_string(v[2]) +
         ")";
}

const char* title(FaultKind kind) {
  switch (kind) {
    case FaultKind::kIllegalAddress:
      return "illegal address";
    case FaultKind::kMisaligned:
      return "misaligned address";
    case FaultKind::kLaunchFailure:
      return "launch failure";
    case FaultKind::kIllegalInstruction:
      return "illegal instruction";
    case FaultKind::kAssert:
      return "assertion";
    case FaultKind::kStackOverflow:
      return "stack overflow";
  }
  return "";
}

std::string describe(const Launch& launch, const Block& block, const BlockFault& at) {
  const Module& module = *launch.program->module;
  const Warp& warp = *block.warps[at.warp];
  const U32 thread[3] = {warp.tid[0][at.lane], warp.tid[1][at.lane], warp.tid[2][at.lane]};
  std::string text = std::string("cudasim: ") + title(at.fault.kind) + ": " + at.fault.what + "\n";
  text += "  kernel " + std::string(launch.program->codes[launch.entry].function->name) +
          ", block " + triple(block.index) + " of " + triple(launch.grid) + ", thread " +
          triple(thread) + " of " + triple(launch.block) + "\n";
  const auto& body = at.code->function->body;
  if (at.statement >= body.size()) return text;
  const Statement& statement = body[at.statement];
  text += "  PTX line " + std::to_string(statement.line) + ": " +
          std::string(module.line_text(statement.line)) + "\n";
  if (statement.source_line != 0) {
    std::string file = "CUDA source";
    for (const auto& [number, path] : module.files) {
      if (number == statement.source_file) file = path;
    }
    text += "  " + file + ":" + std::to_string(statement.source_line) + "\n";
  }
  return text;
}

void add(Counters& to, const Counters& from) {
  auto* sums = reinterpret_cast<unsigned long long*>(&to);
  const auto* parts = reinterpret_cast<const unsigned long long*>(&from);
  for (std::size_t i = 0; i < sizeof(Counters) / sizeof *sums; ++i) sums[i] += parts[i];
}

struct Share {
  const Launch& launch;
  Worker& worker;
  std::atomic<bool>& stop;
  std::optional<FaultReport> fault;
};

FaultReport make_report(const Launch& launch, const Block& block, const BlockFault& at, U64 index) {
  return {at.fault.kind, describe(launch, block, at), index};
}

// Every n-th block of the launch, from the first one of this share.
void run_share(Share& share, const std::vector<U64>& order, U64 first, U64 step) {
  const std::unique_ptr<Block> block = make_block(share.launch, share.worker);
  for (U64 i = first; i < order.size() && !share.stop; i += step) {
    reset_block(*block, order[i]);
    try {
      while (!step_block(*block)) {
      }
    } catch (const BlockFault& at) {
      share.fault = make_report(share.launch, *block, at, order[i]);
      share.stop = true;
    }
    ++share.worker.counters.blocks;
  }
}

void run_together(Share& share, U64 count) {
  std::vector<std::unique_ptr<Block>> blocks;
  for (U64 i = 0; i < count; ++i) {
    blocks.push_back(make_block(share.launch, share.worker));
    reset_block(*blocks.back(), i);
  }
  std::vector<bool> done(count);
  for (U64 left = count; left > 0;) {
    for (U64 i = 0; i < count; ++i) {
      if (done[i]) continue;
      try {
        if (!step_block(*blocks[i])) continue;
      } catch (const BlockFault& at) {
        share.fault = make_report(share.launch, *blocks[i], at, i);
        return;
      }
      done[i] = true;
      ++share.worker.counters.blocks;
      --left;
    }
  }
}

// Without random schedules blocks start in rising order, which look-back algorithms rely on.
std::vector<U64> block_order(U64 count, const Options& options) {
  std::vector<U64> order(count);
  std::iota(order.begin(), order.end(), U64{0});
  if (!options.random_schedule) return order;
  U64 state = options.seed;
  for (U64 i = count; i > 1; --i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    std::swap(order[i - 1], order[(state >> 33) % i]);
  }
  return order;
}

}  // namespace

U32 shared_bytes_of(const Code& entry, U32 dynamic_bytes) {
  if (dynamic_bytes == 0) return entry.static_shared;
  return (entry.static_shared + 15) / 16 * 16 + dynamic_bytes;
}

Worker& Launcher::worker(std::size_t index, const Options& options) {
  while (workers_.size() <= index) {
    touches_.push_back(std::make_unique<TouchMap>(memory_));
    workers_.push_back(std::make_unique<Worker>());
  }
  Worker& worker = *workers_[index];
  worker.memory = &memory_;
  worker.touch = touches_[index].get();
  worker.options = &options;
  worker.counters = Counters{};
  worker.random = options.seed + index;
  return worker;
}

LaunchResult Launcher::run(const Launch& launch, const Options& options) {
  const U64 blocks = U64{launch.grid[0]} * launch.grid[1] * launch.grid[2];
  const U64 threads = blocks * launch.block[0] * launch.block[1] * launch.block[2];
  const bool parallel = options.threads > 1 && !launch.program->has_atomics &&
                        !launch.cooperative && !options.random_schedule && blocks > 1 &&
                        threads >= kParallelThreads;
  std::atomic<bool> stop = false;
  LaunchResult result;
  std::vector<Share> shares;
  const std::size_t count = parallel ? 2 : 1;
  for (std::size_t i = 0; i < count; ++i) {
    shares.push_back(Share{launch, worker(i, options), stop, std::nullopt});
  }
  if (launch.cooperative) {
    run_together(shares[0], blocks);
  } else {
    const std::vector<U64> order = block_order(blocks, options);
    std::optional<std::thread> second;
    if (parallel) second.emplace([&] { run_share(shares[1], order, 1, 2); });
    run_share(shares[0], order, 0, count);
    if (second) second->join();
  }
  for (Share& share : shares) {
    add(result.counters, share.worker.counters);
    if (!share.fault) continue;
    if (!result.fault || share.fault->block < result.fault->block) result.fault = share.fault;
  }
  if (parallel) touches_[0]->merge(*touches_[1]);
  const TouchMap::Totals totals = touches_[0]->drain();
  result.counters.launches = 1;
  result.counters.distinct_bytes_read = totals.read;
  result.counters.distinct_bytes_written = totals.written;
  result.counters.distinct_bytes_touched = totals.touched;
  if (totals.conflict != 0 && !result.fault) {
    result.fault =
        FaultReport{FaultKind::kLaunchFailure,
                    "cudasim: launch failure: " +
                        std::string(launch.program->codes[launch.entry].function->name) +
                        " both writes and reads through the read-only path (ld.global.nc) " +
                        memory_.describe(totals.conflict) + "\n",
                    0};
  }
  return result;
}

}  // namespace cudasim
