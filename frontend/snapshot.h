// The part of the trace that some arrays need, as a Graph, and what is bound to it.
//
// Canonical: nodes are in the order of a depth-first walk from the outputs, operands first. Two
// axes get one symbol where operations force their extents to be equal (union-find over axes);
// begins, steps, strides and pad widths are symbols deduplicated by value. Each use of a user's
// scalar is a parameter of its own, so that a counter which meets another number changes no graph.
// So equal programs give equal graphs, whatever their sizes within a class.
//
// Classes: an extent of 1 is a constant, others have the interval [2^k, 2^(k+1)) and, if innermost
// somewhere, the fact whether 16 or else 4 divides them; begins and pad widths of 0 and steps of 1
// and -1 are constants. There are no extents of 0: what has no elements never reaches a graph.
//
// Cost: about 50 ns a node; nothing is allocated once the workspace has grown.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "frontend/trace.h"
#include "ir/graph.h"

namespace kiln::inline v0::frontend {

struct Snapshot {
  ir::Graph graph;
  ir::Bindings bindings;
  // One for each of the graph's inputs. The storage is shared, so that it stays without the trace.
  struct Input {
    std::shared_ptr<Storage> storage;
    std::int64_t offset = 0;  // bytes
    std::uint32_t node = 0;   // of the graph
  };
  std::vector<Input> inputs;
  // The nodes behind the graph's outputs; each has a reference that the caller drops.
  std::vector<Node*> outputs;
  std::vector<Node*> beside;   // see add_results; with references where taking it was given up
  std::vector<Place> guesses;  // of each output, the place for whose sake it is stored; 0: none
  Math math = Math::exact;
  bool products = false;  // of matrices
  // Nodes that an earlier evaluation, at this line, computed and did not store.
  struct Recomputed {
    std::uint32_t node = 0;
    Where before;
  };
  std::vector<Recomputed> recomputed;
  std::vector<ir::NodeId> repaired;  // ascending: operations marked with kRepaired
  Where where;                       // of the evaluation; set by the caller
  // Of each node, for messages and the graph's side tables.
  std::vector<ir::SourceLine> lines;
  std::vector<const std::string*> labels;

  Where line(std::uint32_t node) const { return Where::here(lines[node].file, lines[node].line); }
  // Fills the graph's side tables; only needed where somebody looks.
  void describe();
};

// Builds a snapshot of these pending nodes (roots: no aliases, each once) for a device. The trace's
// lock is held. Gives false, and nothing else, if a node that is needed is in flight. Values that
// pending operations outside need, and that are dear or asked for by materialize, become outputs
// too, as do values of places that have learnt it (places.h). The trace remembers what is computed
// without being stored, and places learn from it.
//
// Learning::nothing: nothing is remembered; for who looks, and for single operations.
// Learning::frugal: nothing is stored by guess.
enum class Learning : std::uint8_t { nothing, frugal, all };
bool take_snapshot(std::span<Node* const> roots, Learning learning, Snapshot* result);

// The pending operations that these nodes need, operands first, for who gives up a snapshot of
// them: none counts as computed by it. Each has a reference that the caller drops. The trace's lock
// is held. Empty if one is in flight.
std::vector<Node*> operations_below(std::span<Node* const> roots);

// Labels the graph's outputs with the names by which they are asked for. The trace's lock is held.
void name_results(std::span<const Array> asked, Snapshot* snapshot);

// What a pending alias stands for.
inline Node* root_of(Node* node) {
  while (node->kind == Kind::alias && !node->ready()) node = node->operands()[0];
  return node;
}

// Consecutive axes of two shapes of one size that hold the same elements.
ir::Groups group_axes(std::span<const std::int64_t> from, std::span<const std::int64_t> to);

}  // namespace kiln::inline v0::frontend
