// Evaluation: snapshot, plan, run, store. evaluate(arrays, where) is declared in kiln/evaluate.h.
#pragma once
#include "frontend/trace.h"
#include "kiln/evaluate.h"

namespace kiln::inline v0::frontend {

// The same, of what is wanted alone: bodies of loops are not divided off before (loops.h).
void evaluate_now(std::span<const Array> arrays, Where where);

// Called before recording while many operations are pending, or many bytes are kept by them:
// evaluates what is ripe.
void flush(const Recipe& next);

}  // namespace kiln::inline v0::frontend
