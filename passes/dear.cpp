#include "passes/dear.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <unordered_set>

namespace kiln::passes {

using ir::NodeId;
using ir::NodeKind;

namespace {

// Operations in a row that one kernel takes at most.
constexpr int kMaxChain = 1024;
// Nodes looked at to price a value; a dearer one is dear enough.
constexpr std::size_t kMaxCone = 2048;

struct Uses {
  double shared = 0;    // by elementwise consumers, which share one evaluation
  double separate = 0;  // by views, each an evaluation of its own
  NodeId consumer = 0;
};

// Operations to compute one element of `top` from what is stored.
double cone_cost(const ir::Graph& graph, NodeId top, const std::vector<bool>& stored) {
  std::unordered_set<NodeId> seen{top};
  std::vector<NodeId> stack{top};
  double cost = 0;
  while (!stack.empty() && seen.size() < kMaxCone) {
    const NodeId n = stack.back();
    stack.pop_back();
    cost += op_cost(graph.nodes[n]);
    for (const NodeId operand : graph.operands(n)) {
      if (!stored[operand] && !is_reduction(graph.nodes[operand]) && seen.insert(operand).second) {
        stack.push_back(operand);
      }
    }
  }
  return cost;
}

std::string reason_of(double times, double cost) {
  std::ostringstream text;
  text << "computed " << std::llround(times) << " times over with " << std::llround(cost)
       << " operations an element: storing is cheaper";
  return text.str();
}

}  // namespace

void store_dear_values(const ir::Graph& graph, const ir::Caps& caps, Partition& partition) {
  std::vector<bool>& stored = partition.stored;
  std::vector<Boundary>& boundaries = partition.boundaries;
  std::vector<Uses> uses(graph.nodes.size());
  for (const NodeId output : graph.outputs) uses[output].shared = 1;
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    const auto n = static_cast<NodeId>(i);
    const ir::Node& node = graph.nodes[n];
    const double times = std::min(uses[n].shared + uses[n].separate, 1e12);
    if (times == 0) continue;
    if (node.kind == NodeKind::map && times > 1.5 && !stored[n]) {
      const double cost = cone_cost(graph, n, stored);
      const double size = middle_size(graph, graph.shape(n));
      const double again = (times - 1) * size * cost / caps.rate;
      const double bytes = size * static_cast<double>(ir::size_of(node.dtype));
      if (node.rank > 0 && again > 2 * bytes / caps.bandwidth + caps.launch_seconds) {
        stored[n] = true;
        boundaries.push_back({n, uses[n].consumer, reason_of(times, cost)});
      }
    }
    const bool once = stored[n] || is_reduction(node);
    const double mine = once ? 1 : times;
    for (const NodeId operand : graph.operands(n)) {
      uses[operand].consumer = n;
      if (node.kind == NodeKind::map || is_reduction(node)) {
        uses[operand].shared = std::max(uses[operand].shared, mine);
      } else {
        double factor = 1;
        if (node.kind == NodeKind::broadcast) {
          factor = middle_size(graph, graph.shape(n)) / middle_size(graph, graph.shape(operand));
        }
        uses[operand].separate += mine * std::max(factor, 1.0);
      }
    }
  }
  std::vector<int> depth(graph.nodes.size(), 0);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto n = static_cast<NodeId>(i);
    for (const NodeId operand : graph.operands(n)) {
      depth[n] = std::max(depth[n], depth[operand] + 1);
    }
    if (depth[n] >= kMaxChain && graph.nodes[n].kind == NodeKind::map && graph.nodes[n].rank > 0) {
      stored[n] = true;
      partition.cut[n] = true;
      depth[n] = 0;
      boundaries.push_back(
          {n, n, "a chain of " + std::to_string(kMaxChain) + " operations ends here"});
    }
  }
}

}  // namespace kiln::passes
