// Windows: arrays that are made in memory piece by piece.
//
// An update that is computed wherever it is read costs as much as its whole array, and a chain of
// them as many selects; so does a concat, whose operands all become one kernel. So most updates,
// and concats of many, are *assembled*: the whole has one memory, and whatever makes a piece stores
// it there, through a window (begins and steps in the whole). An update takes over the memory of
// its base. Which updates are assembled is decided by estimated time; long chains, steps other
// than 1 and concats that say where their operands begin always are.
//
// Before: a simplified graph. After: one of the same values, in which the value of every assembled
// update and each operand of an assembled concat is a put, and the base of an assembled update may
// be overwritten when the put runs:
// - it is in memory and no output; an input is dense, aligned and donatable;
// - whatever else reads it from memory (its readers) has a smaller number than the put, so that
//   fusion, which goes by numbers, can let each of them run before. The put itself does not read
//   it: a value that is made from the base is in a memory of its own;
// - where the program has it otherwise, or asks for the base as well, the base is a copy.
// Cost: linear in nodes, as readers are looked for up to a bound only, beyond which the base is
// copied.
#pragma once
#include "passes/fuse.h"

namespace kiln::passes {

// `over_inputs`: whether inputs may be overwritten.
ir::Graph place_windows(const ir::Graph& graph, const ir::Caps& caps, const FuseOptions& options,
                        bool over_inputs = true);

// Of a graph that went through place_windows: notes what each put is stored into, and stores what
// windows need in memory: wholes, bases, puts, values that are made from a base that they
// overwrite, and values that are used beside being put.
void store_windows(const ir::Graph& graph, Partition& partition);

}  // namespace kiln::passes
