#include "passes/dear.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <sstream>
#include <utility>

#include "passes/calls.h"
#include "passes/ways.h"

namespace kiln::passes {

using ir::NodeId;
using ir::NodeKind;
using ir::Sym;

namespace {

// Operations in a row that one kernel takes at most.
constexpr int kMaxChain = 1024;
// Nodes looked at to price a value; a dearer one is dear enough.
constexpr std::size_t kMaxCone = 256;
// Ways of indexing a value, counted; one that is needed in more ways is stored.
constexpr std::size_t kMaxWants = 256;
// Operations that computing a value in further ways may add to a kernel. Where little is at stake
// time alone would say three ways of three ways of three, in which compile time grows faster than
// they do.
constexpr double kMaxCopied = 128;
// The same where no element is computed more often for it (ways of disjoint parts), or only joined.
constexpr double kMaxParts = 512;

// A loop nest that values are needed in: the coordinates of something that is made there. Nests
// over the same extents in the same order will mostly become one kernel, and are one frame.
struct Frame {
  std::vector<Sym> extents;
  double bytes = 0;       // that it moves anyway
  double operations = 0;  // of what is computed in it, as far as that is decided
};

// A way in which a value is needed, and the frame in which it is.
struct Want {
  std::size_t frame = 0;
  Way way;
  bool operator==(const Want&) const = default;
};

class Pricing {
 public:
  Pricing(const ir::Graph& graph, const ir::Caps& caps, const FuseOptions& options,
          Partition& partition)
      : graph_(graph),
        caps_(caps),
        options_(options),
        partition_(partition),
        ways_(graph),
        wants_(graph.nodes.size()),
        seen_(graph.nodes.size(), 0),
        priced_(graph.nodes.size(), false),
        begun_(graph.nodes.size(), false),
        consumer_(graph.nodes.size()) {
    std::iota(consumer_.begin(), consumer_.end(), NodeId{0});
  }

  void run() {
    for (const NodeId output : graph_.outputs) begin_at(output);
    for (std::size_t i = graph_.nodes.size(); i-- > 0;) {
      const auto n = static_cast<NodeId>(i);
      if (wants_[n].empty() && !begun_[n]) continue;
      visit(n);
      wants_[n] = {};
    }
  }

 private:
  struct Cost {
    double fused = 0, stored = 0, times = 0, operations = 0;
    double length = 0;  // instructions of one way
  };
  // What one element takes from what is stored.
  struct Cone {
    double operations = 0, length = 0;
    double scattered = 0;  // more operations, where its index is divided
  };

  std::size_t frame(std::vector<Sym> extents, double element_bytes) {
    const auto [found, fresh] = frame_ids_.try_emplace(extents, frames_.size());
    const double bytes = middle_size(graph_, extents) * element_bytes;
    if (fresh) frames_.push_back({std::move(extents), 0, 0});
    frames_[found->second].bytes += bytes;
    return found->second;
  }

  void want(NodeId n, const Want& w) {
    ++partition_.work;
    if (graph_.nodes[n].operand_count == 0 || wants_[n].size() > kMaxWants) return;
    if (std::ranges::find(wants_[n], w) == wants_[n].end()) wants_[n].push_back(w);
  }

  // Makes a node whole, in a frame of its own shape; its operands are wanted there.
  void begin_at(NodeId n) { begun_[n] = true; }

  Want whole(NodeId n) {
    const auto shape = graph_.shape(n);
    const auto bytes = static_cast<double>(ir::size_of(graph_.nodes[n].dtype));
    return {frame(without_units(shape), bytes), ways_.at(index_at(coordinates_of(shape)))};
  }

  void visit(NodeId n) {
    const ir::Node& node = graph_.nodes[n];
    if (node.operand_count == 0) return;
    if (is_call(node)) {
      for (const CallOperand& read : call_operands(graph_, caps_, n)) begin_at(read.node);
      return;
    }
    if (is_result(node)) return;
    if (is_assembled(graph_, n)) {
      for (const NodeId operand : graph_.operands(n)) begin_at(operand);
      return;
    }
    if (folds(node)) {
      const NodeId operand = graph_.operand(n, 0);
      std::vector<Sym> extents = without_units(graph_.shape(n));
      const std::vector<Sym> inner = reduced_extents(graph_, n);
      extents.insert(extents.end(), inner.begin(), inner.end());
      const auto bytes = static_cast<double>(ir::size_of(graph_.nodes[operand].dtype));
      priced_[operand] = true;
      want(operand,
           {frame(std::move(extents), bytes), ways_.at(index_at(reduce_coordinates(graph_, n)))});
      return;
    }
    if (partition_.stored[n] || begun_[n]) {
      pass_on(n, {whole(n)});
      return;
    }
    if (node.rank > 0 && dear(n)) {
      partition_.stored[n] = true;
      pass_on(n, {whole(n)});
      return;
    }
    pass_on(n, wants_[n]);
  }

  void pass_on(NodeId n, const std::vector<Want>& wants) {
    const ir::Node& node = graph_.nodes[n];
    const auto operands = graph_.operands(n);
    if (!must_fuse(n)) {
      for (const NodeId operand : operands) priced_[operand] = true;
    }
    std::vector<Way> below;
    for (const Want& w : wants) {
      frames_[w.frame].operations += op_cost(node) * evaluations(w);
      ways_.below(n, w.way, below);
      for (std::size_t i = 0; i < operands.size(); ++i) {
        if (!folds(graph_.nodes[operands[i]])) consumer_[operands[i]] = n;
        want(operands[i], {w.frame, below[i]});
      }
      for (const NodeId operand : operands) {
        if (folds(graph_.nodes[operand])) begin_at(operand);
      }
    }
  }

  // How often it is computed: once for each point of the loops outside and including the innermost
  // one that it depends on.
  double evaluations(const Want& w) const {
    const std::span<const Sym> loops = frames_[w.frame].extents;
    return middle_size(graph_, loops.first(depth(ways_.context(w.way).index)));
  }

  Cone cone(NodeId top) {
    ++cone_;
    seen_[top] = cone_;
    const auto fresh = [&](NodeId n) { return std::exchange(seen_[n], cone_) != cone_; };
    std::vector<NodeId> stack{top};
    Cone cone;
    int loads = 0;
    bool divides = false;  // wherever it is needed
    for (std::size_t visits = 0; !stack.empty() && visits < kMaxCone; ++visits) {
      const NodeId n = stack.back();
      stack.pop_back();
      const NodeKind kind = graph_.nodes[n].kind;
      const double operations = op_cost(graph_.nodes[n]);
      cone.operations += operations;
      cone.length +=
          kind == NodeKind::map ? operations : static_cast<double>(own_length(graph_, n));
      const int divided = kind == NodeKind::reshape ? divided_axes(graph_, n) : 0;
      cone.operations += kDivisionCost * divided;
      divides = divides || divided > 0;
      for (const NodeId operand : graph_.operands(n)) {
        const ir::Node& node = graph_.nodes[operand];
        if (is_input(node) || partition_.stored[operand]) {
          if (!fresh(operand)) continue;
          cone.operations += kLoadCost;
          cone.length += kLoadCost;
          ++loads;
        } else if (!folds(node) && fresh(operand)) {
          stack.push_back(operand);
        }
      }
    }
    (divides ? cone.operations : cone.scattered) += kGatherCost * loads;
    return cone;
  }

  // Beyond what the frame's memory traffic hides.
  double seconds(const Frame& f, double more_operations) const {
    return caps_.seconds(f.bytes, f.operations + more_operations);
  }

  Cost cost_of(NodeId n) {
    Cost cost;
    const double size = middle_size(graph_, graph_.shape(n));
    struct In {
      double times = 0, scattered = 0;
    };
    std::map<std::size_t, In> evaluated;  // by frame
    double all = 0, scattered = 0;
    for (const Want& w : wants_[n]) {
      const double times = evaluations(w);
      In& in = evaluated[w.frame];
      in.times += times;
      all += times;
      if (!is_divided(ways_.context(w.way))) continue;
      in.scattered += times;
      scattered += times;
    }
    cost.times = all / std::max(size, 1.0);
    if (wants_[n].size() < 2 && cost.times <= 1.5 && scattered == 0) return cost;
    const Cone one = cone(n);
    cost.length = one.length;
    if (cost.times <= 1.5 && (scattered == 0 || one.scattered <= kGatherCost)) return cost;
    cost.operations = one.operations;
    const double bytes = middle_bytes(graph_, n);
    for (const auto& [id, in] : evaluated) {
      const Frame& f = frames_[id];
      cost.fused += seconds(f, in.times * one.operations + in.scattered * one.scattered);
      cost.stored +=
          seconds(f, in.times * kLoadCost + in.scattered * kGatherCost) + bytes / caps_.bandwidth;
    }
    cost.stored += caps_.seconds(bytes, size * cost.operations) + caps_.launch_seconds;
    return cost;
  }

  // Asked for, or needed for nothing but what is: storing it would be the same boundary one
  // operation earlier.
  bool must_fuse(NodeId n) const {
    const bool whole = partition_.stored[n] || begun_[n];
    return partition_.together[n] || (!priced_[n] && !whole);
  }

  bool dear(NodeId n) {
    const bool many = wants_[n].size() > kMaxWants;
    // Of views, what they are views of is stored; but joins of joins may go on for long.
    const NodeKind kind = graph_.nodes[n].kind;
    if (!many && kind != NodeKind::map && kind != NodeKind::concat) return false;
    const Cost cost = cost_of(n);
    if (!many && must_fuse(n)) return false;
    // Between estimates that differ by less than they are sure of, what needs no memory is taken.
    constexpr double kSure = 1.05;
    const auto ways = static_cast<double>(wants_[n].size());
    const bool again = kind == NodeKind::map && cost.times > 1.5;
    const bool long_kernel = (ways - 1) * cost.length > (again ? kMaxCopied : kMaxParts);
    const bool slow = cost.fused > kSure * cost.stored;
    if (!many && !decide(long_kernel || slow, options_, n, n)) return false;
    std::ostringstream text;
    text.precision(3);
    if (cost.stored > 0) {
      text << "computed " << cost.times << " times over with " << cost.operations
           << " operations an element: " << cost.fused * 1e6 << " us in its consumers, "
           << cost.stored * 1e6 << " us if stored";
    }
    if (long_kernel && cost.fused <= cost.stored)
      text << (cost.stored > 0 ? "; " : "") << ways << " ways make a long kernel";
    partition_.boundaries.push_back({n, consumer_[n], text.str(), cost.fused, cost.stored});
    return true;
  }

  const ir::Graph& graph_;
  const ir::Caps& caps_;
  const FuseOptions& options_;
  Partition& partition_;
  Ways ways_;
  std::vector<std::vector<Want>> wants_;  // by node: dropped once it is decided
  std::vector<std::uint32_t> seen_;       // by node: the last cone that it was in
  std::uint32_t cone_ = 0;
  std::vector<bool> priced_;  // by node: some consumer is not computed where must_fuse says
  std::vector<bool> begun_;
  std::vector<NodeId> consumer_;  // of each node one that is not a reduction; itself: none
  std::vector<Frame> frames_;
  std::map<std::vector<Sym>, std::size_t> frame_ids_;
};

void cut_chains(const ir::Graph& graph, Partition& partition) {
  std::vector<int> depth(graph.nodes.size(), 0);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto n = static_cast<NodeId>(i);
    for (const NodeId operand : graph.operands(n)) {
      depth[n] = std::max(depth[n], depth[operand] + 1);
    }
    const bool in_memory = graph.nodes[n].kind == NodeKind::put || is_assembled(graph, n);
    if (in_memory) depth[n] = 0;
    if (depth[n] >= kMaxChain && graph.nodes[n].kind == NodeKind::map && graph.nodes[n].rank > 0) {
      partition.stored[n] = true;
      partition.cut[n] = true;
      depth[n] = 0;
      partition.boundaries.push_back(
          {n, n, "a chain of " + std::to_string(kMaxChain) + " operations ends here"});
    }
  }
}

}  // namespace

void store_dear_values(const ir::Graph& graph, const ir::Caps& caps, const FuseOptions& options,
                       Partition& partition) {
  Pricing(graph, caps, options, partition).run();
  cut_chains(graph, partition);
}

}  // namespace kiln::passes
