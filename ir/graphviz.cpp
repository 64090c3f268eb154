#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "ir/graph_kinds.h"
#include "ir/text.h"

namespace kiln::ir {
namespace {

class DotWriter {
 public:
  std::string run(const Graph& graph) {
    out_ = "digraph kiln {\n  node [shape=box, fontname=\"monospace\"];\n";
    write(graph, "n");
    out_ += "}\n";
    return std::move(out_);
  }

 private:
  template <class... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }

  // Nesting of regions only. `id` begins the names of this graph's nodes.
  void write(const Graph& g, const std::string& id) {
    for (NodeId n = 0; n < g.nodes.size(); ++n) node(g, n, id);
    for (const NodeId out : g.outputs) put("  {}{} [penwidth=2];\n", id, out);
    for (std::size_t r = 0; r < g.regions.size(); ++r) {
      put("  subgraph cluster_{}r{} {{\n  label=\"region {}\";\n", id, r, r);
      write(g.regions[r], fmt::format("{}r{}_", id, r));
      put("  }}\n");
    }
  }

  void node(const Graph& g, NodeId n, const std::string& id) {
    const Node& node = g.nodes[n];
    std::string text(node.kind == NodeKind::map ? info(node.op).name : info(node.kind).name);
    if (info(node.kind).carries == Carries::op && node.kind != NodeKind::map) {
      text += fmt::format(" {}", info(node.op).name);
    }
    if (node.kind == NodeKind::constant) text = infix(g, n);
    if (n < g.labels.size() && !g.labels[n].empty()) text += fmt::format(" '{}'", g.labels[n]);
    text += fmt::format("\n{}", name(node.dtype));
    for (const Sym s : g.shape(n)) text += fmt::format(" s{}", s);
    if (n < g.lines.size() && !g.lines[n].empty()) text += "\n" + g.lines[n];
    put("  {}{} [label={}];\n", id, n, quote(text));
    for (const NodeId operand : g.operands(n)) put("  {}{} -> {}{};\n", id, operand, id, n);
  }

  std::string out_;
};

}  // namespace

std::string graphviz(const Graph& graph) { return DotWriter().run(graph); }

}  // namespace kiln::ir
