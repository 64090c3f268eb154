#include "passes/rewrite.h"

#include <algorithm>

#include "ir/hash.h"

namespace kiln::passes {

using ir::Node;
using ir::NodeId;
using ir::NodeKind;
using ir::Sym;

std::vector<bool> live_nodes(const ir::Graph& graph) {
  std::vector<bool> live(graph.nodes.size(), false);
  for (const NodeId output : graph.outputs) live[output] = true;
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    if (!live[i]) continue;
    for (const NodeId operand : graph.operands(static_cast<NodeId>(i))) live[operand] = true;
  }
  return live;
}

ir::Graph remove_dead(const ir::Graph& graph) {
  return Rewriter(graph).run([](Rewriter& r, NodeId n) { return r.copy(n); });
}

Rewriter::Rewriter(const ir::Graph& source)
    : source_(source), map_(source.nodes.size(), ~NodeId{0}) {
  out_.syms = source.syms;
  out_.values = source.values;
  out_.inputs = source.inputs;
  out_.scalars = source.scalars;
  out_.regions = source.regions;
  out_.wide = source.wide;
}

namespace {

// Mixes in what sets apart the many nodes of a kind that one operand may have.
std::uint64_t node_hash(const Node& n, std::span<const Sym> shape, std::span<const NodeId> operands,
                        const ir::Attribute& attribute) {
  std::uint64_t h = static_cast<std::uint64_t>(n.kind) | static_cast<std::uint64_t>(n.op) << 8 |
                    static_cast<std::uint64_t>(n.dtype) << 16;
  const auto add = [&h](std::uint64_t v) { h = ir::mix(h, v); };
  add(n.imm);
  for (const Sym s : shape) add(s);
  add(shape.size());
  for (const NodeId o : operands) add(o);
  if (n.kind == NodeKind::buffer) add(n.attr);
  ir::each_sym(attribute, add);
  return h;
}

}  // namespace

NodeId Rewriter::emit(const Node& node, std::span<const Sym> shape,
                      std::span<const NodeId> operands, const ir::Attribute& attribute) {
  const std::uint64_t key = node_hash(node, shape, operands, attribute);
  const auto [first, last] = known_.equal_range(key);
  for (auto it = first; it != last; ++it) {
    const Node& other = out_.nodes[it->second];
    const bool same = other.kind == node.kind && other.op == node.op && other.dtype == node.dtype &&
                      other.imm == node.imm &&
                      (node.kind != NodeKind::buffer || other.attr == node.attr) &&
                      std::ranges::equal(out_.shape(it->second), shape) &&
                      std::ranges::equal(out_.operands(it->second), operands) &&
                      (node.kind == NodeKind::buffer || out_.attributes[other.attr] == attribute);
    if (same) return it->second;
  }
  const NodeId id = out_.add(node, shape, operands, attribute);
  if (node.kind == NodeKind::buffer) {
    out_.nodes[id].attr = node.attr;
  } else if (std::holds_alternative<ir::None>(attribute)) {
    out_.nodes[id].attr = 0;
  }
  known_.emplace(key, id);
  const auto carry = [&](const auto& from, auto& to) {
    if (from.empty()) return;
    to.resize(out_.nodes.size());
    if (current_ < from.size()) to[id] = from[current_];
  };
  carry(source_.lines, out_.lines);
  carry(source_.labels, out_.labels);
  out_.origins.resize(out_.nodes.size());
  out_.origins[id] = source_.origins.empty() ? current_ : source_.origins[current_];
  return id;
}

NodeId Rewriter::copy(NodeId old) {
  const Node& node = source_.nodes[old];
  std::vector<NodeId> operands;
  operands.reserve(node.operand_count);
  for (const NodeId operand : source_.operands(old)) operands.push_back(map_[operand]);
  return emit(node, source_.shape(old), operands,
              node.kind == NodeKind::buffer ? ir::Attribute{} : source_.attributes[node.attr]);
}

NodeId Rewriter::map(ir::Op op, ir::DType result, std::span<const NodeId> operands) {
  Node node;
  node.kind = NodeKind::map;
  node.op = op;
  node.dtype = result;
  const std::vector<Sym> shape(out_.shape(operands[0]).begin(), out_.shape(operands[0]).end());
  return emit(node, shape, operands);
}

NodeId Rewriter::constant(ir::DType dtype, std::uint64_t bits) {
  Node node;
  node.kind = NodeKind::constant;
  node.dtype = dtype;
  node.imm = bits;
  return emit(node, {}, {});
}

NodeId Rewriter::broadcast(NodeId operand, std::span<const Sym> shape) {
  if (std::ranges::equal(out_.shape(operand), shape)) return operand;
  Node node;
  node.kind = NodeKind::broadcast;
  node.dtype = out_.nodes[operand].dtype;
  return emit(node, shape, {&operand, 1});
}

NodeId Rewriter::reshape(NodeId operand, std::span<const Sym> shape, const ir::Groups& groups) {
  if (std::ranges::equal(out_.shape(operand), shape)) return operand;
  Node node;
  node.kind = NodeKind::reshape;
  node.dtype = out_.nodes[operand].dtype;
  return emit(node, shape, {&operand, 1}, groups);
}

// A hint follows its value; it is pointless about leaves, which nobody computes. Of two values that
// became one, the wish for a boundary stays.
void Rewriter::carry_hints(const std::vector<bool>& live) {
  for (const ir::Hint& hint : source_.hints) {
    if (!live[hint.node]) continue;
    const NodeId now = map_[hint.node];
    if (out_.nodes[now].operand_count > 0) out_.hints.push_back({now, hint.kind});
  }
  std::ranges::sort(out_.hints);
  const auto same_node = [](const ir::Hint& a, const ir::Hint& b) { return a.node == b.node; };
  out_.hints.erase(std::unique(out_.hints.begin(), out_.hints.end(), same_node), out_.hints.end());
}

ir::Graph Rewriter::run(const std::function<NodeId(Rewriter&, NodeId)>& rule) {
  const std::vector<bool> live = live_nodes(source_);
  auto hint = source_.hints.begin();
  for (std::size_t i = 0; i < source_.nodes.size(); ++i) {
    while (hint != source_.hints.end() && hint->node < i) ++hint;
    if (!live[i]) continue;
    current_ = static_cast<NodeId>(i);
    map_[i] = rule(*this, current_);
    if (hint == source_.hints.end() || hint->node != i) continue;
    hinted_.resize(out_.nodes.size());
    hinted_[map_[i]] = true;
  }
  for (const NodeId output : source_.outputs) out_.outputs.push_back(map_[output]);
  carry_hints(live);
  return std::move(out_);
}

}  // namespace kiln::passes
