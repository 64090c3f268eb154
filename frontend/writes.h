// Writes to a window of an array: recorded as updates of the array as it was, which an evaluation
// stores into its memory where nobody else holds it (passes/windows.h).
//
// A read goes past the pending writes that cannot meet it, and takes the written value where it
// lies wholly inside: so a loop that writes a row made from the row before asks nothing of the
// whole, and a chain of n writes is n operations. What is looked at is bounded; a read that meets a
// window in part, or has gone past too many, is of the whole.
#pragma once
#include <span>

#include "frontend/per_axis.h"
#include "frontend/record.h"

namespace kiln::inline v0::frontend {

// Where a read or a write lies in an array: per axis begin, step (of a write: positive) and extent.
struct Window {
  PerAxis begin, step, extent;
};

// x with the window replaced by the value, which has the window's extents. Writes before it that it
// covers are left out.
Array updated(const Array& x, const Array& value, const Window& window, Where where);

// The array that holds what x has in this window, and the window there: x itself, what an earlier
// write was given, or what x was before.
Array behind_writes(const Array& x, Window* window);

}  // namespace kiln::inline v0::frontend
