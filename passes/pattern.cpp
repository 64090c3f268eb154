#include "passes/pattern.h"

#include <algorithm>

#include "ir/error.h"
#include "ir/hash.h"
#include "ir/mutant.h"

namespace kiln::passes {

using ir::NodeId;
using ir::NodeKind;
using ir::Sym;

std::size_t PatternHash::operator()(const std::vector<std::uint64_t>& key) const {
  std::uint64_t h = key.size();
  for (const std::uint64_t word : key) h = ir::mix(h, word);
  return h;
}

Patterns::Patterns(const ir::Graph& graph, const Partition& partition)
    : graph_(graph),
      partition_(partition),
      roles_(graph.nodes.size(), Role::none),
      node_rank_(graph.nodes.size()),
      sym_rank_(graph.syms.size()) {}

// The nodes that are computed for what is stored and reduced, and those read there.
void Patterns::collect(const Cluster& cluster) {
  const auto meet = [&](NodeId n, Role role) {
    if (roles_[n] != Role::none) return;
    roles_[n] = role;
    out_.nodes.push_back(n);
    if (role == Role::inner || role == Role::stored) stack_.push_back(n);
  };
  for (const ClusterOutput& output : cluster.outputs) meet(output.node, Role::stored);
  for (const ClusterOutput& output : cluster.outputs) {
    if (partition_.is_put(output.node)) meet(partition_.whole[output.node], Role::whole);
  }
  for (const auto* reduces : {&cluster.reduces, &cluster.nested_reduces}) {
    for (const NodeId r : *reduces) meet(r, Role::inner);
  }
  while (!stack_.empty()) {
    const NodeId n = stack_.back();
    stack_.pop_back();
    for (const NodeId operand : graph_.operands(n)) {
      const ir::Node& node = graph_.nodes[operand];
      const bool stops = ends_expression(node) || partition_.stored[operand];
      meet(operand, stops ? Role::read : Role::inner);
    }
  }
  std::ranges::sort(out_.nodes);
}

template <class Visit>
void Patterns::each_symbol_list(NodeId n, Visit visit) const {
  visit(graph_.shape(n));
  const ir::Node& node = graph_.nodes[n];
  if (roles_[n] == Role::whole) return;
  if (node.kind == NodeKind::buffer) return visit(std::span(graph_.inputs[node.attr].strides));
  ir::each_sym_list(graph_.attributes[node.attr], visit);
}

void Patterns::put_nodes(std::span<const NodeId> nodes) {
  put(nodes.size());
  for (const NodeId n : nodes) put(node_rank_[n]);
}

void Patterns::put_syms(std::span<const Sym> syms) {
  put(syms.size());
  for (const Sym s : syms) put(sym_rank_[s]);
}

void Patterns::write_input(const ir::Input& input) {
  put(static_cast<std::uint64_t>(input.dtype) | static_cast<std::uint64_t>(input.dense) << 8 |
      static_cast<std::uint64_t>(input.aligned) << 9);
}

void Patterns::write_node(NodeId n) {
  const ir::Node& node = graph_.nodes[n];
  put(static_cast<std::uint64_t>(node.kind) | static_cast<std::uint64_t>(node.op) << 8 |
      static_cast<std::uint64_t>(node.dtype) << 16 | static_cast<std::uint64_t>(node.rank) << 24 |
      static_cast<std::uint64_t>(roles_[n]) << 32);
  if (node.kind == NodeKind::scalar) {
    const auto at = std::ranges::lower_bound(out_.scalars, static_cast<std::uint32_t>(node.imm));
    put(static_cast<std::uint64_t>(at - out_.scalars.begin()));
  } else if (!mutant(ir::Mutant::pattern_constant)) {
    put(node.imm);
  }
  each_symbol_list(n, [&](std::span<const Sym> syms) { put_syms(syms); });
  if (node.kind == NodeKind::buffer) return write_input(graph_.inputs[node.attr]);
  if (roles_[n] == Role::read || roles_[n] == Role::whole) return;
  put_nodes(graph_.operands(n));
  ir::each_field(graph_.attributes[node.attr], [&](const auto& field) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(field)>, ir::AxisList>) {
      put(field.size());
      for (const std::uint8_t axis : field) put(axis);
    }
  });
}

void Patterns::write_cluster(const Cluster& cluster) {
  for (const auto* syms : {&cluster.outer, &cluster.inner, &cluster.nested}) put_syms(*syms);
  put_nodes(cluster.reduces);
  for (const int phase : cluster.phases) put(static_cast<std::uint64_t>(phase));
  put_nodes(cluster.nested_reduces);
  for (const ClusterOutput& output : cluster.outputs) {
    put(node_rank_[output.node]);
    if (partition_.is_put(output.node)) put(node_rank_[partition_.whole[output.node]]);
    put(output.coordinates.size());
    for (const std::uint32_t c : output.coordinates) put(c);
  }
}

// False if some node is not told by what is written.
bool Patterns::write() {
  out_.syms = {ir::kZero, ir::kOne};
  for (std::size_t i = 0; i < out_.nodes.size(); ++i) {
    const NodeId n = out_.nodes[i];
    const ir::Node& node = graph_.nodes[n];
    if (node.kind == NodeKind::loop || node.kind == NodeKind::item) return false;
    // Whether it is one scalar everywhere is looked for behind it.
    if (node.kind == NodeKind::broadcast && roles_[n] == Role::read) return false;
    node_rank_[n] = static_cast<std::uint32_t>(i);
    if (node.kind == NodeKind::scalar) out_.scalars.push_back(static_cast<std::uint32_t>(node.imm));
    each_symbol_list(n, [&](std::span<const Sym> syms) {
      out_.syms.insert(out_.syms.end(), syms.begin(), syms.end());
    });
  }
  std::ranges::sort(out_.syms);
  out_.syms.erase(std::unique(out_.syms.begin(), out_.syms.end()), out_.syms.end());
  std::ranges::sort(out_.scalars);
  put(out_.nodes.size());
  put(out_.syms.size());
  for (std::size_t i = 0; i < out_.syms.size(); ++i) {
    sym_rank_[out_.syms[i]] = static_cast<std::uint32_t>(i);
    const ir::SymInfo& info = graph_.sym(out_.syms[i]);
    put(static_cast<std::uint64_t>(info.lo));
    put(static_cast<std::uint64_t>(info.hi));
    if (!mutant(ir::Mutant::pattern_symbol)) put(static_cast<std::uint64_t>(info.multiple));
  }
  for (const NodeId n : out_.nodes) write_node(n);
  return true;
}

Pattern Patterns::of(const Cluster& cluster) {
  out_ = {};
  if (!graph_.lines.empty() || !graph_.labels.empty()) return {};
  collect(cluster);
  const bool told = write();
  if (told) write_cluster(cluster);
  for (const NodeId n : out_.nodes) roles_[n] = Role::none;
  return told ? std::move(out_) : Pattern{};
}

namespace {

template <class T>
T renamed(const std::vector<T>& from, const std::vector<T>& to, T value) {
  const auto at = std::ranges::lower_bound(from, value);
  ir::internal_check(at != from.end() && *at == value, "pattern: a number from outside");
  return to[static_cast<std::size_t>(at - from.begin())];
}

}  // namespace

NodeId Renaming::node(NodeId n) const { return renamed(from_.nodes, to_.nodes, n); }
Sym Renaming::sym(Sym s) const { return renamed(from_.syms, to_.syms, s); }

std::vector<NodeId> Renaming::nodes(std::vector<NodeId> list) const {
  for (NodeId& n : list) n = node(n);
  return list;
}

ir::SizeExpr Renaming::size(ir::SizeExpr expression) const {
  for (ir::SizeTerm& term : expression.terms) {
    for (Sym& factor : term.factors) factor = sym(factor);
  }
  return expression;
}

Traffic Renaming::traffic(const Traffic& t) const {
  return {size(t.compulsory_read), size(t.compulsory_written), size(t.operations)};
}

Emitter::Argument Renaming::argument(Emitter::Argument a) const {
  for (Sym& factor : a.factors) factor = sym(factor);
  if (a.is_node) {
    a.index = node(a.index);
  } else if (a.kind == ir::ParamKind::scalar) {
    a.index = renamed(from_.scalars, to_.scalars, a.index);
  } else if (a.kind == ir::ParamKind::integer && a.factors.empty()) {
    a.index = sym(a.index);
  }
  return a;
}

Scheduled Renaming::scheduled(Scheduled like) const {
  for (ScheduledKernel& k : like.kernels) {
    for (Emitter::Argument& a : k.arguments) a = argument(std::move(a));
  }
  for (ScheduledTemporary& t : like.temporaries) t.elements = size(std::move(t.elements));
  return like;
}

}  // namespace kiln::passes
