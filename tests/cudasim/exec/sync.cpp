#include "tests/cudasim/exec/sync.h"

#include <algorithm>

#include "tests/cudasim/exec/lanes.h"

namespace cudasim {
namespace {

// PTX packs the segment mask into bits 8 to 12 and the clamp into bits 0 to 4.
template <ShuffleMode kMode>
void run_shuffle(Warp& w, const Inst& in, U32 mask) {
  const auto* a = operand<U32>(w, in.a);
  const auto* b = operand<U32>(w, in.b);
  const auto* c = operand<U32>(w, in.c);
  alignas(64) U32 result[kLanes];
  U32 in_range = 0;
  for_lanes(mask, [&](U32 lane) {
    const S32 segment = static_cast<S32>(c[lane] >> 8 & 31);
    const S32 clamp = static_cast<S32>(c[lane] & 31);
    const S32 self = static_cast<S32>(lane);
    const S32 amount = static_cast<S32>(b[lane] & 31);
    const S32 most = (self & segment) | (clamp & ~segment);
    const S32 least = self & segment;
    S32 source = 0;
    bool inside = false;
    switch (kMode) {
      case ShuffleMode::kUp:
        source = self - amount;
        inside = source >= most;
        break;
      case ShuffleMode::kDown:
        source = self + amount;
        inside = source <= most;
        break;
      case ShuffleMode::kBfly:
        source = self ^ amount;
        inside = source <= most;
        break;
      case ShuffleMode::kIdx:
        source = least | (amount & ~segment);
        inside = source <= most;
        break;
    }
    if (!inside) source = self;
    if ((mask >> source & 1) == 0) {
      throw Fault{FaultKind::kLaunchFailure,
                  "shuffle reads lane " + std::to_string(source) + ", which takes no part in it",
                  static_cast<int>(lane)};
    }
    result[lane] = a[source];
    if (inside) in_range |= 1u << lane;
  });
  if (in.d != kNoSlot) {
    auto* d = reg<U32>(w, in.d);
    for_lanes(mask, [&](U32 l) { d[l] = result[l]; });
  }
  if (in.e != kNoSlot) set_predicate(w, in.e, in_range, mask);
}

template <VoteMode kMode>
void run_vote(Warp& w, const Inst& in, U32 mask) {
  const U32 votes = predicate(w, in.a) & mask;
  if constexpr (kMode == VoteMode::kBallot) {
    write_lanes(reg<U32>(w, in.d), mask, [&](U32) { return votes; });
  } else {
    bool result = votes == mask;
    if (kMode == VoteMode::kAny) result = votes != 0;
    if (kMode == VoteMode::kUni) result = votes == mask || votes == 0;
    set_predicate(w, in.d, result ? kFullMask : 0, mask);
  }
}

template <class T, bool kAll>
void run_match(Warp& w, const Inst& in, U32 mask) {
  const auto* a = operand<T>(w, in.a);
  alignas(64) U32 result[kLanes] = {};
  U32 all = mask;
  for_lanes(mask, [&](U32 l) {
    U32 same = 0;
    for_lanes(mask, [&](U32 other) { same |= static_cast<U32>(a[other] == a[l]) << other; });
    result[l] = same;
    all &= same;
  });
  const bool agree = all == mask;
  if (in.d != kNoSlot) {
    auto* d = reg<U32>(w, in.d);
    for_lanes(mask, [&](U32 l) { d[l] = kAll ? (agree ? mask : 0) : result[l]; });
  }
  if (kAll && in.e != kNoSlot) set_predicate(w, in.e, agree ? kFullMask : 0, mask);
}

template <class T, ReduxOp kOp>
void run_redux(Warp& w, const Inst& in, U32 mask) {
  const auto* a = operand<T>(w, in.a);
  bool first = true;
  T result{};
  for_lanes(mask, [&](U32 l) {
    if (first) {
      result = a[l];
      first = false;
      return;
    }
    switch (kOp) {
      case ReduxOp::kAdd:
        result = static_cast<T>(static_cast<U32>(result) + static_cast<U32>(a[l]));
        break;
      case ReduxOp::kMin:
        result = std::min(result, a[l]);
        break;
      case ReduxOp::kMax:
        result = std::max(result, a[l]);
        break;
      case ReduxOp::kAnd:
        result = static_cast<T>(result & a[l]);
        break;
      case ReduxOp::kOr:
        result = static_cast<T>(result | a[l]);
        break;
      case ReduxOp::kXor:
        result = static_cast<T>(result ^ a[l]);
        break;
    }
  });
  write_lanes(reg<T>(w, in.d), mask, [&](U32) { return result; });
}

template <ReduxOp kOp>
Handler redux(Type type) {
  if (type == Type::kS32) return &run_redux<S32, kOp>;
  return type == Type::kU32 || type == Type::kB32 ? &run_redux<U32, kOp> : nullptr;
}

void run_warp_barrier(Warp& w, const Inst&, U32) { ++w.syncs; }

void run_activemask(Warp& w, const Inst& in, U32 mask) {
  write_lanes(reg<U32>(w, in.d), mask, [&](U32) { return mask; });
}

void run_elect(Warp& w, const Inst& in, U32 mask) {
  const U32 leader = static_cast<U32>(std::countr_zero(mask));
  if (in.d != kNoSlot) write_lanes(reg<U32>(w, in.d), mask, [&](U32) { return leader; });
  if (in.e != kNoSlot) set_predicate(w, in.e, 1u << leader, mask);
}

}  // namespace

Handler shuffle_op(ShuffleMode mode) {
  switch (mode) {
    case ShuffleMode::kUp:
      return &run_shuffle<ShuffleMode::kUp>;
    case ShuffleMode::kDown:
      return &run_shuffle<ShuffleMode::kDown>;
    case ShuffleMode::kBfly:
      return &run_shuffle<ShuffleMode::kBfly>;
    case ShuffleMode::kIdx:
      return &run_shuffle<ShuffleMode::kIdx>;
  }
  return nullptr;
}

Handler vote_op(VoteMode mode) {
  switch (mode) {
    case VoteMode::kAll:
      return &run_vote<VoteMode::kAll>;
    case VoteMode::kAny:
      return &run_vote<VoteMode::kAny>;
    case VoteMode::kUni:
      return &run_vote<VoteMode::kUni>;
    case VoteMode::kBallot:
      return &run_vote<VoteMode::kBallot>;
  }
  return nullptr;
}

Handler match_op(bool all, unsigned bytes) {
  if (bytes == 4) return all ? &run_match<U32, true> : &run_match<U32, false>;
  if (bytes == 8) return all ? &run_match<U64, true> : &run_match<U64, false>;
  return nullptr;
}

Handler redux_op(ReduxOp op, Type type) {
  const bool logic = op == ReduxOp::kAnd || op == ReduxOp::kOr || op == ReduxOp::kXor;
  if (logic != (type == Type::kB32)) return nullptr;
  switch (op) {
    case ReduxOp::kAdd:
      return redux<ReduxOp::kAdd>(type);
    case ReduxOp::kMin:
      return redux<ReduxOp::kMin>(type);
    case ReduxOp::kMax:
      return redux<ReduxOp::kMax>(type);
    case ReduxOp::kAnd:
      return redux<ReduxOp::kAnd>(type);
    case ReduxOp::kOr:
      return redux<ReduxOp::kOr>(type);
    case ReduxOp::kXor:
      return redux<ReduxOp::kXor>(type);
  }
  return nullptr;
}

Handler warp_barrier_op() { return &run_warp_barrier; }
Handler activemask_op() { return &run_activemask; }
Handler elect_op() { return &run_elect; }

Members members_of(const Warp& w, const Inst& in, U32 mask) {
  const auto* wanted = operand<U32>(w, in.aux);
  const U32 members = wanted[std::countr_zero(mask)];
  U32 same = 0;
  for_lanes(mask, [&](U32 l) {
    if (wanted[l] == members) same |= 1u << l;
  });
  return {members, same};
}

}  // namespace cudasim
