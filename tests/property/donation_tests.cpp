// Results written over inputs and temporaries that nobody needs any more: the bits are the same,
// and what must stay stays.
#include <gtest/gtest.h>

#include <cstdlib>

#include "passes/plan.h"
#include "tests/plans/programs.h"
#include "tests/property/devices.h"

namespace kiln {
namespace {

using ir::test::RandomGraph;

std::uint64_t first_seed() {
  const char* seed = std::getenv("KILN_SEED");
  return seed ? std::strtoull(seed, nullptr, 10) : 1;
}

// Every second input may be overwritten.
RandomGraph with_donations(std::uint64_t seed) {
  RandomGraph g = ir::test::random_graph(seed, {});
  for (std::size_t i = seed % 2; i < g.graph.inputs.size(); i += 2) {
    g.graph.inputs[i].donatable = g.graph.inputs[i].dense;
  }
  return g;
}

int donated(const ir::Plan& plan) {
  int count = 0;
  for (const ir::PlanBuffer& buffer : plan.buffers) count += buffer.donated_from >= 0 ? 1 : 0;
  return count;
}

TEST(PlanProperty, DonationKeepsBits) {
  int shared = 0;
  for (std::uint64_t seed = first_seed(); seed < first_seed() + 200; ++seed) {
    const RandomGraph g = with_donations(seed);
    const auto inputs = g.inputs();
    const auto expected = ir::interpret(g.graph, g.bindings, inputs);
    for (const ir::Caps& caps : {testing::cpu_caps(), testing::cuda_caps()}) {
      for (const bool fusion : {true, false}) {
        passes::Options options;
        options.fusion = fusion;
        const ir::Plan plan = passes::make_plan(g.graph, caps, options);
        shared += donated(plan);
        options.donate = false;
        const ir::Plan apart = passes::make_plan(g.graph, caps, options);
        EXPECT_EQ(donated(apart), 0);
        for (const ir::Plan* p : {&plan, &apart}) {
          const std::string what =
              testing::difference(expected, testing::run_plan(*p, g.bindings, inputs), g.graph);
          ASSERT_EQ(what, "") << "seed " << seed << ", " << caps.name
                              << (p == &plan ? "" : ", apart") << "\n"
                              << ir::print(g.graph);
        }
      }
    }
  }
  EXPECT_GT(shared, 50);
}

void on_device(testing::Where where, std::uint64_t count) {
  testing::Devices devices;
  if (const std::string why = devices.missing(where); !why.empty()) GTEST_SKIP() << why;
  for (std::uint64_t seed = first_seed(); seed < first_seed() + count; ++seed) {
    const RandomGraph g = with_donations(seed);
    for (const bool fusion : {true, false}) {
      const std::string what = devices.smallest_failure(g, {"donated", where, fusion});
      ASSERT_EQ(what, "") << "seed " << seed;
    }
  }
}
TEST(DevicePropertyDonation, OnTheCpu) { on_device(testing::Where::one_thread, 20); }
TEST(DevicePropertyDonation, OnTwoThreads) { on_device(testing::Where::two_threads, 20); }
TEST(DevicePropertyDonation, OnCuda) { on_device(testing::Where::cuda, 10); }

}  // namespace
}  // namespace kiln
