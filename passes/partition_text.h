// Partitions as text, and what is wrong with one.
//
//   partition
//     cluster outer s2 s3 inner s4 nested s5
//       reduce n5 phase 0
//       nested n4
//       output n7 at 0 1 _
//     call
//       output n9
//     assembled
//       output n12
//   end
//
// A line a cluster, in the order in which they run; s2: a symbol, n5: a node of the graph. `at`:
// the coordinate of each of the output's axes, outer ones first; _ for an axis of extent 1.
#pragma once
#include <string>
#include <string_view>

#include "passes/cluster.h"

namespace kiln::passes {

std::string print(const Partition& partition);
// What print wrote, on a graph that went through place_windows: its clusters, and what is stored by
// them; what else fusion knew (cuts, estimates, boundaries) is not there. Throws InternalError with
// the line.
Partition parse_partition(const ir::Graph& graph, std::string_view text);

// Findings, one a line; empty if there are none:
// - each output is made once, and each of the graph's is made;
// - what a cluster reads is an input, or made by one before it: so there is no circle;
// - outputs have a coordinate for each axis, of its extent, and those of the reductions' values are
//   outer ones; no extent of the space is 1;
// - phases begin at 0, leave none out, and a reduction's is after those of what it needs;
// - what is put into a window is made, and before its whole; pieces of a join begin where it says;
// - nodes are stored as the clusters say;
// - no kernel has more parameters than the device takes.
std::string verify(const ir::Graph& graph, const ir::Caps& caps, const Partition& partition);

}  // namespace kiln::passes
