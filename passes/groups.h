// Clusters while they grow: groups of values, and which group must run before which.
//
// Groups only ever merge, and two merge only if neither reads, by way of a third, what the other
// makes: so an order in which each runs after all it reads always exists.
#pragma once
#include <map>
#include <set>
#include <vector>

#include "passes/cluster.h"

namespace kiln::passes {

struct Group {
  std::vector<ir::Sym> outer, inner;
  bool split = false;      // reductions alone: no kernel makes their points beside them
  bool call = false;       // made as a whole
  bool assembled = false;  // what puts and a base make
  bool puts = false;       // it stores into windows
  std::vector<ir::NodeId> reduces;
  std::map<ir::NodeId, Coordinates> outputs;    // candidates: node -> coordinates
  std::set<std::size_t> before;                 // groups whose stored values this one reads
  std::set<ir::NodeId> leaves;                  // what it reads
  std::vector<std::uint64_t> parameters;        // of its kernel, where they are limited
  std::size_t operations = 0;                   // about how many nodes it computes
  std::int64_t length = 0;                      // of its kernel, by estimate (length.h)
  ir::NodeId first = ~ir::NodeId{0}, last = 0;  // of its roots
  bool merged = false;                          // into another

  bool alone() const { return call || assembled; }  // nothing is computed with it
};

class Groups {
 public:
  explicit Groups(std::size_t nodes) : latest_(nodes + 1, 0) {}  // of the graph
  std::size_t add(Group group);
  void add_root(std::size_t group, ir::NodeId root);
  std::size_t size() const { return groups_.size(); }
  Group& operator[](std::size_t g) { return groups_[g]; }
  const Group& operator[](std::size_t g) const { return groups_[g]; }

  // The group that this one is part of by now.
  std::size_t find(std::size_t g) const {
    while (alias_[g] != g) g = alias_[g];
    return g;
  }
  bool independent(std::size_t a, std::size_t b) const { return !reaches(a, b) && !reaches(b, a); }
  void merge(std::size_t into, std::size_t from);
  // Those that are not merged, each after what it reads.
  std::vector<std::size_t> order() const;

 private:
  bool reaches(std::size_t from, std::size_t to) const;
  void note_range(const Group& group);
  ir::NodeId latest(ir::NodeId root) const;
  // Whether a group may read, by way of others, one whose first root is this one.
  bool may_reach(std::size_t group, ir::NodeId root) const;

  std::vector<Group> groups_;
  std::vector<std::size_t> alias_;
  // The last root of any group whose first one is no later than some root, as a binary indexed tree
  // of maxima: groups only grow, so what was noted stays true.
  std::vector<ir::NodeId> latest_;
  mutable std::vector<std::uint32_t> seen_;  // by group: the search that met it last
  mutable std::uint32_t search_ = 0;
};

// The reductions of a group for its cluster: a reduction's phase comes after those of the group's
// reductions that its operand is made of. `is_root`: by node: some group's.
void order_reduces(const ir::Graph& graph, const Group& group, const std::vector<bool>& is_root,
                   Cluster& cluster);

}  // namespace kiln::passes
