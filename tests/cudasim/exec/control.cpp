#include <bit>

#include "tests/cudasim/exec/launch.h"
#include "tests/cudasim/exec/sync.h"

namespace cudasim {
namespace {

// Lanes that a guard keeps from a waiting instruction go on behind it. Invalidates references into
// the list of splits.
void split_off(Warp& w, std::size_t index, U32 lanes, U32 pc, Frame* frame) {
  w.splits[index].mask &= ~lanes;
  w.splits.push_back({pc, lanes, frame, Wait::kNone, false, 0});
}

std::size_t index_of(const Warp& w, const Split& split) {
  return static_cast<std::size_t>(&split - w.splits.data());
}

void copy_parameters(const Frame& from, U32 from_offset, Frame& to, U32 to_offset, U32 bytes,
                     U32 mask) {
  const std::size_t from_stride = from.code->parameter_bytes;
  const std::size_t to_stride = to.code->parameter_bytes;
  for (U32 l = 0; l < kLanes; ++l) {
    if ((mask >> l & 1) == 0) continue;
    std::memcpy(&to.parameters[l * to_stride + to_offset],
                &from.parameters[l * from_stride + from_offset], bytes);
  }
}

// A function pointer's target; the caller has grouped lanes with the same one.
const Code& indirect_target(Warp& w, U64 address, const CallSite& site, U32 lane) {
  const auto& codes = w.launch->program->codes;
  const U64 index = (address & ~kTagMask) - 1;
  if ((address & kTagMask) != kFunctionTag || index >= codes.size() ||
      !codes[index].function->defined || codes[index].function->entry) {
    throw Fault{FaultKind::kIllegalAddress, "call through a pointer to no function",
                static_cast<int>(lane)};
  }
  const Function& function = *codes[index].function;
  bool fits = function.parameter_count == site.arguments.size() &&
              function.result_count == site.results.size();
  for (std::size_t i = 0; fits && i < site.arguments.size(); ++i) {
    fits = function.variables[i].bytes == site.arguments[i].bytes;
  }
  if (!fits) {
    throw Fault{FaultKind::kLaunchFailure, "call through a pointer with other parameters",
                static_cast<int>(lane)};
  }
  return codes[index];
}

}  // namespace

bool run_branch(Warp& w, Split& split, const Inst& in, U32 mask) {
  if (mask == split.mask) {
    split.pc = in.aux;
    return w.splits.size() == 1;
  }
  ++w.worker->counters.divergent_branches;
  ++split.pc;
  split_off(w, index_of(w, split), mask, in.aux, split.frame);
  return false;
}

bool run_exit(Warp& w, Split& split, U32 mask) {
  w.live &= ~mask;
  split.mask &= ~mask;
  ++split.pc;
  for (Frame* frame = split.frame; frame != nullptr;) {
    Frame* const caller = frame->caller;
    leave_frame(w, frame, mask);
    frame = caller;
  }
  // A lane's exit may complete what others wait for.
  for (Split& other : w.splits) {
    if (other.wait == Wait::kSync) other.wait = Wait::kNone;
  }
  if (split.mask != 0) return w.splits.size() == 1;
  w.splits.erase(w.splits.begin() + static_cast<std::ptrdiff_t>(index_of(w, split)));
  return false;
}

bool run_return(Warp& w, Split& split, U32 mask) {
  Frame* const frame = split.frame;
  Frame* const caller = frame->caller;
  const U32 return_pc = frame->return_pc;
  const Function& function = *frame->code->function;
  for (std::size_t i = 0; i < frame->site->results.size(); ++i) {
    const CallSite::Copy& to = frame->site->results[i];
    copy_parameters(*frame, frame->code->parameter_offsets[function.parameter_count + i], *caller,
                    to.offset, to.bytes, mask);
  }
  if (mask == split.mask) {
    split.pc = return_pc;
    split.frame = caller;
  } else {
    ++split.pc;
    split_off(w, index_of(w, split), mask, return_pc, caller);
  }
  leave_frame(w, frame, mask);
  return false;
}

bool run_call(Warp& w, Split& split, const Inst& in, U32 mask) {
  const CallSite& site = split.frame->code->calls[in.aux];
  const std::size_t index = index_of(w, split);
  Frame* const frame = split.frame;
  const U32 pc = split.pc;
  if (mask != split.mask) split_off(w, index, split.mask & ~mask, pc + 1, frame);
  const Code* callee = &w.launch->program->codes[site.callee];
  if (site.indirect != kNoSlot) {
    const auto* pointers = operand<U64>(w, site.indirect);
    const U32 first = static_cast<U32>(std::countr_zero(mask));
    U32 others = 0;
    for (U32 l = 0; l < kLanes; ++l) {
      if ((mask >> l & 1) != 0 && pointers[l] != pointers[first]) others |= 1u << l;
    }
    callee = &indirect_target(w, pointers[first], site, first);
    // The rest comes again for the same instruction, after this group has left it.
    if (others != 0) {
      split_off(w, index, others, pc, frame);
      w.splits.back().deferred = true;
      mask &= ~others;
    }
  }
  if (callee->builtin != Builtin::kNone) {
    run_builtin(w, callee->builtin, site, mask);
    w.splits[index].pc = pc + 1;
    return w.splits.size() == 1;
  }
  Frame* const next = enter_frame(w, *callee, frame, mask);
  next->site = &site;
  next->return_pc = pc + 1;
  for (std::size_t i = 0; i < site.arguments.size(); ++i) {
    const CallSite::Copy& from = site.arguments[i];
    copy_parameters(*frame, from.offset, *next, callee->parameter_offsets[i], from.bytes, mask);
  }
  w.splits[index].frame = next;
  w.splits[index].pc = 0;
  return false;
}

bool run_barrier(Warp& w, Split& split, const Inst& in, U32 mask) {
  const std::size_t index = index_of(w, split);
  const U32 first = static_cast<U32>(std::countr_zero(mask));
  const U32 barrier = operand<U32>(w, in.a)[first];
  if (barrier >= 16) {
    throw Fault{FaultKind::kIllegalInstruction,
                "barrier " + std::to_string(barrier) + " does not exist", static_cast<int>(first)};
  }
  if (in.mode == 1) {
    w.block->arrived[barrier] += static_cast<U32>(std::popcount(mask));
    ++split.pc;
    return true;
  }
  if (mask != split.mask) split_off(w, index, split.mask & ~mask, split.pc + 1, split.frame);
  w.splits[index].wait = Wait::kBarrier;
  return false;
}

bool run_sync(Warp& w, Split& split, const Inst& in, U32 mask) {
  const U32 pc = split.pc;
  Frame* const frame = split.frame;
  U32 passed = split.mask & ~mask;  // held back by the guard: they go on
  U32 waiting = 0;
  for (U32 rest = mask; rest != 0;) {
    const Members members = members_of(w, in, rest);
    const U32 outside = members.same & ~members.mask;
    if (outside != 0) {
      throw Fault{FaultKind::kLaunchFailure,
                  "a lane executes a .sync instruction whose member mask leaves it out",
                  std::countr_zero(outside)};
    }
    if ((members.mask & w.live & ~members.same) == 0) {
      in.run(w, in, members.same);
      passed |= members.same;
    } else {
      waiting |= members.same;
    }
    rest &= ~members.same;
  }
  if (waiting == 0) {
    ++split.pc;
    return true;
  }
  if (passed != 0) split_off(w, index_of(w, split), passed, pc + 1, frame);
  for (Split& own : w.splits) {
    if (own.pc == pc && own.frame == frame && own.mask == waiting) own.wait = Wait::kSync;
  }
  return false;
}

}  // namespace cudasim
