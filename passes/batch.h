// Batches: pointwise clusters over different extents that come to the same kernel are launched
// together.
//
// Before: a partition. After: its clusters in an executable order, scheduled, alike ones that do
// not depend on each other side by side. Members run the one kernel over tables of arguments
// (ir::Kernel::members), so that fifty small updates cost one launch and one compilation. Two
// clusters of one level (the longest way from what reads no other cluster) never depend on each
// other; more is not looked for.
//
// Bringing launches together must not keep more memory alive: a member stores nothing but the
// graph's outputs, or little.
#pragma once
#include "passes/schedule.h"

namespace kiln::passes {

// A cluster with its kernels. A library call, or what is assembled, has but what it reads.
struct Unit {
  const Cluster* cluster = nullptr;
  std::vector<ir::NodeId> reads;   // from memory, each access
  std::vector<ir::NodeId> inside;  // computed, without reductions
  Traffic traffic;
  Scheduled scheduled;
};
using Batch = std::vector<Unit>;  // never empty; several: of one kernel each, equal but for names

// `together` false: a batch for each cluster.
std::vector<Batch> batches(const ir::Graph& graph, const Partition& partition, const ir::Caps& caps,
                           bool together);
// Kernel::members of a kernel that is launched over so many.
std::uint32_t table_rows(const ir::Caps& caps, const ir::Kernel& kernel, std::size_t members);

}  // namespace kiln::passes
