// Evaluation: snapshot, plan, run, store. evaluate(arrays, where) is declared in kiln/evaluate.h.
#pragma once
#include "frontend/trace.h"
#include "kiln/evaluate.h"

namespace kiln::inline v0::frontend {

// Called before recording while many operations are pending: evaluates what is pending and held,
// when the line that is recorded is the one where a flush is due.
void flush_at(const Recipe& next);

}  // namespace kiln::inline v0::frontend
