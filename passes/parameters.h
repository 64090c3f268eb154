// What kernels are given, against what a device takes: buffers, integers and scalars are
// parameters, which CUDA limits.
#pragma once
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "passes/cluster.h"
#include "passes/space.h"

namespace kiln::passes {

class Parameters {
 public:
  // Ascending, each once. What a kernel will be given at most, told before it is written.
  using Set = std::vector<std::uint64_t>;

  Parameters(const ir::Graph& graph, const ir::Caps& caps);

  // Whether any kernel of this graph could have too many; else all fit, and sets stay empty.
  bool limited() const { return limited_; }
  Set of_leaf(ir::NodeId n) const;  // that reads or writes its buffer
  // Of a kernel that makes it from what is `stored`, its operands from theirs, and stores it.
  Set of_root(ir::NodeId n, const std::vector<bool>& stored) const;
  Set of_cluster(const Cluster& cluster, const Space& space) const;
  bool fit(const Set& set) const;
  bool fit(const Set& a, const Set& b) const;  // both together

  // Stores values, and cuts them off, so that what is made from the stored ones fits, as far as
  // that can be: one operation that joins too many arrays stays as it is, and is refused when its
  // kernel is loaded.
  void cut(Partition& partition) const;

 private:
  Set of_node(ir::NodeId n) const;  // beside its operands
  void add_sym(ir::Sym sym, Set& to) const;

  const ir::Graph& graph_;
  std::int64_t most_ = 0;  // parameters of a kernel
  bool limited_ = false;
  std::unordered_map<ir::NodeId, ir::NodeId> wholes_;  // by put
};

void merge(Parameters::Set& into, const Parameters::Set& from);

}  // namespace kiln::passes
