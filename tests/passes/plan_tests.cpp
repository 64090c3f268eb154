// Programs planned for both targets and run by the kernel interpreter must give the graph
// interpreter's bits, fused and not, and take the number of kernels that is claimed.
#include <gtest/gtest.h>

#include "passes/plan.h"
#include "tests/plans/cases.h"

namespace kiln {
namespace {

using testing::Program;

class Planned : public ::testing::TestWithParam<testing::Case> {};

void check(const Program& p, const ir::Caps& caps, bool fusion, int kernels) {
  passes::Options options;
  options.fusion = fusion;
  const ir::Plan plan = passes::make_plan(p.graph, caps, options);
  const auto expected = ir::interpret(p.graph, p.bindings, p.views());
  const auto actual = testing::run_plan(plan, p.bindings, p.views());
  EXPECT_EQ(testing::difference(expected, actual, p.graph), "")
      << caps.name << (fusion ? " fused\n" : " unfused\n") << ir::print(plan.graph)
      << (plan.kernels.empty() ? "" : ir::print(plan.kernels[0]));
  if (!fusion) return;
  EXPECT_EQ(static_cast<int>(plan.launches.size()), kernels) << caps.name << "\n"
                                                             << ir::print(plan.graph);
}

TEST_P(Planned, HasTheInterpretersBits) {
  Program p;
  GetParam().build(p);
  ASSERT_EQ(ir::verify(p.graph), "");
  check(p, testing::cpu_caps(), true, GetParam().cpu_kernels);
  check(p, testing::cpu_caps(), false, 0);
  check(p, testing::cuda_caps(), true, GetParam().cuda_kernels);
  check(p, testing::cuda_caps(), false, 0);
}

INSTANTIATE_TEST_SUITE_P(Programs, Planned, ::testing::ValuesIn(testing::cases()),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace kiln
