// No kernel is longer than the bound, whatever paths of views a program has, and planning does work
// in proportion to the program.
#include "passes/length.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "passes/plan.h"
#include "tests/plans/chains.h"
#include "tests/seed.h"

namespace kiln {
namespace {

using Id = testing::Program::Id;
using ir::DType;
using ir::Op;
using testing::chain;
using testing::kChainLength;
using testing::Link;
using testing::links;
using testing::Program;

struct Work {
  std::int64_t planned = 0;       // ways looked at
  std::int64_t instructions = 0;  // of all kernels
  std::size_t launches = 0, unfused = 0;
};

Work bounded(const Program& p, const ir::Caps& caps, const std::string& what) {
  passes::PassLog log;
  passes::Options options;
  options.log = &log;
  const ir::Plan plan = passes::make_plan(p.graph, caps, options);
  Work work;
  for (const passes::PassEntry& entry : log.entries) work.planned += entry.work;
  for (const ir::PlanLaunch& launch : plan.launches) {
    const std::int64_t length = passes::instructions(plan.kernels[launch.kernel]);
    EXPECT_LE(length, passes::kMaxInstructions) << what << " " << caps.name;
    work.instructions += length;
  }
  work.launches = plan.launches.size();
  passes::Options apart;
  apart.fusion = false;
  work.unfused = passes::make_plan(p.graph, caps, apart).launches.size();
  return work;
}

void check_bits(const Program& p, const ir::Caps& caps, const std::string& what) {
  const ir::Plan plan = passes::make_plan(p.graph, caps, {});
  const auto expected = ir::interpret(p.graph, p.bindings, p.views());
  const auto actual = testing::run_plan(plan, p.bindings, p.views());
  EXPECT_EQ(testing::difference(expected, actual, p.graph), "") << what << " " << caps.name;
}

TEST(KernelLength, FunctionsCountAsTheyExpand) {
  Program p;
  p.output(p.map(Op::tanh, {p.input(DType::float32, {64})}));
  Program q;
  q.output(q.map(Op::neg, {q.input(DType::float32, {64})}));
  const auto length = [](const Program& of) {
    return passes::instructions(passes::make_plan(of.graph, testing::cpu_caps(), {}).kernels.at(0));
  };
  EXPECT_GT(length(p), length(q) + 20);
}

// Twice as deep is about twice the work, where each link's ways would multiply.
TEST(KernelLength, ChainsOfViewsAreLinearAndBounded) {
  for (const testing::Kind& kind : links()) {
    for (const ir::Caps& caps : {testing::cpu_caps(), testing::cuda_caps()}) {
      Work last;
      for (const int depth : {100, 200, 400}) {
        const std::string what = std::string(kind.name) + " " + std::to_string(depth);
        const Work work = bounded(chain(depth, kind.link), caps, what);
        if (depth > 100) {
          EXPECT_LE(work.planned, 2.5 * static_cast<double>(last.planned)) << what << caps.name;
          EXPECT_LE(work.instructions, 2.5 * static_cast<double>(last.instructions))
              << what << caps.name;
        }
        EXPECT_LE(work.launches, work.unfused) << what << caps.name;
        last = work;
      }
    }
  }
}

TEST(KernelLength, ChainsOfViewsHaveTheInterpretersBits) {
  for (const ir::Caps& caps : {testing::cpu_caps(), testing::cuda_caps()}) {
    for (const testing::Kind& kind : links()) check_bits(chain(50, kind.link), caps, kind.name);
    for (std::uint64_t seed = testing::first_seed(); seed < testing::first_seed() + 10; ++seed) {
      std::mt19937_64 rng(seed);
      const Program p = chain(50, [&](int) { return links()[rng() % links().size()].link; });
      bounded(p, caps, "seed " + std::to_string(seed));
      check_bits(p, caps, "seed " + std::to_string(seed));
    }
  }
}

// Rows written one after another, each from the one before, of as few columns as are awkward.
TEST(KernelLength, RecurrencesOverRows) {
  for (const std::int64_t columns : {4, 64}) {
    for (const ir::Caps& caps : {testing::cpu_caps(), testing::cuda_caps()}) {
      Work last;
      for (const int rows : {16, 32, 64, 128}) {
        Program p;
        Id c = p.broadcast(p.constant(DType::float32, 0.5), {rows, columns});
        const Id scale = p.scalar(DType::float32, 2.5);
        for (int i = 1; i < rows; ++i) {
          const Id row = p.slice(c, {i - 1, 0}, {1, 1}, {1, columns});
          const Id value =
              p.map(Op::div, {p.scalar(DType::float32, -1), p.map(Op::add, {row, scale})});
          const Id mask = p.broadcast(p.constant(DType::bool_, 1), {1, columns});
          c = p.map(Op::select, {p.pad(mask, {i, 0}, {rows, columns}, 0),
                                 p.pad(value, {i, 0}, {rows, columns}, 0), c});
        }
        p.output(c);
        const std::string what = std::to_string(rows) + " x " + std::to_string(columns) + " ";
        const Work work = bounded(p, caps, what);
        if (rows > 32) {
          EXPECT_LE(work.planned, 3 * static_cast<double>(last.planned)) << what << caps.name;
          EXPECT_LE(work.instructions, 3 * static_cast<double>(last.instructions))
              << what << caps.name;
        }
        last = work;
        if (rows <= 32) check_bits(p, caps, what);
      }
    }
  }
}

TEST(KernelLength, WideAndDeepExpressions) {
  Program tree;  // of 200 selects
  const Id zero = tree.constant(DType::float32, 0);
  std::vector<Id> level;
  for (int i = 0; i < 201; ++i) level.push_back(tree.input(DType::float32, {kChainLength}, i + 1));
  while (level.size() > 1) {
    std::vector<Id> next;
    for (std::size_t i = 0; i + 1 < level.size(); i += 2)
      next.push_back(tree.map(Op::select, {tree.map(Op::lt, {level[i], zero}), level[i],
                                           testing::rolled(tree, level[i + 1], 3)}));
    if (level.size() % 2 != 0) next.push_back(level.back());
    level = std::move(next);
  }
  tree.output(level[0]);

  Program horner;
  const Id x = horner.input(DType::float32, {64});
  Id value = horner.scalar(DType::float32, 1);
  for (int i = 0; i < 500; ++i)
    value =
        horner.map(Op::add, {horner.map(Op::mul, {value, x}), horner.scalar(DType::float32, i)});
  horner.output(value);

  Program powers;
  const Id y = powers.input(DType::float32, {64});
  Id sum = powers.scalar(DType::float32, 1);
  for (int i = 1; i <= 500; ++i) {
    const Id power = powers.map(Op::pow, {y, powers.constant(DType::float32, i)});
    sum =
        powers.map(Op::add, {sum, powers.map(Op::mul, {power, powers.scalar(DType::float32, i)})});
  }
  powers.output(sum);

  Program total;
  Id all = total.input(DType::float32, {64}, 1);
  for (int i = 2; i <= 1000; ++i)
    all = total.map(Op::add, {all, total.input(DType::float32, {64}, i)});
  total.output(all);

  for (const ir::Caps& caps : {testing::cpu_caps(), testing::cuda_caps()}) {
    bounded(tree, caps, "tree");
    EXPECT_EQ(bounded(horner, caps, "horner").launches, 1);
    bounded(powers, caps, "powers");
    bounded(total, caps, "sum of 1000");
    for (const Program* p : {&tree, &horner, &powers, &total}) check_bits(*p, caps, "wide");
  }
}

// What fits, is one kernel, however long; what does not, is a few more.
TEST(KernelLength, LongKernelsAreCutIntoFew) {
  const auto launches = [](int operations, Op op) {
    Program p;
    Id x = p.input(DType::float32, {100'000});
    for (int i = 0; i < operations; ++i)
      x = op == Op::tanh ? p.map(op, {x}) : p.map(op, {x, p.constant(DType::float32, i + 2)});
    p.output(x);
    return static_cast<int>(bounded(p, testing::cpu_caps(), "long").launches);
  };
  EXPECT_EQ(launches(512, Op::add), 1);
  EXPECT_EQ(launches(900, Op::max), 1);
  EXPECT_LE(launches(4000, Op::add), 8);
  EXPECT_EQ(launches(128, Op::tanh), 1);
  EXPECT_GT(launches(2000, Op::tanh), 1);
  EXPECT_LE(launches(2000, Op::tanh), 8);
}

}  // namespace
}  // namespace kiln
