#include "frontend/snapshot.h"

#include <algorithm>

#include "frontend/access.h"
#include "frontend/complaint.h"
#include "frontend/snapshot_builder.h"
#include "ir/mutant.h"
#include "ir/per_thread.h"

namespace kiln::inline v0::frontend {

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
  graph.values = bindings.syms;
  graph.lines.resize(graph.nodes.size());
  graph.labels.resize(graph.nodes.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (lines[i].file != nullptr) graph.lines[i] = ir::to_text(lines[i]);
    if (labels[i] != nullptr) graph.labels[i] = *labels[i];
  }
}

namespace {

constexpr std::int64_t kStoreOperations = 16;  // recomputing more than these is dear
constexpr std::int64_t kFunction = 6;          // operations that exp and its kin count for
}  // namespace

// `edges`: consumers met so far. False if it is in flight.
inline bool Builder::enter(Node* node, std::uint64_t epoch, std::uint32_t edges) {
  if (node->in_flight) return false;
  node->epoch = epoch;
  if (node->ready() || node->operand_count == 0) {
    leave(node, edges);
  } else {
    stack_.push_back({node, 0, edges});
  }
  return true;
}

// What an alias that is consumed stands for.
Node* Builder::behind(Node* alias, std::uint64_t epoch) {
  Node* node = alias;
  for (; !node->ready() && node->kind == Kind::alias; node = node->operands()[0]) {
    if (node->epoch == epoch) continue;
    node->epoch = epoch;
    node->id = 0;  // counts its consumers within
    aliases_.push_back(node);
  }
  if (node != alias) ++alias->id;
  return node;
}

// Post-order, operands first; a node that was met before is in the order already, since nothing is
// its own operand. False if it meets a node in flight.
bool Builder::walk(std::span<Node* const> roots) {
  const std::uint64_t epoch = ++trace().epoch;
  for (Node* const root : roots) {
    bool free = root->epoch == epoch || enter(root, epoch, 0);
    while (free && !stack_.empty()) {
      Frame& frame = stack_.back();
      if (frame.next == frame.node->operand_count) {
        leave(frame.node, frame.edges);
        stack_.pop_back();
        continue;
      }
      Node* child = frame.node->operands()[frame.next++];
      if (child->kind == Kind::alias) child = behind(child, epoch);
      if (child->epoch == epoch) {
        ++infos_[child->id].edges;
      } else {
        free = enter(child, epoch, 1);
      }
    }
    if (free) continue;
    stack_.clear();
    return false;
  }
  settle_aliases();
  return true;
}

void Builder::settle_aliases() {
  for (Node* const alias : aliases_) {
    Node* const next = alias->operands()[0];
    if (next != root_of(next)) ++next->id;
  }
  for (Node* const alias : aliases_) {
    Info& info = infos_[root_of(alias)->id];
    info.label = alias->label();
    if (alias->uses > alias->id) info.outside = true;
    if (alias->held()) info.held = true;
  }
}

// Whether computing a value again costs less than storing it: few operations over elements that are
// at most twice as many bytes.
bool Builder::cheap(Node* node) {
  const auto folds = [](const Node* n) {
    return role(n->kind) == ir::Role::fold || role(n->kind) == ir::Role::call;
  };
  if (folds(node)) return false;
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
    if (folds(n)) return false;
    const bool function = n->kind == Kind::map && ir::has(n->op, ir::kExpands);
    count += function ? kFunction : 1;
    if (count > kStoreOperations) return false;
    for (std::uint32_t i = 0; i < n->operand_count; ++i) work.push_back(input(n, i));
  }
  return true;
}

// An interior value that pending operations outside consume, and that is dear, is stored as well.
// Those of its operands are decided.
void Builder::choose_store(Node* node, Info& info) {
  if (info.output || node->anywhere || has_several(node->kind)) return;
  if ((node->hints & kMaterialize) == 0 && cheap(node)) return;
  store(node, info, 0);
}

void Builder::store(Node* node, Info& info, Place guess) {
  if (node->repaired_here()) return;
  info.output = true;
  out_->outputs.push_back(node);
  out_->guesses.push_back(guess);
}

// Other results of what is computed here are as good as there: whoever still asks for one would
// have it computed again.
void Builder::add_results() {
  for (std::size_t i = 0, end = order_.size(); i < end; ++i) {
    Node* const whole = order_[i];
    if (!has_several(whole->kind)) continue;
    for (Node* const item : trace().results(whole)) {
      if (item->epoch == whole->epoch || item->in_flight) continue;
      out_->beside.reserve(out_->beside.size() + 1);
      if (Trace::retain_pending(item) == nullptr) continue;
      out_->beside.push_back(item);  // there is room
      item->epoch = whole->epoch;
      leave(item, 0);
      ++infos_[whole->id].edges;
      store(item, infos_.back(), 0);
    }
  }
}

// An input may be overwritten if nothing refers to it but operations that this evaluation ends.
void Builder::mark_donations() {
  if (!may_donate_) return;
  for (std::size_t i = order_.size(); i-- > 0;) {
    Node* const node = order_[i];
    Info& info = infos_[i];
    const bool dies = info.dying > 0 && info.dying == info.edges && node->only_used_by(info.edges);
    if (node->ready()) {
      const Value& value = *node->value.load(std::memory_order_acquire);
      if (!dies || !value.strides.empty()) continue;
      // The value and this snapshot are all that know the storage.
      const bool last =
          (value.storage.use_count() == 2 || mutant(ir::Mutant::held_value)) && value.offset == 0 &&
          value.storage->bytes() == node->shape->size * ir::size_of(to_ir(node->dtype)) &&
          value.storage->unique();
      out_->graph.inputs[out_->graph.nodes[info.id].attr].donatable = last;
      continue;
    }
    if (!info.output && !dies) continue;
    for (std::uint32_t k = 0; k < node->operand_count; ++k) {
      Node* const x = input(node, k);
      if (x == node->operands()[k]) ++infos_[x->id].dying;  // aliases have handles of their own
    }
  }
}

// Variables become symbols, numbered in the order of their first use.
void Builder::resolve_symbols() {
  ir::Graph& g = out_->graph;
  symbols_.number(&g.syms, &out_->bindings.syms);
  g.dims.resize(axes_.size());
  for (std::size_t i = 0; i < axes_.size(); ++i) g.dims[i] = symbols_.sym(axes_[i]);
  const auto resolve = [&](ir::Sym& sym) { sym = symbols_.sym(sym); };
  for (ir::Attribute& attribute : g.attributes) ir::each_sym(attribute, resolve);
  for (ir::Input& input : g.inputs) std::ranges::for_each(input.strides, resolve);
}

std::vector<Node*> Builder::operations(std::span<Node* const> roots) {
  order_.clear();
  aliases_.clear();
  infos_.clear();
  std::vector<Node*> result;
  if (!walk(roots)) return result;
  result.reserve(order_.size());
  for (Node* const node : order_) {
    // The snapshot that was given up had marked it.
    if (!node->ready()) node->computed = {};
    if (!computed_alone(*node)) continue;
    Trace::retain(node);
    result.push_back(node);
  }
  return result;
}

bool Builder::run(std::span<Node* const> roots, Learning learning, Snapshot* result) {
  out_ = result;
  learning_ = learning;
  stack_.clear();
  order_.clear();
  aliases_.clear();
  infos_.clear();
  axes_.clear();
  lists_.clear();
  counts_.clear();
  literals_.clear();
  view_numbers_.clear();
  views_.clear();
  scalar_nodes_.clear();
  wide_.clear();
  symbols_.clear();
  may_donate_ = false;
  ir::Graph& g = result->graph;
  g.nodes.clear(), g.operand_ids.clear(), g.dims.clear(), g.inputs.clear(), g.scalars.clear();
  g.outputs.clear(), g.regions.clear(), g.hints.clear(), g.lines.clear(), g.labels.clear();
  g.values.clear();
  g.syms.resize(2);
  if (g.attributes.empty()) g.attributes.emplace_back();
  attributes_ = 1;
  g.wide = false;
  result->bindings.scalars.clear();
  result->inputs.clear();
  result->lines.clear();
  result->labels.clear();
  result->recomputed.clear();
  result->repaired.clear();
  result->math = Math::exact;
  result->products = false;
  result->outputs.assign(roots.begin(), roots.end());
  result->guesses.assign(roots.size(), 0);
  if (!walk(roots)) return false;
  for (Node* const root : roots) infos_[root->id].output = true;
  add_results();
  emit();
  g.attributes.resize(attributes_);
  resolve_symbols();
  mark_donations();
  for (Node* const node : result->outputs) {
    if (std::ranges::find(result->beside, node) == result->beside.end()) Trace::retain(node);
  }
  result->beside.clear();
  return true;
}

namespace {
Builder& builder() { return ir::per_thread<Builder>(); }
}  // namespace

bool take_snapshot(std::span<Node* const> roots, Learning learning, Snapshot* result) {
  return builder().run(roots, learning, result);
}

std::vector<Node*> operations_below(std::span<Node* const> roots) {
  return builder().operations(roots);
}

void name_results(std::span<const Array> asked, Snapshot* snapshot) {
  for (const Array& x : asked) {
    const Node* const node = Access::node(x);
    if (node->kind != Kind::alias || node->ready()) continue;
    const auto at = std::ranges::find(snapshot->outputs, root_of(Access::node(x)));
    if (at == snapshot->outputs.end()) continue;
    const auto i = static_cast<std::size_t>(at - snapshot->outputs.begin());
    snapshot->labels[snapshot->graph.outputs[i]] = node->label();
  }
}

}  // namespace kiln::inline v0::frontend
