// From nodes of the trace to nodes of the graph: axes are unified as each operation demands.
#include <algorithm>
#include <bit>

#include "frontend/layout.h"
#include "frontend/snapshot_builder.h"
#include "ir/error.h"
#include "ir/mutant.h"
#include "ir/narrow.h"
#include "ir/scalar.h"

namespace kiln::inline v0::frontend {

namespace {
// Operands of a concat that one kernel joins; more are stored side by side, which needs their
// places.
constexpr std::uint32_t kFewJoined = 8;

bool same_extents(const Node& a, const Node& b) {
  return a.shape == b.shape ||
         std::ranges::equal(a.shape->shape.extents(), b.shape->shape.extents());
}

// Views, generators and scalars are not worth counting as computed again.
bool computes(const Node& node) {
  const ir::Role is = role(node.kind);
  return is == ir::Role::map || is == ir::Role::fold || is == ir::Role::call;
}

}  // namespace

// Axes of the trace's nodes become the graph's dims as they are, so that nodes share them.
ir::NodeId Builder::append(ir::NodeKind kind, std::span<const ir::NodeId> operands,
                           std::uint32_t axes, std::size_t rank) {
  ir::Graph& g = out_->graph;
  const auto id = static_cast<ir::NodeId>(g.nodes.size());
  push(kind, axes, rank).operand_count = static_cast<std::uint16_t>(operands.size());
  g.operand_ids.insert(g.operand_ids.end(), operands.begin(), operands.end());
  if (rank > 0) symbols_.mark_innermost(axes_[axes + rank - 1]);
  if (current_->shape->size >= ir::kWideElements) g.wide = true;
  return id;
}

ir::Node& Builder::push(ir::NodeKind kind, std::uint32_t axes, std::size_t rank) {
  ir::Graph& g = out_->graph;
  ir::Node n;
  n.kind = kind;
  n.results = static_cast<std::uint16_t>(ir::result_count(kind));
  n.dtype = to_ir(current_->dtype);
  n.rank = static_cast<std::uint8_t>(rank);
  n.shape = axes;
  n.operands = static_cast<std::uint32_t>(g.operand_ids.size());
  out_->lines.push_back({current_->where.file, current_->where.line});
  return g.nodes.emplace_back(n);
}

void Builder::remember_name(ir::NodeId id, const std::string* label) {
  if (label == nullptr) return;
  if (out_->labels.size() <= id) out_->labels.resize(id + 1);
  out_->labels[id] = label;
}

ir::NodeId Builder::operand(Node* node, std::uint32_t axes, std::size_t rank) {
  const Info& info = infos_[node->id];
  const ir::NodeId id = id_of(node);
  const std::span<const Var> own = axes_of(node);
  bool same = own.size() == rank;
  if (same && (rank == 0 || canonical(info.axes) == axes)) return id;
  for (std::size_t i = 0; same && i < rank; ++i) {
    same = (own[i] == kVarOne) == (axes_[axes + i] == kVarOne);
  }
  if (same) return id;
  if (wide_.size() <= id) wide_.resize(out_->graph.nodes.size());
  if (wide_[id].id != 0 && wide_[id].axes == axes) return wide_[id].id;
  const ir::NodeId wide = append(ir::NodeKind::broadcast, {&id, 1}, axes, rank);
  out_->graph.nodes.back().dtype = to_ir(node->dtype);
  out_->lines.back() = {node->where.file, node->where.line};
  wide_[id] = {axes, wide};
  return wide;
}

// A run-time scalar that nothing else in the graph is.
ir::NodeId Builder::parameter(Node* scalar) {
  auto& scalars = out_->graph.scalars;
  for (ir::NodeId n = 0; mutant(ir::Mutant::shared_scalar) && n < out_->graph.nodes.size(); ++n) {
    const ir::Node& known = out_->graph.nodes[n];
    if (known.kind == ir::NodeKind::scalar && known.dtype == to_ir(scalar->dtype) &&
        out_->bindings.scalars[known.imm] == scalar->imm) {
      return n;
    }
  }
  const auto number = static_cast<std::uint32_t>(scalars.size());
  scalars.push_back(to_ir(scalar->dtype));
  out_->bindings.scalars.push_back(scalar->imm);
  const ir::NodeId id = append(ir::NodeKind::scalar, {}, infos_[scalar->id].axes, 0);
  out_->graph.nodes.back().imm = number;
  out_->graph.nodes.back().dtype = to_ir(scalar->dtype);
  return id;
}

// Literals are one node where value and dtype are, counts where they count the same axes. The trace
// has merged most, not those that belong to an evaluation in flight. A user's scalar is emitted
// where it is used, and here if it is asked for itself.
void Builder::emit_scalar(Node* node) {
  Info& info = infos_[node->id];
  if (node->kind == Kind::scalar) {
    if (info.output) info.id = parameter(node);
    return;
  }
  std::uint64_t bits = node->imm, key = mix(node->imm, static_cast<std::uint64_t>(node->dtype));
  if (node->kind == Kind::literal) {
    const auto [known, first] = literals_.at(key);
    const std::vector<ir::Node>& nodes = out_->graph.nodes;
    if (!first && nodes[known].imm == bits && nodes[known].dtype == to_ir(node->dtype)) {
      info.id = known;
      return;
    }
    info.id = known = append(ir::NodeKind::constant, {}, info.axes, 0);
    out_->graph.nodes.back().imm = bits;
    return;
  }
  Node* const x = input(node, 0);
  for (const std::int64_t axis : node->list())
    key = mix(key, symbols_.find(axes_of(x)[static_cast<std::size_t>(axis)]));
  const double less = mutant(ir::Mutant::correction) ? 0 : std::bit_cast<double>(node->imm);
  bits = ir::bits_of(to_ir(node->dtype), divisor(x->shape->shape.extents(), node->list(), less));
  auto& scalars = out_->graph.scalars;
  const auto [number, fresh] = counts_.at(key);
  if (!fresh && out_->bindings.scalars[number] == bits && scalars[number] == to_ir(node->dtype)) {
    info.id = scalar_nodes_[number];
    return;
  }
  number = static_cast<std::uint32_t>(scalars.size());
  scalars.push_back(to_ir(node->dtype));
  out_->bindings.scalars.push_back(bits);
  info.id = append(ir::NodeKind::scalar, {}, info.axes, 0);
  out_->graph.nodes.back().imm = number;
  scalar_nodes_.resize(scalars.size());
  scalar_nodes_[number] = info.id;
}

void Builder::unite(std::uint32_t a, std::uint32_t b) {
  a = canonical(a), b = canonical(b);
  if (a == b) return;
  while (lists_.size() < axes_.size()) lists_.push_back(static_cast<std::uint32_t>(lists_.size()));
  lists_[std::max(a, b)] = std::min(a, b);
}

// Axes are aligned at the last one, and those that are not 1 unified. Lists of operands that have
// all these axes are one from here on.
std::uint32_t Builder::common_axes(Node* node, std::size_t rank) {
  auto axes = static_cast<std::uint32_t>(axes_.size());
  std::uint32_t first = 0;
  while (first < node->operand_count && !same_extents(*input(node, first), *node)) ++first;
  if (first < node->operand_count) {
    axes = canonical(infos_[input(node, first)->id].axes);
  } else {
    axes_.resize(axes + rank, kVarOne);
  }
  for (std::uint32_t i = 0; i < node->operand_count; ++i) {
    const Info& from = infos_[input(node, i)->id];
    if (canonical(from.axes) == axes) continue;
    const std::span<const Var> own = axes_of(input(node, i));
    Var* const to = axes_.data() + axes + (rank - own.size());
    for (std::size_t k = 0; k < own.size(); ++k) {
      if (own[k] == kVarOne || own[k] == to[k]) continue;
      if (to[k] == kVarOne) {
        to[k] = own[k];
      } else {
        symbols_.unite(to[k], own[k]);
      }
    }
    if (rank > 0 && same_extents(*input(node, i), *node)) unite(from.axes, axes);
  }
  return canonical(axes);
}

// The common case: an elementwise operation on operands that have the same axes, or none. False,
// and nothing, otherwise.
bool Builder::emit_alike(Node* node, Info& info) {
  const std::uint32_t count = node->operand_count;
  if (node->kind != Kind::map || count > kInlineOperands || node->ready()) return false;
  ir::NodeId ids[kInlineOperands];
  std::uint32_t axes = kNoAxes;
  bool scalars = false;
  for (std::uint32_t i = 0; i < count; ++i) {
    const Info& from = infos_[root_of(node->inline_operands[i])->id];
    ids[i] = from.id;  // of a scalar: see below
    if (from.rank == 0) {
      scalars = true;
      continue;
    }
    const std::uint32_t its = canonical(from.axes);
    if (from.rank != info.rank || (axes != kNoAxes && its != axes)) return false;
    axes = its;
  }
  if (axes == kNoAxes) return false;
  for (std::uint32_t i = 0; scalars && i < count; ++i) {
    Node* const x = input(node, i);
    if (infos_[x->id].rank == 0) ids[i] = operand(x, axes, info.rank);
  }
  info.axes = axes;
  info.id = static_cast<ir::NodeId>(out_->graph.nodes.size());
  if (node->math == Math::fast) out_->math = Math::fast;
  ir::Node& n = push(ir::NodeKind::map, axes, info.rank);
  n.op = node->op;
  n.operand_count = static_cast<std::uint16_t>(count);
  for (std::uint32_t i = 0; i < count; ++i) out_->graph.operand_ids.push_back(ids[i]);
  return true;
}

void Builder::emit_map(Node* node) {
  Info& info = infos_[node->id];
  const std::size_t rank = node->shape->shape.extents().size();
  info.axes = common_axes(node, rank);
  operands_.clear();
  for (std::uint32_t i = 0; i < node->operand_count; ++i) {
    operands_.push_back(operand(input(node, i), info.axes, rank));
  }
  info.id = append(ir::NodeKind::map, operands_, info.axes, rank);
  out_->graph.nodes.back().op = node->op;
}

// The place of a view of this kind, these lists and this shape, of the same axes: views that
// repeat, as in loops, have the axes and the attribute of the first. Compared by content: which
// boxes are one may not show in a graph.
std::pair<Builder::View&, bool> Builder::view_of(const Node& node, std::uint32_t from) {
  std::uint64_t key = mix(static_cast<std::uint64_t>(node.kind) << 32 | from, node.shape->hash);
  if (node.lists != nullptr) key = mix(key, node.lists->hash);
  const auto [number, fresh] = view_numbers_.at(key);
  if (!fresh) {
    View& known = views_[number];
    if (known.kind == node.kind && known.from == from &&
        (known.shape == node.shape || known.shape->holds(node.shape->shape)) &&
        (known.lists == node.lists || (known.lists != nullptr && node.lists != nullptr &&
                                       known.lists->holds({node.lists->list, node.lists->more})))) {
      return {known, true};
    }
  }
  number = static_cast<std::uint32_t>(views_.size());
  return {views_.emplace_back(View{node.lists, node.shape, node.kind, from, 0, 0}), false};
}

void Builder::emit_view(Node* node) {
  Info& info = infos_[node->id];
  Node* const x = input(node, 0);
  View first;  // of a 0-d operand, which has no axes to be known by
  const auto [view, known] = infos_[x->id].rank == 0
                                 ? std::pair<View&, bool>(first, false)
                                 : view_of(*node, canonical(infos_[x->id].axes));
  if (!known) {
    view.axes = info.axes;
    view.attribute = attributes_;
    write_axes(node);
    if (info.rank > 0) symbols_.mark_innermost(axes_[info.axes + info.rank - 1]);
    if (node->shape->size >= ir::kWideElements) out_->graph.wide = true;
    ++attributes_;
  }
  info.axes = canonical(view.axes);
  operands_.clear();
  for (std::uint32_t i = 0; i < node->operand_count; ++i)
    operands_.push_back(id_of(input(node, i)));
  info.id = static_cast<ir::NodeId>(out_->graph.nodes.size());
  ir::Node& n = push(static_cast<ir::NodeKind>(node->kind), info.axes, info.rank);
  n.op = node->op;
  n.attr = view.attribute;
  n.operand_count = static_cast<std::uint16_t>(node->operand_count);
  out_->graph.operand_ids.insert(out_->graph.operand_ids.end(), operands_.begin(), operands_.end());
}

// Generators, and what is made of several operands: their lists are seldom alike.
void Builder::emit_single(Node* node) {
  Info& info = infos_[node->id];
  ir::Attribute& attribute = write_axes(node);
  operands_.clear();
  for (std::uint32_t i = 0; i < node->operand_count; ++i)
    operands_.push_back(id_of(input(node, i)));
  if (node->kind == Kind::update) {  // the base's, as they are
    axes_.resize(info.axes);
    info.axes = canonical(infos_[input(node, 0)->id].axes);
  }
  const bool many = node->kind == Kind::concat && node->operand_count > kFewJoined;
  if (many) write_begins(node, std::get<ir::Pads>(attribute).low);
  info.id = append(static_cast<ir::NodeKind>(node->kind), operands_, info.axes, info.rank);
  ir::Node& n = out_->graph.nodes.back();
  n.imm = node->imm;
  if (many || node->kind == Kind::update) n.attr = attributes_++;
  out_->products = out_->products || node->kind == Kind::contract;
}

// Where each operand of a concat begins.
void Builder::write_begins(Node* node, ir::SymList& begins) {
  std::int64_t at = 0;
  for (std::uint32_t i = 0; i < node->operand_count; ++i) {
    begins.push_back(symbols_.integer(Symbols::Use::begin, at));
    at += input(node, i)->shape->shape.extents()[node->imm];
  }
}

// The operand at the axes that it has and those that it gets; a node only where they differ.
void Builder::emit_broadcast(Node* node) {
  Info& info = infos_[node->id];
  write_axes(node);
  info.id = operand(input(node, 0), info.axes, info.rank);
}

void Builder::emit(std::size_t index) {
  Node* const node = order_[index];
  Info& info = infos_[index];
  info.axes = static_cast<std::uint32_t>(axes_.size());
  if (node->ready()) return emit_leaf(node, info);
  if (node->math == Math::fast) out_->math = Math::fast;
  ir::internal_check(node->kind != Kind::leaf && node->kind != Kind::alias,
                     "snapshot: a leaf or alias without a value");
  if (node->kind == Kind::broadcast) return emit_broadcast(node);
  switch (role(node->kind)) {
    case ir::Role::leaf:
      return node->kind == Kind::iota ? emit_single(node) : emit_scalar(node);
    case ir::Role::map:
      return emit_map(node);
    case ir::Role::view:
    case ir::Role::fold:
      return emit_view(node);
    case ir::Role::join:
      return node->kind == Kind::pad ? emit_view(node) : emit_single(node);
    case ir::Role::call:
      return node->kind == Kind::contract ? emit_single(node) : emit_view(node);
    case ir::Role::item:
      return emit_single(node);
    case ir::Role::put:
    case ir::Role::region:
      ir::internal_error("snapshot: a kind that is not recorded");
  }
}

void Builder::emit() {
  const bool evaluated = learning_ != Learning::nothing;
  const bool guesses = learning_ != Learning::frugal && !trace().places.empty();
  const Where where = out_->where.line != 0 ? out_->where : Where::here("", -1);
  for (std::size_t i = 0; i < order_.size(); ++i) {
    Node* const node = order_[i];
    Info& info = infos_[i];
    current_ = node;
    if (!emit_alike(node, info)) emit(i);
    if (node->kind == Kind::scalar && !node->ready() && !info.output) continue;
    remember_name(info.id, info.label);
    if (node->ready()) continue;
    info.again = node->computed.line != 0;
    if (needed_outside(*node, info)) choose_store(node, info);
    if (info.again && computes(*node)) out_->recomputed.push_back({info.id, node->computed});
    if (!info.again && guesses) store_if_learnt(node, info);
    if (evaluated && !info.output && !node->anywhere) node->computed = where;
    if (node->hints == 0) continue;
    auto& list = out_->graph.hints;
    if ((node->hints & kNoFuse) != 0) list.push_back({info.id, ir::HintKind::no_fuse});
    if ((node->hints & kMustFuse) != 0) list.push_back({info.id, ir::HintKind::must_fuse});
    if ((node->hints & kRepaired) != 0) out_->repaired.push_back(info.id);
  }
  std::ranges::sort(out_->repaired);  // constants come back
  if (learning_ == Learning::all && !out_->recomputed.empty()) learn();
  out_->labels.resize(out_->graph.nodes.size());
  for (Node* const node : out_->outputs) out_->graph.outputs.push_back(infos_[node->id].id);
  std::vector<ir::Hint>& hints = out_->graph.hints;
  std::ranges::sort(hints);
  hints.erase(std::unique(hints.begin(), hints.end()), hints.end());
}

}  // namespace kiln::inline v0::frontend
