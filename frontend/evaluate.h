// Evaluation: snapshot, plan, run, store.
#pragma once
#include <span>

#include "frontend/trace.h"
#include "kiln/array.h"

namespace kiln::inline v0::frontend {

// Gives every array a value. If it throws, all are as before.
void evaluate(std::span<const Array> arrays, Where where);
// Called before recording while many operations are pending: evaluates what is pending and held,
// when the line that is recorded is the one where a flush is due.
void flush_at(const Recipe& next);

}  // namespace kiln::inline v0::frontend
