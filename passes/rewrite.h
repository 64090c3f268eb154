// The one rewrite driver: rebuilds a graph node by node, operands first, hash-consing what it
// emits. So every pass written on it also removes common subexpressions and dead nodes.
#pragma once
#include <functional>
#include <unordered_map>

#include "ir/graph.h"

namespace kiln::passes {

class Rewriter {
 public:
  explicit Rewriter(const ir::Graph& source);

  // The graph being built. Its symbols, inputs and scalars are the source's, in place.
  ir::Graph& graph() { return out_; }
  const ir::Graph& source() const { return source_; }
  ir::NodeId mapped(ir::NodeId old) const { return map_[old]; }
  // The kind of a node of the graph being built, as far as rules may look through it: one with a
  // hint (of one mapped so far) is as good as a buffer, since what used its operands in its stead
  // would do so without the hint.
  ir::NodeKind seen(ir::NodeId n) const {
    return n < hinted_.size() && hinted_[n] ? ir::NodeKind::buffer : out_.nodes[n].kind;
  }

  // A node equal to this one: an earlier one, or a new one that takes the side-table entries of the
  // source node being rewritten.
  ir::NodeId emit(const ir::Node& node, std::span<const ir::Sym> shape,
                  std::span<const ir::NodeId> operands, const ir::Attribute& attribute = {});
  // The current source node with its operands mapped.
  ir::NodeId copy(ir::NodeId old);

  // Frequent constructions.
  ir::NodeId map(ir::Op op, ir::DType result, std::span<const ir::NodeId> operands);
  ir::NodeId constant(ir::DType dtype, std::uint64_t bits);
  ir::NodeId broadcast(ir::NodeId node,
                       std::span<const ir::Sym> shape);  // the node itself if equal
  ir::NodeId reshape(ir::NodeId node, std::span<const ir::Sym> shape, const ir::Groups& groups);

  // Runs `rule` over the live nodes of the source in order; it returns the node that replaces one
  // (usually via copy). Gives the finished graph without dead nodes.
  ir::Graph run(const std::function<ir::NodeId(Rewriter&, ir::NodeId)>& rule);

 private:
  void carry_hints(const std::vector<bool>& live);

  const ir::Graph& source_;
  ir::Graph out_;
  std::vector<ir::NodeId> map_;
  ir::NodeId current_ = 0;
  std::vector<bool> hinted_;  // by node of the graph being built; as long as need be
  std::unordered_multimap<std::uint64_t, ir::NodeId> known_;
};

// Nodes reachable from the outputs, by id.
std::vector<bool> live_nodes(const ir::Graph& graph);
// The graph without unreachable nodes; inputs, scalars and symbols keep their numbers.
ir::Graph remove_dead(const ir::Graph& graph);

}  // namespace kiln::passes
