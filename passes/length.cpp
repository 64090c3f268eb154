#include "passes/length.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <unordered_set>
#include <utility>

#include "ir/function.h"
#include "ir/hash.h"
#include "passes/ways.h"

namespace kiln::passes {

using ir::NodeId;
using ir::NodeKind;

namespace {

// A call, with what it takes to pass vectors in registers.
constexpr std::int64_t kCall = 4;

std::int64_t text_of(ir::Op op, ir::DType type) {
  const ir::Function* f = ir::expansion(op, ir::is_half(type) ? ir::DType::float32 : type);
  return f == nullptr ? 0 : static_cast<std::int64_t>(f->insts.size());
}

}  // namespace

std::int64_t instructions(const ir::Kernel& kernel) {
  std::int64_t count = 0;
  std::set<std::pair<ir::Op, ir::DType>> functions;
  for (const ir::Inst& inst : kernel.insts) {
    const bool call = inst.code == ir::Code::op && ir::has(inst.op, ir::kExpands);
    count += call ? kCall : 1;
    if (call && functions.insert({inst.op, inst.dtype}).second)
      count += text_of(inst.op, inst.dtype);
  }
  return count;
}

std::int64_t own_length(const ir::Graph& graph, NodeId n) {
  const ir::Node& node = graph.nodes[n];
  switch (node.kind) {
    case NodeKind::map:
      return ir::has(node.op, ir::kExpands) ? kCall : 1;
    case NodeKind::slice:
    case NodeKind::put: {
      std::int64_t count = 0;
      const auto& slices = graph.attribute<ir::Slices>(n);
      for (const ir::Sym s : slices.begin) count += s != ir::kZero;
      for (const ir::Sym s : slices.step) count += s != ir::kOne;
      return count;
    }
    case NodeKind::pad:
    case NodeKind::update: {
      constexpr std::int64_t kMask = 6;  // shifted, two comparisons, and with the mask so far
      std::int64_t count = 1;
      const auto from = graph.shape(graph.operand(n, node.kind == NodeKind::pad ? 0 : 1));
      const auto to = graph.shape(n);
      for (std::size_t i = 0; i < from.size(); ++i) count += from[i] == to[i] ? 0 : kMask;
      return count;
    }
    case NodeKind::concat: {
      constexpr std::int64_t kPart = 8;  // a mask, and a select with its comparison
      return kPart * node.operand_count;
    }
    case NodeKind::reshape: {
      constexpr std::int64_t kDivision = 12;
      return kDivision * divided_axes(graph, n);
    }
    case NodeKind::buffer:
    case NodeKind::constant:
    case NodeKind::scalar:
    case NodeKind::iota:
    case NodeKind::broadcast:
    case NodeKind::permute:
    case NodeKind::reduce:
    case NodeKind::arg_reduce:
    case NodeKind::contract:
    case NodeKind::scan:
    case NodeKind::sort:
    case NodeKind::loop:
    case NodeKind::item:
      return 0;
  }
  return 0;
}

namespace {

// Of a load, or of what is not loaded.
std::int64_t leaf_length(const ir::Graph& graph, NodeId n, const Context& context) {
  const ir::Node& node = graph.nodes[n];
  if (is_number(node)) return 1;
  if (node.kind == NodeKind::iota) return 2;
  constexpr std::int64_t kGuarded = 7;  // a branch around it, with its result in a local array
  return 1 + node.rank + (context.guards.empty() ? 0 : kGuarded);
}

class Cutter {
 public:
  Cutter(const ir::Graph& graph, Partition& partition)
      : graph_(graph),
        partition_(partition),
        root_(partition.stored),
        made_of_nothing_(graph.nodes.size(), kNot) {}

  void run() {
    partition_.lengths.assign(graph_.nodes.size(), 0);
    std::vector<bool> live(graph_.nodes.size(), false);
    for (const NodeId output : graph_.outputs) live[output] = root_[output] = true;
    find_made_of_nothing();
    for (std::size_t i = graph_.nodes.size(); i-- > 0;) {
      const auto n = static_cast<NodeId>(i);
      if (!live[i]) continue;
      for (const NodeId operand : graph_.operands(n)) live[operand] = true;
      const bool reduces = folds(graph_.nodes[n]);
      const bool alone = is_by_call(graph_.nodes[n]) || is_assembled(graph_, n);
      if (alone || (!root_[i] && !reduces)) continue;
      measure(n);
    }
  }

 private:
  static constexpr std::int64_t kNot = -1;

  // Values of constants, scalars and coordinates alone, of few operations: it is no use to store
  // them.
  void find_made_of_nothing() {
    constexpr std::int64_t kMost = 32;
    for (NodeId n = 0; n < graph_.nodes.size(); ++n) {
      const ir::Node& node = graph_.nodes[n];
      if (is_input(node) || (node.operand_count > 0 && ends_expression(node))) continue;
      std::int64_t length = node.operand_count == 0 ? 1 : own_length(graph_, n);
      bool all = true;
      for (const NodeId operand : graph_.operands(n)) {
        all = all && made_of_nothing_[operand] != kNot;
        length += made_of_nothing_[operand];
      }
      if (all && length <= kMost) made_of_nothing_[n] = length;
    }
  }

  bool is_leaf(NodeId n) const { return root_[n] || ends_expression(graph_.nodes[n]); }

  void meet(NodeId n, const Way& way, Ways& ways) {
    ++partition_.work;
    while (graph_.nodes[n].kind == NodeKind::broadcast && !is_leaf(n)) {
      if (!is_number(graph_.nodes[graph_.operand(n, 0)])) break;
      n = graph_.operand(n, 0);
    }
    const std::uint64_t key = is_number(graph_.nodes[n]) ? 0 : ir::mix(way.route, way.context);
    if (!met_.insert(ir::mix(key, n)).second) return;
    if (is_leaf(n)) {
      length_ += leaf_length(graph_, n, ways.context(way));
    } else if (made_of_nothing_[n] != kNot) {
      length_ += made_of_nothing_[n];
    } else {
      pending_[n].push_back(way);
    }
  }

  // Of what is not written again for what vectors leave over, half counts here.
  std::int64_t written_once(const ir::Node& node) {
    if (!is_map(node) || !ir::has(node.op, ir::kExpands)) return 0;
    return functions_.insert({node.op, node.dtype}).second ? text_of(node.op, node.dtype) / 2 : 0;
  }

  // From the root down in the order of the graph: what is pending then, is all that passes from
  // what was not met yet to what was.
  void measure(NodeId root) {
    Ways ways(graph_);
    pending_.clear();
    met_.clear();
    functions_.clear();
    length_ = 0;
    const ir::Node& node = graph_.nodes[root];
    if (folds(node)) {
      constexpr std::int64_t kReduction = 8;
      length_ = kReduction;
      meet(graph_.operand(root, 0), ways.at(index_at(reduce_coordinates(graph_, root))), ways);
    } else if (node.operand_count > 0) {
      pending_[root] = {ways.at(index_at(coordinates_of(graph_.shape(root))))};
    }
    std::vector<NodeId> cut;  // the best so far
    std::int64_t length_there = 0;
    std::vector<Way> below;
    while (!pending_.empty()) {
      const auto [n, needed] = *pending_.begin();
      pending_.erase(pending_.begin());
      const auto operands = graph_.operands(n);
      for (const Way& way : needed) {
        length_ += own_length(graph_, n) + written_once(graph_.nodes[n]);
        ways.below(n, way, below);
        for (std::size_t i = 0; i < operands.size(); ++i) meet(operands[i], below[i], ways);
        if (length_ > partition_.budget && !cut.empty()) break;
      }
      if (length_ > partition_.budget && !cut.empty()) {
        part(root, cut);
        length_ = length_there;
        break;
      }
      const bool far = 2 * length_there >= partition_.budget;
      if (pending_.empty() || (far && pending_.size() > cut.size())) continue;
      cut.clear();
      for (const auto& [next, its_ways] : pending_) cut.push_back(next);
      length_there = length_;
    }
    partition_.lengths[root] = static_cast<std::uint32_t>(std::min(length_, kMaxInstructions));
  }

  // Stores what passes into a root's kernel there; of a view, what it is a view of.
  void part(NodeId root, const std::vector<NodeId>& cut) {
    for (NodeId n : cut) {
      while (is_view(graph_.nodes[n]) && !root_[n]) n = graph_.operand(n, 0);
      if (is_leaf(n) || made_of_nothing_[n] != kNot) continue;
      root_[n] = true;
      partition_.stored[n] = true;
      partition_.boundaries.push_back({n, root,
                                       "one kernel would have more than " +
                                           std::to_string(kMaxInstructions) + " instructions"});
    }
  }

  const ir::Graph& graph_;
  Partition& partition_;
  std::vector<bool> root_;
  std::vector<std::int64_t> made_of_nothing_;  // by node: its length, or kNot
  std::map<NodeId, std::vector<Way>, std::greater<>> pending_;
  std::unordered_set<std::uint64_t> met_;
  std::set<std::pair<ir::Op, ir::DType>> functions_;  // met
  std::int64_t length_ = 0;
};

}  // namespace

void cut_long_kernels(const ir::Graph& graph, Partition& partition) {
  Cutter(graph, partition).run();
}

}  // namespace kiln::passes
