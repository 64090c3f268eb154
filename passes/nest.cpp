#include "passes/nest.h"

#include <algorithm>

#include "ir/reduce.h"
#include "passes/parameters.h"
#include "passes/tile.h"

namespace kiln::passes {

using ir::NodeId;

namespace {

constexpr std::size_t kNone = ~std::size_t{0};

class Nester {
 public:
  Nester(const ir::Graph& graph, const ir::Caps& caps, const FuseOptions& options,
         Partition& partition)
      : graph_(graph), caps_(caps), options_(options), partition_(partition) {}

  void run() {
    std::vector<Cluster>& clusters = partition_.clusters;
    taken_.assign(clusters.size(), false);
    for (std::size_t c = 0; c < clusters.size(); ++c) {
      if (!can_hold(clusters[c])) continue;
      const std::size_t inner = maker_of_points(clusters[c]);
      if (inner != kNone && read_here_only(inner, c)) take(inner, c);
    }
    std::size_t kept = 0;
    for (std::size_t c = 0; c < clusters.size(); ++c) {
      if (taken_[c]) continue;
      if (kept != c) clusters[kept] = std::move(clusters[c]);
      ++kept;
    }
    clusters.resize(kept);
  }

 private:
  static bool one_phase(const Cluster& cluster) {
    return std::ranges::all_of(cluster.phases, [](int phase) { return phase == 0; });
  }

  bool of_free_order(NodeId reduce) const {
    const ir::Node& node = graph_.nodes[reduce];
    const ir::DType type = graph_.nodes[graph_.operand(reduce, 0)].dtype;
    return node.kind == ir::NodeKind::arg_reduce || !ir::ordered(node.op, type);
  }

  bool can_hold(const Cluster& c) const {
    if (c.call || c.reduces.empty() || c.inner.size() != 1 || !one_phase(c)) return false;
    if (needs_split(graph_, caps_, c.outer, c.inner)) return false;
    for (const ClusterOutput& output : c.outputs) {
      for (const std::uint32_t coordinate : output.coordinates) {
        if (coordinate != kUnit && coordinate >= c.outer.size()) return false;
      }
    }
    return std::ranges::all_of(c.reduces, [&](NodeId r) { return of_free_order(r); });
  }

  std::vector<Access> reads(const Cluster& cluster) const {
    return space_of(graph_, caps_, partition_, cluster).reads;
  }

  // The cluster that reduces, at each (outer, inner) point of this one, what is read there.
  std::size_t maker_of_points(const Cluster& c) {
    std::vector<ir::Sym> points = c.outer;
    points.insert(points.end(), c.inner.begin(), c.inner.end());
    std::size_t found = kNone;
    for (const Access& access : reads(c)) {
      const std::size_t maker = home(access.leaf);
      if (maker == kNone || taken_[maker]) continue;
      if (partition_.cut[access.leaf]) return kNone;
      const Cluster& inner = partition_.clusters[maker];
      if (inner.outer != points || inner.inner.empty() || !inner.nested.empty()) continue;
      if (found != kNone && found != maker) return kNone;
      found = maker;
      const auto at = plain(graph_.shape(access.leaf), {access.index, access.guards});
      if (!at || *at != coordinates_of(graph_.shape(access.leaf))) return kNone;
    }
    if (found == kNone) return kNone;
    const Cluster& inner = partition_.clusters[found];
    // Where the reader runs it may be overwritten by then.
    const bool lasts = std::ranges::none_of(
        reads(inner), [&](const Access& access) { return partition_.is_overwritten(access.leaf); });
    const bool plainly = one_phase(inner) && lasts &&
                         !needs_split(graph_, caps_, inner.outer, inner.inner) &&
                         std::ranges::all_of(inner.outputs, [&](const ClusterOutput& output) {
                           return folds(graph_.nodes[output.node]);
                         });
    return plainly ? found : kNone;
  }

  // By node: the cluster that reduces it.
  std::size_t home(NodeId n) {
    if (home_.empty()) {
      home_.assign(graph_.nodes.size(), kNone);
      for (std::size_t c = 0; c < partition_.clusters.size(); ++c) {
        for (const NodeId r : partition_.clusters[c].reduces) home_[r] = c;
      }
    }
    return home_[n];
  }

  // By node: the first cluster that reads it, and whether there is another.
  bool read_here_only(std::size_t inner, std::size_t reader) {
    if (readers_.empty()) {
      readers_.assign(graph_.nodes.size(), {kNone, false});
      for (std::size_t c = 0; c < partition_.clusters.size(); ++c) {
        for (const Access& access : reads(partition_.clusters[c])) {
          auto& [first, more] = readers_[access.leaf];
          if (first == kNone) first = c;
          more = more || first != c;
        }
      }
      for (const NodeId output : graph_.outputs) readers_[output].second = true;
    }
    return std::ranges::all_of(partition_.clusters[inner].outputs, [&](const ClusterOutput& o) {
      return readers_[o.node].first == reader && !readers_[o.node].second;
    });
  }

  void take(std::size_t inner, std::size_t reader) {
    std::vector<Cluster>& clusters = partition_.clusters;
    Cluster both = clusters[reader];
    both.nested = clusters[inner].inner;
    both.nested_reduces = clusters[inner].reduces;
    const auto store = [&](bool stored) {
      for (const ClusterOutput& o : clusters[inner].outputs) partition_.stored[o.node] = stored;
    };
    store(false);
    const Space space = space_of(graph_, caps_, partition_, both);
    const Parameters parameters(graph_, caps_);
    const bool fit = !parameters.limited() || parameters.fit(parameters.of_cluster(both, space));
    if (!fit || !tile_of({graph_, partition_, both, space, caps_}) || !wanted(both, space)) {
      store(true);
      return;
    }
    clusters[reader] = std::move(both);
    taken_[inner] = true;
  }

  bool wanted(const Cluster& both, const Space& space) const {
    const auto asked = [&](NodeId r) { return partition_.together[r]; };
    return std::ranges::any_of(both.nested_reduces, asked) ||
           decide(worth(both, space), options_, both.nested_reduces[0], both.reduces[0]);
  }

  // Only rows are left to share out: what idle units lose against what is not written and read.
  bool worth(const Cluster& both, const Space& space) const {
    const double fewest_rows = caps_.target == ir::Target::cuda ? 16 : 32;  // of an item
    const double items = middle_size(graph_, both.outer) / fewest_rows;
    const double points = middle_size(graph_, both.outer) * middle_size(graph_, both.inner);
    double operations = static_cast<double>(both.nested_reduces.size());
    for (const NodeId n : space.inside) operations += op_cost(graph_.nodes[n]);
    const double seconds = caps_.seconds(0, points * middle_size(graph_, both.nested) * operations);
    double bytes = 0;
    for (const NodeId r : both.nested_reduces) {
      bytes += 2 * points * static_cast<double>(ir::size_of(graph_.nodes[r].dtype));
    }
    return caps_.idle_seconds(seconds, items) <= caps_.seconds(bytes, 0) + caps_.launch_seconds;
  }

  const ir::Graph& graph_;
  const ir::Caps& caps_;
  const FuseOptions& options_;
  Partition& partition_;
  std::vector<bool> taken_;
  std::vector<std::size_t> home_;
  std::vector<std::pair<std::size_t, bool>> readers_;
};

}  // namespace

void nest_reductions(const ir::Graph& graph, const ir::Caps& caps, const FuseOptions& options,
                     Partition& partition) {
  if (options.fusion) Nester(graph, caps, options, partition).run();
}

}  // namespace kiln::passes
