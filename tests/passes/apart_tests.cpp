// Reductions over several axes beside the points that make their operand.
#include <gtest/gtest.h>

#include "passes/plan.h"
#include "tests/plans/programs.h"

namespace kiln {
namespace {

using ir::DType;
using ir::Op;
using testing::Program;
using Id = Program::Id;

ir::Caps one_thread() {
  ir::Caps caps = testing::cpu_caps();
  caps.threads = 1;
  return caps;
}

// Launches; the bits are the interpreter's.
std::size_t launches(const Program& p) {
  const ir::Plan plan = passes::make_plan(p.graph, one_thread());
  EXPECT_EQ(testing::difference(ir::interpret(p.graph, p.bindings, p.views()),
                                testing::run_plan(plan, p.bindings, p.views()), p.graph),
            "");
  return plan.launches.size();
}

// y and its maximum, where y is what `points` makes of x.
Program with_maximum(Id (*points)(Program&, Id), std::vector<std::uint8_t> axes) {
  Program p;
  const Id y = points(p, p.input(DType::float32, {200, 300}));
  p.output(y);
  p.output(p.reduce(Op::max, y, std::move(axes)));
  return p;
}

Id along_each_axis(Program& p, Id x) {
  const Id row = p.input(DType::float32, {300}, 2), column = p.input(DType::float32, {200, 1}, 3);
  return p.map(Op::add, {p.map(Op::mul, {x, row}), column});
}
Id inside_of_a_frame(Program& p, Id x) {
  const Id left = p.slice(x, {1, 0}, {1, 1}, {198, 298});
  const Id right = p.slice(x, {1, 2}, {1, 1}, {198, 298});
  return p.map(Op::mul, {p.pad(p.map(Op::add, {left, right}), {1, 1}, {200, 300}, 0), x});
}
Id everywhere(Program& p, Id x) { return p.map(Op::mul, {x, x}); }

TEST(Apart, AxesThatAreNoRunOfMemoryAreReducedByThemselves) {
  EXPECT_EQ(launches(with_maximum(along_each_axis, {0, 1})), 2u);
  EXPECT_EQ(launches(with_maximum(inside_of_a_frame, {0, 1})), 2u);
}

TEST(Apart, OneWalkOfMemoryIsOneKernel) {
  EXPECT_EQ(launches(with_maximum(everywhere, {0, 1})), 1u);
  EXPECT_EQ(launches(with_maximum(along_each_axis, {1})), 1u);  // rows
}

// Too little to pay for a launch.
TEST(Apart, FewElementsStayTogether) {
  Program p;
  const Id y = p.map(Op::add, {p.input(DType::float32, {3, 4}), p.input(DType::float32, {3, 1})});
  p.output(y);
  p.output(p.reduce(Op::max, y, {0, 1}));
  EXPECT_EQ(launches(p), 1u);
}

// What is asked for is done.
TEST(Apart, NotAgainstAHint) {
  Program p = with_maximum(along_each_axis, {0, 1});
  p.graph.hints.push_back({p.graph.outputs[0], ir::HintKind::must_fuse});
  EXPECT_EQ(launches(p), 1u);
}

}  // namespace
}  // namespace kiln
