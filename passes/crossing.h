// Crossing accesses: a pointwise cluster some of whose accesses run at unit stride along one axis
// of its space and some along another (x + y.T). Whichever axis vectors run along, the others would
// touch a cache line or a sector an element; so blocks of both axes are turned on chip.
//
// `along` is the axis that most of what is stored runs along, `across` the one that most of the
// other accesses do. A subtree of the expression whose accesses run along `across`, and none along
// `along`, is a crossing value: it is computed in the order of `across`, turned, and used in the
// order of `along`. Decided by strides alone. A value not listed here is computed where it is used,
// whatever its strides.
#pragma once
#include <optional>

#include "passes/schedule.h"

namespace kiln::passes {

struct CrossingValue {
  ir::NodeId node = 0;
  std::size_t output = 0;  // of the cluster: the path begins at its point
  std::vector<Emitter::View> path;
};

struct Crossing {
  MergedAxis along, across;
  std::vector<MergedAxis> rest;
  std::vector<CrossingValue> values;
  // Outputs of the cluster by number: stored in the order of `along`; of `across`, and made of
  // nothing that runs along `along`; of `across`, and to be turned.
  std::vector<std::size_t> straight, crossed, turned;
};

// None if all accesses agree, if one of the axes is a merged run that has to be divided, or if the
// expression has more views in a row than are worth following.
std::optional<Crossing> crossing(const ClusterContext& context);

}  // namespace kiln::passes
