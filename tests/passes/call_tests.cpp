// Calls in plans: what a library is handed, results of which nobody wants some, and plans without a
// library.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

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

using Extents = std::vector<std::int64_t>;
Extents bound(const std::vector<ir::SizeExpr>& list, const Program& p) {
  Extents values;
  for (const ir::SizeExpr& e : list) values.push_back(e.evaluate(p.bindings.syms));
  return values;
}

// What targets and libraries there are.
std::vector<ir::Caps> libraries() {
  std::vector<ir::Caps> all;
  for (const ir::Caps& caps : {testing::cpu_caps(), testing::cuda_caps()}) {
    for (const auto products : {ir::Products::none, ir::Products::dense, ir::Products::laid_out}) {
      all.push_back(caps);
      all.back().products = products;
    }
  }
  return all;
}

// The program has a product and, on libraries that take its operands as they lie, so many kernels
// beside it. What each library's plan computes is right.
void expect_kernels(const std::function<void(Program&)>& build, std::size_t kernels,
                    std::size_t on_cuda, Extents extents = {}) {
  Program p;
  build(p);
  for (const ir::Caps& caps : libraries()) {
    const ir::Plan plan = passes::make_plan(p.graph, caps);
    EXPECT_EQ(ir::verify(plan), "");
    expect_bits(p, plan);
    EXPECT_EQ(plan.calls.size(), caps.products == ir::Products::none ? 0u : 1u);
    if (caps.products != ir::Products::laid_out) continue;
    const bool cuda = caps.target == ir::Target::cuda;
    EXPECT_EQ(plan.launches.size(), cuda ? on_cuda : kernels) << caps.name;
    if (!extents.empty() && !cuda) {
      EXPECT_EQ(bound(plan.calls.at(0).extents, p), extents);
    }
  }
}

TEST(PlannedProducts, TheVerifierRefusesWhatIsNoCall) {
  Program p;
  const Program::Id a = p.factor(DType::float32, {7, 9}, {1, 8});
  p.output(p.matmul(a, p.factor(DType::float32, {9, 5}, 2)));
  const ir::Plan plan = passes::make_plan(p.graph, testing::cpu_caps());
  ASSERT_EQ(plan.calls.size(), 1u);
  EXPECT_EQ(ir::verify(plan), "");
  expect_bits(p, plan);
  const auto findings = [&](auto change) {
    ir::Plan changed = plan;
    change(changed.calls[0]);
    return ir::verify(changed);
  };
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_TRUE(has(findings([](ir::Call& c) { c.operands[1].strides.pop_back(); }),
                  "an array without all strides"));
  EXPECT_TRUE(
      has(findings([](ir::Call& c) { c.results[0].dtype = DType::float64; }), "differ in type"));
  EXPECT_TRUE(has(findings([](ir::Call& c) { c.results[0].buffer = c.operands[1].buffer; }),
                  "writes an input"));
  EXPECT_TRUE(has(findings([](ir::Call& c) { c.results[0].buffer = c.operands[0].buffer; }),
                  "writes what it reads"));
  EXPECT_TRUE(has(findings([](ir::Call& c) { c.operands.pop_back(); }), "two operands"));
  EXPECT_TRUE(has(findings([](ir::Call& c) { c.what = ir::NodeKind::map; }), "of what is none"));
  EXPECT_TRUE(has(findings([&](ir::Call& c) {
                    c.operands[0].buffer = static_cast<std::uint32_t>(plan.buffers.size() - 1);
                    c.results[0].buffer = input_buffer(plan, 0);
                  }),
                  "writes an input"));
}

TEST(PlannedProducts, OneCopyServesEveryProductAndTheOutput) {
  Program p;
  const Program::Id x = p.factor(DType::float32, {6, 6}, {1, 7});
  p.output(p.matmul(x, x));
  p.output(p.matmul(x, p.map(ir::Op::add, {x, x})));
  p.output(x);
  const ir::Plan plan = passes::make_plan(p.graph, testing::cpu_caps());
  EXPECT_EQ(plan.launches.size(), 1u);
  EXPECT_EQ(plan.calls[0].operands[0].buffer, plan.outputs[2]);
  EXPECT_EQ(plan.calls[0].operands[1].buffer, plan.outputs[2]);
  expect_bits(p, plan);
}

// Axes may lie in any order if one of a matrix's is dense.
TEST(PlannedProducts, PermutedOperandsAreReadWhereTheyLie) {
  for (const std::vector<std::uint8_t>& order :
       {std::vector<std::uint8_t>{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {2, 1, 0}, {1, 2, 0}}) {
    const std::size_t copies = order == std::vector<std::uint8_t>{2, 1, 0} ? 1 : 0;
    expect_kernels(
        [&](Program& p) {
          const Program::Id x = p.permute(p.factor(DType::float32, {4, 4, 4}), order);
          p.output(p.matmul(x, x));
        },
        copies, copies);
    expect_kernels(
        [&](Program& p) {
          const Program::Id x = p.permute(p.factor(DType::float64, {4, 5, 6}), order);
          const Extents s{4, 5, 6};
          const Extents shape{s[order[0]], s[order[1]], s[order[2]]};
          p.output(p.matmul(p.factor(DType::float64, {shape[0], 3, shape[1]}, 2), x));
        },
        copies, copies);
  }
}

// Heads of attention: the batch has two axes that lie apart, which one library walks by loops and
// the other does not.
TEST(PlannedProducts, BatchesOfSeveralAxesAreWalked) {
  expect_kernels(
      [](Program& p) {
        const auto heads = [&](int seed) {
          const Program::Id x = p.factor(DType::float32, {2, 7, 12}, seed);
          return p.permute(p.reshape(x, {2, 7, 3, 4}), {0, 2, 1, 3});
        };
        p.output(p.matmul(heads(0), p.permute(heads(1), {0, 1, 3, 2})));
      },
      0, 2, {2, 3, 7, 7, 4});
}

TEST(PlannedProducts, PartsOfWhatIsInMemoryAreReadWhereTheyLie) {
  expect_kernels(  // rows, columns, both; of every second row
      [](Program& p) {
        const Program::Id x = p.slice(p.factor(DType::float32, {9, 8}), {1, 2}, {2, 1}, {4, 5});
        const Program::Id y = p.slice(p.factor(DType::float32, {7, 8}, 2), {2, 0}, {1, 1}, {5, 6});
        p.output(p.matmul(x, y));
      },
      0, 0, {4, 6, 5});
  expect_kernels(  // elements that lie apart, or backwards
      [](Program& p) {
        const Program::Id x = p.slice(p.factor(DType::float32, {4, 9}), {0, 1}, {1, 2}, {4, 4});
        const Program::Id y = p.slice(p.factor(DType::float32, {4, 5}, 2), {3, 0}, {-1, 1}, {4, 5});
        p.output(p.matmul(x, y));
      },
      2, 2);
  expect_kernels(  // an input with gaps between its rows, and one that is no matrix of a library's
      [](Program& p) {
        const Program::Id x = p.factor(DType::float32, {6, 5}, {9, 1});
        p.output(p.matmul(x, p.factor(DType::float32, {5, 4}, {1, 1}, 2)));
      },
      1, 1);
  expect_kernels(  // single rows and columns
      [](Program& p) {
        const Program::Id x = p.slice(p.factor(DType::float64, {6, 5}), {0, 2}, {1, 1}, {6, 1});
        const Program::Id y = p.slice(p.factor(DType::float64, {3, 7}, 2), {1, 0}, {1, 1}, {1, 7});
        p.output(p.matmul(x, y));
      },
      0, 0);
}

// Nothing is stored whole of which a part is read.
TEST(PlannedProducts, APartOfWhatIsComputedIsComputed) {
  Program p;
  const Program::Id x = p.factor(DType::float32, {9, 8});
  const Program::Id part = p.slice(p.map(ir::Op::add, {x, x}), {1, 2}, {1, 1}, {4, 5});
  p.output(p.matmul(part, p.factor(DType::float32, {5, 6}, 2)));
  const ir::Plan plan = passes::make_plan(p.graph, testing::cpu_caps());
  ASSERT_EQ(plan.launches.size(), 1u);
  EXPECT_EQ(plan.clusters[0].compulsory_written.evaluate(p.bindings.syms), 4 * 5 * 4);
  expect_bits(p, plan);
}

// One matrix for all of a batch: its rows are those of one product, if the others' lie so.
TEST(PlannedProducts, ABatchTimesOneMatrixIsOneProduct) {
  const auto batch = [](Program& p, Program::Id x) {
    p.output(p.matmul(x, p.broadcast(p.factor(DType::float32, {5, 6}, 2), {3, 4, 5, 6})));
  };
  expect_kernels([&](Program& p) { batch(p, p.factor(DType::float32, {3, 4, 7, 5})); }, 0, 0,
                 {84, 6, 5});
  expect_kernels(  // transposed in memory
      [&](Program& p) {
        batch(p, p.permute(p.factor(DType::float32, {3, 4, 5, 7}), {0, 1, 3, 2}));
      },
      0, 0, {12, 7, 6, 5});
  expect_kernels(  // single rows
      [&](Program& p) { batch(p, p.factor(DType::float32, {3, 4, 1, 5})); }, 0, 0, {12, 6, 5});
  // One row that is the same for all of a batch, or for a part of it.
  for (const std::int64_t rows : {1, 3}) {
    expect_kernels(
        [&](Program& p) {
          batch(p, p.broadcast(p.factor(DType::float32, {rows, 1, 1, 5}), {3, 4, 1, 5}));
        },
        0, rows == 1 ? 0 : 1);
  }
  expect_kernels(  // on the left
      [&](Program& p) {
        const Program::Id x = p.broadcast(p.factor(DType::float32, {7, 5}), {3, 4, 7, 5});
        p.output(p.matmul(x, p.factor(DType::float32, {3, 4, 5, 6}, 2)));
      },
      0, 0, {12, 7, 6, 5});
  expect_kernels(  // the gradient of a weight
      [&](Program& p) {
        const auto rows = [&](std::int64_t n, int seed) {
          return p.reshape(p.factor(DType::float32, {3, 4, n}, seed), {12, n});
        };
        p.output(p.matmul(p.permute(rows(5, 0), {1, 0}), rows(6, 2)));
      },
      0, 0, {5, 6, 12});
}

// A broadcast within the matrix is made in memory, one to a part of the batch is not.
TEST(PlannedProducts, AMatrixIsRepeatedForABatch) {
  struct Case {
    Extents from;
    std::size_t copies;
  };
  for (const auto& [from, copies] :
       {Case{{4, 5}, 0}, {{1, 4, 5}, 0}, {{3, 1, 5}, 1}, {{5}, 1}, {{1, 4, 1}, 1}}) {
    for (const bool left : {false, true}) {
      for (const int transpose : {0, 1, 2}) {  // not, before, after the broadcast
        expect_kernels(
            [&](Program& p) {
              Program::Id x = p.factor(DType::float32, from);
              if (transpose == 1 && from.size() == 2)
                x = p.permute(p.factor(DType::float32, {5, 4}), {1, 0});
              x = p.broadcast(x, {3, 4, 5});
              std::int64_t m = 4, n = 5;
              if (transpose == 2) x = p.permute(x, {0, 2, 1}), std::swap(m, n);
              const Program::Id other =
                  p.factor(DType::float32, left ? Extents{3, n, 6} : Extents{3, 6, m}, 2);
              p.output(left ? p.matmul(x, other) : p.matmul(other, x));
            },
            copies, copies);
      }
    }
  }
}

// A result that nobody wants has no memory; others have their own.
TEST(PlannedSorts, ResultsAreBuffersOfTheirOwn) {
  for (const int wanted : {1, 2, 3}) {
    Program p;
    const Program::Id whole = p.sort(p.factor(DType::float32, {6, 5}), 1);
    if ((wanted & 1) != 0) p.output(p.item(whole, 0));
    if ((wanted & 2) != 0) p.output(p.item(whole, 1));
    const ir::Plan plan = passes::make_plan(p.graph, testing::cpu_caps());
    ASSERT_EQ(plan.calls.size(), 1u);
    const std::vector<ir::CallArray>& results = plan.calls[0].results;
    EXPECT_EQ(results[0].buffer != ir::CallArray::kNobody, (wanted & 1) != 0);
    EXPECT_EQ(results[1].buffer != ir::CallArray::kNobody, (wanted & 2) != 0);
    EXPECT_EQ(plan.buffers.size(), wanted == 3 ? 4u : 3u);  // and what it works in
    EXPECT_EQ(plan.steps.size(), wanted == 3 ? 5u : 4u);    // allocations, the call, a release
    EXPECT_EQ(plan.calls[0].workspace_bytes.evaluate(p.bindings.syms),
              5 * 2 * ((wanted & 2) != 0 ? 8 : 4) * testing::cpu_caps().threads);
    EXPECT_EQ(plan.clusters.at(0).compulsory_written.evaluate(p.bindings.syms),
              30 * ((wanted & 1) * 4 + (wanted >> 1) * 8));
    expect_bits(p, plan);
  }
}

// Two sorts of the same are one; what is sorted is computed by a kernel before.
TEST(PlannedSorts, EqualOnesAreOneCall) {
  Program p;
  const Program::Id x = p.factor(DType::float32, {6, 5});
  p.output(p.item(p.sort(p.map(ir::Op::add, {x, x}), 0), 0));
  p.output(p.item(p.sort(p.map(ir::Op::add, {x, x}), 0), 1));
  const ir::Plan plan = passes::make_plan(p.graph, testing::cpu_caps());
  EXPECT_EQ(plan.calls.size(), 1u);
  EXPECT_EQ(plan.launches.size(), 1u);
  expect_bits(p, plan);
}

TEST(PlannedProducts, WithoutALibraryGoByTiles) {
  for (ir::Caps caps : {testing::cpu_caps(), testing::cuda_caps()}) {
    caps.products = ir::Products::none;
    Program p;
    const Program::Id a = p.factor(DType::float32, {40, 50});
    const Program::Id b = p.permute(p.factor(DType::float32, {60, 50}, 2), {1, 0});
    p.output(p.map(ir::Op::mul, {p.matmul(a, b), p.scalar(DType::float32, 2)}));
    const ir::Plan plan = passes::make_plan(p.graph, caps);
    EXPECT_TRUE(plan.calls.empty());
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
  caps.products = ir::Products::none;
  EXPECT_TRUE(passes::make_plan(ir::parse_graph(text), caps).graph.wide);
}

}  // namespace
}  // namespace kiln
