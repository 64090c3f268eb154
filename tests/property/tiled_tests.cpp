// Reductions of what is broadcast along two axes: tiles of rows against columns. Random extents,
// types and expressions, planned for both targets; the bits are the graph interpreter's.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "codegen/cuda.h"
#include "runtime/targets.h"
#include "tests/golden.h"
#include "tests/property/differential.h"
#include "tests/shim/nvrtc.h"

namespace kiln {
namespace {

using ir::DType;
using ir::Op;
using testing::Program;
using testing::Where;
using Id = Program::Id;

// What a random program is made of.
struct Recipe {
  std::int64_t batch, rows, columns, depth;
  DType dtype;
  Op combine, reduce;
  bool arg, second, transposed_rows, transposed_columns, same, weights, full, epilogue;
  bool nearest;  // the results' extreme along the columns, and its place
};

Recipe recipe(std::mt19937_64& random, std::int64_t work) {
  const auto pick = [&](std::initializer_list<std::int64_t> of) {
    return of.begin()[random() % of.size()];
  };
  Recipe r{};
  r.batch = pick({1, 1, 1, 2, 3});
  r.depth = pick({0, 1, 2, 3, 5, 8, 13, 31, 64, 67, 100, 127, 128, 129, 300, 1024, 1025, 2100});
  r.rows = pick({1, 7, 8, 9, 16, 17, 33, 64, 67, 100});
  r.columns = pick({1, 5, 8, 9, 16, 19, 32, 37, 64, 65, 130});
  while (r.batch * r.rows * r.columns * std::max<std::int64_t>(r.depth, 1) > work) {
    (r.rows > r.columns ? r.rows : r.columns) /= 2;
  }
  const DType types[] = {DType::float32, DType::float32, DType::float64, DType::float16,
                         DType::int32};
  r.dtype = types[random() % std::size(types)];
  const Op combines[] = {Op::sub, Op::add, Op::mul, Op::min};
  r.combine = combines[random() % std::size(combines)];
  const Op reduces[] = {Op::add, Op::add, Op::add, Op::max, Op::min};
  r.reduce = reduces[random() % std::size(reduces)];
  r.arg = r.reduce != Op::add && r.depth > 0 && random() % 2 == 0;
  r.second = random() % 4 == 0;
  r.transposed_rows = random() % 4 == 0;
  r.transposed_columns = random() % 3 == 0;
  r.same = random() % 5 == 0;
  r.weights = random() % 4 == 0;
  r.full = random() % 6 == 0;
  r.epilogue = random() % 2 == 0;
  r.nearest = random() % 3 == 0;
  return r;
}

// (batch, lines, depth) as a view that is broadcast along the other lines' axis.
Id side(Program& p, const Recipe& r, std::int64_t lines, bool transposed, bool first, Id given) {
  Id x = given;
  if (transposed)
    x = p.permute(p.input(r.dtype, {r.batch, r.depth, lines}, first ? 1 : 2), {0, 2, 1});
  return p.reshape(x, first ? std::vector{r.batch, lines, std::int64_t{1}, r.depth}
                            : std::vector{r.batch, std::int64_t{1}, lines, r.depth});
}

void build(Program& p, const Recipe& r) {
  const bool same = r.same && !r.transposed_rows && !r.transposed_columns;
  const std::int64_t columns = same ? r.rows : r.columns;
  const Id x = r.transposed_rows ? 0 : p.input(r.dtype, {r.batch, r.rows, r.depth});
  const Id y = r.transposed_columns || same ? x : p.input(r.dtype, {r.batch, columns, r.depth}, 2);
  const Id a = side(p, r, r.rows, r.transposed_rows, true, x);
  const Id b = side(p, r, columns, r.transposed_columns, false, y);
  Id d = p.map(r.combine, {a, b});
  d = p.map(Op::mul, {d, d});
  if (r.weights) d = p.map(Op::mul, {d, p.input(r.dtype, {r.depth}, 3)});
  if (r.full) d = p.map(Op::add, {d, p.input(r.dtype, {r.batch, r.rows, columns, r.depth}, 4)});
  Id result = r.arg ? p.arg(r.reduce, d, 3) : p.reduce(r.reduce, d, {3});
  if (r.epilogue && !r.arg) {
    result = p.map(Op::add, {p.map(Op::mul, {result, p.input(r.dtype, {columns}, 5)}),
                             p.input(r.dtype, {r.batch, r.rows, 1}, 6)});
  }
  if (r.nearest) {
    p.output(p.arg(Op::min, result, 2));
    p.output(p.reduce(Op::max, p.map(Op::abs, {result}), {2}));
    return;
  }
  p.output(result);
  if (r.second) p.output(p.reduce(Op::max, p.map(Op::abs, {p.map(r.combine, {b, a})}), {3}));
}

testing::MakeProgram programs_of(std::int64_t work) {
  return [=](std::uint64_t seed) {
    std::mt19937_64 random(seed);
    Program p;
    build(p, recipe(random, work));
    return p;
  };
}

void interpreted(std::uint64_t seeds, std::int64_t work) {
  int tiled = 0;
  const auto look = [&](const ir::Plan& plan, const ir::Caps&) {
    tiled += testing::clusters_with(plan, "tiled") > 0;
  };
  const auto options = [](std::uint64_t seed) {
    passes::Options result;
    result.force = seed % 4 == 0 ? seed : 0;
    return result;
  };
  testing::check_plans(seeds, programs_of(work), look, options);
  EXPECT_GT(tiled, static_cast<int>(seeds) / 4);  // of two plans each
}

Id distances(Program& p, std::int64_t rows, std::int64_t columns, std::int64_t depth) {
  const Id a = p.reshape(p.input(DType::float32, {rows, depth}), {rows, 1, depth});
  const Id d = p.map(Op::sub, {a, p.input(DType::float32, {columns, depth}, 2)});
  return p.reduce(Op::add, p.map(Op::mul, {d, d}), {2});
}

struct Named {
  const char* name;
  Program program;
};
// Rows enough to fill a device, so that nearest neighbours are one kernel.
std::vector<Named> programs(std::int64_t columns, std::int64_t depth) {
  constexpr std::int64_t kRows = 2048;
  std::vector<Named> result{{"distances", {}}, {"nearest", {}}};
  result[0].program.output(distances(result[0].program, kRows, columns, depth));
  Program& p = result[1].program;
  p.output(p.arg(Op::min, distances(p, kRows, columns, depth), 1));
  return result;
}

TEST(TiledText, IsGoldenAndKeepsItsSumsInRegisters) {
  const ir::Caps caps = runtime::target_caps("sm_80").value();
  for (const Named& named : programs(1797, 64)) {
    ir::Plan plan = passes::make_plan(named.program.graph, caps);
    ASSERT_EQ(plan.kernels.size(), 1u) << named.name;
    const std::string text = codegen::cuda_source(plan.kernels[0]);
    testing::expect_golden(std::string("cuda/schedule_") + named.name + ".cu", text);
    if (!tests::Nvrtc::get().available()) continue;
    const auto compiled = tests::Nvrtc::get().compile(text, caps.compute_capability);
    ASSERT_TRUE(compiled.ok) << compiled.log;
    EXPECT_EQ(compiled.ptx.find(".local"), std::string::npos) << named.name;
  }
}

class DevicePropertyTiled : public testing::DeviceTest {};
class HeavyDevicePropertyTiled : public testing::DeviceTest {};

TEST_F(DevicePropertyTiled, CopiesAndReadsWithoutBankConflicts) {
  if (const std::string why = devices_.missing(Where::cuda); !why.empty()) GTEST_SKIP() << why;
  for (const Named& named : programs(16, 19)) {
    const kilnsim_counters c = devices_.count(testing::graph_of(named.program)).counters;
    EXPECT_EQ(c.launches, 1u) << named.name;
    EXPECT_EQ(c.shared_bank_conflicts, 0u) << named.name;
  }
}

// Nearest neighbours: one kernel, and nothing of rows x columns in memory.
TEST(PlanTiled, ReductionsOfReductionsAreOneKernel) {
  Program p;
  p.output(p.arg(Op::min, distances(p, 300, 150, 20), 1));
  for (const ir::Caps& caps : {testing::cpu_caps(), testing::cuda_caps()}) {
    const ir::Plan plan = passes::make_plan(p.graph, caps);
    EXPECT_EQ(plan.launches.size(), 1u) << caps.name;
    for (const ir::PlanBuffer& buffer : plan.buffers) {
      EXPECT_NE(buffer.role, ir::BufferRole::temporary) << caps.name;
    }
  }
}

TEST(PlanPropertyTiled, InterpretedKernelsHaveTheInterpretersBits) { interpreted(60, 60'000); }
TEST_F(DevicePropertyTiled, OnTheCpu) { check(40, programs_of(300'000), testing::kOnCpu); }
TEST_F(DevicePropertyTiled, OnCuda) { check(12, programs_of(60'000), testing::kOnCuda); }
TEST(HeavyPlanPropertyTiled, InterpretedKernels) { interpreted(1000, 60'000); }
TEST_F(HeavyDevicePropertyTiled, OnTheCpu) { check(400, programs_of(1'000'000), testing::kOnCpu); }
TEST_F(HeavyDevicePropertyTiled, OnCuda) { check(150, programs_of(200'000), testing::kOnCuda); }

}  // namespace
}  // namespace kiln
