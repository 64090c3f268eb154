#include "passes/partition_text.h"

#include <fmt/format.h>

#include "ir/text.h"
#include "passes/windows.h"

namespace kiln::passes {

using ir::NodeId;
using ir::Sym;

namespace {

void print_syms(std::string& text, const char* name, const std::vector<Sym>& syms) {
  if (syms.empty()) return;
  text += fmt::format(" {}", name);
  for (const Sym s : syms) text += fmt::format(" s{}", s);
}

class PartitionParser {
 public:
  PartitionParser(const ir::Graph& graph, std::string_view text) : graph_(graph), r_(text) {}

  std::vector<Cluster> run() {
    std::vector<Cluster> clusters;
    if (!r_.next_line()) r_.fail("a partition expected");
    r_.expect("partition");
    while (true) {
      if (!r_.next_line()) r_.fail("no end");
      const std::string_view word = r_.word();
      if (word == "end") return clusters;
      if (word == "cluster" || word == "call" || word == "assembled") {
        clusters.emplace_back();
        clusters.back().call = word == "call";
        clusters.back().assembled = word == "assembled";
        space(clusters.back());
      } else if (clusters.empty()) {
        r_.fail("a cluster expected");
      } else {
        part(clusters.back(), word);
      }
    }
  }

 private:
  void space(Cluster& cluster) {
    const auto list = [&](const char* name, std::vector<Sym>& syms) {
      if (!r_.accept(name)) return;
      while (r_.peek_prefixed('s')) {
        syms.push_back(r_.number<Sym>('s'));
        if (syms.back() >= graph_.syms.size()) r_.fail("no such symbol");
      }
    };
    list("outer", cluster.outer);
    list("inner", cluster.inner);
    list("nested", cluster.nested);
  }
  NodeId node() {
    const auto n = r_.number<NodeId>('n');
    if (n >= graph_.nodes.size()) r_.fail("no such node");
    return n;
  }
  void part(Cluster& cluster, std::string_view word) {
    if (word == "reduce") {
      cluster.reduces.push_back(node());
      r_.expect("phase");
      cluster.phases.push_back(r_.count<int>());
    } else if (word == "nested") {
      cluster.nested_reduces.push_back(node());
    } else if (word == "output") {
      ClusterOutput output{node(), {}};
      if (r_.accept("at")) {
        while (!r_.at_end_of_line())
          output.coordinates.push_back(r_.accept("_") ? kUnit : r_.count<std::uint32_t>());
      }
      cluster.outputs.push_back(std::move(output));
    } else {
      r_.fail("reduce, nested or output expected");
    }
  }

  const ir::Graph& graph_;
  ir::TextReader r_;
};

}  // namespace

std::string print(const Partition& partition) {
  std::string text = "partition\n";
  for (const Cluster& c : partition.clusters) {
    text += c.call ? "  call" : c.assembled ? "  assembled" : "  cluster";
    print_syms(text, "outer", c.outer);
    print_syms(text, "inner", c.inner);
    print_syms(text, "nested", c.nested);
    text += '\n';
    for (std::size_t i = 0; i < c.reduces.size(); ++i)
      text += fmt::format("    reduce n{} phase {}\n", c.reduces[i], c.phases[i]);
    for (const NodeId n : c.nested_reduces) text += fmt::format("    nested n{}\n", n);
    for (const ClusterOutput& output : c.outputs) {
      text += fmt::format("    output n{}", output.node);
      if (!output.coordinates.empty()) text += " at";
      for (const std::uint32_t at : output.coordinates)
        text += at == kUnit ? " _" : fmt::format(" {}", at);
      text += '\n';
    }
  }
  return text + "end\n";
}

Partition parse_partition(const ir::Graph& graph, std::string_view text) {
  Partition partition;
  partition.stored.assign(graph.nodes.size(), false);
  partition.cut.assign(graph.nodes.size(), false);
  store_windows(graph, partition);
  partition.cut.assign(graph.nodes.size(), false);
  partition.clusters = PartitionParser(graph, text).run();
  partition.stored = stored_by(graph, partition.clusters);
  return partition;
}

}  // namespace kiln::passes
