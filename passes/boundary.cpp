#include "passes/boundary.h"

#include <algorithm>
#include <optional>

#include "passes/calls.h"
#include "passes/dear.h"
#include "passes/space.h"
#include "passes/ways.h"

namespace kiln::passes {

using ir::NodeId;
using ir::NodeKind;
using ir::Sym;

namespace {

constexpr std::size_t kNone = ~std::size_t{0};

struct Work {
  double bytes = 0, operations = 0;
};

double seconds(const ir::Caps& caps, const Work& work) {
  return caps.seconds(work.bytes, work.operations) + caps.launch_seconds;
}

double middle_of(const ir::Graph& graph, const ir::SizeExpr& expression) {
  double sum = 0;
  for (const ir::SizeTerm& term : expression.terms) {
    sum += static_cast<double>(term.coefficient) * middle_size(graph, term.factors) /
           static_cast<double>(term.divisor);
  }
  return sum;
}

// Of a reduction over axes that are no run of memory: each element's coordinates are found by
// division, and its loads are single ones. A processor takes 6 ns an element for two or three of
// them, five times what these operations take in straight lines.
double divisions(const ir::Graph& graph, const ir::Caps& caps, const Cluster& cluster,
                 const Space& space) {
  const std::size_t axes = walked_apart(space.inner);
  if (cluster.reduces.empty() || axes < 2) return 0;
  const double points = middle_size(graph, cluster.outer) * middle_size(graph, cluster.inner);
  const double each = caps.target == ir::Target::cpu ? 5 : 1;
  return points * each *
         (kDivisionCost * static_cast<double>(axes - 1) +
          kGatherCost * static_cast<double>(space.reads.size()));
}

Work work_of(const ir::Graph& graph, const ir::Caps& caps, const Cluster& cluster,
             const Space& space) {
  const Traffic t = traffic_of(graph, caps, cluster, space);
  return {middle_of(graph, t.compulsory_read) + middle_of(graph, t.compulsory_written),
          middle_of(graph, t.operations) + divisions(graph, caps, cluster, space)};
}

class Boundaries {
 public:
  Boundaries(const ir::Graph& graph, const ir::Caps& caps, Partition& partition)
      : graph_(graph), caps_(caps), partition_(partition) {}

  void run() {
    const std::vector<Cluster>& clusters = partition_.clusters;
    home_.assign(graph_.nodes.size(), kNone);
    readers_.assign(graph_.nodes.size(), 0);
    for (std::size_t c = 0; c < clusters.size(); ++c) {
      // An input that is asked for as an output is copied, and read as an input.
      for (const ClusterOutput& output : clusters[c].outputs) {
        if (graph_.nodes[output.node].operand_count > 0) home_[output.node] = c;
      }
      spaces_.push_back(space_of(graph_, caps_, partition_, clusters[c]));
      reads_.push_back(distinct_reads(spaces_[c]));
      for (const NodeId n : reads_[c]) ++readers_[n];
    }
    std::vector<Boundary> known = std::move(partition_.boundaries);
    partition_.boundaries.clear();
    std::vector<bool> done(graph_.nodes.size(), false);
    for (std::size_t c = 0; c < clusters.size(); ++c) {
      if (clusters[c].assembled) continue;
      for (const NodeId n : reads_[c]) {
        if (clusters[c].call && is_copied(clusters[c], n)) {
          const bool product = is_product(clusters[c]);
          partition_.boundaries.push_back(
              {n, clusters[c].outputs[0].node,
               product ? "a matrix product is a library's and reads operands whose rows or columns "
                         "are dense: an input that lies otherwise is copied"
                       : "what computes rows as a whole reads dense operands here: an input that "
                         "lies otherwise is copied"});
          continue;
        }
        if (home_[n] == kNone || home_[n] == c || done[n]) continue;
        done[n] = true;
        const auto decided = std::ranges::find(known, n, &Boundary::producer);
        Boundary b = decided != known.end() ? *decided : Boundary{n, n, ""};
        if (b.consumer == n) b.consumer = consumer(n, c);
        if (b.reason.empty()) b.reason = reason(n, c);
        if (b.stored_seconds == 0) price(b, c);
        partition_.boundaries.push_back(std::move(b));
      }
    }
  }

 private:
  bool is_copied(const Cluster& call, NodeId input) const {
    return std::ranges::any_of(
        call_operands(graph_, caps_, called(graph_, call.outputs[0].node)),
        [&](const CallOperand& read) { return read.copied && read.node == input; });
  }
  bool is_product(const Cluster& call) const {
    return graph_.nodes[call.outputs[0].node].kind == NodeKind::contract;
  }

  static std::vector<NodeId> distinct_reads(const Space& space) {
    std::vector<NodeId> result;
    for (const Access& access : space.reads) result.push_back(access.leaf);
    std::ranges::sort(result);
    result.erase(std::unique(result.begin(), result.end()), result.end());
    return result;
  }

  // The first operation of the cluster that takes the value, views of it looked through.
  NodeId consumer(NodeId value, std::size_t c) const {
    const Cluster& cluster = partition_.clusters[c];
    if (cluster.call) return cluster.outputs[0].node;
    std::vector<NodeId> nodes = spaces_[c].inside;
    for (const std::vector<NodeId>* reduces : {&cluster.reduces, &cluster.nested_reduces})
      nodes.insert(nodes.end(), reduces->begin(), reduces->end());
    std::ranges::sort(nodes);
    std::vector<NodeId> same{value};
    for (const NodeId n : nodes) {
      const bool takes = std::ranges::any_of(graph_.operands(n), [&](NodeId operand) {
        return std::ranges::find(same, operand) != same.end();
      });
      if (!takes) continue;
      if (folds(graph_.nodes[n]) || is_map(graph_.nodes[n])) return n;
      same.push_back(n);
    }
    return cluster.outputs.empty() ? value : cluster.outputs[0].node;
  }

  bool split(const Cluster& cluster) const {
    return !cluster.reduces.empty() && needs_split(graph_, caps_, cluster.outer, cluster.inner);
  }

  // Whether what `from` reads was made, maybe by way of others, from what `to` makes.
  bool depends(std::size_t from, std::size_t to) const {
    std::vector<bool> seen(partition_.clusters.size(), false);
    std::vector<std::size_t> stack{from};
    while (!stack.empty()) {
      const std::size_t c = stack.back();
      stack.pop_back();
      if (c == to) return true;
      for (const NodeId n : reads_[c]) {
        const std::size_t maker = home_[n];
        if (maker == kNone || seen[maker]) continue;
        seen[maker] = true;
        stack.push_back(maker);
      }
    }
    return false;
  }

  std::string reason(NodeId n, std::size_t c) const {
    const Cluster &maker = partition_.clusters[home_[n]], &reader = partition_.clusters[c];
    if (maker.assembled) return "it is made in memory, piece by piece";
    if (has_puts(partition_, reader) && partition_.cut[n])
      return "it is used beside being written to a window, or reads what is overwritten there";
    if (maker.call)
      return is_product(maker) ? "a matrix product is a library's and writes its result to memory"
                               : "a row is computed as a whole, in memory";
    if (reader.call)
      return is_product(reader)
                 ? "a matrix product is a library's and reads its operands from memory"
                 : "a row is computed as a whole, from memory";
    if (partition_.cut[n]) return "no kernel may both make and use it";
    const bool reduction = folds(graph_.nodes[n]);
    if (reduction && split(maker)) {
      return "too few rows, and long ones: pieces of a row are reduced side by side, and their "
             "results meet in memory";
    }
    for (const NodeId other : reads_[c]) {
      const std::size_t between = home_[other];
      if (between != kNone && between != home_[n] && between != c && depends(between, home_[n]))
        return "its consumer needs what another kernel makes of this one's results";
    }
    if (reduction) {
      return "a reduction is complete before its consumer, which runs over other points, can "
             "use it; no kernel reduces again for each of those";
    }
    if (maker.outer != reader.outer || maker.inner != reader.inner)
      return "its consumer runs over another space, and uses it at points where it was not made";
    return "its consumer uses it at other points than those where it is made";
  }

  void price(Boundary& b, std::size_t c) const {
    const NodeId n = b.producer;
    const Cluster &maker = partition_.clusters[home_[n]], &reader = partition_.clusters[c];
    if (!maker.kernels() || !reader.kernels()) return;
    const Work made = work_of(graph_, caps_, maker, spaces_[home_[n]]);
    const Work used = work_of(graph_, caps_, reader, spaces_[c]);
    b.stored_seconds = seconds(caps_, made) + seconds(caps_, used);
    const std::optional<Work> again =
        folds(graph_.nodes[n]) ? reduced_again(n, c, used) : mapped_again(n, c);
    if (again) b.fused_seconds = seconds(caps_, *again);
    const bool alone = maker.outputs.size() == 1 && readers_[n] == 1 &&
                       std::ranges::find(graph_.outputs, n) == graph_.outputs.end();
    if (!alone && again) b.fused_seconds += seconds(caps_, made);
    if (!folds(graph_.nodes[n]) || (!split(maker) && !partition_.cut[n])) return;
    // They could be one kernel row by row, with as many units at work as there are rows.
    const Work both{made.bytes + used.bytes - 2 * middle_bytes(graph_, n),
                    made.operations + used.operations};
    double rows = seconds(caps_, both);
    if (split(maker)) {
      b.stored_seconds += caps_.launch_seconds;  // of the kernel that joins the pieces
      rows += caps_.idle_seconds(rows - caps_.launch_seconds, middle_size(graph_, maker.outer));
    }
    b.fused_seconds = std::min(b.fused_seconds, rows);
  }

  // The reader, if it computed the value wherever it uses it.
  std::optional<Work> mapped_again(NodeId n, std::size_t c) const {
    Partition fused;
    fused.stored = partition_.stored;
    fused.whole = partition_.whole;
    fused.stored[n] = false;
    const Cluster& reader = partition_.clusters[c];
    return work_of(graph_, caps_, reader, space_of(graph_, caps_, fused, reader));
  }

  // The reader, if it reduced again for each point that uses the result.
  std::optional<Work> reduced_again(NodeId n, std::size_t c, Work work) const {
    const Cluster& reader = partition_.clusters[c];
    std::vector<Sym> extents = reader.outer;
    for (const std::vector<Sym>* more : {&reader.inner, &reader.nested})
      extents.insert(extents.end(), more->begin(), more->end());
    const double least = std::min(caps_.units(), middle_size(graph_, extents));
    double times = 0;
    for (const Access& access : spaces_[c].reads) {
      if (access.leaf != n) continue;
      // Once for each point of the loops that it depends on and of those around them, and at least
      // once for each unit at work: they share no results.
      times += std::max(middle_size(graph_, std::span(extents).first(depth(access.index))), least);
    }
    std::vector<NodeId> inside;
    std::vector<bool> leaf = partition_.stored;
    const Root root{graph_.operand(n, 0), index_at(reduce_coordinates(graph_, n)), false};
    double operations = 1;
    std::vector<NodeId> read = reads_[c];
    for (const Access& access : walk(graph_, {root}, leaf, &inside)) {
      const ir::Node& node = graph_.nodes[access.leaf];
      if (node.operand_count == 0 && !is_input(node)) continue;
      operations += kLoadCost;
      if (std::ranges::find(read, access.leaf) != read.end()) continue;
      read.push_back(access.leaf);
      work.bytes += middle_bytes_read(graph_, access.leaf);
    }
    for (const NodeId i : inside) operations += op_cost(graph_.nodes[i]);
    work.bytes -= middle_bytes(graph_, n);
    work.operations += times * middle_size(graph_, reduced_extents(graph_, n)) * operations;
    return work;
  }

  const ir::Graph& graph_;
  const ir::Caps& caps_;
  Partition& partition_;
  std::vector<Space> spaces_;                // by cluster
  std::vector<std::vector<NodeId>> reads_;   // by cluster
  std::vector<std::size_t> home_, readers_;  // by node: the cluster that makes it; readers of it
};

}  // namespace

double estimated_seconds(const ir::Graph& graph, const ir::Caps& caps, const Partition& partition,
                         const Cluster& cluster) {
  return seconds(caps, work_of(graph, caps, cluster, space_of(graph, caps, partition, cluster)));
}

double estimated_seconds(const ir::Graph& graph, const ir::Caps& caps, const Partition& partition) {
  double sum = 0;
  for (const Cluster& cluster : partition.clusters)
    sum += estimated_seconds(graph, caps, partition, cluster);
  return sum;
}

void find_boundaries(const ir::Graph& graph, const ir::Caps& caps, Partition& partition) {
  Boundaries(graph, caps, partition).run();
}

}  // namespace kiln::passes
