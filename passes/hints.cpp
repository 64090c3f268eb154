#include "passes/hints.h"

#include <algorithm>

#include "passes/space.h"

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

NodeId first_consumer(const ir::Graph& graph, NodeId producer) {
  for (NodeId n = producer + 1; n < graph.nodes.size(); ++n) {
    if (std::ranges::find(graph.operands(n), producer) != graph.operands(n).end()) return n;
  }
  return producer;
}

[[noreturn]] void refuse(const ir::Graph& graph, const Partition& partition, NodeId producer,
                         NodeId consumer) {
  std::string reason = "its consumer runs over another space or order";
  if (graph.nodes[consumer].kind == ir::NodeKind::contract) {
    reason = "a matrix product is a library's and reads its operands from memory";
  }
  for (const Boundary& b : partition.boundaries) {
    if (b.producer != producer) continue;
    reason = b.reason;
    consumer = b.consumer;
  }
  throw HintError("must_fuse: " + named(graph, producer) + " cannot be computed in the kernel of " +
                      named(graph, consumer) + ": " + reason,
                  line_of(graph, producer), line_of(graph, consumer));
}

// What a cluster reads from memory.
std::vector<NodeId> reads_of(const ir::Graph& graph, const Partition& partition,
                             const Cluster& cluster) {
  std::vector<NodeId> result;
  if (cluster.matmul) {
    for (const NodeId operand : graph.operands(cluster.outputs[0].node)) {
      result.push_back(matmul_operand(graph, operand).node);
    }
    return result;
  }
  if (cluster.outputs.empty()) return result;
  for (const Access& access : space_of(graph, partition, cluster).reads) {
    result.push_back(access.leaf);
  }
  return result;
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
    partition.cut[hint.node] = true;
    partition.boundaries.push_back(
        {hint.node, first_consumer(graph, hint.node), "no_fuse asks for it"});
  }
}

void check_hints(const ir::Graph& graph, const Partition& partition) {
  if (std::ranges::find(partition.together, true) == partition.together.end()) return;
  for (const Cluster& cluster : partition.clusters) {
    for (const NodeId read : reads_of(graph, partition, cluster)) {
      if (!partition.together[read]) continue;
      NodeId consumer = cluster.outputs[0].node;
      if (const NodeId direct = first_consumer(graph, read); direct != read) consumer = direct;
      refuse(graph, partition, read, cluster.matmul ? cluster.outputs[0].node : consumer);
    }
  }
}

}  // namespace kiln::passes
