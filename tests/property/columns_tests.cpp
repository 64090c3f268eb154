// Programs over columns: reductions along the first axis, some of so many rows that chunks of them
// are items of their own, with the graph interpreter's bits on every device.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/property/differential.h"

namespace kiln {
namespace {

using ir::DType;
using ir::Op;
using testing::Program;
using Id = Program::Id;
using Shape = std::vector<std::int64_t>;

constexpr DType kTypes[] = {DType::float32, DType::float32, DType::int32, DType::float16,
                            DType::float64};
constexpr Op kReductions[] = {Op::add, Op::add, Op::mul, Op::max};

// One to three results of the columns; some of what an earlier one left, or with a whole output.
class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  Program make() {
    const bool many = pick(2) == 0;
    Shape shape{many ? number(4096, 5200) : number(1, 2300),
                many ? number(64, 127) : number(2, 90)};
    std::uint8_t axis = 0;
    if (pick(4) == 0) {  // of several arrays
      shape.insert(shape.begin(), 2);
      shape[2] = 1 + shape[2] / 2;
      axis = 1;
    }
    const DType type = kTypes[pick(std::size(kTypes))];
    Id x = p_.input(type, shape, static_cast<int>(pick(1000)));
    if (pick(3) == 0) x = p_.map(Op::mul, {x, x});
    const std::size_t count = 1 + pick(3);
    for (std::size_t i = 0; i < count; ++i) {
      if (pick(4) == 0) {
        p_.output(p_.arg(pick(2) == 0 ? Op::min : Op::max, x, axis));
        continue;
      }
      const bool phases = pick(6) == 0;
      const Id r = p_.reduce(kReductions[pick(std::size(kReductions))], x, {axis}, phases);
      p_.output(pick(2) == 0 ? r : p_.map(Op::add, {r, p_.scalar(type, 3)}));
      if (phases) x = p_.map(Op::sub, {x, r});
    }
    if (pick(8) == 0) p_.output(x);
    return std::move(p_);
  }

 private:
  std::size_t pick(std::size_t n) { return random_() % n; }
  std::int64_t number(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(pick(static_cast<std::size_t>(most - least + 1)));
  }

  std::mt19937_64 random_;
  Program p_;
};

Program make(std::uint64_t seed) { return Maker(seed).make(); }

TEST(PlanProperty, ColumnsHaveTheInterpretersBits) {
  int columns = 0, split = 0;
  testing::check_plans(60, make, [&](const ir::Plan& plan, const ir::Caps& caps) {
    if (caps.target != ir::Target::cpu) return;
    columns += testing::clusters_with(plan, "columns");
    split += testing::clusters_with(plan, "split columns");
  });
  EXPECT_GT(columns, 10);
  EXPECT_GT(split, 4);
}

constexpr std::int64_t kManyColumns = 130;

// So many results that the stacks of all columns do not fit the cache together: two strips.
Program many_results(std::uint64_t /*seed*/) {
  Program p;
  const Id x = p.input(DType::float64, {8200, kManyColumns});
  for (int i = 0; i < 8; ++i) {
    p.output(p.arg(Op::min, p.map(Op::mul, {x, p.scalar(DType::float64, i)}), 0));
  }
  return p;
}

TEST(PlanProperty, SplitColumnsOfManyResultsHaveTheInterpretersBits) {
  const auto split = [](const ir::Plan& plan, const ir::Caps&) {
    EXPECT_GT(testing::clusters_with(plan, "split columns"), 0);
    EXPECT_TRUE(std::ranges::any_of(plan.kernels, [](const ir::Kernel& kernel) {
      return kernel.grid.size() == 2 && kernel.grid[0].divisor < kManyColumns;
    }));
  };
  testing::check_plans(1, many_results, split, {}, {testing::cpu_caps()});
}

class DevicePropertyColumns : public testing::DeviceTest {};
TEST_F(DevicePropertyColumns, RandomProgramsOnTheCpu) { check(12, make, testing::kOnCpu); }
TEST_F(DevicePropertyColumns, ManyResultsOnTheCpu) { check(1, many_results, testing::kOnCpu); }
TEST_F(DevicePropertyColumns, RandomProgramsOnCuda) { check(6, make, testing::kOnCuda); }

}  // namespace
}  // namespace kiln
