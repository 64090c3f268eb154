// Whether fusion decides well: the partition it chooses against every other that its decisions
// could have led to, and against every join of two clusters, by the same model, for many small
// random graphs.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "passes/boundary.h"
#include "passes/nest.h"
#include "passes/plan.h"
#include "passes/space.h"
#include "passes/windows.h"
#include "tests/plans/programs.h"
#include "tests/property/random_graph.h"
#include "tests/seed.h"

namespace kiln {
namespace {

// Takes decisions one after another as told; beyond that, as the model would. `next` moves on to
// the sequence that differs in the last decision not yet taken both ways.
class Decisions {
 public:
  bool take(bool model) {
    if (at_ == taken_.size()) taken_.push_back({model, false});
    return taken_[at_++].first;
  }
  bool next() {
    taken_.resize(at_);
    at_ = 0;
    while (!taken_.empty() && taken_.back().second) taken_.pop_back();
    if (taken_.empty()) return false;
    taken_.back() = {!taken_.back().first, true};
    return true;
  }

 private:
  std::vector<std::pair<bool, bool>> taken_;  // and whether the other way has been tried
  std::size_t at_ = 0;
};

struct Priced {
  ir::Graph graph;  // with its windows
  passes::Partition partition;
  double seconds = 0;
};

Priced partition(const ir::Graph& graph, const ir::Caps& caps, Decisions& decisions) {
  passes::FuseOptions options;
  options.choose = [&](bool model, ir::NodeId, ir::NodeId) { return decisions.take(model); };
  Priced result{passes::place_windows(graph, caps, options), {}, 0};
  result.partition = passes::fuse(result.graph, caps, options);
  passes::nest_reductions(result.graph, caps, options, result.partition);
  result.seconds = passes::estimated_seconds(result.graph, caps, result.partition);
  return result;
}

std::string words(const ir::Graph& graph, const passes::Partition& partition) {
  std::string text = ir::print(graph);
  for (const passes::Cluster& cluster : partition.clusters) {
    text += "  cluster";
    for (const passes::ClusterOutput& output : cluster.outputs)
      text += " " + std::to_string(output.node);
    text += "\n";
  }
  return text;
}

std::string words(const Priced& priced) { return words(priced.graph, priced.partition); }

// Launches, memory or arithmetic are what is dear. One thread: a price says nothing of idle ones,
// which decisions go by too.
std::vector<ir::Caps> devices() {
  std::vector<ir::Caps> result(3, testing::cpu_caps());
  for (ir::Caps& caps : result) caps.threads = 1;
  result[0].launch_seconds = 1e-6;
  result[1].launch_seconds = 1e-10;
  result[2].launch_seconds = 1e-10;
  result[2].rate = 5e9;
  return result;
}

constexpr int kMostPartitions = 2000;

struct Found {
  Priced chosen, best;
  bool all = false;  // no partition was left out
};

Found search(const ir::Graph& graph, const ir::Caps& caps) {
  Decisions decisions;
  Found found;
  found.best = found.chosen = partition(graph, caps, decisions);
  for (int i = 0; i < kMostPartitions; ++i) {
    if (!decisions.next()) {
      found.all = true;
      break;
    }
    Priced other = partition(graph, caps, decisions);
    if (other.seconds < found.best.seconds) found.best = std::move(other);
  }
  return found;
}

// Nine in ten are the best there is, 99 in a hundred at most a fifth dearer. What is left is small:
// a narrower value that could have been stored, a slice behind a pad that is taken for all of its
// array. Values that are written into windows are such narrow ones.
void search_random_graphs(const ir::test::RandomGraphOptions& options, double worst_allowed) {
  const std::uint64_t first = testing::first_seed();
  constexpr std::uint64_t kGraphs = 300;
  std::vector<double> ratios;
  std::size_t cut_short = 0;
  std::pair<double, std::string> worst;
  for (std::uint64_t seed = first; seed < first + kGraphs; ++seed) {
    const ir::test::RandomGraph g = ir::test::random_graph(seed, options);
    const ir::Graph graph =
        passes::run_graph_pass("simplify", passes::run_graph_pass("dead", g.graph));
    for (const ir::Caps& caps : devices()) {
      const Found found = search(graph, caps);
      if (found.chosen.seconds == 0) continue;
      cut_short += found.all ? 0 : 1;
      ratios.push_back(found.chosen.seconds / found.best.seconds);
      if (ratios.back() <= worst.first) continue;
      worst = {ratios.back(), "seed " + std::to_string(seed) + "\nchosen:\n" + words(found.chosen) +
                                  "best:\n" + words(found.best)};
    }
  }
  std::ranges::sort(ratios);
  ASSERT_GT(ratios.size(), kGraphs);
  EXPECT_LT(cut_short, ratios.size() / 10);
  const auto at = [&](double share) {
    return ratios[static_cast<std::size_t>(share * static_cast<double>(ratios.size() - 1))];
  };
  EXPECT_LE(at(0.9), 1.001) << worst.second;
  EXPECT_LE(at(0.99), 1.2) << worst.second;
  if (first == 1) {
    EXPECT_LE(worst.first, worst_allowed) << worst.second;
  }
  std::printf("%zu: median %.3f, 90%% %.3f, 99%% %.3f, worst %.3f; not all partitions: %zu\n",
              ratios.size(), at(0.5), at(0.9), at(0.99), ratios.back(), cut_short);
}

ir::test::RandomGraphOptions without_products() {
  ir::test::RandomGraphOptions options;
  options.nodes = 14;
  options.dtypes = {ir::DType::float32};
  options.empty_extents = false;
  std::erase(options.kinds, ir::NodeKind::contract);
  std::erase(options.kinds, ir::NodeKind::sort);
  std::erase(options.kinds, ir::NodeKind::scan);
  return options;
}

TEST(Search, FewOtherPartitionsAreBetter) {
  ir::test::RandomGraphOptions options = without_products();
  std::erase(options.kinds, ir::NodeKind::update);
  search_random_graphs(options, 1.3);
}

TEST(Search, FewOtherPartitionsOfWritesAreBetter) { search_random_graphs(without_products(), 1.4); }

// Two clusters as one, where they run over the same points and what the second reads of the first
// stands where it is made: found here without fusion's own questions, so that a join that is never
// asked about is seen.
class Joins {
 public:
  Joins(const ir::Graph& graph, const ir::Caps& caps, const passes::Partition& partition)
      : graph_(graph), caps_(caps), partition_(partition) {
    const auto& clusters = partition_.clusters;
    std::map<ir::NodeId, std::size_t> home;
    for (std::size_t c = 0; c < clusters.size(); ++c) {
      for (const passes::ClusterOutput& o : clusters[c].outputs) {
        if (graph.nodes[o.node].operand_count > 0) home[o.node] = c;
      }
    }
    for (std::size_t c = 0; c < clusters.size(); ++c) {
      from_.emplace_back(clusters.size());
      all_.emplace_back(clusters.size(), false);
      for (const passes::Access& access :
           passes::space_of(graph, caps, partition_, clusters[c]).reads) {
        readers_[access.leaf].insert(c);
        const auto maker = home.find(access.leaf);
        if (maker == home.end()) continue;
        from_[c][maker->second].push_back(access);
        all_[c][maker->second] = true;
        for (std::size_t m = 0; m < c; ++m) {
          if (all_[maker->second][m]) all_[c][m] = true;
        }
      }
    }
  }

  // What the best join of two would save of the price of all.
  double best() const {
    double most = 0;
    for (std::size_t b = 1; b < partition_.clusters.size(); ++b) {
      for (std::size_t a = 0; a < b; ++a) most = std::max(most, saved(a, b));
    }
    return most / passes::estimated_seconds(graph_, caps_, partition_);
  }

 private:
  static std::vector<ir::Sym> points(const passes::Cluster& c) {
    std::vector<ir::Sym> all = c.outer;
    all.insert(all.end(), c.inner.begin(), c.inner.end());
    return all;
  }

  bool legal(std::size_t a, std::size_t b) const {
    const passes::Cluster &first = partition_.clusters[a], &second = partition_.clusters[b];
    const auto plainly = [](const passes::Cluster& c) { return !c.call && c.nested.empty(); };
    if (!plainly(first) || !plainly(second) || points(first) != points(second)) return false;
    if (!first.reduces.empty() && !second.reduces.empty() && first.outer != second.outer)
      return false;
    for (std::size_t c = a + 1; c < b; ++c) {
      if (all_[b][c] && all_[c][a]) return false;
    }
    return std::ranges::all_of(from_[b][a], [&](const passes::Access& access) {
      if (partition_.cut[access.leaf]) return false;
      const auto at = passes::plain(graph_.shape(access.leaf), {access.index, access.guards});
      const auto made = std::ranges::find(first.outputs, access.leaf, &passes::ClusterOutput::node);
      return at && *at == made->coordinates;
    });
  }

  double saved(std::size_t a, std::size_t b) const {
    if (!legal(a, b)) return 0;
    const passes::Cluster &first = partition_.clusters[a], &second = partition_.clusters[b];
    passes::Partition together = partition_;
    passes::Cluster both = first.reduces.empty() ? second : first;
    both.reduces = first.reduces;
    both.reduces.insert(both.reduces.end(), second.reduces.begin(), second.reduces.end());
    both.outputs = second.outputs;
    for (const passes::ClusterOutput& o : first.outputs) {
      const bool inside = readers_.contains(o.node) && readers_.at(o.node) == std::set{b};
      if (inside && std::ranges::find(graph_.outputs, o.node) == graph_.outputs.end()) {
        together.stored[o.node] = false;
      } else {
        both.outputs.push_back(o);
      }
    }
    const auto seconds = [&](const passes::Partition& p, const passes::Cluster& c) {
      return passes::estimated_seconds(graph_, caps_, p, c);
    };
    return seconds(partition_, first) + seconds(partition_, second) - seconds(together, both);
  }

  const ir::Graph& graph_;
  const ir::Caps& caps_;
  const passes::Partition& partition_;
  std::vector<std::vector<std::vector<passes::Access>>> from_;  // by reader, by maker
  std::vector<std::vector<bool>> all_;  // reader, maker: even by way of others
  std::map<ir::NodeId, std::set<std::size_t>> readers_;
};

// What is left: points beside a reduction of them that something needs which both make.
TEST(Search, NoJoinOfTwoIsLeftOut) {
  const std::uint64_t first = testing::first_seed();
  ir::test::RandomGraphOptions options = ir::test::row_programs();
  options.nodes = 18;
  options.empty_extents = false;
  std::vector<double> saved;
  std::pair<double, std::string> worst;
  for (std::uint64_t seed = first; seed < first + 1000; ++seed) {
    const ir::test::RandomGraph g = ir::test::random_graph(seed, options);
    const ir::Graph graph =
        passes::run_graph_pass("simplify", passes::run_graph_pass("dead", g.graph));
    for (const ir::Caps& caps : devices()) {
      const passes::Partition chosen = passes::fuse(graph, caps);
      if (chosen.clusters.size() < 2) continue;
      saved.push_back(Joins(graph, caps, chosen).best());
      if (saved.back() <= worst.first) continue;
      worst = {saved.back(), "seed " + std::to_string(seed) + "\n" + words(graph, chosen)};
    }
  }
  std::ranges::sort(saved);
  ASSERT_GT(saved.size(), 500u);
  const auto at = [&](double share) {
    return saved[static_cast<std::size_t>(share * static_cast<double>(saved.size() - 1))];
  };
  EXPECT_LE(at(0.99), 0.001) << worst.second;
  std::printf("%zu: 90%% %.4f, 99%% %.4f, worst %.3f\n", saved.size(), at(0.9), at(0.99),
              saved.back());
}

}  // namespace
}  // namespace kiln
