#include "passes/parameters.h"

#include <algorithm>
#include <unordered_set>

namespace kiln::passes {

using ir::NodeId;
using ir::NodeKind;
using Set = Parameters::Set;

namespace {

constexpr std::int64_t kBytes = 8;  // of a parameter, at most

enum class Of : std::uint8_t { buffer, scalar, integer };
std::uint64_t key(Of what, std::uint64_t index) {
  return index << 2 | static_cast<std::uint64_t>(what);
}

void sort(Set& set) {
  std::ranges::sort(set);
  set.erase(std::unique(set.begin(), set.end()), set.end());
}

}  // namespace

void merge(Set& into, const Set& from) {
  Set both;
  both.reserve(into.size() + from.size());
  std::ranges::set_union(into, from, std::back_inserter(both));
  into = std::move(both);
}

Parameters::Parameters(const ir::Graph& graph, const ir::Caps& caps) : graph_(graph) {
  if (caps.target != ir::Target::cuda) return;
  std::size_t rank = 0;
  for (NodeId n = 0; n < graph.nodes.size(); ++n) {
    rank = std::max<std::size_t>(rank, graph.nodes[n].rank);
    if (!is_assembled(graph, n)) continue;
    for (const NodeId operand : graph.operands(n)) wholes_[operand] = n;
  }
  // Products of extents beside: one for each merged run of a cluster's axes, of which there are at
  // most two of all axes together, and one for all of either kind.
  const auto products = static_cast<std::int64_t>(2 * rank + 2);
  most_ = std::max<std::int64_t>(caps.parameter_bytes / kBytes - products, 1);
  const std::size_t all = graph.nodes.size() + graph.scalars.size() + graph.syms.size();
  limited_ = all > static_cast<std::size_t>(most_);
}

void Parameters::add_sym(ir::Sym sym, Set& to) const {
  if (!graph_.constant_sym(sym)) to.push_back(key(Of::integer, sym));
}

Set Parameters::of_leaf(NodeId n) const {
  const ir::Node& node = graph_.nodes[n];
  Set set;
  if (node.kind == NodeKind::scalar) return {key(Of::scalar, node.imm)};
  if (!is_number(node) && node.kind != NodeKind::iota) set.push_back(key(Of::buffer, n));
  for (const ir::Sym s : graph_.shape(n)) add_sym(s, set);
  if (node.kind == NodeKind::buffer) {
    for (const ir::Sym s : graph_.inputs[node.attr].strides) add_sym(s, set);
  }
  sort(set);
  return set;
}

Set Parameters::of_node(NodeId n) const {
  const ir::Node& node = graph_.nodes[n];
  Set set;
  for (const ir::Sym s : graph_.shape(n)) add_sym(s, set);
  if (is_input(node)) return set;
  // Of a concat it says where parts begin, which only those need that are stored there.
  if (node.kind != NodeKind::concat)
    ir::each_sym(graph_.attributes[node.attr], [&](ir::Sym s) { add_sym(s, set); });
  if (node.kind == NodeKind::put) {
    for (const ir::Sym s : graph_.shape(wholes_.at(n))) add_sym(s, set);
  }
  sort(set);
  return set;
}

Set Parameters::of_root(NodeId root, const std::vector<bool>& stored) const {
  std::unordered_set<NodeId> seen;
  Set set = of_leaf(root);
  std::vector<NodeId> stack{root};
  while (!stack.empty()) {
    const NodeId n = stack.back();
    stack.pop_back();
    const Set own = of_node(n);
    set.insert(set.end(), own.begin(), own.end());
    for (const NodeId operand : graph_.operands(n)) {
      if (!seen.insert(operand).second) continue;
      if (graph_.nodes[operand].operand_count == 0 || stored[operand]) {
        const Set leaf = of_leaf(operand);
        set.insert(set.end(), leaf.begin(), leaf.end());
      } else {
        stack.push_back(operand);
      }
    }
  }
  sort(set);
  return set;
}

Set Parameters::of_cluster(const Cluster& cluster, const Space& space) const {
  Set set;
  const auto add = [&](const Set& more) { set.insert(set.end(), more.begin(), more.end()); };
  for (const Access& read : space.reads) add(of_leaf(read.leaf));
  for (const NodeId n : space.inside) {
    add(of_node(n));
    for (const NodeId operand : graph_.operands(n)) {
      if (graph_.nodes[operand].kind == NodeKind::scalar) add(of_leaf(operand));
    }
  }
  for (const ClusterOutput& output : cluster.outputs) add(of_leaf(output.node));
  for (const NodeId n : cluster.reduces) add(of_leaf(n));
  sort(set);
  return set;
}

bool Parameters::fit(const Set& set) const {
  return !limited_ || static_cast<std::int64_t>(set.size()) <= most_;
}

bool Parameters::fit(const Set& a, const Set& b) const {
  if (!limited_) return true;
  if (static_cast<std::int64_t>(a.size() + b.size()) <= most_) return true;
  Set both = a;
  merge(both, b);
  return fit(both);
}

void Parameters::cut(Partition& partition) const {
  if (!limited_) return;
  std::vector<Set> sets(graph_.nodes.size());  // of making it, or of reading it if it is stored
  const auto whole = [&](NodeId n) {
    Set set = of_node(n);
    for (const NodeId operand : graph_.operands(n)) merge(set, sets[operand]);
    return set;
  };
  const auto apart = [&](NodeId n) {
    const ir::Node& node = graph_.nodes[n];
    return ends_expression(node) || partition.stored[n];
  };
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    const auto n = static_cast<NodeId>(i);
    if (graph_.nodes[n].operand_count == 0 || is_assembled(graph_, n)) {
      sets[n] = of_leaf(n);
      continue;
    }
    Set set = whole(n);
    while (static_cast<std::int64_t>(set.size()) >= most_) {  // with its own buffer
      // The operand that takes most with it.
      NodeId most = n;
      std::size_t gain = 0;
      for (const NodeId operand : graph_.operands(n)) {
        const std::size_t less =
            sets[operand].size() - std::min(sets[operand].size(), of_leaf(operand).size());
        if (apart(operand) || less <= gain) continue;
        gain = less;
        most = operand;
      }
      if (most == n) break;
      partition.stored[most] = true;
      partition.cut[most] = true;
      partition.boundaries.push_back(
          {most, n, "one kernel would have more parameters than the device takes"});
      sets[most] = of_leaf(most);
      set = whole(n);
    }
    sets[n] = apart(n) ? of_leaf(n) : std::move(set);
  }
}

}  // namespace kiln::passes
