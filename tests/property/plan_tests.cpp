// Random graphs, planned for both targets with fusion on and off, with each decision of fusion
// forced either way and with graph passes left out, run by the kernel interpreter: the bits are the
// graph interpreter's. A failure prints its seed and the smallest prefix of the graph that shows
// it.
#include <gtest/gtest.h>

#include "passes/plan.h"
#include "tests/plans/programs.h"
#include "tests/property/random_graph.h"
#include "tests/seed.h"

namespace kiln {
namespace {

using testing::first_seed;

struct Setting {
  std::string name;
  ir::Caps caps;
  passes::Options options;
};

std::vector<Setting> settings(std::uint64_t seed) {
  std::vector<Setting> result;
  for (const auto& [target, caps] :
       {std::pair("cpu", testing::cpu_caps()), std::pair("cuda", testing::cuda_caps())}) {
    result.push_back({target, caps, {}});
    passes::Options unfused;
    unfused.fusion = false;
    result.push_back({target, caps, unfused});
    for (const std::uint64_t flip : {0x5bd1e995u, 0xa7c15u}) {
      passes::Options forced;
      forced.force = seed * 2 + flip;
      result.push_back({target, caps, forced});
    }
  }
  for (const ir::Caps& caps : {testing::cpu_caps(), testing::cuda_caps()}) {
    for (const auto& [products, name] :
         {std::pair{ir::Products::none, ", generated products"},
          std::pair{ir::Products::dense, ", products of dense operands"}}) {
      Setting other{
          (caps.target == ir::Target::cuda ? "cuda" : "cpu") + std::string(name), caps, {}};
      other.caps.products = products;
      other.options.fusion = seed % 2 == 0;
      result.push_back(other);
    }
  }
  // So little to occupy that threads of pointwise kernels take several steps.
  Setting small{"cuda, one multiprocessor", testing::cuda_caps(), {}};
  small.caps.multiprocessors = 1;
  small.options.fusion = false;
  result.push_back(small);
  result.push_back({"cpu, wide vectors", testing::wide_cpu_caps(), {}});
  passes::Options raw;
  raw.disabled = {"simplify"};
  result.push_back({"cpu, not simplified", testing::cpu_caps(), raw});
  return result;
}

// The first difference in words, or nothing.
std::string failure(const ir::test::RandomGraph& g, const Setting& setting) {
  try {
    passes::Options options = setting.options;
    options.check = true;
    const ir::Plan plan = passes::make_plan(g.graph, setting.caps, options);
    const auto inputs = g.inputs();
    const auto expected = ir::interpret(g.graph, g.bindings, inputs);
    return testing::difference(expected, testing::run_plan(plan, g.bindings, inputs), g.graph);
  } catch (const std::exception& e) {
    return e.what();
  }
}

void check(std::uint64_t seed, const ir::test::RandomGraphOptions& options) {
  const ir::test::RandomGraph g = ir::test::random_graph(seed, options);
  for (const Setting& setting : settings(seed)) {
    std::string what = failure(g, setting);
    if (what.empty()) continue;
    ir::test::RandomGraph least = g;
    for (ir::NodeId n = 0; n < g.graph.nodes.size(); ++n) {
      ir::test::RandomGraph prefix = ir::test::with_output(g, n);
      const std::string why = failure(prefix, setting);
      if (why.empty()) continue;
      least = std::move(prefix);
      what = why;
      break;
    }
    FAIL() << "seed " << seed << ", " << setting.name << (setting.options.fusion ? "" : " unfused")
           << (setting.options.force == 0 ? "" : " forced") << ": " << what << "\n"
           << ir::print(least.graph);
  }
}

TEST(PlanProperty, RandomGraphsHaveTheInterpretersBits) {
  for (std::uint64_t seed = first_seed(); seed < first_seed() + 10000; ++seed) {
    check(seed, {});
    if (HasFatalFailure()) return;
  }
}

TEST(PlanProperty, ProductsHaveTheInterpretersBits) {
  for (std::uint64_t seed = first_seed(); seed < first_seed() + 1000; ++seed) {
    check(seed, ir::test::products());
    if (HasFatalFailure()) return;
  }
}

TEST(PlanProperty, WritesHaveTheInterpretersBits) {
  for (std::uint64_t seed = first_seed(); seed < first_seed() + 2000; ++seed) {
    check(seed, ir::test::writes());
    if (HasFatalFailure()) return;
  }
}

TEST(PlanProperty, RowProgramsHaveTheInterpretersBits) {
  for (std::uint64_t seed = first_seed(); seed < first_seed() + 1000; ++seed) {
    check(seed, ir::test::row_programs());
    if (HasFatalFailure()) return;
  }
}

TEST(PlanProperty, FunctionProgramsHaveTheInterpretersBits) {
  for (std::uint64_t seed = first_seed(); seed < first_seed() + 200; ++seed) {
    check(seed, ir::test::function_programs(seed));
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace kiln
