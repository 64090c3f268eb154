#include "passes/outputs.h"

#include <algorithm>

#include "passes/rewrite.h"
#include "passes/roles.h"

namespace kiln::passes {

using ir::NodeId;

ir::Graph bare_outputs(const ir::Graph& graph) {
  ir::Graph result = graph;
  bool any = false;
  const auto hinted = [&](NodeId n) {
    return std::ranges::find(graph.hints, n, &ir::Hint::node) != graph.hints.end();
  };
  for (NodeId& output : result.outputs) {
    if (graph.nodes[output].kind != ir::NodeKind::reshape) continue;
    const NodeId made = graph.operand(output, 0);
    if (!is_by_call(graph.nodes[made]) || hinted(output) || hinted(made)) continue;
    if (std::ranges::find(result.outputs, made) != result.outputs.end()) continue;
    if (!result.labels.empty() && result.labels[made].empty())
      result.labels[made] = graph.labels[output];
    output = made;
    any = true;
  }
  return any ? remove_dead(result) : result;
}

}  // namespace kiln::passes
