// Partitions on text: each file of partitions/ has a graph and what fusion makes of it for a CPU.
// KILN_UPDATE_GOLDEN=1 writes what it makes now; read the diff. And each finding of the verifier.
#include "passes/partition_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "ir/error.h"
#include "passes/fuse.h"
#include "passes/nest.h"
#include "passes/windows.h"
#include "tests/plans/programs.h"
#include "tests/source_folder.h"

namespace kiln::passes {
namespace {

struct PartitionCase {
  std::string comment, graph, partition;
};

constexpr const char* kArrow = "=>\n";

PartitionCase read(const std::filesystem::path& path) {
  std::ifstream file(path);
  PartitionCase result;
  std::getline(file, result.comment);
  std::stringstream rest;
  rest << file.rdbuf();
  const std::string text = rest.str();
  const std::size_t arrow = text.find(kArrow);
  result.graph = text.substr(0, arrow);
  if (arrow != std::string::npos)
    result.partition = text.substr(arrow + std::string(kArrow).size());
  return result;
}

std::filesystem::path folder() { return testing::source_folder() + "/tests/passes/partitions"; }

// With windows, as the partition's nodes are.
ir::Graph graph_of(const PartitionCase& c) {
  return place_windows(ir::parse_graph(c.graph), kiln::testing::cpu_caps(), {});
}

Partition fused(const ir::Graph& graph) {
  const ir::Caps caps = kiln::testing::cpu_caps();
  Partition partition = fuse(graph, caps, {});
  nest_reductions(graph, caps, {}, partition);
  std::erase_if(partition.clusters, [](const Cluster& c) { return c.outputs.empty(); });
  return partition;
}

TEST(PartitionText, IsWhatFusionMakes) {
  int cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder())) {
    ++cases;
    const PartitionCase c = read(entry.path());
    const ir::Graph graph = graph_of(c);
    const Partition partition = fused(graph);
    EXPECT_EQ(verify(graph, kiln::testing::cpu_caps(), partition), "") << entry.path();
    const std::string text = print(partition);
    EXPECT_EQ(print(parse_partition(graph, text)), text);
    if (std::getenv("KILN_UPDATE_GOLDEN") != nullptr) {
      std::ofstream(entry.path()) << c.comment << "\n" << c.graph << kArrow << text;
    } else {
      EXPECT_EQ(text, c.partition) << entry.path() << "\n" << ir::print(graph);
    }
  }
  EXPECT_GE(cases, 6);
}

TEST(PartitionText, SaysWhereItIsWrong) {
  const ir::Graph graph = graph_of(read(folder() / "softmax.txt"));
  const auto complaint = [&](const char* text) -> std::string {
    try {
      parse_partition(graph, text);
    } catch (const ir::InternalError& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_THAT(complaint("partition\n  cluster outer s9\nend\n"),
              ::testing::HasSubstr("no such symbol"));
  EXPECT_THAT(complaint("partition\n  cluster\n    output n99\nend\n"),
              ::testing::HasSubstr("no such node"));
  EXPECT_THAT(complaint("partition\n  output n1\nend\n"),
              ::testing::HasSubstr("a cluster expected"));
  EXPECT_THAT(complaint("partition\n  cluster\n"), ::testing::HasSubstr("no end"));
}

// What the verifier says of a case in which these words of the partition are others.
std::string findings(const char* name, const std::string& words, const std::string& others) {
  const PartitionCase c = read(folder() / name);
  std::string text = c.partition;
  const std::size_t at = text.find(words);
  EXPECT_NE(at, std::string::npos) << words << " in\n" << text;
  if (at == std::string::npos) return "";
  text.replace(at, words.size(), others);
  const ir::Graph graph = graph_of(c);
  return verify(graph, kiln::testing::cpu_caps(), parse_partition(graph, text));
}

TEST(PartitionVerifier, NamesWhatIsWrong) {
  using ::testing::HasSubstr;
  EXPECT_EQ(findings("softmax.txt", "phase 0", "phase 0"), "");
  EXPECT_THAT(findings("softmax.txt", "output n9 at 0 1", "output n9 at 0"),
              HasSubstr("n9 has not a coordinate for each axis"));
  EXPECT_THAT(findings("softmax.txt", "output n9 at 0 1", "output n9 at 1 0"),
              HasSubstr("n9: axis 0 has another extent"));
  EXPECT_THAT(findings("softmax.txt", "output n9 at 0 1", "output n9 at 0 7"),
              HasSubstr("n9: axis 1 runs along no coordinate of its"));
  EXPECT_THAT(findings("softmax.txt", "output n9 at 0 1", "output n9 at 0 _"),
              HasSubstr("n9: axis 1 of extent 1"));
  EXPECT_THAT(findings("softmax.txt", "phase 1", "phase 0"),
              HasSubstr("n6 needs n1, of no earlier phase"));
  EXPECT_THAT(findings("softmax.txt", "phase 1", "phase 2"), HasSubstr("phase 1 is left out"));
  EXPECT_THAT(findings("softmax.txt", "reduce n6", "reduce n9"), HasSubstr("n9 is no reduction"));
  EXPECT_THAT(findings("softmax.txt", "outer s2", "outer s1 s2"),
              HasSubstr("an extent of 1 in its space"));
  EXPECT_THAT(findings("softmax.txt", "output n9 at 0 1", "output n5 at 0 1"),
              HasSubstr("n9 is an output that nothing makes"));
  EXPECT_THAT(findings("turned.txt", "output n1 at 0 1", "output n3 at 1 0"),
              HasSubstr("n1 is an output that nothing makes"));
  EXPECT_THAT(findings("calls.txt", "  call\n    output n3\n", ""),
              HasSubstr("reads n3, which no cluster before it makes"));
  EXPECT_THAT(findings("calls.txt", "  call\n", "  call outer s2\n"),
              HasSubstr("no kernel, but a space"));
  EXPECT_THAT(findings("calls.txt", "    output n3\n", ""),
              HasSubstr("a call or an assembled array without outputs"));
  EXPECT_THAT(findings("calls.txt", "end", "  call\n    output n3\nend"),
              HasSubstr("n3 is made before"));
}

TEST(PartitionVerifier, KnowsWhatIsStored) {
  const PartitionCase c = read(folder() / "calls.txt");
  const ir::Graph graph = graph_of(c);
  Partition partition = parse_partition(graph, c.partition);
  EXPECT_EQ(verify(graph, kiln::testing::cpu_caps(), partition), "");
  partition.stored[3] = false;
  EXPECT_THAT(verify(graph, kiln::testing::cpu_caps(), partition),
              ::testing::HasSubstr("n3 is stored, or not, against its clusters"));
}

}  // namespace
}  // namespace kiln::passes
