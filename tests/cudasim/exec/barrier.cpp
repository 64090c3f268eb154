#include <algorithm>
#include <bit>

#include "tests/cudasim/exec/lanes.h"
#include "tests/cudasim/exec/launch.h"

namespace cudasim {
namespace {

struct Arrival {
  Warp* warp;
  Split* split;
  const Inst* inst;
};

U32 line_of(const Split& split) {
  const Code& code = *split.frame->code;
  return code.function->body[code.insts[split.pc].statement].line;
}

std::string lanes_text(U32 mask) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", mask);
  return text;
}

[[noreturn]] void fail(const Arrival& at, const std::string& what) {
  select_frame(*at.warp, at.split->frame);
  at.warp->pc = at.split->pc;
  throw BlockFault{{FaultKind::kLaunchFailure, what, -1},
                   at.warp->index,
                   static_cast<U32>(std::countr_zero(at.split->mask)),
                   at.split->frame->code,
                   at.inst->statement};
}

std::vector<Arrival> waiting(Block& block, Wait wait) {
  std::vector<Arrival> result;
  for (auto& warp : block.warps) {
    if (warp->live == 0) continue;
    for (Split& split : warp->splits) {
      if (split.wait != wait) continue;
      result.push_back({warp.get(), &split, &split.frame->code->insts[split.pc]});
    }
  }
  return result;
}

U32 value_at(const Arrival& at, Slot slot) {
  select_frame(*at.warp, at.split->frame);
  return operand<U32>(*at.warp, slot)[std::countr_zero(at.split->mask)];
}

U32 live_threads(const Block& block) {
  U32 count = 0;
  for (const auto& warp : block.warps) count += static_cast<U32>(std::popcount(warp->live));
  return count;
}

// Without a count a barrier is the whole block's: every thread, at one place in the code.
void check_strict(const Block& block, const std::vector<Arrival>& group) {
  const U32 live = live_threads(block);
  if (live < block.threads) {
    fail(group[0], "barrier after " + std::to_string(block.threads - live) + " of " +
                       std::to_string(block.threads) + " threads have left the kernel");
  }
  for (const Arrival& at : group) {
    if (at.inst == group[0].inst) continue;
    fail(at, "divergent barrier: lanes " + lanes_text(at.split->mask) + " wait at PTX line " +
                 std::to_string(line_of(*at.split)) + ", others at line " +
                 std::to_string(line_of(*group[0].split)));
  }
}

U32 reduce(const std::vector<Arrival>& group) {
  U32 count = 0;
  U32 total = 0;
  for (const Arrival& at : group) {
    select_frame(*at.warp, at.split->frame);
    count += static_cast<U32>(std::popcount(predicate(*at.warp, at.inst->c) & at.split->mask));
    total += static_cast<U32>(std::popcount(at.split->mask));
  }
  switch (group[0].inst->mode) {
    case 2:
      return count;
    case 3:
      return count == total ? kFullMask : 0;
    default:
      return count > 0 ? kFullMask : 0;
  }
}

void release(Block& block, const std::vector<Arrival>& group, U32 barrier) {
  const bool reducing = group[0].inst->mode >= 2;
  const U32 result = reducing ? reduce(group) : 0;
  for (const Arrival& at : group) {
    if (reducing != (at.inst->mode >= 2)) fail(at, "bar.sync and bar.red meet in one barrier");
    select_frame(*at.warp, at.split->frame);
    if (at.inst->mode == 2) {
      write_lanes(reg<U32>(*at.warp, at.inst->d), at.split->mask, [&](U32) { return result; });
    } else if (at.inst->mode > 2) {
      set_predicate(*at.warp, at.inst->d, result, at.split->mask);
    }
    ++at.split->pc;
    at.split->wait = Wait::kNone;
    ++at.warp->syncs;
  }
  block.arrived[barrier] = 0;
  ++block.epoch;
  ++block.worker->counters.barriers;
}

bool release_one(Block& block, U32 barrier, const std::vector<Arrival>& group) {
  const Slot count_slot = group[0].inst->b;
  U32 arrived = block.arrived[barrier];
  for (const Arrival& at : group) arrived += static_cast<U32>(std::popcount(at.split->mask));
  if (count_slot != kNoSlot) {
    if (arrived < value_at(group[0], count_slot)) return false;
  } else {
    if (arrived < live_threads(block)) return false;
    if (block.worker->options->strict_barriers) check_strict(block, group);
  }
  release(block, group, barrier);
  return true;
}

}  // namespace

void release_barriers(Block& block) {
  const std::vector<Arrival> all = waiting(block, Wait::kBarrier);
  bool released = false;
  for (U32 barrier = 0; barrier < 16; ++barrier) {
    std::vector<Arrival> group;
    for (const Arrival& at : all) {
      if (value_at(at, at.inst->a) == barrier) group.push_back(at);
    }
    if (!group.empty() && release_one(block, barrier, group)) released = true;
  }
  if (released) return;
  const std::vector<Arrival> lanes = waiting(block, Wait::kSync);
  std::string text = "deadlock: ";
  const auto describe = [&](const Arrival& at, const char* what) {
    text += "warp " + std::to_string(at.warp->index) + " lanes " + lanes_text(at.split->mask) +
            " wait " + what + " at PTX line " + std::to_string(line_of(*at.split)) + "; ";
  };
  for (std::size_t i = 0; i < lanes.size() && i < 4; ++i) describe(lanes[i], "for other lanes");
  for (std::size_t i = 0; i < all.size() && i < 4; ++i) describe(all[i], "at a barrier");
  const Arrival& at = lanes.empty() ? all.front() : lanes.front();
  fail(at, text + "nobody else can run");
}

}  // namespace cudasim
