#include "tests/property/differential.h"

#include <algorithm>

namespace kiln::testing {

ir::test::RandomGraph graph_of(const Program& program) {
  return {program.graph, program.bindings, program.data, program.offset};
}

void check_plans(std::uint64_t count, const MakeProgram& make,
                 const std::function<void(const ir::Plan&, const ir::Caps&)>& look,
                 const std::function<passes::Options(std::uint64_t)>& options,
                 const std::vector<ir::Caps>& targets) {
  for (std::uint64_t seed = first_seed(); seed < first_seed() + count; ++seed) {
    const Program p = make(seed);
    ASSERT_EQ(ir::verify(p.graph), "") << "seed " << seed;
    const auto expected = ir::interpret(p.graph, p.bindings, p.views());
    for (const ir::Caps& caps : targets) {
      const ir::Plan plan =
          passes::make_plan(p.graph, caps, options ? options(seed) : passes::Options{});
      look(plan, caps);
      const auto actual = run_plan(plan, p.bindings, p.views());
      ASSERT_EQ(difference(expected, actual, p.graph), "")
          << "seed " << seed << " on " << caps.name << "\n"
          << ir::print(p.graph);
    }
  }
}

int clusters_with(const ir::Plan& plan, std::string_view schedule) {
  return static_cast<int>(
      std::ranges::count(plan.clusters, schedule, &ir::ClusterReport::schedule));
}

void DeviceTest::check(std::uint64_t count, const MakeGraph& make,
                       std::span<const Setting> settings) {
  if (const std::string why = devices_.missing(settings[0].where); !why.empty()) {
    GTEST_SKIP() << why;
  }
  for (std::uint64_t seed = first_seed(); seed < first_seed() + count; ++seed) {
    const ir::test::RandomGraph g = make(seed);
    for (const Setting& setting : settings) {
      const std::string what = devices_.smallest_failure(g, setting);
      if (!what.empty()) FAIL() << "seed " << seed << ", " << what;
    }
  }
}

}  // namespace kiln::testing
