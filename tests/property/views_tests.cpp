// Programs of views into each other: fused they are estimated to take no longer than one operation
// at a time, by a model that counts a value once for each way in which it is computed.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "passes/boundary.h"
#include "passes/nest.h"
#include "passes/plan.h"
#include "tests/plans/chains.h"
#include "tests/seed.h"

namespace kiln {
namespace {

using testing::Program;

double seconds(const Program& p, const ir::Caps& caps, bool fusion) {
  const ir::Graph graph =
      passes::run_graph_pass("simplify", passes::run_graph_pass("dead", p.graph));
  const passes::FuseOptions options{fusion};
  passes::Partition partition = passes::fuse(graph, caps, options);
  passes::nest_reductions(graph, caps, options, partition);
  return passes::estimated_seconds(graph, caps, partition);
}

void check(const Program& p, const std::string& what) {
  for (const ir::Caps& caps : {testing::cpu_caps(), testing::cuda_caps()}) {
    const double fused = seconds(p, caps, true), unfused = seconds(p, caps, false);
    EXPECT_LE(fused, unfused) << what << " " << caps.name;
  }
}

TEST(ViewChains, AreNeverSlowerThanUnfused) {
  for (const testing::Kind& kind : testing::links()) {
    for (const int depth : {1, 2, 3, 5, 10, 50})
      check(testing::chain(depth, kind.link), kind.name + (" " + std::to_string(depth)));
  }
}

TEST(ViewChains, OfAnyMixtureAreNeverSlowerThanUnfused) {
  constexpr std::uint64_t kPrograms = 60;
  for (std::uint64_t seed = testing::first_seed(); seed < testing::first_seed() + kPrograms;
       ++seed) {
    std::mt19937_64 rng(seed);
    const auto links = testing::links();
    const int depth = 2 + static_cast<int>(rng() % 30);
    const Program p = testing::chain(depth, [&](int) { return links[rng() % links.size()].link; });
    check(p, "seed " + std::to_string(seed));
  }
}

}  // namespace
}  // namespace kiln
