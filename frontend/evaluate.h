// Evaluation: snapshot, plan, run, store. evaluate(arrays, where) is declared in kiln/evaluate.h.
#pragma once
#include "frontend/trace.h"
#include "kiln/evaluate.h"

namespace kiln::inline v0::frontend {

// The same, of what is wanted alone: bodies of loops are not divided off before (loops.h).
void evaluate_now(std::span<const Array> arrays, Where where);

// Whether this thread has recorded so much, or so many bytes are kept, that flush may find
// something to do. A look at loops is worth its while from that part on of what may be pending.
inline constexpr std::int64_t kEarly = 8;
inline bool flush_may_be_due(const Context& c) {
  const Trace& t = trace();
  return static_cast<std::int64_t>(c.loops.pending()) >= c.flush_after / kEarly ||
         t.pinned.load(std::memory_order_relaxed) >= c.flush_look ||
         t.limits.load(std::memory_order_relaxed) != c.limits;
}
// Called before recording while many operations are pending, or many bytes are kept by them:
// evaluates what is ripe.
void flush(const Recipe& next);

}  // namespace kiln::inline v0::frontend
