// What a cluster's kernels depend on, without the numbers of its nodes, symbols and scalars: two
// clusters of one pattern have the same kernels over other arguments, so that the steps of a
// simulation are scheduled once.
//
// Numbers are replaced by their ranks. Schedules compare numbers and order by them, nothing else;
// so whatever they do with one cluster they do with the other. Cost: linear in the cluster's nodes.
#pragma once
#include "passes/schedule.h"

namespace kiln::passes {

struct Pattern {
  std::vector<std::uint64_t> key;      // equal: the clusters are alike; empty: like no other
  std::vector<ir::NodeId> nodes;       // computed or read, by rank
  std::vector<ir::Sym> syms;           // that occur there
  std::vector<std::uint32_t> scalars;  // that are read
};
struct PatternHash {
  std::size_t operator()(const std::vector<std::uint64_t>& key) const;
};

class Patterns {
 public:
  Patterns(const ir::Graph& graph, const Partition& partition);
  // Not of a library's product. Where a graph has lines or labels they get into kernels: like no
  // other.
  Pattern of(const Cluster& cluster);

 private:
  void collect(const Cluster& cluster);
  bool write();
  void write_node(ir::NodeId node);
  void write_input(const ir::Input& input);
  void write_cluster(const Cluster& cluster);
  void put(std::uint64_t word) { out_.key.push_back(word); }
  void put_nodes(std::span<const ir::NodeId> nodes);
  void put_syms(std::span<const ir::Sym> syms);
  template <class Visit>
  void each_symbol_list(ir::NodeId node, Visit visit) const;

  enum Role : std::uint8_t { none, read, inner, stored, whole };  // whole: of a put that is stored
  const ir::Graph& graph_;
  const Partition& partition_;
  Pattern out_;
  std::vector<Role> roles_;  // by node, of the cluster at hand
  std::vector<std::uint32_t> node_rank_, sym_rank_;
  std::vector<ir::NodeId> stack_;
};

// From a cluster to one of the same pattern.
class Renaming {
 public:
  Renaming(const Pattern& from, const Pattern& to) : from_(from), to_(to) {}
  ir::NodeId node(ir::NodeId n) const;
  ir::Sym sym(ir::Sym s) const;
  std::vector<ir::NodeId> nodes(std::vector<ir::NodeId> list) const;
  ir::SizeExpr size(ir::SizeExpr expression) const;
  Traffic traffic(const Traffic& traffic) const;
  Scheduled scheduled(Scheduled like) const;

 private:
  Emitter::Argument argument(Emitter::Argument like) const;
  const Pattern& from_;
  const Pattern& to_;
};

}  // namespace kiln::passes
