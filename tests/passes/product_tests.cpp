// Matrix products in plans: what a library is handed, and plans without one.
#include <gtest/gtest.h>

#include <algorithm>

#include "passes/plan.h"
#include "tests/plans/programs.h"

namespace kiln {
namespace {

using ir::DType;
using testing::Program;

void expect_bits(const Program& p, const ir::Plan& plan) {
  const auto expected = ir::interpret(p.graph, p.bindings, p.views());
  const auto actual = testing::run_plan(plan, p.bindings, p.views());
  EXPECT_EQ(testing::difference(expected, actual, p.graph), "") << ir::print(plan.graph);
}

std::uint32_t input_buffer(const ir::Plan& plan, std::uint32_t input) {
  const auto at = std::ranges::find_if(plan.buffers, [&](const ir::PlanBuffer& b) {
    return b.role == ir::BufferRole::input && b.index == input;
  });
  return static_cast<std::uint32_t>(at - plan.buffers.begin());
}

TEST(PlannedProducts, TheVerifierRefusesWhatNoLibraryTakes) {
  Program p;
  const Program::Id a = p.factor(DType::float32, {7, 9}, {1, 8});
  p.output(p.matmul(a, p.factor(DType::float32, {9, 5}, 2)));
  const ir::Plan plan = passes::make_plan(p.graph, testing::cpu_caps());
  ASSERT_EQ(plan.matmuls.size(), 1u);
  EXPECT_EQ(ir::verify(plan), "");
  expect_bits(p, plan);
  const auto findings = [&](auto change) {
    ir::Plan changed = plan;
    change(changed.matmuls[0]);
    return ir::verify(changed);
  };
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_TRUE(has(findings([&](ir::PlanMatmul& m) { m.a = input_buffer(plan, 0); }),
                  "operand a is an input with strides in memory"));
  EXPECT_TRUE(has(findings([](ir::PlanMatmul& m) { std::swap(m.a, m.b); }),
                  "operand a has another number of elements"));
  EXPECT_TRUE(has(findings([](ir::PlanMatmul& m) { m.dtype = DType::float64; }),
                  "operand b has another dtype"));
  EXPECT_TRUE(has(findings([](ir::PlanMatmul& m) { m.c = m.b; }), "writes an input"));
  EXPECT_TRUE(has(findings([](ir::PlanMatmul& m) { m.c = m.a; }), "writes what it reads"));
  EXPECT_EQ(findings([](ir::PlanMatmul& m) {
              std::swap(m.m, m.k), m.transpose_a = true;
            }).find("operand a"),
            std::string::npos);  // as many elements, transposed
}

TEST(PlannedProducts, OneCopyServesEveryProductAndTheOutput) {
  Program p;
  const Program::Id x = p.factor(DType::float32, {6, 6}, {1, 7});
  p.output(p.matmul(x, x));
  p.output(p.matmul(x, p.map(ir::Op::add, {x, x})));
  p.output(x);
  const ir::Plan plan = passes::make_plan(p.graph, testing::cpu_caps());
  EXPECT_EQ(plan.launches.size(), 1u);
  EXPECT_EQ(plan.matmuls[0].a, plan.outputs[2]);
  EXPECT_EQ(plan.matmuls[0].b, plan.outputs[2]);
  expect_bits(p, plan);
}

// Permutes that move nothing, or other axes than the last two, are no transposes.
TEST(PlannedProducts, OnlyASwapOfTheLastTwoAxesIsATranspose) {
  for (const std::vector<std::uint8_t>& order :
       {std::vector<std::uint8_t>{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {2, 1, 0}, {1, 2, 0}}) {
    Program p;
    const Program::Id x = p.permute(p.factor(DType::float32, {4, 4, 4}), order);
    p.output(p.matmul(x, x));
    passes::Options raw;
    raw.disabled = {"simplify"};
    for (const ir::Caps& caps : {testing::cpu_caps(), testing::cuda_caps()}) {
      const ir::Plan plan = passes::make_plan(p.graph, caps, raw);
      EXPECT_EQ(plan.matmuls.at(0).transpose_a, order == std::vector<std::uint8_t>({0, 2, 1}));
      expect_bits(p, plan);
      expect_bits(p, passes::make_plan(p.graph, caps));
    }
  }
}

// One matrix for all of a batch is read where it lies, transposed or not; a broadcast within the
// matrix, or of a part of the batch, is made in memory.
TEST(PlannedProducts, AMatrixIsRepeatedForABatch) {
  const std::vector<std::int64_t> batch{3, 4, 5};
  struct Case {
    std::vector<std::int64_t> from;
    bool repeated;
  };
  for (const auto& [from, repeated] : {Case{{4, 5}, true},
                                       {{1, 4, 5}, true},
                                       {{3, 1, 5}, false},
                                       {{5}, false},
                                       {{1, 4, 1}, false}}) {
    for (const bool left : {false, true}) {
      for (const int transpose : {0, 1, 2}) {  // not, before, after the broadcast
        Program p;
        Program::Id x = p.factor(DType::float32, from);
        const bool turns = transpose == 1 && from.size() == 2;
        if (turns) x = p.permute(p.factor(DType::float32, {5, 4}), {1, 0});
        x = p.broadcast(x, batch);
        std::int64_t m = 4, n = 5;
        if (transpose == 2) x = p.permute(x, {0, 2, 1}), std::swap(m, n);
        const Program::Id other = p.factor(
            DType::float32,
            left ? std::vector<std::int64_t>{3, n, 6} : std::vector<std::int64_t>{3, 6, m}, 2);
        p.output(left ? p.matmul(x, other) : p.matmul(other, x));
        for (const ir::Caps& caps : {testing::cpu_caps(), testing::cuda_caps()}) {
          const ir::Plan plan = passes::make_plan(p.graph, caps);
          const ir::PlanMatmul& call = plan.matmuls.at(0);
          // On the right of rows in memory it is one product.
          const bool one = repeated && !left;
          EXPECT_EQ(left ? call.repeat_a : call.repeat_b, repeated && !one);
          EXPECT_EQ(call.batch.evaluate(p.bindings.syms), one ? 1 : 3);
          EXPECT_EQ(plan.launches.size(), repeated ? 0u : 1u);
          EXPECT_EQ(ir::verify(plan), "");
          expect_bits(p, plan);
        }
      }
    }
  }
}

TEST(PlannedProducts, WithoutALibraryGoByTiles) {
  for (ir::Caps caps : {testing::cpu_caps(), testing::cuda_caps()}) {
    caps.products = false;
    Program p;
    const Program::Id a = p.factor(DType::float32, {40, 50});
    const Program::Id b = p.permute(p.factor(DType::float32, {60, 50}, 2), {1, 0});
    p.output(p.map(ir::Op::mul, {p.matmul(a, b), p.scalar(DType::float32, 2)}));
    const ir::Plan plan = passes::make_plan(p.graph, caps);
    EXPECT_TRUE(plan.matmuls.empty());
    ASSERT_EQ(plan.launches.size(), 1u);
    EXPECT_EQ(plan.clusters[0].schedule, "tiled");
    expect_bits(p, plan);
  }
}

// The points of a product may be more than those of any array.
TEST(PlannedProducts, WithoutALibraryOfManyTermsHaveWideIndices) {
  const std::string text =
      "graph\n  sym s2 [2048 4095]\n  sym s3 [2048 4095]\n  sym s4 [2048 4095]\n"
      "  input f32 dense aligned\n  input f32 dense aligned\n"
      "  n0 = buffer f32 [s2 s3] input #0\n  n1 = buffer f32 [s3 s4] input #1\n"
      "  n2 = contract f32 [s2 s4] n0 n1\n  outputs n2\nend\n";
  ir::Caps caps = testing::cuda_caps();
  EXPECT_FALSE(passes::make_plan(ir::parse_graph(text), caps).graph.wide);
  caps.products = false;
  EXPECT_TRUE(passes::make_plan(ir::parse_graph(text), caps).graph.wide);
}

}  // namespace
}  // namespace kiln
