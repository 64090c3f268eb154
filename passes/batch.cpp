#include "passes/batch.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

#include "passes/pattern.h"

namespace kiln::passes {

using ir::NodeId;

namespace {

// Bytes that a member may store for later launches to read.
constexpr double kLittle = 1 << 20;
// Rows of a table are that many, or a multiple, so that few kernels differ by their number.
constexpr std::size_t kRowsStep = 8;
// CPU: a table has no limit but that of good sense.
constexpr std::size_t kMaxMembers = 1024;

std::size_t rows_that_fit(const ir::Caps& caps, const ir::Kernel& kernel) {
  return static_cast<std::size_t>(caps.parameter_bytes) / ir::batch_row(kernel).bytes;
}

class Batcher {
 public:
  Batcher(const ir::Graph& graph, const Partition& partition, const ir::Caps& caps)
      : graph_(graph), partition_(partition), caps_(caps), patterns_(graph, partition) {}

  std::vector<Batch> run(bool together) {
    for (const Cluster& cluster : partition_.clusters) add(cluster);
    find_levels();
    batch_of_.resize(units_.size());
    for (std::size_t u = 0; u < units_.size(); ++u) batch_of_[u] = u;
    if (together) group();
    return ordered();
  }

 private:
  void add(const Cluster& cluster) {
    if (cluster.kernels() && cluster.outputs.empty()) return;
    for (const ClusterOutput& output : cluster.outputs) maker_[output.node] = units_.size();
    units_.push_back(cluster.kernels() ? like_an_earlier_one(cluster) : scheduled(cluster));
  }

  Unit scheduled(const Cluster& cluster) const {
    const Space space = space_of(graph_, caps_, partition_, cluster);
    Unit unit{&cluster, {}, space.inside, {}, {}};
    for (const Access& read : space.reads) unit.reads.push_back(read.leaf);
    if (!cluster.kernels()) return unit;
    unit.traffic = traffic_of(graph_, caps_, cluster, space);
    unit.scheduled = schedule({graph_, partition_, cluster, space, caps_});
    return unit;
  }

  Unit like_an_earlier_one(const Cluster& cluster) {
    Pattern pattern = patterns_.of(cluster);
    if (pattern.key.empty()) return scheduled(cluster);
    const auto [known, fresh] = known_.try_emplace(std::move(pattern.key));
    Known& first = known->second;
    if (fresh) {
      first = {units_.size(), std::move(pattern)};
      return scheduled(cluster);
    }
    const Unit& like = units_[first.unit];
    const Renaming renaming(first.pattern, pattern);
    return {&cluster, renaming.nodes(like.reads), renaming.nodes(like.inside),
            renaming.traffic(like.traffic), renaming.scheduled(like.scheduled)};
  }

  void find_levels() {
    levels_.assign(units_.size(), 0);
    needs_.resize(units_.size());
    std::unordered_map<NodeId, std::vector<std::size_t>> readers;  // of what puts overwrite
    const auto needs = [&](std::size_t u, std::size_t before) {
      needs_[u].push_back(before);
      levels_[u] = std::max(levels_[u], levels_[before] + 1);
    };
    for (std::size_t u = 0; u < units_.size(); ++u) {
      for (const NodeId leaf : units_[u].reads) {
        const auto maker = maker_.find(leaf);
        // A buffer that is copied to an output is read as an input, not from there.
        if (maker == maker_.end() || maker->second == u || graph_.nodes[leaf].operand_count == 0) {
          continue;
        }
        needs(u, maker->second);
      }
      if (partition_.whole.empty()) continue;
      for (const NodeId base : overwrites(*units_[u].cluster)) {
        if (const auto maker = maker_.find(base); maker != maker_.end()) needs(u, maker->second);
        for (const std::size_t reader : readers[base]) needs(u, reader);
      }
      for (const NodeId leaf : units_[u].reads) {
        const bool reads = !units_[u].cluster->assembled && partition_.is_overwritten(leaf);
        if (reads) readers[leaf].push_back(u);
      }
    }
  }

  // Bases of the updates that its puts are of.
  std::vector<NodeId> overwrites(const Cluster& cluster) const {
    std::vector<NodeId> bases;
    for (const ClusterOutput& output : cluster.outputs) {
      if (!partition_.is_put(output.node)) continue;
      const NodeId whole = partition_.whole[output.node];
      if (graph_.nodes[whole].kind == ir::NodeKind::update)
        bases.push_back(graph_.operand(whole, 0));
    }
    return bases;
  }

  bool batchable(const Unit& unit) const {
    const Cluster& cluster = *unit.cluster;
    if (!cluster.kernels() || !cluster.reduces.empty()) return false;
    if (unit.scheduled.kernels.size() != 1) return false;
    double bytes = 0;
    for (const ClusterOutput& output : cluster.outputs) {
      const NodeId stored =
          partition_.is_put(output.node) ? partition_.whole[output.node] : output.node;
      if (std::ranges::find(graph_.outputs, stored) != graph_.outputs.end()) continue;
      bytes += middle_bytes(graph_, output.node);
    }
    return bytes <= kLittle;
  }

  std::size_t most_members(const ir::Kernel& kernel) const {
    return caps_.target == ir::Target::cpu ? kMaxMembers : rows_that_fit(caps_, kernel);
  }

  // Puts units of one level with equal kernels into the batch of the first of them.
  void group() {
    std::map<std::tuple<std::size_t, std::size_t, std::size_t>, std::vector<std::size_t>> similar;
    for (std::size_t u = 0; u < units_.size(); ++u) {
      if (!batchable(units_[u])) continue;
      const ir::Kernel& kernel = *units_[u].scheduled.kernels[0].kernel;
      similar[{levels_[u], kernel.insts.size(), kernel.params.size()}].push_back(u);
    }
    for (const auto& [key, members] : similar) {
      if (members.size() < 2) continue;
      std::map<const ir::Kernel*, std::string> texts;  // clusters that are alike share kernels
      std::map<std::string, std::vector<std::size_t>> equal;
      for (const std::size_t u : members) {
        const ScheduledKernel& scheduled = units_[u].scheduled.kernels[0];
        std::string& text = texts[scheduled.kernel.get()];
        if (text.empty()) text = ir::print(*scheduled.kernel, ir::Labels::no);
        equal[text].push_back(u);
      }
      for (const auto& [text, alike] : equal) split(alike);
    }
  }

  // As few batches as tables allow, of like numbers of members.
  void split(const std::vector<std::size_t>& alike) {
    const std::size_t most = most_members(*units_[alike[0]].scheduled.kernels[0].kernel);
    if (most < 2) return;
    const std::size_t parts = (alike.size() + most - 1) / most;
    const std::size_t size = (alike.size() + parts - 1) / parts;
    for (std::size_t i = 0; i < alike.size(); ++i) batch_of_[alike[i]] = alike[i - i % size];
  }

  // Batches in an order near that of the clusters: each after those it needs.
  std::vector<Batch> ordered() {
    std::vector<std::vector<std::size_t>> members(units_.size());
    for (std::size_t u = 0; u < units_.size(); ++u) members[batch_of_[u]].push_back(u);
    std::vector<Batch> result;
    std::vector<int> state(units_.size(), 0);
    for (std::size_t start = 0; start < units_.size(); ++start) {
      std::vector<std::size_t> stack{batch_of_[start]};
      while (!stack.empty()) {
        const std::size_t b = stack.back();
        if (state[b] == 0) {
          state[b] = 1;
          for (const std::size_t u : members[b]) {
            for (const std::size_t need : needs_[u]) {
              if (state[batch_of_[need]] == 0) stack.push_back(batch_of_[need]);
            }
          }
          continue;
        }
        stack.pop_back();
        if (state[b] != 1) continue;
        state[b] = 2;
        Batch batch;
        for (const std::size_t u : members[b]) batch.push_back(std::move(units_[u]));
        result.push_back(std::move(batch));
      }
    }
    return result;
  }

  const ir::Graph& graph_;
  const Partition& partition_;
  const ir::Caps& caps_;
  struct Known {
    std::size_t unit = 0;
    Pattern pattern;  // without its key
  };
  Patterns patterns_;
  std::unordered_map<std::vector<std::uint64_t>, Known, PatternHash> known_;  // by key
  std::vector<Unit> units_;
  std::map<NodeId, std::size_t> maker_;
  std::vector<std::vector<std::size_t>> needs_;
  std::vector<std::size_t> levels_, batch_of_;
};

}  // namespace

std::vector<Batch> batches(const ir::Graph& graph, const Partition& partition, const ir::Caps& caps,
                           bool together) {
  return Batcher(graph, partition, caps).run(together);
}

std::uint32_t table_rows(const ir::Caps& caps, const ir::Kernel& kernel, std::size_t members) {
  if (caps.target == ir::Target::cpu) return 0;
  const std::size_t wanted = (members + kRowsStep - 1) / kRowsStep * kRowsStep;
  return static_cast<std::uint32_t>(std::min(rows_that_fit(caps, kernel), wanted));
}

}  // namespace kiln::passes
