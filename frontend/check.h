// Mode::check: an evaluation's bits against the interpreter's.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "frontend/snapshot.h"
#include "ir/interpret.h"
#include "runtime/execute.h"
#include "runtime/host/allocator.h"

namespace kiln::inline v0::frontend {

struct Reference {
  std::vector<std::vector<std::byte>> outputs;    // dense, by the interpreter
  std::vector<std::vector<std::byte>> storages;   // copies of the inputs' memory, for later passes
  std::unique_ptr<runtime::OtherMemory> counted;  // all of these
};
// Interprets the snapshot's graph on the host's copies of its inputs. Memory is counted before it
// is taken; runtime::OutOfMemory names the node.
Reference interpret_reference(Snapshot& snapshot);
// The same for those who only look on; `why` is in the list of transfers.
void watch_interpretation(Snapshot& snapshot, const char* why, ir::Watch watch);

// Throws InternalError if an output differs: names the first pass after which the graph gives other
// bits, or the stage behind them that made the plan wrong; the kernels; the element; the line.
// Writes a reproducer. NaNs are equal to each other; where the plan has matrix products, floats may
// differ by a thousandth of the largest element.
void compare(Snapshot& snapshot, const Reference& reference, const runtime::LoadedPlan& plan,
             std::span<const runtime::Block> outputs);

}  // namespace kiln::inline v0::frontend
