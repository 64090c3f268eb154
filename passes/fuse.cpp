#include "passes/fuse.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "ir/hash.h"
#include "ir/mutant.h"
#include "passes/access.h"
#include "passes/alongside.h"
#include "passes/apart.h"
#include "passes/calls.h"
#include "passes/dear.h"
#include "passes/groups.h"
#include "passes/hints.h"
#include "passes/parameters.h"
#include "passes/windows.h"

namespace kiln::passes {

using ir::Node;
using ir::NodeId;
using ir::NodeKind;
using ir::Sym;

namespace {

std::optional<Coordinates> plain(const ir::Graph& graph, const Access& access) {
  return passes::plain(graph.shape(access.leaf), {access.index, access.guards});
}

// Each coordinate c replaced by layout[c].
Coordinates replaced(Coordinates coordinates, const Coordinates& layout) {
  for (std::uint32_t& c : coordinates) {
    if (c != kUnit) c = layout[c];
  }
  return coordinates;
}

class Joiner {
 public:
  Joiner(const ir::Graph& graph, const ir::Caps& caps, const FuseOptions& options, Partition& out)
      : graph_(graph),
        caps_(caps),
        options_(options),
        out_(out),
        parameters_(graph, caps),
        groups_(graph.nodes.size()) {}

  void run() {
    is_root_.assign(graph_.nodes.size(), false);
    home_.assign(graph_.nodes.size(), kNone);
    mark_roots();
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (is_root_[i]) place(static_cast<NodeId>(i));
    }
    bring_together(graph_, caps_, options_, parameters_, out_, groups_);
    finish();
  }

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};

  // A root's demand: the space it would span alone, and what it reads there.
  struct Demand {
    std::vector<Sym> outer, inner;
    std::vector<Access> accesses;
    std::size_t operations = 0;
  };

  void mark_roots();
  Demand demand(NodeId n) const;
  void place(NodeId n);
  std::size_t join_reduction(NodeId n, const Demand& d);
  std::size_t join_pointwise(NodeId n, const Demand& d);
  bool in_step(ir::NodeId n, const Access& access, const Group& group,
               const Coordinates* axis_of) const;
  bool puts_it(NodeId n, NodeId leaf) const;
  bool may_put(NodeId n, std::size_t group) const;
  void assemble(NodeId n);
  void wait_for_readers(NodeId put, std::size_t group);
  std::optional<Coordinates> layout_in(NodeId n, const Access& access, const Group& group) const;
  void absorb_pointwise(NodeId n, const Demand& d);
  void link(std::size_t group, NodeId n, const Demand& d);
  bool fit(std::size_t a, std::size_t b) const;  // the parameters and lengths of both together
  void finish();

  const ir::Graph& graph_;
  const ir::Caps& caps_;
  const FuseOptions& options_;
  Partition& out_;
  const Parameters parameters_;
  std::vector<bool> is_root_;
  std::vector<std::size_t> home_;                          // by root: its group
  std::unordered_map<NodeId, std::vector<NodeId>> reads_;  // by root: leaves
  Groups groups_;
  std::set<NodeId> wanted_;                         // roots that some group reads from memory
  std::unordered_map<NodeId, std::size_t> copies_;  // of inputs: the groups that make them
  std::unordered_map<NodeId, std::vector<std::size_t>> readers_;  // of what puts overwrite
  std::vector<std::size_t> waits_;  // groups that run before the put that is placed
};

void Joiner::mark_roots() {
  std::vector<bool> live(graph_.nodes.size(), false);
  for (const NodeId output : graph_.outputs) live[output] = true;
  for (std::size_t i = graph_.nodes.size(); i-- > 0;) {
    const auto n = static_cast<NodeId>(i);
    const Node& node = graph_.nodes[n];
    if (!live[i]) continue;
    for (const NodeId operand : graph_.operands(n)) live[operand] = true;
    if (is_call(node)) {
      for (const CallOperand& read : call_operands(graph_, caps_, n))
        if (read.copied) is_root_[read.node] = true;
    }
    if (is_input(node)) continue;
    is_root_[i] =
        out_.stored[i] || folds(node) || is_by_call(node) || (!options_.fusion && is_map(node));
  }
  for (const NodeId output : graph_.outputs) is_root_[output] = true;
}

Joiner::Demand Joiner::demand(NodeId n) const {
  Demand d;
  const Node& node = graph_.nodes[n];
  const auto shape = graph_.shape(n);
  d.outer = without_units(shape);
  Root root{n, index_at(coordinates_of(shape)), true};
  if (folds(node)) {
    d.inner = reduced_extents(graph_, n);
    root = {graph_.operand(n, 0), index_at(reduce_coordinates(graph_, n)), false};
  }
  std::vector<NodeId> inside;
  d.accesses = walk(graph_, {root}, is_root_, &inside);
  d.operations = inside.size();
  std::erase_if(d.accesses, [&](const Access& a) {
    return graph_.nodes[a.leaf].operand_count == 0 && !is_input(graph_.nodes[a.leaf]);
  });
  return d;
}

// Whether n is a put of this value, or of a view of it: the one use beside which it may be cut.
bool Joiner::puts_it(NodeId n, NodeId leaf) const {
  if (!out_.is_put(n)) return false;
  NodeId made = graph_.operand(n, 0);
  while (made != leaf && !is_root_[made] && graph_.nodes[made].operand_count == 1)
    made = graph_.operand(made, 0);
  return made == leaf;
}

// Puts are joined with what is computed point by point alone, and with nothing that they wait for
// because it reads what they overwrite.
bool Joiner::may_put(NodeId n, std::size_t group) const {
  if (!out_.is_put(n)) return true;
  return groups_[group].reduces.empty() && std::ranges::none_of(waits_, [&](std::size_t other) {
           return groups_.find(other) == group;
         });
}

// Whether the group makes this value at the very point where n reads it. `axis_of`: coordinates of
// n's axes in the group (null: n runs over the group's own coordinates).
bool Joiner::in_step(NodeId n, const Access& access, const Group& group,
                     const Coordinates* axis_of) const {
  auto coords = plain(graph_, access);
  if (!coords || (out_.cut[access.leaf] && !puts_it(n, access.leaf))) return false;
  if (axis_of) coords = replaced(*coords, *axis_of);
  if (per_row(graph_.nodes[access.leaf])) {
    return *coords == coordinates_of(graph_.shape(access.leaf));
  }
  const auto made = group.outputs.find(access.leaf);
  return made != group.outputs.end() && *coords == made->second;
}

// Which coordinates of the group those of n alone are, if its reading of one of the group's values
// says so: a table indexed by n's own coordinates.
std::optional<Coordinates> Joiner::layout_in(NodeId n, const Access& access,
                                             const Group& group) const {
  const auto coords = plain(graph_, access);  // in terms of n's own coordinates
  if (!coords) return std::nullopt;
  const std::vector<Sym> space = without_units(graph_.shape(n));
  Coordinates made = coordinates_of(graph_.shape(access.leaf));
  if (!per_row(graph_.nodes[access.leaf])) {
    const auto output = group.outputs.find(access.leaf);
    if (output == group.outputs.end()) return std::nullopt;
    made = output->second;
  }
  Coordinates layout(space.size(), kUnit);
  std::size_t fixed = 0;
  for (std::size_t i = 0; i < coords->size(); ++i) {
    if ((*coords)[i] == kUnit) continue;
    layout[(*coords)[i]] = made[i];
    ++fixed;
  }
  std::vector<Sym> extents = group.outer;
  extents.insert(extents.end(), group.inner.begin(), group.inner.end());
  for (std::size_t c = 0; c < space.size(); ++c) {  // a slice from 0 on has plain indices too
    if (layout[c] != kUnit && extents[layout[c]] != space[c]) return std::nullopt;
  }
  if (fixed == space.size()) return layout;  // the same level: outer or full
  // The other coordinates must be the inner ones, in order.
  if (fixed != group.outer.size() || group.split) return std::nullopt;
  std::size_t inner = 0;
  for (std::size_t c = 0; c < space.size(); ++c) {
    if (layout[c] != kUnit) continue;
    if (inner >= group.inner.size() || group.inner[inner] != space[c]) return std::nullopt;
    layout[c] = static_cast<std::uint32_t>(group.outer.size() + inner++);
  }
  return inner == group.inner.size() ? std::optional(layout) : std::nullopt;
}

// Puts a reduction into the groups that make its operands row by row; gives its group.
std::size_t Joiner::join_reduction(NodeId n, const Demand& d) {
  const bool split =
      needs_split(graph_, caps_, d.outer, d.inner) || (!out_.apart.empty() && out_.apart[n]);
  Group own;
  own.outer = d.outer;
  own.inner = d.inner;
  own.split = split;
  own.reduces = {n};
  const std::size_t me = groups_.add(std::move(own));
  link(me, n, d);
  if (split || !options_.fusion) return me;
  for (const Access& access : d.accesses) {
    const std::size_t raw = home_[access.leaf];
    if (raw == kNone) continue;
    const std::size_t g = groups_.find(raw);
    const std::size_t mine = groups_.find(me);
    if (g == mine || groups_[g].split || groups_[g].alone() || groups_[g].puts) continue;
    if (groups_[g].outer != d.outer || groups_[g].inner != d.inner) continue;
    const bool all = std::ranges::all_of(d.accesses, [&](const Access& other) {
      return home_[other.leaf] == kNone || groups_.find(home_[other.leaf]) != g ||
             in_step(n, other, groups_[g], nullptr);
    });
    if (!all || !fit(g, mine) || !decide(true, options_, n, access.leaf)) continue;
    groups_[mine].before.erase(g);
    if (groups_.independent(g, mine)) {
      groups_.merge(g, mine);
    } else {
      groups_[mine].before.insert(g);
    }
  }
  return groups_.find(me);
}

// A pointwise group whose outputs this reduction reads, each at its own point, becomes part of it:
// y and sum(y) in one kernel.
void Joiner::absorb_pointwise(NodeId n, const Demand& d) {
  const std::size_t me = groups_.find(home_[n]);
  if (groups_[me].split || !options_.fusion) return;
  for (const Access& access : d.accesses) {
    const std::size_t raw = home_[access.leaf];
    if (raw == kNone) continue;
    const std::size_t g = groups_.find(raw);
    const std::size_t mine = groups_.find(me);
    const auto coords = plain(graph_, access);
    if (g == mine || !groups_[g].reduces.empty() || groups_[g].alone() || !coords) continue;
    if (groups_[g].puts) continue;
    if (groups_[g].outer.size() != d.outer.size() + d.inner.size()) continue;
    Coordinates layout(groups_[g].outer.size(), kUnit);  // the group's coordinates in this space
    const Coordinates& made = groups_[g].outputs.at(access.leaf);
    for (std::size_t i = 0; i < made.size(); ++i) {
      if (made[i] != kUnit) layout[made[i]] = (*coords)[i];
    }
    std::vector<Sym> extents = d.outer;
    extents.insert(extents.end(), d.inner.begin(), d.inner.end());
    const auto& theirs = groups_[g].outer;
    const bool same = std::ranges::equal(
        layout, theirs, {}, [&](std::uint32_t c) { return c == kUnit ? ir::kOne : extents[c]; });
    if (!same) continue;
    const auto reads_group = [&](const Access& a) {
      return home_[a.leaf] != kNone && groups_.find(home_[a.leaf]) == g;
    };
    const bool all = std::ranges::all_of(d.accesses, [&](const Access& other) {
      if (reads_group(other) && out_.cut[other.leaf]) return false;
      const auto read = plain(graph_, other);
      return !reads_group(other) ||
             (read && replaced(groups_[g].outputs.at(other.leaf), layout) == *read);
    });
    if (!all || !fit(g, mine) || !decide(true, options_, n, access.leaf)) continue;
    groups_[mine].before.erase(g);
    if (!groups_.independent(g, mine)) {
      groups_[mine].before.insert(g);
      continue;
    }
    for (auto& [node, coordinates] : groups_[g].outputs)
      coordinates = replaced(coordinates, layout);
    groups_.merge(mine, g);
  }
}

std::size_t Joiner::join_pointwise(NodeId n, const Demand& d) {
  Group own;
  own.outer = d.outer;
  own.outputs[n] = coordinates_of(graph_.shape(n));
  own.puts = out_.is_put(n);
  const std::size_t me = groups_.add(std::move(own));
  link(me, n, d);
  wait_for_readers(n, me);
  if (!options_.fusion) return me;
  std::optional<Coordinates> layout;  // once n has joined a group
  for (const Access& access : d.accesses) {
    const std::size_t raw = home_[access.leaf];
    if (raw == kNone) continue;
    const std::size_t g = groups_.find(raw);
    const std::size_t mine = groups_.find(me);
    if (g == mine || groups_[g].alone() || !may_put(n, g)) continue;
    const auto wanted = layout ? layout : layout_in(n, access, groups_[g]);
    if (!wanted) continue;
    if (layout && (groups_[g].outer != groups_[mine].outer ||
                   groups_[g].inner != groups_[mine].inner || groups_[g].split)) {
      continue;
    }
    const bool all = std::ranges::all_of(d.accesses, [&](const Access& other) {
      return home_[other.leaf] == kNone || groups_.find(home_[other.leaf]) != g ||
             in_step(n, other, groups_[g], &*wanted);
    });
    groups_[mine].before.erase(g);
    if (!all || !fit(g, mine) || !decide(true, options_, n, access.leaf) ||
        !groups_.independent(g, mine)) {
      groups_[mine].before.insert(g);
      continue;
    }
    layout = wanted;
    groups_[mine].outputs[n] = replaced(coordinates_of(graph_.shape(n)), *layout);
    groups_.merge(g, mine);
  }
  return groups_.find(me);
}

// Everything n reads from other groups is, to begin with, read from memory.
void Joiner::link(std::size_t group, NodeId n, const Demand& d) {
  if (!is_input(graph_.nodes[n])) home_[n] = group;
  groups_[group].operations += d.operations;
  if (!out_.lengths.empty()) groups_[group].length += out_.lengths[n];
  if (parameters_.limited()) merge(groups_[group].parameters, parameters_.of_root(n, is_root_));
  groups_.add_root(group, n);
  for (const Access& access : d.accesses) {
    if (out_.is_overwritten(access.leaf) && !groups_[group].assembled)
      readers_[access.leaf].push_back(group);
    if (is_input(graph_.nodes[access.leaf])) groups_[group].leaves.insert(access.leaf);
    if (home_[access.leaf] == kNone) continue;
    groups_[group].leaves.insert(access.leaf);
    const std::size_t g = groups_.find(home_[access.leaf]);
    if (g != group) groups_[group].before.insert(g);
  }
}

// What a put overwrites is there before, and was read by all that want it.
void Joiner::wait_for_readers(NodeId put, std::size_t group) {
  waits_.clear();
  if (!out_.is_put(put) || graph_.nodes[out_.whole[put]].kind != NodeKind::update) return;
  const NodeId base = graph_.operand(out_.whole[put], 0);
  if (home_[base] != kNone) waits_.push_back(home_[base]);
  const std::vector<std::size_t>& readers = readers_[base];
  if (!mutant(ir::Mutant::put_waits)) waits_.insert(waits_.end(), readers.begin(), readers.end());
  for (const std::size_t before : waits_) groups_[group].before.insert(groups_.find(before));
}

// Whole once its pieces and its base are there; nothing computes it.
void Joiner::assemble(NodeId n) {
  Group own;
  own.assembled = true;
  own.outputs[n] = {};
  const std::size_t me = groups_.add(std::move(own));
  Demand d;
  for (const NodeId operand : graph_.operands(n)) d.accesses.push_back({operand, {}, {}, false});
  link(me, n, d);
  wanted_.insert(n);
  for (const NodeId operand : graph_.operands(n)) reads_[n].push_back(operand);
}

void Joiner::place(NodeId n) {
  const Node& node = graph_.nodes[n];
  if (is_assembled(graph_, n)) return assemble(n);
  if (is_call(node)) {
    Group own;
    own.call = true;
    if (node.results == 1) own.outputs[n] = {};
    const std::size_t me = groups_.add(std::move(own));
    Demand d;
    for (const CallOperand& read : call_operands(graph_, caps_, n)) {
      d.accesses.push_back({read.node, {}, {}, false});
      if (read.copied) groups_[me].before.insert(copies_.at(read.node));
    }
    link(me, n, d);
    return;
  }
  if (is_result(node)) {
    const std::size_t maker = groups_.find(home_[graph_.operand(n, 0)]);
    groups_[maker].outputs[n] = {};
    home_[n] = maker;
    return;
  }
  const Demand d = demand(n);
  for (const Access& access : d.accesses) reads_[n].push_back(access.leaf);
  if (folds(node)) {
    join_reduction(n, d);
    absorb_pointwise(n, d);
  } else {
    const std::size_t group = join_pointwise(n, d);
    if (is_input(node)) copies_[n] = group;
  }
}

bool Joiner::fit(std::size_t a, std::size_t b) const {
  if (groups_[a].length + groups_[b].length > out_.budget) return false;
  return parameters_.fit(groups_[a].parameters, groups_[b].parameters);
}

void Joiner::finish() {
  for (const NodeId output : graph_.outputs) wanted_.insert(output);
  for (NodeId n = 0; n < graph_.nodes.size(); ++n) {
    if (home_[n] == kNone) continue;
    for (const NodeId leaf : reads_[n]) {
      if (home_[leaf] == kNone || groups_.find(home_[leaf]) == groups_.find(home_[n])) continue;
      wanted_.insert(leaf);
    }
    if (is_call(graph_.nodes[n])) {
      if (graph_.nodes[n].results == 1) wanted_.insert(n);
      for (const NodeId leaf : groups_[groups_.find(home_[n])].leaves) {
        if (home_[leaf] != kNone || copies_.contains(leaf)) wanted_.insert(leaf);
      }
    }
  }
  for (const std::size_t g : groups_.order()) {
    const Group& group = groups_[g];
    Cluster cluster;
    cluster.outer = group.outer;
    cluster.inner = group.inner;
    cluster.call = group.call;
    cluster.assembled = group.assembled;
    for (const auto& [node, layout] : group.outputs) {
      if (wanted_.contains(node)) cluster.outputs.push_back({node, layout});
    }
    for (const NodeId r : group.reduces) {
      if (wanted_.contains(r)) cluster.outputs.push_back({r, coordinates_of(graph_.shape(r))});
    }
    order_reduces(graph_, group, is_root_, cluster);
    out_.clusters.push_back(std::move(cluster));
  }
  out_.stored = stored_by(graph_, out_.clusters);
}

// Stores values so that no kernel has too many parameters, or instructions.
void bound_kernels(const ir::Graph& graph, const ir::Caps& caps, const FuseOptions& options,
                   Partition& partition) {
  const Parameters parameters(graph, caps);
  parameters.cut(partition);
  partition.budget = options.budget;
  if (!options.fusion) return;
  partition.longest = kMaxInstructions;
  std::size_t before = partition.boundaries.size();
  cut_long_kernels(graph, partition);
  if (!parameters.limited() || partition.boundaries.size() == before) return;
  before = partition.boundaries.size();  // what is stored now is a parameter too
  parameters.cut(partition);
  if (partition.boundaries.size() > before) cut_long_kernels(graph, partition);
}

}  // namespace

Choose forced(std::uint64_t seed) {
  return [seed](bool, NodeId a, NodeId b) { return (ir::mix(ir::mix(seed, a), b) >> 7 & 1) != 0; };
}

Partition fuse(const ir::Graph& graph, const ir::Caps& caps, const FuseOptions& options) {
  Partition partition;
  partition.stored.assign(graph.nodes.size(), false);
  partition.cut.assign(graph.nodes.size(), false);
  for (const NodeId output : graph.outputs) partition.stored[output] = true;
  store_calls(graph, caps, &partition.stored);
  apply_hints(graph, partition);
  store_windows(graph, partition);
  store_dear_values(graph, caps, options, partition);
  bound_kernels(graph, caps, options, partition);
  const Partition decided = partition;
  Joiner(graph, caps, options, partition).run();
  if (!options.fusion || !set_apart(graph, caps, options, partition)) return partition;
  Partition again = decided;
  again.apart = std::move(partition.apart);
  again.boundaries = std::move(partition.boundaries);
  Joiner(graph, caps, options, again).run();
  return again;
}

}  // namespace kiln::passes
