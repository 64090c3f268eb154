// Programs over many short rows: their reductions, what becomes of them, rows of every length and
// number, with the graph interpreter's bits on every device.
#include <gtest/gtest.h>

#include <random>

#include "tests/property/differential.h"

namespace kiln {
namespace {

using ir::DType;
using ir::Op;
using testing::Program;
using Id = Program::Id;
using Shape = std::vector<std::int64_t>;

constexpr DType kTypes[] = {DType::float16, DType::bfloat16, DType::float32, DType::float32,
                            DType::float64, DType::int8,     DType::int32};
constexpr Op kReductions[] = {Op::add, Op::mul, Op::min, Op::max};

// One to three reductions of rows one after another, each of what the ones before left.
class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  Program make() {
    Shape shape{static_cast<std::int64_t>(64 + pick(120)), static_cast<std::int64_t>(1 + pick(66))};
    std::vector<std::uint8_t> axes{1};
    if (pick(4) == 0) {  // more rows
      shape.insert(shape.begin(), 3);
      axes = {2};
    } else if (pick(4) == 0) {  // rows of two axes
      shape = {shape[0], 3, 1 + shape[1] / 4};
      axes = {1, 2};
    }
    const DType type = kTypes[pick(std::size(kTypes))];
    Id x = p_.input(type, shape, static_cast<int>(pick(1000)));
    if (pick(3) == 0) x = p_.map(Op::mul, {x, x});
    Id last = x;
    const std::size_t count = 1 + pick(3);
    for (std::size_t i = 0; i < count; ++i) {
      last = p_.reduce(kReductions[pick(std::size(kReductions))], x, axes, true);
      if (pick(4) == 0) p_.output(last);
      const Id total = pick(2) == 0 ? last : p_.map(Op::add, {last, p_.scalar(type, 3)});
      x = p_.map(pick(2) == 0 ? Op::sub : Op::add, {x, p_.broadcast(total, shape)});
      if (pick(3) == 0) x = p_.map(Op::add, {x, column(type, shape)});
    }
    if (pick(2) == 0) p_.output(p_.map(Op::mul, {last, last}));
    if (pick(3) != 0 || p_.graph.outputs.empty()) p_.output(x);
    return std::move(p_);
  }

 private:
  std::size_t pick(std::size_t n) { return random_() % n; }

  Id column(DType type, const Shape& shape) {
    return p_.broadcast(p_.input(type, {shape.back()}, static_cast<int>(pick(1000))), shape);
  }

  std::mt19937_64 random_;
  Program p_;
};

Program make(std::uint64_t seed) { return Maker(seed).make(); }

TEST(PlanProperty, ShortRowsHaveTheInterpretersBits) {
  int strips = 0;
  testing::check_plans(150, make, [&](const ir::Plan& plan, const ir::Caps&) {
    strips += testing::clusters_with(plan, "short rows");
  });
  EXPECT_GT(strips, 80);
}

class DevicePropertyShortRows : public testing::DeviceTest {};
TEST_F(DevicePropertyShortRows, RandomProgramsOnTheCpu) { check(25, make, testing::kOnCpu); }
TEST_F(DevicePropertyShortRows, RandomProgramsOnCuda) { check(25, make, testing::kOnCuda); }

}  // namespace
}  // namespace kiln
