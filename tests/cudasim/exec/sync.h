// Instructions in which the lanes of a warp meet: shuffles, votes, matches, reductions. The
// scheduler runs them only once every live lane of the member mask has arrived; the handlers check
// that each executing lane is a member and reads from a lane that takes part.
#pragma once

#include "tests/cudasim/exec/machine.h"

namespace cudasim {

enum class ShuffleMode : U8 { kUp, kDown, kBfly, kIdx };
enum class VoteMode : U8 { kAll, kAny, kUni, kBallot };
enum class ReduxOp : U8 { kAdd, kMin, kMax, kAnd, kOr, kXor };

// in.a value, in.b lane or distance, in.c clamp and segment mask, in.d result, in.e "in range"
// predicate or kNoSlot. The member mask is in Inst::aux, a slot, for all of these.
Handler shuffle_op(ShuffleMode mode);
Handler vote_op(VoteMode mode);              // in.a predicate
Handler match_op(bool all, unsigned bytes);  // in.a value, in.e predicate of match.all
Handler redux_op(ReduxOp op, Type type);
Handler warp_barrier_op();
Handler activemask_op();
Handler elect_op();

// The member mask of an instruction as the lowest lane of `mask` has it, and the lanes of `mask`
// that have the same one.
struct Members {
  U32 mask;
  U32 same;
};
Members members_of(const Warp& w, const Inst& in, U32 mask);

}  // namespace cudasim
