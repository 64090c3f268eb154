// Mode::check: an evaluation's bits against the interpreter's.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "frontend/snapshot.h"
#include "runtime/execute.h"

namespace kiln::inline v0::frontend {

struct Reference {
  std::vector<std::vector<std::byte>> outputs;   // dense, by the interpreter
  std::vector<std::vector<std::byte>> storages;  // copies of the inputs' memory, for later passes
};
// Interprets the snapshot's graph on the host's copies of its inputs.
Reference interpret_reference(Snapshot& snapshot);

// Throws InternalError if an output differs: names the first pass after which the graph gives other
// bits, or the stage behind them that made the plan wrong; the kernels; the element; the line.
// Writes a reproducer. NaNs are equal to each other; where the plan has matrix products, floats may
// differ by a thousandth of the largest element.
void compare(Snapshot& snapshot, const Reference& reference, const runtime::LoadedPlan& plan,
             std::span<const runtime::Block> outputs);

}  // namespace kiln::inline v0::frontend
