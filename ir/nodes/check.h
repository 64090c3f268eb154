// Private to ir: what the kinds' checks look at. A check runs where the node's shape, operands and
// attribute can be read, and before the kind's shape rule, which may rely on what it demands.
#pragma once
#include <algorithm>
#include <functional>
#include <string_view>

#include "ir/graph.h"

namespace kiln::ir {

struct NodeCheck {
  const Graph& graph;
  const Graph& root;  // whose symbols and scalars a region uses
  NodeId n;
  const std::function<void(std::string_view)>& say;

  // Says what is wrong where something is; gives whether it is right.
  bool at(bool ok, std::string_view what) const {
    if (!ok) say(what);
    return ok;
  }
  const Node& node() const { return graph.nodes[n]; }
  std::span<const Sym> shape() const { return graph.shape(n); }
  const Node& operand(int i) const { return graph.nodes[graph.operand(n, i)]; }
  std::span<const Sym> operand_shape(int i) const { return graph.shape(graph.operand(n, i)); }
  template <class A>
  const A& attribute() const {
    return graph.attribute<A>(n);
  }
  bool known(Sym s) const { return s < root.syms.size(); }
  const SymInfo& sym(Sym s) const { return root.syms[s]; }
  void same_type(std::string_view otherwise = "operand and result differ in type") const {
    bool same = true;
    for (int i = 0; i < node().operand_count; ++i) same = same && operand(i).dtype == node().dtype;
    at(same, otherwise);
  }
  // Of a view or window.
  bool same_rank(std::size_t listed, std::string_view otherwise) const {
    return at(listed == shape().size() && operand_shape(0).size() == shape().size(), otherwise);
  }
};

}  // namespace kiln::ir
