#include "frontend/snapshot.h"

#include <algorithm>
#include <bit>
#include <unordered_map>

#include "frontend/access.h"
#include "frontend/complaint.h"
#include "frontend/symbols.h"
#include "ir/error.h"
#include "ir/scalar.h"

namespace kiln::inline v0::frontend {

Node* root_of(Node* node) {
  while (!node->ready() && node->kind == Kind::alias) node = node->operands[0];
  return node;
}

ir::Groups group_axes(std::span<const std::int64_t> from, std::span<const std::int64_t> to) {
  ir::Groups groups;
  const auto add = [&](std::size_t f, std::size_t t) {
    groups.from.push_back(static_cast<std::uint8_t>(f));
    groups.to.push_back(static_cast<std::uint8_t>(t));
  };
  std::size_t i = 0, j = 0;
  while (i < from.size() || j < to.size()) {
    const bool one_from = i < from.size() && from[i] == 1, one_to = j < to.size() && to[j] == 1;
    if (one_from || one_to) {  // extents of 1 stand alone
      add(one_from ? 1 : 0, one_to ? 1 : 0);
      i += one_from ? 1 : 0;
      j += one_to ? 1 : 0;
      continue;
    }
    std::size_t f = i + 1, t = j + 1;
    std::int64_t a = from[i], b = to[j];
    while (a != b) {
      if (a < b) {
        a *= from[f++];
      } else {
        b *= to[t++];
      }
    }
    add(f - i, t - j);
    i = f;
    j = t;
  }
  return groups;
}

void Snapshot::describe() {
  if (!graph.lines.empty()) return;
  graph.lines.resize(graph.nodes.size());
  graph.labels.resize(graph.nodes.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (lines[i].file != nullptr) graph.lines[i] = to_text(lines[i]);
    if (labels[i] != nullptr) graph.labels[i] = *labels[i];
  }
}

namespace {

constexpr std::int64_t kStoreNodes = 16;  // recomputing more operations than these is dear

// One thread's workspace: kept between evaluations, so that a warm snapshot allocates nothing.
class Builder {
 public:
  bool run(std::span<Node* const> roots, bool store, Snapshot* result);

 private:
  struct Frame {
    Node* node;
    std::uint32_t next;
  };
  struct Info {           // of a node in order_
    std::uint32_t axes = 0;   // first of its variables in axes_
    ir::NodeId id = 0;        // in the graph
    std::uint32_t edges = 0;  // consumers within the snapshot
    std::uint32_t dying = 0;  // of those, ones that will let go of it
    const std::string* label = nullptr;
    bool output = false;
    bool outside = false;  // operations outside consume an alias of it
  };

  bool walk(std::span<Node* const> roots);
  void visit(Node* node);
  void count_edges();
  void choose_stores();
  bool cheap(Node* node);
  void emit();
  void emit(std::size_t index);
  void emit_leaf(Node* node, Info& info);
  void emit_scalar(Node* node);
  void emit_map(Node* node);
  void emit_reshape(Node* node);
  void emit_windows(Node* node);  // slice, pad
  void emit_concat(Node* node);
  void emit_contract(Node* node);
  void mark_donations();
  void resolve_symbols();

  std::span<const Var> axes_of(Node* node) const {
    return {axes_.data() + infos_[node->id].axes, node->shape->shape.extents().size()};
  }
  // The operand's graph node, broadcast to the axes at `axes` if it has others.
  ir::NodeId operand(Node* node, std::span<const Var> axes);
  ir::NodeId append(const Node& node, ir::NodeKind kind, std::span<const ir::NodeId> operands,
                    std::uint32_t axes, std::size_t rank, ir::Attribute attribute = {});
  Node* input(Node* node, std::uint32_t i) const { return root_of(node->operands[i]); }

  Snapshot* out_ = nullptr;
  std::vector<Frame> stack_;
  std::vector<Node*> order_, aliases_;
  std::vector<Info> infos_;
  std::vector<Var> axes_;
  std::vector<ir::NodeId> operands_;
  Symbols symbols_;
  std::unordered_map<std::uint64_t, std::uint32_t> user_scalars_, counts_;
  Node* current_ = nullptr;
};

void Builder::visit(Node* node) {
  node->epoch = trace().epoch;
  node->id = ~std::uint32_t{0};
  stack_.push_back({node, 0});
}

// Post-order, operands first. False if it meets a node in flight.
bool Builder::walk(std::span<Node* const> roots) {
  const std::uint64_t epoch = ++trace().epoch;
  for (Node* const root : roots) {
    if (root->epoch == epoch) continue;
    visit(root);
    while (!stack_.empty()) {
      Frame& frame = stack_.back();
      Node* const node = frame.node;
      if (node->in_flight) {
        stack_.clear();
        return false;
      }
      const std::uint32_t count = node->ready() ? 0 : node->operand_count;
      if (frame.next == count) {
        node->id = static_cast<std::uint32_t>(order_.size());
        order_.push_back(node);
        infos_.emplace_back();
        stack_.pop_back();
        continue;
      }
      Node* child = node->operands[frame.next++];
      while (!child->ready() && child->kind == Kind::alias) {
        if (child->epoch != epoch) {
          child->epoch = epoch;
          child->id = 0;  // counts its consumers within
          aliases_.push_back(child);
        }
        child = child->operands[0];
      }
      if (child->epoch != epoch) visit(child);
    }
  }
  count_edges();
  return true;
}

void Builder::count_edges() {
  for (Node* const node : order_) {
    if (node->ready()) continue;
    for (std::uint32_t i = 0; i < node->operand_count; ++i) {
      Node* const direct = node->operands[i];
      Node* const root = root_of(direct);
      if (direct != root) ++direct->id;
      ++infos_[root->id].edges;
    }
  }
  for (Node* const alias : aliases_) {
    Node* const next = alias->operands[0];
    if (next != root_of(next)) ++next->id;
  }
  for (Node* const alias : aliases_) {
    Info& info = infos_[root_of(alias)->id];
    info.label = alias->label;
    if (alias->uses > alias->id) info.outside = true;
  }
}

// Whether computing a value again costs less than storing it: few operations over elements that are
// at most twice as many bytes.
bool Builder::cheap(Node* node) {
  if (node->kind == Kind::contract || node->kind == Kind::reduce || node->kind == Kind::arg_reduce) return false;
  const std::int64_t allowed = 2 * node->shape->size * ir::size_of(to_ir(node->dtype));
  std::int64_t bytes = 0, count = 0;
  std::vector<Node*> work{node};
  while (!work.empty()) {
    Node* const n = work.back();
    work.pop_back();
    if (n->ready() || infos_[n->id].output) {
      bytes += n->shape->size * ir::size_of(to_ir(n->dtype));
      if (bytes > allowed) return false;
      continue;
    }
    if (n->kind == Kind::contract || n->kind == Kind::reduce || n->kind == Kind::arg_reduce) return false;
    if (++count > kStoreNodes) return false;
    for (std::uint32_t i = 0; i < n->operand_count; ++i) work.push_back(input(n, i));
  }
  return true;
}

// Interior values that pending operations outside consume, and that are dear, are stored as well.
void Builder::choose_stores() {
  for (std::size_t i = 0; i < order_.size(); ++i) {
    Node* const node = order_[i];
    Info& info = infos_[i];
    if (info.output || node->ready() || node->anywhere) continue;
    if ((node->uses <= info.edges && !info.outside) || cheap(node)) continue;
    info.output = true;
    out_->outputs.push_back(node);
  }
}

ir::NodeId Builder::append(const Node& node, ir::NodeKind kind, std::span<const ir::NodeId> operands,
                           std::uint32_t axes, std::size_t rank, ir::Attribute attribute) {
  ir::Graph& g = out_->graph;
  ir::Node n;
  n.kind = kind;
  n.op = node.op;
  n.dtype = to_ir(node.dtype);
  n.rank = static_cast<std::uint8_t>(rank);
  n.shape = static_cast<std::uint32_t>(g.dims.size());
  n.operands = static_cast<std::uint32_t>(g.operand_ids.size());
  n.operand_count = static_cast<std::uint16_t>(operands.size());
  if (kind != ir::NodeKind::map && kind != ir::NodeKind::reduce && kind != ir::NodeKind::arg_reduce) {
    n.op = ir::Op::add;
  }
  g.dims.insert(g.dims.end(), axes_.begin() + axes, axes_.begin() + static_cast<std::ptrdiff_t>(axes + rank));
  g.operand_ids.insert(g.operand_ids.end(), operands.begin(), operands.end());
  if (attribute.index() != 0) {
    n.attr = static_cast<std::uint32_t>(g.attributes.size());
    g.attributes.push_back(std::move(attribute));
  }
  if (rank > 0) symbols_.mark_innermost(axes_[axes + rank - 1]);
  g.nodes.push_back(n);
  out_->lines.push_back(current_->where);
  out_->labels.push_back(nullptr);
  if (node.shape->size >= (std::int64_t{1} << 31)) g.wide = true;
  return static_cast<ir::NodeId>(g.nodes.size() - 1);
}

ir::NodeId Builder::operand(Node* node, std::span<const Var> axes) {
  const std::span<const Var> own = axes_of(node);
  const ir::NodeId id = infos_[node->id].id;
  bool same = own.size() == axes.size();
  for (std::size_t i = 0; same && i < own.size(); ++i) same = (own[i] == kVarOne) == (axes[i] == kVarOne);
  if (same) return id;
  Node shaped;  // the operand's dtype with the result's shape
  shaped.dtype = node->dtype;
  shaped.shape = current_->shape;
  const auto first = static_cast<std::uint32_t>(axes.data() - axes_.data());
  const ir::NodeId wide = append(shaped, ir::NodeKind::broadcast, {&id, 1}, first, axes.size());
  out_->lines.back() = node->where;
  return wide;
}

void Builder::emit_leaf(Node* node, Info& info) {
  const Value& value = *node->value.load(std::memory_order_acquire);
  const std::span<const std::int64_t> shape = node->shape->shape.extents();
  for (const std::int64_t n : shape) axes_.push_back(symbols_.extent(n));
  ir::Graph& g = out_->graph;
  ir::Input in;
  in.dtype = to_ir(node->dtype);
  in.dense = value.strides.empty();
  for (std::size_t i = 0; i < value.strides.size(); ++i) {
    const std::int64_t stride = shape[i] == 1 ? 0 : value.strides[i];
    in.strides.push_back(symbols_.integer(Symbols::Use::stride, stride));
  }
  const std::int64_t offset = value.offset * ir::size_of(in.dtype);
  in.aligned = (offset + value.storage->misalignment()) % 16 == 0;
  info.id = append(*node, ir::NodeKind::buffer, {}, info.axes, shape.size());
  g.nodes.back().attr = static_cast<std::uint32_t>(g.inputs.size());
  out_->labels.back() = node->label;
  g.inputs.push_back(std::move(in));
  out_->inputs.push_back({value.storage, offset, info.id});
}

// User scalars are one where value and dtype are; counts where they count the same axes.
void Builder::emit_scalar(Node* node) {
  Info& info = infos_[node->id];
  if (node->kind == Kind::literal) {
    info.id = append(*node, ir::NodeKind::constant, {}, info.axes, 0);
    out_->graph.nodes.back().imm = node->imm;
    return;
  }
  std::uint64_t bits = node->imm, key = mix(node->imm, static_cast<std::uint64_t>(node->dtype));
  auto* table = &user_scalars_;
  if (node->kind == Kind::count) {
    table = &counts_;
    Node* const x = input(node, 0);
    double count = 1;
    for (const std::int64_t axis : node->attr->list) {
      const auto i = static_cast<std::size_t>(axis);
      key = mix(key, symbols_.find(axes_of(x)[i]));
      count *= static_cast<double>(x->shape->shape.extents()[i]);
    }
    bits = ir::bits_of(to_ir(node->dtype), count - std::bit_cast<double>(node->imm));
  }
  auto& scalars = out_->graph.scalars;
  const auto [at, fresh] = table->try_emplace(key, static_cast<std::uint32_t>(scalars.size()));
  if (fresh || out_->bindings.scalars[at->second] != bits ||
      scalars[at->second] != to_ir(node->dtype)) {
    at->second = static_cast<std::uint32_t>(scalars.size());
    scalars.push_back(to_ir(node->dtype));
    out_->bindings.scalars.push_back(bits);
  }
  info.id = append(*node, ir::NodeKind::scalar, {}, info.axes, 0);
  out_->graph.nodes.back().imm = at->second;
}

// Aligns the operands' axes at the last one and unifies those that are not 1.
void Builder::emit_map(Node* node) {
  Info& info = infos_[node->id];
  const std::size_t rank = node->shape->shape.extents().size();
  axes_.resize(info.axes + rank, kVarOne);
  for (std::uint32_t i = 0; i < node->operand_count; ++i) {
    const std::span<const Var> own = axes_of(input(node, i));
    Var* const to = axes_.data() + info.axes + (rank - own.size());
    for (std::size_t k = 0; k < own.size(); ++k) {
      if (own[k] == kVarOne || own[k] == to[k]) continue;
      if (to[k] == kVarOne) {
        to[k] = own[k];
      } else {
        symbols_.unite(to[k], own[k]);
      }
    }
  }
  operands_.clear();
  const std::span<const Var> axes(axes_.data() + info.axes, rank);
  for (std::uint32_t i = 0; i < node->operand_count; ++i) operands_.push_back(operand(input(node, i), axes));
  info.id = append(*node, ir::NodeKind::map, operands_, info.axes, rank);
}

void Builder::emit_reshape(Node* node) {
  Info& info = infos_[node->id];
  Node* const x = input(node, 0);
  const std::span<const std::int64_t> from = x->shape->shape.extents(), to = node->shape->shape.extents();
  ir::Groups groups = group_axes(from, to);
  std::size_t f = 0, t = 0;
  for (std::size_t g = 0; g < groups.from.size(); ++g) {
    std::uint64_t key = Symbols::kReshape;
    for (std::size_t k = 0; k < groups.from[g]; ++k) key = mix(key, symbols_.find(axes_of(x)[f + k]));
    for (std::size_t k = 0; k < groups.to[g]; ++k) {
      const bool same = groups.from[g] == 1 && groups.to[g] == 1;
      const Var own = same ? axes_of(x)[f] : symbols_.derived(mix(key, k), to[t + k]);
      axes_.push_back(own);
      // Extents of the group that were given, not computed, distinguish what follows.
      key = mix(key, static_cast<std::uint64_t>(to[t + k]));
    }
    f += groups.from[g];
    t += groups.to[g];
  }
  const ir::NodeId id = infos_[x->id].id;
  info.id = append(*node, ir::NodeKind::reshape, {&id, 1}, info.axes, to.size(), std::move(groups));
}

void Builder::emit_windows(Node* node) {
  Info& info = infos_[node->id];
  Node* const x = input(node, 0);
  const std::span<const std::int64_t> to = node->shape->shape.extents();
  const bool is_slice = node->kind == Kind::slice;
  ir::Slices slices;
  ir::Pads pads;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const Var own = axes_of(x)[i];
    const std::int64_t low = node->attr->list[i], step = is_slice ? node->attr->more[i] : 1;
    const Var begin = symbols_.integer(is_slice ? Symbols::Use::begin : Symbols::Use::low, low);
    const Var stride = symbols_.integer(Symbols::Use::step, step);
    if (is_slice) {
      slices.begin.push_back(begin);
      slices.step.push_back(stride);
    } else {
      pads.low.push_back(begin);
    }
    if (to[i] == x->shape->shape.extents()[i]) {
      axes_.push_back(own);
      continue;
    }
    std::uint64_t key = mix(is_slice ? Symbols::kSlice : Symbols::kPad, symbols_.find(own));
    key = mix(mix(key, begin), stride);
    axes_.push_back(symbols_.derived(mix(key, static_cast<std::uint64_t>(to[i])), to[i]));
  }
  operands_.clear();
  for (std::uint32_t i = 0; i < node->operand_count; ++i) operands_.push_back(infos_[input(node, i)->id].id);
  if (is_slice) {
    info.id = append(*node, ir::NodeKind::slice, operands_, info.axes, to.size(), std::move(slices));
  } else {
    info.id = append(*node, ir::NodeKind::pad, operands_, info.axes, to.size(), std::move(pads));
  }
}

void Builder::emit_concat(Node* node) {
  Info& info = infos_[node->id];
  const std::span<const std::int64_t> to = node->shape->shape.extents();
  std::uint64_t key = Symbols::kConcat;
  operands_.clear();
  for (std::uint32_t i = 0; i < node->operand_count; ++i) {
    Node* const x = input(node, i);
    for (std::size_t k = 0; k < to.size(); ++k) {
      if (k == node->imm) {
        key = mix(key, symbols_.find(axes_of(x)[k]));
      } else {
        symbols_.unite(axes_of(input(node, 0))[k], axes_of(x)[k]);
      }
    }
    operands_.push_back(infos_[x->id].id);
  }
  for (std::size_t k = 0; k < to.size(); ++k) {
    axes_.push_back(k == node->imm ? symbols_.derived(key, to[k]) : axes_of(input(node, 0))[k]);
  }
  info.id = append(*node, ir::NodeKind::concat, operands_, info.axes, to.size());
  out_->graph.nodes.back().imm = node->imm;
}

void Builder::emit_contract(Node* node) {
  Info& info = infos_[node->id];
  Node* const nodes[] = {input(node, 0), input(node, 1)};
  const std::size_t rank = node->shape->shape.extents().size();
  for (std::size_t k = 0; k + 2 < rank; ++k) {
    symbols_.unite(axes_of(nodes[0])[k], axes_of(nodes[1])[k]);
    axes_.push_back(axes_of(nodes[0])[k]);
  }
  symbols_.unite(axes_of(nodes[0])[rank - 1], axes_of(nodes[1])[rank - 2]);
  axes_.push_back(axes_of(nodes[0])[rank - 2]);
  axes_.push_back(axes_of(nodes[1])[rank - 1]);
  const ir::NodeId ids[] = {infos_[nodes[0]->id].id, infos_[nodes[1]->id].id};
  info.id = append(*node, ir::NodeKind::contract, ids, info.axes, rank);
}

void Builder::emit(std::size_t index) {
  Node* const node = order_[index];
  current_ = node;
  Info& info = infos_[index];
  info.axes = static_cast<std::uint32_t>(axes_.size());
  if (node->ready()) return emit_leaf(node, info);
  if (node->computed) ++out_->recomputed;
  if (node->math == Math::fast) out_->math = Math::fast;
  const std::span<const std::int64_t> to = node->shape->shape.extents();
  switch (node->kind) {
    case Kind::leaf:
    case Kind::alias: ir::internal_error("snapshot: a leaf or alias without a value");
    case Kind::literal:
    case Kind::scalar:
    case Kind::count: return emit_scalar(node);
    case Kind::map: return emit_map(node);
    case Kind::reshape: return emit_reshape(node);
    case Kind::slice:
    case Kind::pad: return emit_windows(node);
    case Kind::concat: return emit_concat(node);
    case Kind::contract: return emit_contract(node);
    case Kind::iota:
      for (const std::int64_t n : to) axes_.push_back(symbols_.extent(n));
      info.id = append(*node, ir::NodeKind::iota, {}, info.axes, to.size());
      out_->graph.nodes.back().imm = node->imm;
      return;
    case Kind::broadcast: {
      Node* const x = input(node, 0);
      const std::size_t shift = to.size() - axes_of(x).size();
      for (std::size_t i = 0; i < to.size(); ++i) {
        const Var own = i < shift ? kVarOne : axes_of(x)[i - shift];
        axes_.push_back(own == kVarOne ? symbols_.extent(to[i]) : own);
      }
      info.id = operand(x, {axes_.data() + info.axes, to.size()});
      return;
    }
    case Kind::permute: {
      Node* const x = input(node, 0);
      ir::Axes axes;
      for (const std::int64_t axis : node->attr->list) {
        axes_.push_back(axes_of(x)[static_cast<std::size_t>(axis)]);
        axes.axes.push_back(static_cast<std::uint8_t>(axis));
      }
      const ir::NodeId id = infos_[x->id].id;
      info.id = append(*node, ir::NodeKind::permute, {&id, 1}, info.axes, to.size(), std::move(axes));
      return;
    }
    case Kind::reduce:
    case Kind::arg_reduce: {
      Node* const x = input(node, 0);
      ir::Axes axes;
      for (const std::int64_t axis : node->attr->list) axes.axes.push_back(static_cast<std::uint8_t>(axis));
      for (std::size_t i = 0; i < axes_of(x).size(); ++i) {
        if (std::find(axes.axes.begin(), axes.axes.end(), i) == axes.axes.end()) axes_.push_back(axes_of(x)[i]);
      }
      const ir::NodeId id = infos_[x->id].id;
      const auto kind = node->kind == Kind::reduce ? ir::NodeKind::reduce : ir::NodeKind::arg_reduce;
      info.id = append(*node, kind, {&id, 1}, info.axes, to.size(), std::move(axes));
      return;
    }
  }
}

void Builder::emit() {
  for (std::size_t i = 0; i < order_.size(); ++i) {
    emit(i);
    if (infos_[i].label != nullptr) out_->labels[infos_[i].id] = infos_[i].label;
  }
  for (Node* const node : out_->outputs) out_->graph.outputs.push_back(infos_[node->id].id);
}

// An input may be overwritten if nothing refers to it but operations that this evaluation ends.
void Builder::mark_donations() {
  for (std::size_t i = order_.size(); i-- > 0;) {
    Node* const node = order_[i];
    Info& info = infos_[i];
    const bool dies = info.dying > 0 && info.dying == info.edges &&
                      node->references.load(std::memory_order_acquire) == info.edges;
    if (node->ready()) {
      if (!dies) continue;
      const Value& value = *node->value.load(std::memory_order_acquire);
      // The value and this snapshot are all that know the storage.
      const bool last = value.storage.use_count() == 2 && value.strides.empty() && value.offset == 0 &&
                        value.storage->bytes() == node->shape->size * ir::size_of(to_ir(node->dtype)) &&
                        value.storage->unique();
      out_->graph.inputs[out_->graph.nodes[info.id].attr].donatable = last;
      continue;
    }
    if (!info.output && !dies) continue;
    for (std::uint32_t k = 0; k < node->operand_count; ++k) {
      Node* const x = input(node, k);
      if (x == node->operands[k]) ++infos_[x->id].dying;  // aliases have handles of their own
    }
  }
}

// Variables become symbols, numbered in the order of their first use.
void Builder::resolve_symbols() {
  ir::Graph& g = out_->graph;
  symbols_.number(&g.syms, &out_->bindings.syms);
  for (ir::Sym& sym : g.dims) sym = symbols_.sym(sym);
  for (ir::Attribute& attribute : g.attributes) {
    if (auto* const slices = std::get_if<ir::Slices>(&attribute)) {
      for (ir::Sym& sym : slices->begin) sym = symbols_.sym(sym);
      for (ir::Sym& sym : slices->step) sym = symbols_.sym(sym);
    } else if (auto* const pads = std::get_if<ir::Pads>(&attribute)) {
      for (ir::Sym& sym : pads->low) sym = symbols_.sym(sym);
    }
  }
  for (ir::Input& input : g.inputs) {
    for (ir::Sym& sym : input.strides) sym = symbols_.sym(sym);
  }
}

bool Builder::run(std::span<Node* const> roots, bool store, Snapshot* result) {
  out_ = result;
  order_.clear();
  aliases_.clear();
  infos_.clear();
  axes_.clear();
  user_scalars_.clear();
  counts_.clear();
  symbols_.clear();
  ir::Graph& g = result->graph;
  g.nodes.clear(), g.operand_ids.clear(), g.dims.clear(), g.inputs.clear(), g.scalars.clear();
  g.outputs.clear(), g.regions.clear(), g.lines.clear(), g.labels.clear();
  g.syms.resize(2);
  g.attributes.resize(1);
  g.wide = false;
  result->bindings.scalars.clear();
  result->inputs.clear();
  result->lines.clear();
  result->labels.clear();
  result->recomputed = 0;
  result->math = Math::exact;
  result->outputs.assign(roots.begin(), roots.end());
  if (!walk(roots)) return false;
  for (Node* const root : roots) infos_[root->id].output = true;
  if (store) choose_stores();
  emit();
  resolve_symbols();
  if (store) mark_donations();
  if (store) {
    for (std::size_t i = 0; i < order_.size(); ++i) {
      if (!order_[i]->ready() && !infos_[i].output) order_[i]->computed = true;
    }
  }
  for (Node* const node : result->outputs) {
    Trace::retain(node);
  }
  return true;
}

}  // namespace

bool take_snapshot(std::span<Node* const> roots, bool store, Snapshot* result) {
  thread_local Builder builder;
  return builder.run(roots, store, result);
}

}  // namespace kiln::inline v0::frontend
