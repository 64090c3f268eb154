// Short rows on a CPU: walked row by row by masked vectors, or all as one axis whose index is
// divided, whichever costs less.
#include <gtest/gtest.h>

#include "passes/plan.h"
#include "tests/plans/programs.h"

namespace kiln::passes {
namespace {

using kiln::testing::Program;
using Id = Program::Id;

// Loads of single lanes, each from a place of its own.
int gathers(const Program& p) {
  const ir::Plan plan = make_plan(p.graph, kiln::testing::cpu_caps());
  int count = 0;
  for (const auto& kernel : plan.kernels) {
    for (const ir::Inst& inst : kernel.insts) {
      if (inst.code != ir::Code::load) continue;
      count += kernel.insts[inst.args[0]].lanes > 1;
    }
  }
  return count;
}

// Five points of windows on a larger array; `padded`: of a padded one.
Program stencil(std::int64_t row, bool padded) {
  Program p;
  const std::int64_t rows = 20000;
  Id whole = p.input(ir::DType::float32, {padded ? rows : rows + 2, padded ? row : row + 2});
  if (padded) whole = p.pad(whole, {1, 1}, {rows + 2, row + 2}, 0);
  Id sum = p.slice(whole, {1, 1}, {1, 1}, {rows, row});
  for (const auto& [y, x] : {std::pair{0, 1}, {2, 1}, {1, 0}, {1, 2}})
    sum = p.map(ir::Op::add, {sum, p.slice(whole, {y, x}, {1, 1}, {rows, row})});
  p.output(sum);
  return p;
}

Program scaled_rows(std::int64_t row) {
  Program p;
  const Id x = p.input(ir::DType::float32, {20000, row});
  p.output(p.map(ir::Op::mul, {x, p.input(ir::DType::float32, {row}, 2)}));
  return p;
}

TEST(ShortRowsOfPoints, AreNotGathered) {
  for (const std::int64_t row : {4, 7, 13, 41, 63})
    EXPECT_EQ(gathers(stencil(row, false)), 0) << row;
  for (const std::int64_t row : {3, 7, 13, 41, 63})
    EXPECT_EQ(gathers(stencil(row, true)), 0) << row;
  for (const std::int64_t row : {9, 41}) EXPECT_EQ(gathers(scaled_rows(row)), 0) << row;
}

// The channels of a picture.
TEST(ShortRowsOfPoints, OfThreeElementsAreOneAxis) { EXPECT_GT(gathers(scaled_rows(3)), 0); }

}  // namespace
}  // namespace kiln::passes
