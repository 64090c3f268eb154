// The CUDA C of each schedule, read by people: one program of the table of cases for each, planned
// for an sm_80 device.
#include <algorithm>

#include "codegen/cuda.h"
#include "passes/plan.h"
#include "runtime/targets.h"
#include "tests/golden.h"
#include "tests/plans/cases.h"
#include "tests/plans/programs.h"

namespace kiln {
namespace {

struct Golden {
  const char* program;   // of cases()
  const char* schedule;  // that its first kernel must take
};
constexpr Golden kGolden[] = {
    {"chain_1000", "pointwise"},
    {"edges_of_a_wide_stencil", "pointwise"},
    {"softmax_8", "rows, several a warp, kept in registers"},
    {"softmax_1001", "rows, a warp each, kept in registers"},
    {"softmax_960", "rows, a warp each, kept in registers"},
    {"layer_norm_3000", "rows, a block each, kept in registers"},
    {"cross_entropy_3000", "rows, a block each, kept in registers"},
    {"rows_of_many_chunks", "split rows"},
    {"softmax_of_one_long_row", "split rows"},
    {"columns_standardised", "columns"},
    {"few_long_columns", "split columns"},
};

TEST(ScheduleText, IsGolden) {
  const ir::Caps caps = runtime::target_caps("sm_80").value();
  for (const Golden& golden : kGolden) {
    const auto found = std::ranges::find(testing::cases(), std::string_view(golden.program),
                                         [](const testing::Case& c) { return c.name; });
    ASSERT_NE(found, testing::cases().end()) << golden.program;
    testing::Program program;
    found->build(program);
    const ir::Plan plan = passes::make_plan(program.graph, caps);
    ASSERT_FALSE(plan.clusters.empty());
    EXPECT_EQ(plan.clusters[0].schedule, golden.schedule) << golden.program;
    std::string text;
    for (const ir::Kernel& kernel : plan.kernels) text += codegen::cuda_source(kernel) + "\n";
    testing::expect_golden(std::string("cuda/schedule_") + golden.program + ".cu", text);
  }
}

}  // namespace
}  // namespace kiln
