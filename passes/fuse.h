// Fusion: which values are computed together in one kernel, which are stored.
//
// Before: a simplified graph. After: a partition of its computed nodes into clusters in an
// executable order. A cluster has an iteration space (outer coordinates, then inner ones),
// reductions over the inner coordinates in phases (a later phase may use the results of earlier
// ones and run over the row again) and outputs, each stored either once an outer point or once a
// (outer, inner) point. That covers elementwise programs (no inner), reductions with prologue and
// epilogue, and row programs such as softmax, without naming any of them. A node without a cluster
// of its own is computed wherever it is used; views are index arithmetic.
//
// The decisions are made in two places: `dear` (store a value that would be computed again too
// often, by estimated time) and `Joiner` (put a value into the cluster that makes its operands
// where the indices agree, unless a cycle would arise; bring what is independent together, where
// that leaves no unit idle for longer than it saves). What that is worth is seen by search: against
// every partition that the decisions could have led to, and against every join of two clusters
// (tests/property/search_tests.cpp).
#pragma once
#include <functional>

#include "passes/length.h"

namespace kiln::passes {

// Takes a decision: what the model says, and the nodes concerned. Any answers give a legal
// partition with the same bits, which tests demand.
using Choose = std::function<bool(bool model, ir::NodeId a, ir::NodeId b)>;
// By a bit of a hash of the seed and the nodes.
Choose forced(std::uint64_t seed);

struct FuseOptions {
  bool fusion = true;  // false: every map, reduction and copy of a view is a kernel of its own
  Choose choose = {};  // empty: as the model says
  std::int64_t budget = kLengthBudget;  // see Partition
};
inline bool decide(bool model, const FuseOptions& options, ir::NodeId a, ir::NodeId b) {
  return options.choose ? options.choose(model, a, b) : model;
}
Partition fuse(const ir::Graph& graph, const ir::Caps& caps, const FuseOptions& options = {});

}  // namespace kiln::passes
