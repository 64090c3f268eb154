#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "ir/mutant.h"
#include "passes/parameters.h"
#include "passes/partition_text.h"
#include "passes/space.h"

namespace kiln::passes {

using ir::NodeId;
using ir::NodeKind;
using ir::Sym;

namespace {

class PartitionCheck {
 public:
  PartitionCheck(const ir::Graph& graph, const ir::Caps& caps, const Partition& partition)
      : graph_(graph),
        caps_(caps),
        partition_(partition),
        parameters_(graph, caps),
        made_(graph.nodes.size(), false) {}

  std::string run() {
    for (std::size_t c = 0; c < partition_.clusters.size(); ++c) {
      who_ = fmt::format("cluster {}", c);
      check(partition_.clusters[c]);
    }
    who_ = "partition";
    for (const NodeId output : graph_.outputs)
      at(made_[output], "n{} is an output that nothing makes", output);
    const std::vector<bool> stored = stored_by(graph_, partition_.clusters);
    for (NodeId n = 0; n < graph_.nodes.size(); ++n) {
      if (!is_input(graph_.nodes[n]))
        at(partition_.stored[n] == stored[n], "n{} is stored, or not, against its clusters", n);
    }
    return std::move(findings_);
  }

 private:
  template <class... Args>
  bool at(bool ok, fmt::format_string<Args...> format, Args&&... args) {
    if (!ok) findings_ += who_ + ": " + fmt::format(format, std::forward<Args>(args)...) + "\n";
    return ok;
  }

  void check(const Cluster& c) {
    if (c.kernels() && c.outputs.empty()) return;  // what it would have made is made elsewhere
    if (!at(!c.outputs.empty(), "a call or an assembled array without outputs")) return;
    const std::size_t before = findings_.size();
    if (c.kernels()) {
      check_space(c);
      check_phases(c);
      for (const ClusterOutput& output : c.outputs) check_place(c, output);
      check_windows(c);
    } else {
      at(c.reduces.empty() && c.outer.empty() && c.inner.empty(), "no kernel, but a space");
      if (c.assembled) check_pieces(c.outputs[0].node);
    }
    if (findings_.size() == before) check_reads(c);  // else there is nothing to look through
    for (const ClusterOutput& output : c.outputs) {
      at(!made_[output.node], "n{} is made before", output.node);
      made_[output.node] = true;
    }
  }

  void check_space(const Cluster& c) {
    for (const std::vector<Sym>* list : {&c.outer, &c.inner, &c.nested}) {
      for (const Sym s : *list) at(s != ir::kOne, "an extent of 1 in its space");
    }
  }

  void check_place(const Cluster& c, const ClusterOutput& output) {
    const auto shape = graph_.shape(output.node);
    std::vector<Sym> extents = c.outer;
    const bool row = per_row(graph_.nodes[output.node]);
    if (!row) extents.insert(extents.end(), c.inner.begin(), c.inner.end());
    if (!at(output.coordinates.size() == shape.size(), "n{} has not a coordinate for each axis",
            output.node))
      return;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      const std::uint32_t at_axis = output.coordinates[i];
      if (shape[i] == ir::kOne || at_axis == kUnit) {
        at(shape[i] == ir::kOne && at_axis == kUnit, "n{}: axis {} of extent 1", output.node, i);
        continue;
      }
      if (at(at_axis < extents.size(), "n{}: axis {} runs along no coordinate of its", output.node,
             i))
        at(extents[at_axis] == shape[i], "n{}: axis {} has another extent", output.node, i);
    }
  }

  // Reductions of the cluster that a value of it needs.
  std::set<NodeId> needed(const Cluster& c, NodeId reduce) const {
    const Unfolding unfolded = unfold(
        graph_, {{graph_.operand(reduce, 0), index_at(reduce_coordinates(graph_, reduce)), false}},
        partition_.stored);
    std::set<NodeId> result;
    for (const Visit& visit : unfolded.visits) {
      if (std::ranges::find(c.reduces, visit.node) != c.reduces.end()) result.insert(visit.node);
    }
    return result;
  }

  void check_phases(const Cluster& c) {
    if (!at(c.phases.size() == c.reduces.size(), "not a phase for each reduction")) return;
    std::map<NodeId, int> phase;
    for (std::size_t i = 0; i < c.reduces.size(); ++i) {
      if (!at(folds(graph_.nodes[c.reduces[i]]), "n{} is no reduction", c.reduces[i])) return;
      phase[c.reduces[i]] = c.phases[i];
    }
    int last = -1;
    std::set<int> seen(c.phases.begin(), c.phases.end());
    for (const int p : seen) at(p == ++last, "phase {} is left out", last);
    for (const NodeId r : c.reduces) {
      for (const NodeId before : needed(c, r))
        at(phase.at(before) < phase.at(r), "n{} needs n{}, of no earlier phase", r, before);
    }
  }

  void check_reads(const Cluster& c) {
    const Space space = space_of(graph_, caps_, partition_, c);
    for (const Access& read : space.reads) {
      const bool there = is_input(graph_.nodes[read.leaf]) || made_[read.leaf] ||
                         graph_.nodes[read.leaf].operand_count == 0;
      at(there, "reads n{}, which no cluster before it makes", read.leaf);
    }
    if (c.kernels() && parameters_.limited())
      at(c.outputs.size() == 1 || parameters_.fit(parameters_.of_cluster(c, space)),
         "more parameters than the device takes");
  }

  // What is put lies within its whole along each axis.
  void check_windows(const Cluster& c) {
    for (const ClusterOutput& output : c.outputs) {
      if (!partition_.is_put(output.node)) continue;
      const NodeId whole = partition_.whole[output.node];
      const auto piece = graph_.shape(output.node), shape = graph_.shape(whole);
      const ir::Slices& window = graph_.attribute<ir::Slices>(output.node);
      for (std::size_t i = 0; i < shape.size(); ++i) {
        if (window.begin[i] != ir::kZero || window.step[i] != ir::kOne) continue;
        at(graph_.sym(piece[i]).lo <= graph_.sym(shape[i]).hi, "n{} is longer than n{}",
           output.node, whole);
      }
      at(!made_[whole], "n{} is put into n{} when that is complete", output.node, whole);
    }
  }

  // All pieces of what is assembled are made before, each in its place.
  void check_pieces(NodeId whole) {
    const auto operands = graph_.operands(whole);
    const bool joined = graph_.nodes[whole].kind == NodeKind::concat;
    for (std::size_t i = 0; i < operands.size(); ++i) {
      const NodeId piece = operands[i];
      const bool put = graph_.nodes[piece].kind == NodeKind::put;
      if (!joined && i == 0) continue;  // the base
      if (!at(put, "n{} is no piece of n{}", piece, whole)) continue;
      at(made_[piece], "n{}, a piece of n{}, is not made before it", piece, whole);
      if (!joined) continue;
      const std::size_t along = graph_.nodes[whole].imm;
      const ir::Slices& window = graph_.attribute<ir::Slices>(piece);
      const ir::Pads& begins = graph_.attribute<ir::Pads>(whole);
      for (std::size_t axis = 0; axis < window.begin.size(); ++axis) {
        const Sym begin = axis == along ? begins.low[i] : ir::kZero;
        at(window.begin[axis] == begin && window.step[axis] == ir::kOne,
           "n{} is not where n{} has it", piece, whole);
      }
    }
  }

  const ir::Graph& graph_;
  const ir::Caps& caps_;
  const Partition& partition_;
  const Parameters parameters_;
  std::vector<bool> made_;
  std::string who_, findings_;
};

}  // namespace

std::string verify(const ir::Graph& graph, const ir::Caps& caps, const Partition& partition) {
  return PartitionCheck(graph, caps, partition).run();
}

}  // namespace kiln::passes
