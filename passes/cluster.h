// What fusion decides: clusters, which values are stored, and why; with the facts about nodes and
// extents that fusion and scheduling both go by.
#pragma once
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/plan.h"
#include "passes/access.h"
#include "passes/roles.h"

namespace kiln::passes {

struct ClusterOutput {
  ir::NodeId node = 0;
  // For each axis of the node its coordinate; all of them (a full output) or just the outer ones.
  Coordinates coordinates;
};

struct Cluster {
  std::vector<ir::Sym> outer, inner;  // no extent of 1 among them
  std::vector<ir::NodeId> reduces;    // in dependency order
  std::vector<int> phases;            // of each, from 0
  std::vector<ClusterOutput> outputs;
  // Reductions over further coordinates, after the inner ones: made anew at each (outer, inner)
  // point and used there by the cluster's own, as an argmin uses distances. They are never stored.
  std::vector<ir::Sym> nested;
  std::vector<ir::NodeId> nested_reduces;
  bool call = false;       // outputs[0] is made as a whole (calls.h)
  bool assembled = false;  // outputs[0] is whole once puts and its base are there: no kernel
  bool kernels() const { return !call && !assembled; }
};
inline constexpr ir::NodeId kNoWhole = ~ir::NodeId{0};

// Where a value is stored although a consumer could have computed it.
struct Boundary {
  ir::NodeId producer = 0, consumer = 0;  // consumer = producer: not yet looked for
  std::string reason;
  double fused_seconds = 0, stored_seconds = 0;  // see ir::BoundaryReport
};

struct Partition {
  std::vector<Cluster> clusters;     // in an order that respects dependencies
  std::vector<bool> stored;          // by node: it has a buffer
  std::vector<bool> cut;             // by node: no kernel both makes it and uses it
  std::vector<bool> together;        // by node: may not be stored for its price (must_fuse)
  std::vector<bool> apart = {};      // by reduction, see apart.h; empty: none is
  std::vector<Boundary> boundaries;  // those decided upon; find_boundaries completes them
  // See length.h: what a kernel may be by estimate, and the estimates, by node that is stored or
  // reduced; and what it may be as it is emitted (0: whatever it takes).
  std::int64_t budget = 0;
  std::vector<std::uint32_t> lengths;
  std::int64_t longest = 0;
  std::int64_t work = 0;  // ways in which values were looked at
  // By node: what a put is stored into; else kNoWhole. Empty: there are no puts.
  std::vector<ir::NodeId> whole = {};

  std::vector<bool> overwritten = {};  // by node: the base of an update that is assembled; likewise

  bool is_put(ir::NodeId n) const { return !whole.empty() && whole[n] != kNoWhole; }
  bool is_overwritten(ir::NodeId n) const { return !overwritten.empty() && overwritten[n]; }
};

// Whether its pieces are stored into its memory, each through a window (windows.h).
bool is_assembled(const ir::Graph& graph, ir::NodeId n);
// Where a cluster stores an output: in the dense memory of the node, or in a window of its whole's.
Access stored_access(const ir::Graph& graph, const Partition& partition,
                     const ClusterOutput& output);
bool has_puts(const Partition& partition, const Cluster& cluster);

// By node, whether it has memory of its own: what some cluster makes.
std::vector<bool> stored_by(const ir::Graph& graph, const std::vector<Cluster>& clusters);

// Whether all that is stored is one value: expressions of kernels have to name none then.
bool one_value(const Partition& partition);
// What a cluster's kernel computes, infix.
std::string expression_of(const ir::Graph& graph, const Partition& partition,
                          const Cluster& cluster);

// An input that does not lie densely in memory.
bool is_strided_input(const ir::Graph& graph, ir::NodeId n);

// The middle of a symbol's interval, for estimates.
double middle(const ir::Graph& graph, ir::Sym sym);
double middle_size(const ir::Graph& graph, std::span<const ir::Sym> shape);
double middle_bytes(const ir::Graph& graph, ir::NodeId n);
// The same of what is read: elements that strides of 0 repeat are in memory once.
double middle_bytes_read(const ir::Graph& graph, ir::NodeId n);
// A reduction with too few rows to keep the device busy: reduced in two stages.
bool needs_split(const ir::Graph& graph, const ir::Caps& caps, std::span<const ir::Sym> outer,
                 std::span<const ir::Sym> inner);
// Index of a reduction's operand over its own coordinates: outer axes 0.., reduced ones after them.
Coordinates reduce_coordinates(const ir::Graph& graph, ir::NodeId reduce);
std::vector<ir::Sym> reduced_extents(const ir::Graph& graph, ir::NodeId reduce);
// Rough number of operations of one element.
double op_cost(const ir::Node& node);

}  // namespace kiln::passes
