// Nan::trap: a snapshot's operations one by one, until one makes a NaN.
#pragma once
#include "frontend/snapshot.h"

namespace kiln::inline v0::frontend {

// Interprets the snapshot's graph on the host's copies of its inputs; nothing is stored. Throws
// NanTrapped as kiln/evaluate.h says at Nan::trap, OutOfMemory if the host has no room for it.
void trap_nans(Snapshot& snapshot);

}  // namespace kiln::inline v0::frontend
