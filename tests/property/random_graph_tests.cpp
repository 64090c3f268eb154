// Random graphs are well-formed, survive print and parse, and mean the same afterwards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/error.h"
#include "tests/property/random_graph.h"

namespace kiln::ir {
namespace {

using test::RandomGraph;

std::string failure(const RandomGraph& r) {
  const Graph& g = r.graph;
  if (const std::string findings = verify(g); !findings.empty()) return findings;
  try {
    const Graph back = parse_graph(print(g));
    if (!(back == g)) return "parsed to another graph:\n" + print(back);
    if (hash(back) != hash(g)) return "another hash";
    const auto a = interpret(g, r.bindings, r.inputs());
    const auto b = interpret(back, r.bindings, r.inputs());
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (a[i] != b[i]) return "another value of output " + std::to_string(i);
      const std::int64_t bytes =
          g.size(g.outputs[i]).evaluate(r.bindings.syms) * size_of(g.nodes[g.outputs[i]].dtype);
      if (static_cast<std::int64_t>(a[i].size()) != bytes) return "wrong size of an output";
    }
    for (NodeId n = 0; n < g.nodes.size(); ++n) {
      if (infix(g, n, 80).size() > 80) return "infix text beyond its limit";
    }
  } catch (const InternalError& e) {
    return e.what();
  }
  return "";
}

TEST(RandomGraphs, PrintParseVerifyInterpret) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const RandomGraph r = test::random_graph(seed);
    if (failure(r).empty()) continue;
    NodeId n = 0;
    while (n + 1 < r.graph.nodes.size() && failure(test::with_output(r, n)).empty()) ++n;
    FAIL() << "seed " << seed << ", output n" << n << "\n"
           << print(r.graph) << failure(test::with_output(r, n)) << failure(r);
  }
}

TEST(RandomGraphs, CoverEveryKindAndTheSeedDecides) {
  std::vector<int> seen(static_cast<std::size_t>(NodeKind::item) + 1);
  std::vector<int> ops(kOpCount);
  const test::RandomGraphOptions options;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const RandomGraph r = test::random_graph(seed, options);
    EXPECT_EQ(r.graph, test::random_graph(seed, options).graph);
    for (const Node& node : r.graph.nodes) {
      ++seen[static_cast<std::size_t>(node.kind)];
      if (node.kind == NodeKind::map) ++ops[static_cast<std::size_t>(node.op)];
    }
  }
  for (int k = 0; k < static_cast<int>(NodeKind::loop); ++k) {
    if (k == static_cast<int>(NodeKind::put)) continue;  // made by passes alone
    EXPECT_GT(seen[static_cast<std::size_t>(k)], 20) << k;
  }
  for (int o = 0; o < kOpCount; ++o)
    EXPECT_GT(ops[static_cast<std::size_t>(o)], 0) << info(static_cast<Op>(o)).name;
}

}  // namespace
}  // namespace kiln::ir
