#include "passes/hints.h"

#include "ir/mutant.h"

namespace kiln::passes {

using ir::NodeId;

namespace {

std::string line_of(const ir::Graph& graph, NodeId n) {
  return n < graph.lines.size() ? graph.lines[n] : std::string();
}

std::string named(const ir::Graph& graph, NodeId n) {
  const std::string line = line_of(graph, n);
  return ir::infix(graph, n, 60) + (line.empty() ? "" : " (" + line + ")");
}

}  // namespace

void apply_hints(const ir::Graph& graph, Partition& partition) {
  partition.together.assign(graph.nodes.size(), false);
  for (const ir::Hint& hint : graph.hints) {
    if (hint.kind == ir::HintKind::must_fuse) {
      partition.together[hint.node] = true;
      continue;
    }
    partition.stored[hint.node] = true;
    partition.cut[hint.node] = !mutant(ir::Mutant::lost_hint);
    partition.boundaries.push_back({hint.node, hint.node, "no_fuse asks for it"});
  }
  // What uses a view of a value uses it.
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    if (!is_view(graph.nodes[n])) continue;
    if (partition.together[graph.operand(static_cast<NodeId>(n), 0)]) partition.together[n] = true;
  }
}

void check_hints(const ir::Graph& graph, const Partition& partition) {
  for (const Boundary& b : partition.boundaries) {
    if (!partition.together[b.producer]) continue;
    throw HintError("must_fuse: " + named(graph, b.producer) +
                        " cannot be computed in the kernel of " + named(graph, b.consumer) + ": " +
                        b.reason,
                    line_of(graph, b.producer), line_of(graph, b.consumer));
  }
}

}  // namespace kiln::passes
