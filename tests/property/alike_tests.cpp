// Clusters of one pattern share their kernels: the plan is that of each cluster scheduled by
// itself, to the last argument, for random graphs beside their copies and for simulations of many
// steps.
#include <gtest/gtest.h>

#include <algorithm>

#include "passes/plan.h"
#include "tests/plans/programs.h"
#include "tests/property/random_graph.h"
#include "tests/seed.h"

namespace kiln {
namespace {

using testing::first_seed;

std::string text_of(const ir::SizeExpr& size) {
  std::string text;
  for (const ir::SizeTerm& term : size.terms) {
    text += " + " + std::to_string(term.coefficient);
    for (const ir::Sym s : term.factors) text += "*s" + std::to_string(s);
    text += "/" + std::to_string(term.divisor);
  }
  return text;
}

// All that a plan says about a launch: its kernel, what it is bound to, what is reported.
std::string text_of(const ir::Plan& plan, std::size_t launch) {
  const ir::PlanLaunch& l = plan.launches[launch];
  const ir::ClusterReport& c = plan.clusters[launch];
  std::string text = plan.kernels[l.kernel].name + "\n" + c.name + "\n" + c.expression + "\n" +
                     c.schedule + "\n" + c.schedule_reason + "\n" +
                     ir::print(plan.kernels[l.kernel], ir::Labels::no) + "members " +
                     std::to_string(l.members) + "\narguments";
  for (const ir::PlanArg& a : l.args) {
    text += " " + std::to_string(static_cast<int>(a.kind)) + ":" + std::to_string(a.index);
  }
  text += "\nnodes";
  for (const ir::NodeId n : c.nodes) text += " " + std::to_string(n);
  for (const auto* syms : {&c.outer, &c.inner, &c.nested}) {
    text += "\nspace";
    for (const ir::Sym s : *syms) text += " s" + std::to_string(s);
  }
  for (const auto* size : {&c.compulsory_read, &c.compulsory_written, &c.operations}) {
    text += "\nsize" + text_of(*size);
  }
  return text;
}

std::string rest_of(const ir::Plan& plan) {
  std::string text;
  for (const ir::PlanStep& s : plan.steps) {
    text += std::to_string(static_cast<int>(s.kind)) + ":" + std::to_string(s.index) + " ";
  }
  for (const ir::PlanBuffer& b : plan.buffers) {
    text += "\n" + std::to_string(static_cast<int>(b.role)) + " " + std::to_string(b.index) + " " +
            std::to_string(static_cast<int>(b.dtype)) + " " + std::to_string(b.donated_from) +
            text_of(b.elements);
  }
  for (const std::vector<ir::Sym>& product : plan.products) {
    text += "\nproduct";
    for (const ir::Sym s : product) text += " s" + std::to_string(s);
  }
  return text;
}

// Gives how many launches have the kernel of another.
std::size_t compare(ir::Graph graph, const ir::Caps& caps, const passes::Options& options) {
  const ir::Plan shared = passes::make_plan(graph, caps, options);
  graph.labels.assign(graph.nodes.size(), "");  // labels get into kernels: nothing is shared
  const ir::Plan apart = passes::make_plan(graph, caps, options);
  EXPECT_EQ(apart.kernels.size(), apart.launches.size());
  EXPECT_EQ(shared.launches.size(), apart.launches.size());
  if (shared.launches.size() != apart.launches.size()) return 0;
  for (std::size_t i = 0; i < apart.launches.size(); ++i) {
    EXPECT_EQ(text_of(shared, i), text_of(apart, i));
  }
  EXPECT_EQ(rest_of(shared), rest_of(apart));
  return shared.launches.size() - shared.kernels.size();
}

// What is known of a copy: the same, or something else of this.
enum class Known : std::uint8_t { multiples, alignment, extents, same };

// The graph and a copy of it, with symbols, inputs and scalars of its own.
ir::Graph twice(const ir::Graph& graph, Known known) {
  ir::Graph result = graph;
  result.lines.clear();
  result.labels.clear();
  const auto nodes = static_cast<ir::NodeId>(graph.nodes.size());
  const auto fresh = static_cast<ir::Sym>(graph.syms.size() - 2);
  result.syms.insert(result.syms.end(), graph.syms.begin() + 2, graph.syms.end());
  for (std::size_t i = graph.syms.size(); i < result.syms.size(); ++i) {
    constexpr std::int64_t kLargest = std::int64_t{1} << 40;  // of an extent, not of a step
    ir::SymInfo& s = result.syms[i];
    if (known == Known::multiples) s.multiple = s.multiple == 1 ? 16 : 1;
    if (known == Known::extents && s.lo > 1 && s.hi < kLargest) s.lo *= 4096, s.hi *= 4096;
  }
  const auto renamed = [&](std::span<const ir::Sym> syms) {
    std::vector<ir::Sym> list(syms.begin(), syms.end());
    for (ir::Sym& s : list) s = s > ir::kOne ? s + fresh : s;
    return list;
  };
  for (ir::Input input : graph.inputs) {
    input.strides = renamed(input.strides);
    if (known == Known::alignment) input.aligned = !input.aligned && input.dense;
    result.inputs.push_back(std::move(input));
  }
  result.scalars.insert(result.scalars.end(), graph.scalars.begin(), graph.scalars.end());
  for (ir::NodeId n = 0; n < nodes; ++n) {
    ir::Node node = graph.nodes[n];
    ir::Attribute attribute;
    if (node.kind == ir::NodeKind::buffer) {
      node.attr += static_cast<std::uint32_t>(graph.inputs.size());
    } else {
      attribute = graph.attributes[node.attr];
    }
    if (node.kind == ir::NodeKind::scalar) node.imm += graph.scalars.size();
    ir::each_sym(attribute, [&](ir::Sym& sym) { sym = renamed(std::vector{sym})[0]; });
    std::vector<ir::NodeId> operands(graph.operands(n).begin(), graph.operands(n).end());
    for (ir::NodeId& operand : operands) operand += nodes;
    result.add(node, renamed(graph.shape(n)), operands, attribute);
  }
  for (const ir::NodeId output : graph.outputs) result.outputs.push_back(output + nodes);
  return result;
}

TEST(PlanProperty, AlikeClustersArePlannedAsEachByItself) {
  std::size_t shared = 0;
  for (std::uint64_t seed = first_seed(); seed < first_seed() + 300; ++seed) {
    const auto known = static_cast<Known>(std::min<std::uint64_t>(seed % 8, 3));
    ir::Graph graph = twice(ir::test::random_graph(seed, {}).graph, known);
    ASSERT_EQ(ir::verify(graph), "") << "seed " << seed;
    for (ir::Input& input : graph.inputs) input.donatable = input.dense && seed % 3 == 0;
    passes::Options unfused, forced;
    unfused.fusion = false;
    forced.force = seed;
    for (const ir::Caps& caps : {testing::cpu_caps(), testing::cuda_caps()}) {
      for (const passes::Options& options : {passes::Options{}, unfused, forced}) {
        shared += compare(graph, caps, options);
      }
    }
    ASSERT_FALSE(HasFailure()) << "seed " << seed << "\n" << ir::print(graph);
  }
  EXPECT_GT(shared, 500u);
}

// x = (x of left + x of right) * x within a margin of zeros, on a grid: a step a launch.
TEST(AlikeClusters, StepsOfASimulationHaveFewKernels) {
  constexpr int kSteps = 60;
  std::string text =
      "graph\n  sym s2 [512 1023]\n  sym s3 [512 1023]\n  sym s4 [512 1023]\n"
      "  sym s5 [1 9223372036854775807]\n  sym s6 [1 9223372036854775807]\n"
      "  input f32 dense aligned\n"
      "  n0 = buffer f32 [s2 s3] input #0\n  n1 = constant f32 [] 0x0\n";
  const auto name = [](int n) { return "n" + std::to_string(n); };
  int n = 2;
  std::string x = "n0";
  for (int i = 0; i < kSteps; ++i, n += 6) {
    text += "  " + name(n) + " = pad f32 [s2 s4] " + x + " n1 pads( s0 s5 )\n";
    const char* const begins[] = {"s0", "s5", "s6"};
    for (int k = 0; k < 3; ++k) {
      text += "  " + name(n + 1 + k) + " = slice f32 [s2 s3] " + name(n) + " slices( s0 " +
              begins[k] + " / s1 s1 )\n";
    }
    text += "  " + name(n + 4) + " = add f32 [s2 s3] " + name(n + 1) + " " + name(n + 3) + "\n";
    text += "  " + name(n + 5) + " = mul f32 [s2 s3] " + name(n + 4) + " " + name(n + 2) + "\n";
    x = name(n + 5);
  }
  const ir::Graph graph = ir::parse_graph(text + "  outputs " + x + "\nend\n");
  for (const ir::Caps& caps : {testing::cpu_caps(), testing::cuda_caps()}) {
    const ir::Plan plan = passes::make_plan(graph, caps);
    EXPECT_LE(plan.kernels.size(), 8u) << caps.name;
    EXPECT_GE(plan.launches.size(), 4 * plan.kernels.size()) << caps.name;
    compare(graph, caps, {});
  }
}

}  // namespace
}  // namespace kiln
