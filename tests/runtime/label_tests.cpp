#include "runtime/label.h"

#include <gtest/gtest.h>

namespace kiln::runtime {
namespace {

ir::Plan one_kernel(std::vector<ir::NodeId> nodes) {
  ir::Plan plan;
  plan.kernels.resize(1);
  plan.kernels[0].name = "add";
  plan.launches.resize(1);
  plan.calls.resize(1);
  plan.calls[0].report = 1;
  plan.clusters.resize(2);
  plan.clusters[0].name = "add";
  plan.clusters[0].nodes = std::move(nodes);
  plan.clusters[1].name = "matmul";
  plan.clusters[1].nodes = {0};
  return plan;
}

TEST(LaunchLabel, HasTheDistinctLinesOfTheRequest) {
  const ir::Plan plan = one_kernel({0, 1, 2, 3});
  const char other_name[] = "elsewhere/a.cpp";
  const ir::SourceLine first[] = {{"a.cpp", 3}, {"/x/b.cpp", 4}, {"a.cpp", 3}, {other_name, 3}};
  EXPECT_EQ(label_of(plan, plan.launches[0], first).text(), "add (a.cpp:3, b.cpp:4)");
  const ir::SourceLine second[] = {{"c.cpp", 1}, {nullptr, 0}, {"c.cpp", 2}, {"c.cpp", 1}};
  EXPECT_EQ(label_of(plan, plan.launches[0], second).text(), "add (c.cpp:1, c.cpp:2)");
  EXPECT_EQ(label_of(plan, plan.calls[0], second).text(), "matmul (c.cpp:1)");
  EXPECT_EQ(label_of(plan, plan.launches[0], {}).text(), "add");
}

TEST(LaunchLabel, FindsLinesByWhatPassesMadeTheNodesOf) {
  ir::Plan plan = one_kernel({0, 1});
  plan.graph.origins = {2, 0};
  const ir::SourceLine lines[] = {{"a.cpp", 1}, {"a.cpp", 2}, {"a.cpp", 3}};
  EXPECT_EQ(label_of(plan, plan.launches[0], lines).text(), "add (a.cpp:3, a.cpp:1)");
}

TEST(LaunchLabel, OfManyLinesNamesTheFirst) {
  std::vector<ir::NodeId> nodes;
  std::vector<ir::SourceLine> lines;
  for (int i = 0; i < 9; ++i) {
    nodes.push_back(static_cast<ir::NodeId>(i));
    lines.push_back({"a.cpp", i + 1});
  }
  const ir::Plan plan = one_kernel(nodes);
  const std::string text = label_of(plan, plan.launches[0], lines).text();
  EXPECT_EQ(text.substr(text.find("a.cpp:8")), "a.cpp:8, ...)");
}

TEST(LaunchLabel, APlanWithoutReportsNamesItsKernel) {
  ir::Plan plan = one_kernel({});
  plan.clusters.clear();
  EXPECT_EQ(label_of(plan, plan.launches[0], {}).text(), "add");
}

}  // namespace
}  // namespace kiln::runtime
