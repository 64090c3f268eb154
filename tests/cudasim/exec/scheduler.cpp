// Warps and their splits: the deepest frame first, then the lowest program counter, so that lanes
// meet again where their paths join; equal splits merge.

#include <algorithm>
#include <bit>

#include "tests/cudasim/exec/launch.h"

namespace cudasim {
namespace {

constexpr U64 kSplitQuantum = 8192;     // before another split of the warp gets its turn
constexpr U64 kWarpQuantum = 1u << 20;  // before another warp of the block does
constexpr U32 kNoStop = 0xffffffffu;

std::unique_ptr<Frame> take_frame(Worker& worker, const Code& code) {
  std::unique_ptr<Frame> frame;
  if (worker.spare_frames.empty()) {
    frame = std::make_unique<Frame>();
  } else {
    frame = std::move(worker.spare_frames.back());
    worker.spare_frames.pop_back();
  }
  if (frame->registers.size() < code.register_bytes + 64) {
    frame->registers.resize(code.register_bytes + 64);
  }
  frame->parameters.assign(std::size_t{code.parameter_bytes} * kLanes, 0);
  frame->code = &code;
  return frame;
}

void grow_local(Warp& w, U64 bytes) {
  constexpr U64 kMaxLocal = U64{512} << 10;
  if (bytes > kMaxLocal) throw Fault{FaultKind::kStackOverflow, "local memory: stack overflow"};
  if (bytes <= w.local_capacity) return;
  const U32 capacity = static_cast<U32>(std::max<U64>(std::bit_ceil(bytes), 64));
  std::vector<U8> data(std::size_t{capacity} * kLanes);
  std::vector<U8> state(std::size_t{capacity} * kLanes);
  for (U32 l = 0; l < kLanes && w.local_capacity > 0; ++l) {
    std::memcpy(&data[std::size_t{l} * capacity], &w.local[std::size_t{l} * w.local_capacity],
                w.local_capacity);
    std::memcpy(&state[std::size_t{l} * capacity],
                &w.local_state[std::size_t{l} * w.local_capacity], w.local_capacity);
  }
  w.local.swap(data);
  w.local_state.swap(state);
  w.local_capacity = capacity;
}

// Removes empty splits and joins those that stand at the same place.
void merge_splits(Warp& w) {
  auto& splits = w.splits;
  for (std::size_t i = 0; i < splits.size();) {
    bool gone = splits[i].mask == 0;
    for (std::size_t k = 0; k < i && !gone; ++k) {
      Split& other = splits[k];
      if (other.pc != splits[i].pc || other.frame != splits[i].frame) continue;
      other.mask |= splits[i].mask;
      if (splits[i].wait == Wait::kNone || other.wait == Wait::kSync) other.wait = Wait::kNone;
      other.deferred = other.deferred && splits[i].deferred;
      gone = true;
    }
    if (!gone) {
      ++i;
      continue;
    }
    splits[i] = splits.back();
    splits.pop_back();
  }
}

bool before(const Split& a, const Split& b) {
  if (a.frame->depth != b.frame->depth) return a.frame->depth > b.frame->depth;
  return a.pc < b.pc;
}

// The split to run next, or -1 when all of them wait.
int pick_split(Warp& w) {
  if (w.splits.size() > 1) merge_splits(w);
  for (int attempt = 0; attempt < 2; ++attempt) {
    int best = -1;
    U32 ready = 0;
    bool deferred = false;
    for (std::size_t i = 0; i < w.splits.size(); ++i) {
      const Split& split = w.splits[i];
      if (split.wait != Wait::kNone) continue;
      if (split.deferred) {
        deferred = true;
        continue;
      }
      ++ready;
      bool better = best < 0 || before(split, w.splits[static_cast<std::size_t>(best)]);
      if (w.worker->options->random_schedule) better = w.worker->next_random() % ready == 0;
      if (better) best = static_cast<int>(i);
    }
    if (best >= 0 || !deferred) return best;
    for (Split& split : w.splits) split.deferred = false;
  }
  return -1;
}

// The next place where the chosen split may meet another one.
U32 stop_of(const Warp& w, const Split& split) {
  U32 stop = kNoStop;
  for (const Split& other : w.splits) {
    if (other.frame == split.frame && other.pc > split.pc) stop = std::min(stop, other.pc);
  }
  return stop;
}

struct InstructionCount {
  Warp& w;
  U64 warps = 0;
  U64 threads = 0;
  ~InstructionCount() {
    w.worker->counters.warp_instructions += warps;
    w.worker->counters.thread_instructions += threads;
  }
};

bool run_control(Warp& w, std::size_t index, const Inst& in, U32 mask) {
  Split& split = w.splits[index];
  switch (in.flow) {
    case Flow::kBranch:
      return run_branch(w, split, in, mask);
    case Flow::kExit:
      return run_exit(w, split, mask);
    case Flow::kReturn:
      return run_return(w, split, mask);
    case Flow::kCall:
      return run_call(w, split, in, mask);
    case Flow::kBarrier:
      return run_barrier(w, split, in, mask);
    case Flow::kSync:
      return run_sync(w, split, in, mask);
    default:
      throw Fault{FaultKind::kLaunchFailure, "the kernel executed a trap", std::countr_zero(mask)};
  }
}

void run_split(Warp& w, std::size_t index, U64 end) {
  Split* split = &w.splits[index];
  if (split->turn == 0) split->turn = w.executed + 1;
  if (w.splits.size() > 1 && w.executed - split->turn + 1 > kSplitQuantum) {
    split->deferred = true;
    split->turn = 0;
    return;
  }
  select_frame(w, split->frame);
  const Inst* code = split->frame->code->insts.data();
  const U32 stop = w.splits.size() > 1 ? stop_of(w, *split) : kNoStop;
  if (w.splits.size() > 1) end = std::min(end, w.executed + kSplitQuantum + 1);
  InstructionCount count{w};
  while (split->pc != stop) {
    if (w.executed >= end) return;
    const Inst& in = code[split->pc];
    U32 mask = split->mask;
    if (in.guard != kNoSlot) {
      const U32 guard = *reinterpret_cast<const U32*>(w.base[0] + in.guard);
      mask &= in.guard_negated ? ~guard : guard;
    }
    w.pc = split->pc;
    ++w.executed;
    count.warps += in.weight;
    count.threads += in.weight * static_cast<U32>(std::popcount(mask));
    if (in.flow == Flow::kPlain) {
      if (mask != 0) in.run(w, in, mask);
      ++split->pc;
      continue;
    }
    if (mask == 0) {
      ++split->pc;
    } else if (!run_control(w, index, in, mask)) {
      return;
    }
    split = &w.splits[index];
  }
}

void start_warp(Warp& w) {
  const Block& block = *w.block;
  const Launch& launch = *w.launch;
  const U32 first = w.index * kLanes;
  const U32 lanes = std::min(kLanes, block.threads - first);
  w.live = lanes == kLanes ? kFullMask : (1u << lanes) - 1;
  w.syncs = 0;
  w.carry = 0;
  w.executed = 0;
  w.splits.clear();
  Frame* frame = enter_frame(w, launch.program->codes[launch.entry], nullptr, w.live);
  w.splits.push_back({0, w.live, frame, Wait::kNone, false, 0});
}

[[noreturn]] void report(Warp& w, const Fault& fault) {
  const Code* code = w.frame->code;
  const U32 pc = std::min<U32>(w.pc, static_cast<U32>(code->insts.size() - 1));
  const U32 lane = fault.lane >= 0 ? static_cast<U32>(fault.lane) : 0;
  throw BlockFault{fault, w.index, lane, code, code->insts[pc].statement};
}

// Runs the warp until it ends, waits or has used up its quantum.
void run_warp(Warp& w) {
  const U64 budget = w.worker->options->budget;
  const U64 end = std::min(w.executed + kWarpQuantum, budget);
  try {
    for (;;) {
      const int index = pick_split(w);
      if (index < 0) return;
      if (w.executed >= budget) {
        throw Fault{FaultKind::kLaunchFailure,
                    "the instruction budget of a warp is spent (an endless loop?)"};
      }
      if (w.executed >= end) return;
      run_split(w, static_cast<std::size_t>(index), end);
    }
  } catch (const Fault& fault) {
    report(w, fault);
  }
}

bool has_ready_split(const Warp& w) {
  return std::any_of(w.splits.begin(), w.splits.end(),
                     [](const Split& split) { return split.wait == Wait::kNone; });
}

}  // namespace

void select_frame(Warp& w, Frame* frame) {
  w.frame = frame;
  w.base = {frame->registers.data(), const_cast<U8*>(frame->code->constants.data())};
}

Frame* enter_frame(Warp& w, const Code& code, Frame* caller, U32 mask) {
  std::unique_ptr<Frame> frame = take_frame(*w.worker, code);
  frame->caller = caller;
  frame->lanes = mask;
  frame->depth = caller == nullptr ? 0 : caller->depth + 1;
  frame->local_base = caller == nullptr ? 0 : caller->local_base + caller->code->local_bytes;
  if (frame->depth > 4096) throw Fault{FaultKind::kStackOverflow, "calls are nested too deeply"};
  if (code.local_bytes > 0) {
    grow_local(w, U64{frame->local_base} + code.local_bytes);
    for (U32 l = 0; l < kLanes; ++l) {
      if ((mask >> l & 1) == 0) continue;
      U8* state = &w.local_state[std::size_t{l} * w.local_capacity + frame->local_base];
      std::memset(state, 0, code.local_bytes);
    }
  }
  w.frames.push_back(std::move(frame));
  return w.frames.back().get();
}

// The lanes are done with the frame; when all are, it goes back to the pool.
void leave_frame(Warp& w, Frame* frame, U32 lanes) {
  frame->lanes &= ~lanes;
  if (frame->lanes != 0) return;
  for (auto& owned : w.frames) {
    if (owned.get() != frame) continue;
    w.worker->spare_frames.push_back(std::move(owned));
    owned = std::move(w.frames.back());
    w.frames.pop_back();
    return;
  }
}

std::unique_ptr<Block> make_block(const Launch& launch, Worker& worker) {
  auto block = std::make_unique<Block>();
  block->launch = &launch;
  block->worker = &worker;
  block->threads = launch.block[0] * launch.block[1] * launch.block[2];
  block->shared_bytes = shared_bytes_of(launch.program->codes[launch.entry], launch.dynamic_shared);
  block->race_shift = launch.program->narrow_shared ? 0 : 2;
  block->shared.resize(block->shared_bytes + 16);
  block->shared_state.resize(block->shared_bytes + 16);
  block->cells.resize((block->shared_bytes >> block->race_shift) + 1);
  for (U32 index = 0; index * kLanes < block->threads; ++index) {
    auto warp = std::make_unique<Warp>();
    warp->block = block.get();
    warp->worker = &worker;
    warp->launch = &launch;
    warp->index = index;
    for (U32 l = 0; l < kLanes; ++l) {
      const U32 thread = index * kLanes + l;
      warp->tid[0][l] = thread % launch.block[0];
      warp->tid[1][l] = thread / launch.block[0] % launch.block[1];
      warp->tid[2][l] = thread / launch.block[0] / launch.block[1];
    }
    block->warps.push_back(std::move(warp));
  }
  return block;
}

void reset_block(Block& block, U64 linear_index) {
  const Launch& launch = *block.launch;
  block.index[0] = static_cast<U32>(linear_index % launch.grid[0]);
  block.index[1] = static_cast<U32>(linear_index / launch.grid[0] % launch.grid[1]);
  block.index[2] = static_cast<U32>(linear_index / launch.grid[0] / launch.grid[1]);
  ++block.epoch;
  block.arrived.fill(0);
  std::fill(block.shared.begin(), block.shared.end(), U8{0xff});
  std::fill(block.shared_state.begin(), block.shared_state.end(), U8{0});
  for (auto& warp : block.warps) {
    warp->live = kFullMask;  // not started
    warp->frames.clear();
    warp->splits.clear();
    warp->executed = ~U64{0};
  }
}

bool step_block(Block& block) {
  bool ready = false;
  bool done = true;
  const std::size_t count = block.warps.size();
  const std::size_t first =
      block.worker->options->random_schedule ? block.worker->next_random() % count : 0;
  for (std::size_t i = 0; i < count; ++i) {
    Warp& w = *block.warps[(first + i) % count];
    if (w.live == 0) continue;
    if (w.executed == ~U64{0}) start_warp(w);
    run_warp(w);
    if (w.live == 0) continue;
    done = false;
    ready = ready || has_ready_split(w);
  }
  if (!done && !ready) release_barriers(block);
  return done;
}

}  // namespace cudasim
