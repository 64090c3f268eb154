#include "passes/overwritten.h"

#include <algorithm>

#include "passes/windows.h"

namespace kiln::passes {

using ir::NodeId;
using ir::NodeKind;

void store_windows(const ir::Graph& graph, Partition& partition) {
  partition.whole.clear();
  const auto is_put = [](const ir::Node& n) { return n.kind == NodeKind::put; };
  if (std::ranges::none_of(graph.nodes, is_put)) return;
  partition.whole.assign(graph.nodes.size(), kNoWhole);
  partition.overwritten.assign(graph.nodes.size(), false);
  const Users users(graph);
  const std::vector<bool> output = outputs_of(graph);
  Readers readers(graph, users, output);
  const auto store = [&](NodeId n, bool cut) {
    if (graph.nodes[n].operand_count == 0) return;
    partition.stored[n] = true;
    if (cut) partition.cut[n] = true;
  };
  for (NodeId n = 0; n < graph.nodes.size(); ++n) {
    if (!is_put(graph.nodes[n])) continue;
    const NodeId whole = users.of(n)[0], value = graph.operand(n, 0);
    const bool update = graph.nodes[whole].kind == NodeKind::update;
    partition.whole[n] = whole;
    store(n, false);
    store(whole, false);
    if (update) {
      partition.overwritten[graph.operand(whole, 0)] = true;
      store(graph.operand(whole, 0), false);
      readers.find(
          whole, [&](NodeId user) { return is_assembled(graph, user); },
          [&](NodeId reader, std::optional<std::uint32_t>) {
            if (reader == value) store(value, true);
          });
    }
    // Two kernels cannot both compute it: one write of a chain waits for the one before.
    NodeId made = value;
    bool shared = users.of(made).size() > 1;
    while (is_view(graph.nodes[made])) {
      made = graph.operand(made, 0);
      shared = shared || users.of(made).size() > 1;
    }
    if (shared && !partition.together[made]) store(made, update);
  }
}

}  // namespace kiln::passes
