// What is made in memory piece by piece, and what that costs: launches, kernels, memory, bytes.
#include "passes/windows.h"

#include <gtest/gtest.h>

#include "passes/plan.h"
#include "tests/plans/programs.h"

namespace kiln {
namespace {

using ir::DType;
using ir::Op;
using testing::Program;

ir::Plan planned(const Program& p, const ir::Caps& caps = testing::cpu_caps()) {
  return passes::make_plan(p.graph, caps, {});
}

std::int64_t moved(const ir::Plan& plan, const Program& p) {
  std::int64_t bytes = 0;
  for (const ir::ClusterReport& c : plan.clusters) {
    bytes += c.compulsory_read.evaluate(p.bindings.syms) +
             c.compulsory_written.evaluate(p.bindings.syms);
  }
  return bytes;
}

TEST(Windows, ARowIsWrittenOverAnInputThatNobodyElseWants) {
  for (const bool free : {true, false}) {
    Program p;
    const Program::Id x = p.input(DType::float32, {1024, 1000});
    if (free) p.donate(x);
    p.output(p.update(x, p.input(DType::float32, {1, 1000}, 2), {5, 0}));
    const ir::Plan plan = planned(p);
    const ir::PlanMemory memory = ir::memory_of(plan, p.bindings.syms);
    constexpr std::int64_t kWhole = 1024 * 1000 * 4;
    EXPECT_EQ(memory.peak, free ? 0 : kWhole);
    EXPECT_LE(moved(plan, p), (free ? 0 : 2 * kWhole) + 2 * 1000 * 4);
    EXPECT_LE(plan.launches.size(), free ? 1u : 2u);
  }
}

// Thousands of writes are as many launches of one or two kernels, and one memory.
TEST(Windows, AChainIsLinear) {
  for (const ir::Caps& caps : {testing::cpu_caps(), testing::cuda_caps()}) {
    Program p;
    Program::Id y = p.broadcast(p.constant(DType::float32, 0), {100000});
    for (int i = 0; i < 2000; ++i)
      y = p.update(y, p.broadcast(p.scalar(DType::float32, i), {1}), {i + 2});
    p.output(y);
    const ir::Plan plan = planned(p, caps);
    EXPECT_EQ(plan.launches.size(), 2001u);
    EXPECT_LE(plan.kernels.size(), 2u);
    EXPECT_LE(plan.graph.nodes.size(), 3 * p.graph.nodes.size());
    EXPECT_EQ(ir::memory_of(plan, p.bindings.syms).peak, 400000);
  }
}

// A value that is used beside being written is made once, in the kernel that writes it.
TEST(Windows, ARecurrenceIsAKernelARow) {
  Program p;
  Program::Id y = p.broadcast(p.constant(DType::float32, 0), {500, 64});
  Program::Id row = p.input(DType::float32, {1, 64});
  for (int i = 0; i < 300; ++i) {
    row = p.map(Op::add, {p.map(Op::mul, {row, row}), p.scalar(DType::float32, 0.25)});
    y = p.update(y, row, {i + 2, 0});
  }
  p.output(y);
  const ir::Plan plan = planned(p);
  EXPECT_LE(plan.launches.size(), 302u);
  EXPECT_LE(plan.kernels.size(), 5u);
}

// The edges of a grid that is computed anyway, and a step of a stencil: as one kernel, whether the
// grid may be overwritten or not.
TEST(Windows, FewWritesOfMuchAreFused) {
  Program edges;
  const Program::Id x = edges.input(DType::float32, {512, 512});
  Program::Id y = edges.map(Op::mul, {x, x});
  for (const std::int64_t row : {0, 511})
    y = edges.update(y, edges.broadcast(edges.scalar(DType::float32, 1), {1, 512}), {row, 0});
  edges.output(y);
  EXPECT_EQ(planned(edges).launches.size(), 1u);
  for (const std::int64_t n : {512, 600}) {
    Program p;
    const Program::Id u = p.input(DType::float32, {n, n});
    p.donate(u);
    const auto part = [&](std::int64_t i, std::int64_t j) {
      return p.slice(u, {i, j}, {1, 1}, {n - 2, n - 2});
    };
    const Program::Id sum = p.map(Op::add, {part(0, 1), p.map(Op::add, {part(2, 1), part(1, 1)})});
    p.output(p.update(u, sum, {1, 1}));
    EXPECT_EQ(planned(p).launches.size(), 1u) << n;
  }
}

// A thousand parts are a few launches; of one kernel, but that the first lies at the begin.
TEST(Windows, AJoinOfManyIsOneLaunch) {
  Program p;
  std::vector<Program::Id> parts;
  for (int i = 0; i < 1000; ++i) parts.push_back(p.input(DType::float32, {1}));
  p.output(p.join(parts, 0));
  const ir::Plan plan = planned(p);
  EXPECT_LE(plan.launches.size(), 4u);
  EXPECT_LE(plan.kernels.size(), 4u);
  EXPECT_EQ(ir::memory_of(plan, p.bindings.syms).peak, 4000);
}

// What reads the array before the write, and what needs both: in the order of numbers, or a copy.
TEST(Windows, ReadersComeBeforeOrTheBaseIsCopied) {
  for (const bool both : {false, true}) {
    Program p;
    const Program::Id x = p.input(DType::float32, {100000});
    p.donate(x);
    const Program::Id y = p.update(x, p.input(DType::float32, {3}, 2), {10}, {7});
    p.output(y);
    p.output(p.reduce(Op::max, both ? p.map(Op::sub, {y, x}) : x, {0}));
    const ir::Graph placed = passes::place_windows(p.graph, testing::cpu_caps(), {});
    ASSERT_EQ(ir::verify(placed), "");
    ir::NodeId put = 0, reduced = 0, copies = 0;
    for (ir::NodeId n = 0; n < placed.nodes.size(); ++n) {
      if (placed.nodes[n].kind == ir::NodeKind::put) put = n;
      if (placed.nodes[n].kind == ir::NodeKind::reduce) reduced = n;
      copies += placed.nodes[n].kind == ir::NodeKind::slice ? 1 : 0;
    }
    EXPECT_EQ(copies, both ? 1u : 0u);
    EXPECT_TRUE(both || reduced < put);
  }
}

}  // namespace
}  // namespace kiln
