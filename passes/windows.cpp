#include "passes/windows.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "ir/error.h"
#include "ir/mutant.h"
#include "passes/overwritten.h"

namespace kiln::passes {

using ir::Node;
using ir::NodeId;
using ir::NodeKind;
using ir::Sym;

namespace {

// A longer chain of updates is assembled: one kernel would ask each element about every window.
constexpr std::size_t kMostFused = 8;
// Nodes looked at to price a value.
constexpr std::size_t kMaxCone = 128;

class Placer {
 public:
  Placer(const ir::Graph& graph, const ir::Caps& caps, const FuseOptions& options, bool over_inputs)
      : graph_(graph),
        caps_(caps),
        options_(options),
        over_inputs_(over_inputs),
        users_(graph),
        output_(outputs_of(graph)),
        together_(graph.nodes.size(), false),
        assembled_(graph.nodes.size(), false) {
    for (const ir::Hint& hint : graph.hints) {
      if (hint.kind == ir::HintKind::must_fuse) together_[hint.node] = true;
    }
  }

  ir::Graph run() {
    choose();
    if (std::ranges::find(assembled_, true) == assembled_.end()) return graph_;
    number_puts();
    find_readers();
    sort();
    rebuild();
    return std::move(out_);
  }

 private:
  // Nodes, and after them puts.
  using Item = std::uint32_t;
  struct Put {
    NodeId whole = 0;
    std::uint32_t operand = 0;
    std::vector<Item> readers;  // of the base, which run before
  };
  struct Cone {
    double operations = 0;
    bool reads_base = false;
  };

  void choose();
  void choose_chain(NodeId head);
  bool unit_steps(NodeId update) const;
  bool worth_windows(const std::vector<NodeId>& chain, NodeId base);
  double share(NodeId whole, NodeId piece) const;
  bool overwritable(NodeId base) const;
  Cone cone(NodeId value, NodeId base) const;
  void number_puts();
  void find_readers();
  void sort();
  void open(Item item);
  void give_up_readers(Item below);
  Item child(Item item, std::size_t i) const;
  std::size_t children(Item item) const;
  void rebuild();
  void emit(NodeId n);
  void emit_put(const Put& put);
  NodeId copy_of(NodeId base);
  void carry(NodeId from);

  const ir::Graph& graph_;
  const ir::Caps& caps_;
  const FuseOptions& options_;
  const bool over_inputs_;
  const Users users_;
  const std::vector<bool> output_;
  std::vector<bool> together_;            // must_fuse
  std::vector<bool> assembled_;           // by node
  std::vector<std::uint32_t> first_put_;  // by node: of an assembled one
  std::vector<Put> puts_;
  std::vector<bool> copied_;                      // by node: the base of the update is a copy
  static constexpr std::size_t kFirstReader = 2;  // among what a put waits for
  enum class State : std::uint8_t { fresh, open, done };
  std::vector<State> state_;
  std::vector<std::pair<Item, std::size_t>> stack_;
  std::vector<Item> order_;
  ir::Graph out_;
  std::vector<NodeId> map_;                    // items in it
  std::unordered_map<NodeId, NodeId> copies_;  // of the bases of updates
};

bool Placer::unit_steps(NodeId update) const {
  return std::ranges::all_of(graph_.attribute<ir::Slices>(update).step,
                             [](Sym s) { return s == ir::kOne; });
}

void Placer::choose() {
  for (NodeId n = 0; n < graph_.nodes.size(); ++n) {
    const Node& node = graph_.nodes[n];
    if (node.kind == NodeKind::concat) {
      const bool told = std::holds_alternative<ir::Pads>(graph_.attributes[node.attr]);
      assembled_[n] = told && !together_[n];
    } else if (node.kind == NodeKind::update) {
      const bool base_of_another = std::ranges::any_of(users_.of(n), [&](NodeId user) {
        return graph_.nodes[user].kind == NodeKind::update && graph_.operand(user, 0) == n;
      });
      if (!base_of_another) choose_chain(n);
    }
  }
}

void Placer::choose_chain(NodeId head) {
  std::vector<NodeId> chain;
  NodeId n = head;
  bool windows = !options_.fusion;
  for (; graph_.nodes[n].kind == NodeKind::update && !assembled_[n]; n = graph_.operand(n, 0)) {
    chain.push_back(n);
    windows = windows || !unit_steps(n);
  }
  windows =
      windows || chain.size() > kMostFused || decide(worth_windows(chain, n), options_, head, n);
  for (const NodeId update : chain) {
    assembled_[update] = windows && (!together_[update] || !unit_steps(update));
  }
}

bool Placer::overwritable(NodeId base) const {
  const Node& node = graph_.nodes[base];
  if (output_[base]) return false;
  if (node.kind != NodeKind::buffer) return node.operand_count != 0;  // leaves are in no memory
  const ir::Input& input = graph_.inputs[node.attr];
  return over_inputs_ && input.donatable && input.dense && input.aligned;  // as results are
}

// Operations to compute an element of a value, and whether that reads the base.
Placer::Cone Placer::cone(NodeId value, NodeId base) const {
  Cone result;
  std::unordered_set<NodeId> seen{value};
  std::vector<NodeId> stack{value};
  while (!stack.empty() && seen.size() < kMaxCone) {
    const NodeId n = stack.back();
    stack.pop_back();
    if (n == base) result.reads_base = true;
    result.operations += op_cost(graph_.nodes[n]);
    if (n == base || folds(graph_.nodes[n]) || is_by_call(graph_.nodes[n])) continue;
    for (const NodeId operand : graph_.operands(n)) {
      if (seen.insert(operand).second) stack.push_back(operand);
    }
  }
  return result;
}

// The largest part of a whole that a piece may be: 1 where their classes touch, as those of a grid
// and its inside do.
double Placer::share(NodeId whole, NodeId piece) const {
  double part = 1;
  const auto from = graph_.shape(piece), to = graph_.shape(whole);
  for (std::size_t i = 0; i < from.size(); ++i) {
    const auto least = static_cast<double>(std::max<std::int64_t>(graph_.sym(to[i]).lo, 1));
    part *=
        from[i] == to[i] ? 1 : std::min(1.0, static_cast<double>(graph_.sym(from[i]).hi) / least);
  }
  return part;
}

// Windows, each a kernel, against one kernel that runs over the whole and computes every value
// everywhere; if the last of the chain is no output, that is part of what uses it.
bool Placer::worth_windows(const std::vector<NodeId>& chain, NodeId base) {
  if (chain.empty()) return false;
  const NodeId head = chain[0];
  const double whole = middle_bytes(graph_, head);
  const double points = middle_size(graph_, graph_.shape(head));
  const double read = graph_.nodes[base].kind == NodeKind::buffer ? whole : 0;
  double bytes = read, operations = 0, windows = 0;
  for (const NodeId update : chain) {
    const NodeId value = graph_.operand(update, 1);
    const Cone made = cone(value, base);
    const double part = share(update, value);
    const double piece = part * whole, size = part * points;
    bytes += piece;
    operations += points * made.operations;
    windows += caps_.seconds((made.reads_base ? 4 : 2) * piece, size * made.operations) +
               (made.reads_base ? 2 : 1) * caps_.launch_seconds;
  }
  if (!overwritable(base) || read == 0) {
    windows += caps_.seconds(read + whole, 0) + caps_.launch_seconds;
  }
  const double fused = output_[head]
                           ? caps_.seconds(bytes + whole, operations) + caps_.launch_seconds
                           : caps_.seconds(bytes, operations);
  if (!output_[head]) windows += caps_.seconds(whole, 0);
  return windows < fused;
}

void Placer::number_puts() {
  first_put_.assign(graph_.nodes.size(), 0);
  for (NodeId n = 0; n < graph_.nodes.size(); ++n) {
    if (!assembled_[n]) continue;
    first_put_[n] = static_cast<std::uint32_t>(puts_.size());
    const bool update = graph_.nodes[n].kind == NodeKind::update;
    for (std::uint32_t i = update ? 1 : 0; i < graph_.nodes[n].operand_count; ++i) {
      puts_.push_back({n, i, {}});
    }
  }
}

void Placer::find_readers() {
  copied_.assign(graph_.nodes.size(), false);
  Readers readers(graph_, users_, output_);
  const auto nodes = static_cast<Item>(graph_.nodes.size());
  for (Put& put : puts_) {
    if (graph_.nodes[put.whole].kind != NodeKind::update) continue;
    const NodeId base = graph_.operand(put.whole, 0);
    const auto note = [&](NodeId n, std::optional<std::uint32_t> operand) {
      const bool update = graph_.nodes[n].kind == NodeKind::update;
      put.readers.push_back(operand ? nodes + first_put_[n] + *operand - (update ? 1 : 0) : n);
    };
    const bool can = overwritable(base) && base != graph_.operand(put.whole, 1) &&
                     readers.find(put.whole, [&](NodeId n) { return assembled_[n]; }, note);
    copied_[put.whole] = !can && !mutant(ir::Mutant::update_copy);
    if (copied_[put.whole]) put.readers.clear();
  }
}

std::size_t Placer::children(Item item) const {
  if (item < graph_.nodes.size()) return graph_.nodes[item].operand_count;
  const Put& put = puts_[item - graph_.nodes.size()];
  return graph_.nodes[put.whole].kind == NodeKind::update ? 2 + put.readers.size() : 1;
}

// What runs before it: operands; of a put the value, the base and the base's readers.
Placer::Item Placer::child(Item item, std::size_t i) const {
  const auto nodes = static_cast<Item>(graph_.nodes.size());
  if (item >= nodes) {
    const Put& put = puts_[item - nodes];
    if (i >= kFirstReader) return put.readers[i - kFirstReader];
    return graph_.operand(put.whole, i == 0 ? static_cast<int>(put.operand) : 0);
  }
  const bool update = graph_.nodes[item].kind == NodeKind::update;
  if (!assembled_[item] || (update && i == 0)) return graph_.operand(item, static_cast<int>(i));
  return nodes + first_put_[item] + static_cast<Item>(i) - (update ? 1 : 0);
}

// An order in which readers come before puts. Where they cannot, since some need the result, the
// base is copied.
void Placer::sort() {
  state_.assign(graph_.nodes.size() + puts_.size(), State::fresh);
  for (const NodeId output : graph_.outputs) {
    if (state_[output] == State::fresh) open(output);
    while (!stack_.empty()) {
      auto& [item, next] = stack_.back();
      if (next >= children(item)) {
        state_[item] = State::done;
        order_.push_back(item);
        stack_.pop_back();
        continue;
      }
      const Item below = child(item, next++);
      if (state_[below] == State::open) {
        give_up_readers(below);
      } else if (state_[below] == State::fresh) {
        open(below);
      }
    }
  }
}

void Placer::open(Item item) {
  state_[item] = State::open;
  stack_.emplace_back(item, 0);
}

// What is on top of the stack needs an item further down: the latest put on the way that waits for
// a reader does not, and what was begun for that is begun anew.
void Placer::give_up_readers(Item below) {
  const std::size_t nodes = graph_.nodes.size();
  std::size_t at = stack_.size() - 1;
  const auto waits = [&] {
    const auto& [item, next] = stack_[at];
    return item >= nodes && next > kFirstReader;
  };
  while (!waits()) {
    ir::internal_check(at > 0 && stack_[at].first != below, "windows: a node needs itself");
    --at;
  }
  Put& put = puts_[stack_[at].first - nodes];
  copied_[put.whole] = true;
  put.readers.clear();
  for (; stack_.size() > at + 1; stack_.pop_back()) state_[stack_.back().first] = State::fresh;
}

void Placer::carry(NodeId from) {
  const auto one = [&](const auto& source, auto& to) {
    if (source.empty()) return;
    to.resize(out_.nodes.size());
    to.back() = source[from];
  };
  one(graph_.lines, out_.lines);
  one(graph_.labels, out_.labels);
  out_.origins.push_back(graph_.origins.empty() ? from : graph_.origins[from]);
}

NodeId Placer::copy_of(NodeId base) {
  const std::size_t rank = graph_.nodes[base].rank;
  Node node;
  node.kind = NodeKind::slice;
  node.dtype = graph_.nodes[base].dtype;
  const NodeId copy =
      out_.add(node, graph_.shape(base), {&map_[base], 1},
               ir::Slices{std::vector<Sym>(rank, ir::kZero), std::vector<Sym>(rank, ir::kOne)});
  carry(base);
  return copy;
}

void Placer::emit_put(const Put& put) {
  const NodeId whole = put.whole;
  if (copied_[whole]) copies_[whole] = copy_of(graph_.operand(whole, 0));
  const NodeId value = graph_.operand(whole, static_cast<int>(put.operand));
  ir::Slices window;
  if (graph_.nodes[whole].kind == NodeKind::update) {
    window = graph_.attribute<ir::Slices>(whole);
  } else {
    const std::size_t rank = graph_.nodes[whole].rank;
    window = {std::vector<Sym>(rank, ir::kZero), std::vector<Sym>(rank, ir::kOne)};
    window.begin[graph_.nodes[whole].imm] = graph_.attribute<ir::Pads>(whole).low[put.operand];
  }
  Node node;
  node.kind = NodeKind::put;
  node.dtype = graph_.nodes[value].dtype;
  out_.add(node, graph_.shape(value), {&map_[value], 1}, std::move(window));
  carry(whole);
  if (!out_.labels.empty()) out_.labels.back().clear();
}

void Placer::emit(NodeId n) {
  const Node& node = graph_.nodes[n];
  std::vector<NodeId> operands;
  for (std::size_t i = 0; i < node.operand_count; ++i) operands.push_back(map_[child(n, i)]);
  if (assembled_[n] && copied_[n]) operands[0] = copies_.at(n);
  const bool buffer = node.kind == NodeKind::buffer;
  const NodeId id = out_.add(node, graph_.shape(n), operands,
                             buffer ? ir::Attribute{} : graph_.attributes[node.attr]);
  out_.nodes[id].attr = buffer ? node.attr
                        : std::holds_alternative<ir::None>(graph_.attributes[node.attr])
                            ? 0
                            : out_.nodes[id].attr;
  carry(n);
}

void Placer::rebuild() {
  out_.syms = graph_.syms;
  out_.values = graph_.values;
  out_.inputs = graph_.inputs;
  out_.scalars = graph_.scalars;
  out_.regions = graph_.regions;
  out_.wide = graph_.wide;
  const std::size_t nodes = graph_.nodes.size();
  map_.assign(nodes + puts_.size(), 0);
  for (const Item item : order_) {
    if (item < nodes) {
      emit(item);
    } else {
      emit_put(puts_[item - nodes]);
    }
    map_[item] = static_cast<NodeId>(out_.nodes.size() - 1);
  }
  for (const NodeId output : graph_.outputs) out_.outputs.push_back(map_[output]);
  for (const ir::Hint& hint : graph_.hints) out_.hints.push_back({map_[hint.node], hint.kind});
  std::ranges::sort(out_.hints);
}

}  // namespace

ir::Graph place_windows(const ir::Graph& graph, const ir::Caps& caps, const FuseOptions& options,
                        bool over_inputs) {
  const bool none = std::ranges::none_of(graph.nodes, [&](const Node& n) {
    return n.kind == NodeKind::update ||
           (n.kind == NodeKind::concat &&
            std::holds_alternative<ir::Pads>(graph.attributes[n.attr]));
  });
  return none ? graph : Placer(graph, caps, options, over_inputs).run();
}

}  // namespace kiln::passes
