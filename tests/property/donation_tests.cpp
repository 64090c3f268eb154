// Results written over inputs and temporaries that nobody needs any more: the bits are the same,
// and what must stay stays.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/property/differential.h"

namespace kiln {
namespace {

using ir::test::RandomGraph;
using testing::first_seed;
using testing::Where;

// Every second input may be overwritten.
RandomGraph with_donations(std::uint64_t seed, const ir::test::RandomGraphOptions& options) {
  RandomGraph g = ir::test::random_graph(seed, options);
  for (std::size_t i = seed % 2; i < g.graph.inputs.size(); i += 2) {
    g.graph.inputs[i].donatable = g.graph.inputs[i].dense;
  }
  return g;
}

// Updates that are assembled take over the copies that are made for them, asked or not.
int donated(const ir::Plan& plan) {
  return static_cast<int>(std::ranges::count_if(plan.buffers, [&](const ir::PlanBuffer& buffer) {
    if (buffer.donated_from < 0) return false;
    const auto from = static_cast<std::size_t>(buffer.donated_from);
    return plan.graph.nodes[buffer.node].kind != ir::NodeKind::update ||
           plan.buffers[from].role == ir::BufferRole::input;
  }));
}

RandomGraph random_with_donations(std::uint64_t seed) { return with_donations(seed, {}); }
RandomGraph writes_with_donations(std::uint64_t seed) {
  return with_donations(seed, ir::test::writes());
}

void check_donations(RandomGraph (*make)(std::uint64_t)) {
  int shared = 0;
  for (std::uint64_t seed = first_seed(); seed < first_seed() + 200; ++seed) {
    const RandomGraph g = make(seed);
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

TEST(PlanProperty, DonationKeepsBits) { check_donations(random_with_donations); }
TEST(PlanProperty, WritesOverInputsKeepBits) { check_donations(writes_with_donations); }

class DevicePropertyDonation : public testing::DeviceTest {
 protected:
  void on(Where where, std::uint64_t count) {
    const testing::Setting settings[] = {{"donated", where, true}, {"unfused", where, false}};
    check(count, random_with_donations, settings);
    check(count, writes_with_donations, settings);
  }
};
TEST_F(DevicePropertyDonation, OnTheCpu) { on(Where::one_thread, 20); }
TEST_F(DevicePropertyDonation, OnTwoThreads) { on(Where::two_threads, 20); }
TEST_F(DevicePropertyDonation, OnCuda) { on(Where::cuda, 10); }

}  // namespace
}  // namespace kiln
