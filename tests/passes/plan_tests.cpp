// Programs planned for both targets and run by the kernel interpreter must give the graph
// interpreter's bits, fused and not, and take the number of kernels that is claimed.
#include <gtest/gtest.h>

#include "ir/traffic.h"
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

TEST(Plan, RefusesALoopByName) {
  Program p;
  const ir::NodeId x = p.input(ir::DType::float32, {3});
  Program body;
  const ir::NodeId carried = body.input(ir::DType::float32, {3});
  body.output(body.map(ir::Op::add, {carried, carried}));
  p.graph.regions.push_back(body.graph);
  ir::Node loop;
  loop.kind = ir::NodeKind::loop;
  loop.dtype = ir::DType::float32;
  const ir::NodeId operands[] = {x};
  p.output(p.graph.add(loop, p.graph.shape(x), operands, ir::Loop{p.integer(5), ir::RegionId{0}}));
  try {
    static_cast<void>(passes::make_plan(p.graph, testing::cpu_caps()));
    FAIL() << "a loop was planned";
  } catch (const std::exception& e) {
    EXPECT_NE(std::string(e.what()).find("node 1 is a loop, which no pass plans yet"),
              std::string::npos)
        << e.what();
  }
}

// A short chain overlaps rounds of the loop, a long one interleaves them, a function hides its
// latency, one that comes twice repays its calls: the registers that a vector takes.
TEST(Pointwise, RegistersAVectorFollowTheChain) {
  const auto lanes = [](int operations, const std::string& op) {
    std::string text =
        "graph\n  sym s2 [100000 200000]\n  input f32 dense aligned\n"
        "  n0 = buffer f32 [s2] input #0\n";
    for (int i = 0; i < operations; ++i) {
      const std::string before = " n" + std::to_string(i);
      text += "  n" + std::to_string(i + 1) + " = " + (i % 2 == 0 ? op : "add") + " f32 [s2]" +
              before + (op == "mul" || i % 2 != 0 ? before : "") + "\n";
    }
    text += "  outputs n" + std::to_string(operations) + "\nend\n";
    const ir::Plan plan = passes::make_plan(ir::parse_graph(text), testing::cpu_caps(), {});
    int most = 0;
    for (const ir::Inst& i : plan.kernels.at(0).insts) most = std::max<int>(most, i.lanes);
    return most;
  };
  const int registers = 8;  // lanes of 32 bytes
  EXPECT_EQ(lanes(10, "mul"), registers);
  EXPECT_EQ(lanes(64, "mul"), 4 * registers);
  EXPECT_EQ(lanes(2, "exp"), 2 * registers);
  EXPECT_EQ(lanes(3, "exp"), 4 * registers);
}

// What is the same all along an axis is loaded once for several steps of a thread, aligned or not.
TEST(Pointwise, ATotalIsLoadedOnceForSeveralSteps) {
  constexpr std::int64_t kSize = 20'001;
  for (const bool aligned : {true, false}) {
    Program p;
    const Program::Id x = p.input(ir::DType::float32, {kSize});
    p.output(p.map(ir::Op::mul, {x, p.input(ir::DType::float32, {}, 2)}));
    p.graph.inputs[0].aligned = aligned;
    ir::Caps caps = testing::cuda_caps();
    caps.multiprocessors = 4;
    check(p, caps, true, 1);
    const ir::Plan plan = passes::make_plan(p.graph, caps, {});
    const auto read = ir::requested_traffic(plan, 0, p.bindings.syms).bytes_read;
    const std::int64_t a_load = aligned ? 4 * 2 : 1 * 4;  // elements: lanes, steps
    EXPECT_LE(read, 4 * (kSize + kSize / a_load + 256));
  }
}

// Sums of rows; their numbers and lengths are intervals.
ir::Plan sums_of_rows(const std::string& number, const std::string& length,
                      const std::string& reduction = "reduce add f32") {
  return passes::make_plan(
      ir::parse_graph("graph\n  sym s2 [" + number + "]\n  sym s3 [" + length +
                      "]\n  input f32 dense aligned\n  n0 = buffer f32 [s2 s3] input #0\n"
                      "  n1 = " +
                      reduction + " [s2] n0 axes( 1 )\n  outputs n1\nend\n"),
      testing::cpu_caps(), {});
}

// Lanes that no element of a short row reaches are no part of its sum.
TEST(PlanRows, ShortOnesAddOnlyTheLanesTheyReach) {
  const auto lanes = [](const std::string& least, const std::string& most) {
    const ir::Plan plan = sums_of_rows("10 20", least + " " + most);
    std::int64_t largest = 0;
    for (const ir::Memory& memory : plan.kernels.at(0).memories)
      largest = std::max(largest, memory.size);
    return largest;
  };
  EXPECT_EQ(lanes("2", "3"), 16);  // one vector
  EXPECT_EQ(lanes("16", "31"), 32);
  EXPECT_EQ(lanes("32", "63"), 64);
  EXPECT_EQ(lanes("64", "127"), 128);
  EXPECT_EQ(lanes("512", "1023"), 128);
}

// A row beside its reduction is stored along with it: what it is made of is read once, and its
// memory taken over. A row that needs the result cannot be.
TEST(PlanRows, WhatIsReducedIsStoredAlong) {
  const auto plan_of = [](bool needs_result) {
    testing::Program p;
    const auto x = p.input(ir::DType::float32, {1, 5000});
    const auto y = p.map(ir::Op::mul, {x, x});
    const auto sum = p.reduce(ir::Op::add, y, {1});
    p.output(needs_result ? p.map(ir::Op::add, {y, sum}) : y);
    p.output(sum);
    p.graph.inputs[0].donatable = true;
    return passes::make_plan(p.graph, testing::cpu_caps(), {});
  };
  const auto loads = [](const ir::Plan& plan) {  // whole vectors, and what is left of a row
    const ir::Kernel& kernel = plan.kernels.at(0);
    return std::ranges::count_if(kernel.insts, [&](const ir::Inst& inst) {
      return inst.code == ir::Code::load &&
             kernel.memories[static_cast<std::size_t>(inst.imm)].space == ir::Space::global;
    });
  };
  const auto donated = [](const ir::Plan& plan) {
    return std::ranges::count_if(plan.buffers,
                                 [](const ir::PlanBuffer& b) { return b.donated_from >= 0; });
  };
  const ir::Plan along = plan_of(false), after = plan_of(true);
  ASSERT_EQ(along.kernels.size(), 1u);
  EXPECT_EQ(along.clusters.at(0).schedule, "rows");
  EXPECT_EQ(loads(along), 2);
  EXPECT_EQ(donated(along), 1);
  ASSERT_EQ(after.kernels.size(), 1u);
  EXPECT_EQ(loads(after), 4);
  EXPECT_EQ(donated(after), 0);
}

// Many short rows go side by side; a strip's partial results are no more than a tree of short code
// takes, whatever the length.
TEST(PlanRows, ManyShortOnesGoSideBySide) {
  for (const char* length : {"2 3", "16 31", "32 63"}) {
    const ir::Plan plan = sums_of_rows("1000 2000", length);
    EXPECT_EQ(plan.clusters.at(0).schedule, "short rows") << length;
    for (const ir::Inst& i : plan.kernels.at(0).insts) EXPECT_LE(i.lanes, 256) << length;
  }
  EXPECT_EQ(sums_of_rows("10 20", "32 63").clusters.at(0).schedule, "rows");
  EXPECT_EQ(sums_of_rows("1000 2000", "64 127").clusters.at(0).schedule, "rows");
  EXPECT_EQ(sums_of_rows("1000 2000", "32 63", "arg_reduce max i64").clusters.at(0).schedule,
            "rows");
}

// A warp along strided rows has a sector an element: that a few weights a row are read once by it
// is not worth that.
TEST(Columns, OfWeightedRowsGoByColumns) {
  for (const int weights : {0, 1, 4}) {
    testing::Program p;
    testing::Program::Id x = p.input(ir::DType::float32, {1500, 300});
    for (int w = 0; w < weights; ++w) {
      const auto weight = p.cast(ir::DType::float32, p.input(ir::DType::int64, {1500, 1}, 2 + w));
      x = p.map(ir::Op::mul, {x, weight});
    }
    p.output(p.reduce(ir::Op::add, x, {0}));
    const ir::Plan plan = passes::make_plan(p.graph, testing::cuda_caps(), {});
    EXPECT_EQ(plan.clusters.at(0).schedule, "columns") << weights;
  }
}

// Where little is at stake, computing again is always the faster, three ways of three ways of
// three: but a kernel that long compiles for minutes. Routes to one index in another order of
// shifts are computed each.
TEST(Stencils, OfFewElementsMakeNoLongKernels) {
  std::string text =
      "graph\n  sym s2 [64 127]\n  sym s3 [32 63]\n  sym s4 [1 9223372036854775807]\n"
      "  sym s5 [1 9223372036854775807]\n  input f32 dense aligned\n"
      "  n0 = buffer f32 [s2] input #0\n  n1 = constant f32 [] 0x0\n";
  constexpr int kSteps = 40;
  const auto name = [](int n) { return "n" + std::to_string(n); };
  int n = 2;
  std::string x = "n0";
  for (int i = 0; i < kSteps; ++i, n += 6) {
    const char* const begins[] = {"s0", "s4", "s5"};
    for (int k = 0; k < 3; ++k) {
      text += "  " + name(n + k) + " = slice f32 [s3] " + x + " slices( " + begins[k] + " / s1 )\n";
    }
    text += "  " + name(n + 3) + " = add f32 [s3] " + name(n) + " " + name(n + 1) + "\n";
    text += "  " + name(n + 4) + " = mul f32 [s3] " + name(n + 3) + " " + name(n + 2) + "\n";
    text += "  " + name(n + 5) + " = pad f32 [s2] " + name(n + 4) + " n1 pads( s4 )\n";
    x = name(n + 5);
  }
  const ir::Graph graph = ir::parse_graph(text + "  outputs " + x + "\nend\n");
  for (const ir::Caps& caps : {testing::cpu_caps(), testing::cuda_caps()}) {
    const ir::Plan plan = passes::make_plan(graph, caps, {});
    EXPECT_LT(plan.launches.size(), kSteps) << caps.name;  // some are computed together
    for (const ir::Kernel& kernel : plan.kernels) EXPECT_LT(kernel.insts.size(), 2000) << caps.name;
  }
}

// Results that half of the last-level cache can hold are stored into it, larger ones past it; a
// cache size that cannot be is not believed.
TEST(Streaming, FollowsTheCache) {
  const auto streams = [](int size_log2, std::int64_t cache) {
    const std::string low = std::to_string(std::int64_t{1} << size_log2);
    const std::string high = std::to_string((std::int64_t{2} << size_log2) - 1);
    ir::Caps caps = testing::cpu_caps();
    caps.cache_bytes = cache;
    const ir::Plan plan = passes::make_plan(
        ir::parse_graph("graph\n  sym s2 [" + low + " " + high +
                        "]\n  input f32 dense aligned\n  n0 = buffer f32 [s2] input #0\n"
                        "  n1 = neg f32 [s2] n0\n  outputs n1\nend\n"),
        caps, {});
    return ir::print(plan.kernels.at(0)).find("nontemporal") != std::string::npos;
  };
  constexpr std::int64_t kMb = 1 << 20;
  EXPECT_FALSE(streams(21, 32 * kMb));
  EXPECT_TRUE(streams(22, 32 * kMb));
  EXPECT_FALSE(streams(19, 0));
  EXPECT_TRUE(streams(20, 0));
  EXPECT_TRUE(streams(24, 4096 * kMb));
}

// Figures of a device decide what is a kernel; the same kernel has the same text on all, and so the
// same key in the caches.
TEST(PlanFigures, AreNoPartOfAKernel) {
  const auto kernels = [](const Program& p, double faster) {
    ir::Caps caps = testing::cpu_caps();
    caps.bandwidth *= faster;
    caps.rate *= faster;
    caps.launch_seconds /= faster;
    std::string text;
    for (const ir::Kernel& k : passes::make_plan(p.graph, caps, {}).kernels) text += ir::print(k);
    return text;
  };
  for (const testing::Case& c : testing::cases()) {
    Program p;
    c.build(p);
    EXPECT_EQ(kernels(p, 1), kernels(p, 8)) << c.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Programs, Planned, ::testing::ValuesIn(testing::cases()),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace kiln
