#include "passes/staging.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "passes/scene.h"

namespace kiln::passes {

using ir::NodeId;
using ir::Value;

namespace {

class Stager {
 public:
  Stager(const ClusterContext& c, const StagingPrices& prices, const std::vector<int>& stored_in)
      : c_(c), prices_(prices) {
    std::vector<bool> leaf = c.partition.stored;
    for (const ClusterOutput& output : c.cluster.outputs) {
      if (c.graph.nodes[output.node].operand_count > 0) leaf[output.node] = false;
    }
    std::vector<Root> roots;
    for (std::size_t i = 0; i < c.cluster.reduces.size(); ++i) {
      const NodeId r = c.cluster.reduces[i];
      roots.push_back({c.graph.operand(r, 0), index_at(reduce_coordinates(c.graph, r)), false});
      phase_of_root_.push_back(c.cluster.phases[i]);
      phases_ = std::max(phases_, c.cluster.phases[i] + 1);
    }
    for (std::size_t i = 0; i < c.cluster.outputs.size(); ++i) {
      const ClusterOutput& output = c.cluster.outputs[i];
      if (per_row(c.graph.nodes[output.node])) continue;
      roots.push_back({output.node, index_at(output.coordinates), true});
      phase_of_root_.push_back(stored_in.empty() ? -1 : stored_in[i]);
    }
    for (int& phase : phase_of_root_) phase = phase < 0 ? phases_ : phase;
    u_ = unfold(c.graph, roots, leaf);
    order_.resize(u_.visits.size());
    std::iota(order_.begin(), order_.end(), 0u);
    std::ranges::sort(order_, {}, [&](std::uint32_t v) { return u_.visits[v].node; });
    look_at_rows();
  }

  std::vector<Staged> run(double keep) {
    keep_ = keep;
    staged_.clear();
    number_.assign(u_.visits.size(), kNone);
    made_.assign(u_.visits.size(), -1);
    for (int phase = 0; phase <= phases_; ++phase) look_at_phase(phase);
    return staged_;
  }

  // The most bytes an element of the row that are kept at one time.
  std::int64_t most_bytes() const {
    std::int64_t most = 0;
    for (int phase = 0; phase < phases_; ++phase) {
      std::int64_t bytes = 0;
      for (const Staged& s : staged_) {
        if (s.made <= phase && phase < s.last) bytes += ir::size_of(c_.graph.nodes[s.node].dtype);
      }
      most = std::max(most, bytes);
    }
    return most;
  }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  // Which visits differ from element to element of a row, and which of them sit at plain
  // coordinates.
  void look_at_rows() {
    const auto inner = static_cast<std::uint32_t>(c_.cluster.outer.size());
    along_.assign(u_.visits.size(), false);
    plain_.assign(u_.visits.size(), std::nullopt);
    for (std::uint32_t v = 0; v < u_.visits.size(); ++v) {
      const Context& context = u_.contexts[u_.visits[v].context];
      for (const Affine& a : context.index) {
        for (const auto& term : a.terms) along_[v] = along_[v] || term.coordinate >= inner;
        for (const auto d : a.divided) along_[v] = along_[v] || d >= inner;
      }
      if (along_[v]) plain_[v] = plain(c_.graph.shape(u_.visits[v].node), context);
    }
  }

  double price_of(std::uint32_t v, const std::vector<double>& again) const {
    const Visit& visit = u_.visits[v];
    if (!along_[v] || number_[v] != kNone) return 0;
    const ir::Node& node = c_.graph.nodes[visit.node];
    if (visit.leaf) {
      if (per_row(node) || node.kind == ir::NodeKind::iota) return 0;
      const Context& context = u_.contexts[visit.context];
      const Access access{visit.node, context.index, context.guards, false};
      const Stride stride = stride_of(c_.graph, access, c_.space.inner.back().coordinate);
      return stride == Stride::other ? prices_.gather : prices_.load;
    }
    double price = op_cost(node);
    for (std::uint32_t i = 0; i < visit.operand_count; ++i) {
      price += again[u_.operands[visit.first_operand + i]];
    }
    return std::min(price, 1e6);
  }

  void look_at_phase(int phase) {
    std::vector<double> again(u_.visits.size(), 0);
    for (const std::uint32_t v : order_) again[v] = price_of(v, again);
    std::vector<bool> needed(u_.visits.size(), false);
    for (std::size_t i = 0; i < u_.roots.size(); ++i) {
      if (phase_of_root_[i] == phase) needed[u_.roots[i]] = true;
    }
    for (std::size_t i = order_.size(); i-- > 0;) {  // consumers before operands
      const std::uint32_t v = order_[i];
      if (!needed[v] || !along_[v]) continue;
      if (number_[v] == kNone && made_[v] >= 0 && plain_[v] && again[v] > keep_) {
        number_[v] = static_cast<std::uint32_t>(staged_.size());
        staged_.push_back({u_.visits[v].node, *plain_[v], made_[v], phase});
      }
      if (number_[v] != kNone) {
        staged_[number_[v]].last = phase;
        continue;
      }
      if (made_[v] < 0) made_[v] = phase;
      const Visit& visit = u_.visits[v];
      for (std::uint32_t o = 0; o < visit.operand_count; ++o) {
        needed[u_.operands[visit.first_operand + o]] = true;
      }
    }
  }

  const ClusterContext& c_;
  const StagingPrices& prices_;
  Unfolding u_;
  int phases_ = 0;
  std::vector<int> phase_of_root_;
  std::vector<std::uint32_t> order_;  // visits by ascending node: operands first
  std::vector<bool> along_;
  std::vector<std::optional<Coordinates>> plain_;
  double keep_ = 0;
  std::vector<std::uint32_t> number_;  // by visit: of staged_
  std::vector<int> made_;              // by visit: the first phase that computes it
  std::vector<Staged> staged_;
};

}  // namespace

std::vector<int> passes_of_outputs(const ClusterContext& context) {
  const Cluster& cluster = context.cluster;
  const int last = *std::ranges::max_element(cluster.phases);
  std::set<NodeId> results, outputs;
  for (std::size_t i = 0; i < cluster.reduces.size(); ++i) {
    if (cluster.phases[i] == last) results.insert(cluster.reduces[i]);
  }
  for (const ClusterOutput& output : cluster.outputs) outputs.insert(output.node);
  const auto elsewhere = [&](NodeId n) {
    return context.partition.stored[n] && !outputs.contains(n) &&
           std::ranges::find(cluster.reduces, n) == cluster.reduces.end();
  };
  const auto needs_results = [&](NodeId output) {
    std::set<NodeId> seen{output};
    std::vector<NodeId> left{output};
    while (!left.empty()) {
      const NodeId n = left.back();
      left.pop_back();
      if (results.contains(n)) return true;
      // Operands come before what is made of them.
      if (n < *results.begin() || elsewhere(n)) continue;
      for (const NodeId operand : context.graph.operands(n)) {
        if (seen.insert(operand).second) left.push_back(operand);
      }
    }
    return false;
  };
  std::vector<int> passes;
  for (const ClusterOutput& output : cluster.outputs) {
    passes.push_back(needs_results(output.node) ? last + 1 : last);
  }
  return passes;
}

std::vector<Staged> staged_values(const ClusterContext& context, const StagingPrices& prices,
                                  const std::vector<int>& stored_in) {
  if (context.space.inner.empty()) return {};
  Stager stager(context, prices, stored_in);
  // Where not all fits, the cheaper ones are made again.
  constexpr int kAttempts = 6;
  double keep = prices.keep;
  for (int attempt = 0; attempt < kAttempts; ++attempt, keep *= 3) {
    std::vector<Staged> values = stager.run(keep);
    if (stager.most_bytes() <= prices.bytes) return values;
  }
  return {};
}

RowStore::RowStore(Scene& scene, std::vector<Staged> values, std::int64_t slots)
    : scene_(scene), values_(std::move(values)) {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const ir::DType type = scene.context().graph.nodes[values_[i].node].dtype;
    memories_.push_back(scene.b.local(type, slots, "row" + std::to_string(i)));
  }
}

void RowStore::recall(int phase, Value slot) {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const Staged& s = values_[i];
    if (phase <= s.made || phase > s.last) continue;
    const Value kept = scene_.b.load(memories_[i], slot, scene_.e.lanes());
    scene_.e.assume(s.node, scene_.point(s.coordinates), kept);
  }
}

void RowStore::keep(int phase, Value slot) {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const Staged& s = values_[i];
    if (phase != s.made) continue;
    Value value = scene_.e.value(s.node, scene_.point(s.coordinates));
    if (scene_.b.lanes(value) < scene_.e.lanes()) value = scene_.b.splat(value, scene_.e.lanes());
    scene_.b.store(memories_[i], slot, value);
  }
}

}  // namespace kiln::passes
