// Programs whose accesses run along different axes: random shapes, types and views on every device,
// with the graph interpreter's bits; what the simulator counts; the CUDA text.
#include <gtest/gtest.h>

#include <random>

#include "codegen/cuda.h"
#include "runtime/targets.h"
#include "tests/golden.h"
#include "tests/property/differential.h"

namespace kiln {
namespace {

using ir::DType;
using ir::Op;
using testing::Program;
using testing::Where;
using Id = Program::Id;
using Shape = std::vector<std::int64_t>;

constexpr DType kTypes[] = {DType::bool_,   DType::uint8,    DType::int16,
                            DType::float16, DType::bfloat16, DType::float32,
                            DType::int32,   DType::float64,  DType::int64};
constexpr std::int64_t kExtents[] = {1,  2,  3,  5,  7,  8,  9,  13, 15, 16, 17,
                                     24, 31, 32, 33, 40, 63, 64, 65, 97, 130};
constexpr std::int64_t kMostElements = 20000;

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  Program make() {
    const Shape shape = some_shape();
    std::vector<Id> terms;
    const std::size_t count = 2 + pick(2);
    for (std::size_t i = 0; i < count; ++i) terms.push_back(term(shape));
    Id sum = terms[0];
    for (std::size_t i = 1; i < count; ++i) {
      sum = p_.map(Op::add, {sum, terms[i]});
      if (pick(3) == 0) sum = p_.map(Op::mul, {sum, sum});
    }
    p_.output(sum);
    if (pick(4) == 0) p_.output(p_.permute(sum, some_axes(shape.size())));
    if (pick(4) == 0) p_.output(p_.cast(kTypes[pick(std::size(kTypes))], terms[0]));
    if (pick(4) == 0) p_.output(p_.permute(terms.back(), some_axes(shape.size())));
    return std::move(p_);
  }

 private:
  std::size_t pick(std::size_t n) { return random_() % n; }

  Shape some_shape() {
    Shape shape(2 + pick(3));
    std::int64_t left = kMostElements;
    for (std::int64_t& extent : shape) {
      do {
        extent = kExtents[pick(std::size(kExtents))];
      } while (extent > left);
      left /= extent;
    }
    std::shuffle(shape.begin(), shape.end(), random_);
    return shape;
  }

  std::vector<std::uint8_t> some_axes(std::size_t rank) {
    std::vector<std::uint8_t> axes(rank);
    for (std::size_t i = 0; i < rank; ++i) axes[i] = static_cast<std::uint8_t>(i);
    if (pick(2) == 0) {
      std::swap(axes[rank - 1], axes[rank - 2]);
    } else {
      std::shuffle(axes.begin(), axes.end(), random_);
    }
    return axes;
  }

  // Something of this shape: an array in another order of axes, or part of one, or of one axis.
  Id term(const Shape& shape) {
    const std::vector<std::uint8_t> axes = some_axes(shape.size());
    Shape from(shape.size());
    for (std::size_t i = 0; i < axes.size(); ++i) from[axes[i]] = shape[i];
    const DType type = kTypes[pick(std::size(kTypes))];
    const int seed = static_cast<int>(pick(1000));
    const std::size_t form = pick(6);
    Id x = 0;
    if (form == 0) {  // part of a larger one
      Shape larger = from, begin(from.size(), 0);
      const std::size_t axis = pick(from.size());
      larger[axis] += 3;
      begin[axis] = 1 + static_cast<std::int64_t>(pick(2));
      x = p_.slice(p_.input(type, larger, seed), begin, Shape(from.size(), 1), from);
    } else if (form == 1 && from[0] > 1) {  // surrounded
      Shape smaller = from, low(from.size(), 0);
      smaller[0] -= 1;
      low[0] = static_cast<std::int64_t>(pick(2));
      x = p_.pad(p_.input(type, smaller, seed), low, from, 1);
    } else if (form == 2) {
      x = p_.broadcast(p_.input(type, {from.back()}, seed), from);
    } else {
      x = p_.input(type, from, seed);
    }
    if (pick(2) == 0 && type != DType::bool_) x = p_.map(Op::mul, {x, x});
    return p_.cast(DType::float32, p_.permute(x, axes));
  }

  std::mt19937_64 random_;
  Program p_;
};

Program make(std::uint64_t seed) { return Maker(seed).make(); }

TEST(PlanProperty, TransposesHaveTheInterpretersBits) {
  int turned = 0;
  testing::check_plans(150, make, [&](const ir::Plan& plan, const ir::Caps&) {
    turned += testing::clusters_with(plan, "transpose");
  });
  EXPECT_GT(turned, 100);
}

class DevicePropertyTranspose : public testing::DeviceTest {};
TEST_F(DevicePropertyTranspose, RandomProgramsOnTheCpu) { check(25, make, testing::kOnCpu); }
TEST_F(DevicePropertyTranspose, RandomProgramsOnCuda) { check(25, make, testing::kOnCuda); }

struct Named {
  const char* name;
  Program program;
  double arrays;  // of float32 that move at least
};

std::vector<Named> programs(std::int64_t n) {
  std::vector<Named> result(4);
  {
    Program& p = result[0].program;
    const Id y = p.permute(p.input(DType::float32, {n, n}, 2), {1, 0});
    p.output(p.map(Op::add, {p.input(DType::float32, {n, n}), y}));
    result[0] = {"add_transposed", std::move(p), 3};
  }
  {
    Program& p = result[1].program;
    const Id x = p.input(DType::float32, {n, n});
    p.output(p.map(Op::add, {x, p.permute(x, {1, 0})}));
    result[1] = {"add_own_transpose", std::move(p), 3};
  }
  {
    Program& p = result[2].program;
    const Id x = p.permute(p.input(DType::float32, {n, n}), {1, 0});
    p.output(p.map(Op::mul, {x, p.scalar(DType::float32, 3)}));
    result[2] = {"scale_transposed", std::move(p), 2};
  }
  {
    Program& p = result[3].program;
    const Id x = p.input(DType::float32, {2, n, n / 2});
    const Id y = p.map(Op::mul, {x, p.scalar(DType::float32, 3)});
    p.output(y);
    p.output(p.permute(y, {0, 2, 1}));
    result[3] = {"scaled_both_ways", std::move(p), 3};
  }
  return result;
}

TEST_F(DevicePropertyTranspose, RequestsEachSectorOnce) {
  if (const std::string why = devices_.missing(Where::cuda); !why.empty()) GTEST_SKIP() << why;
  constexpr std::int64_t kSide = 256;
  for (const Named& named : programs(kSide)) {
    const kilnsim_counters c = devices_.count(testing::graph_of(named.program)).counters;
    const double least = named.arrays * 4 * kSide * kSide / 32;
    EXPECT_EQ(c.launches, 1u) << named.name;
    EXPECT_LE(static_cast<double>(c.global_sectors_read + c.global_sectors_written), 1.05 * least)
        << named.name;
    EXPECT_EQ(c.shared_bank_conflicts, 0u) << named.name;
  }
}

TEST(TransposeText, IsGolden) {
  const ir::Caps caps = runtime::target_caps("sm_80").value();
  for (const Named& named : programs(256)) {
    const ir::Plan plan = passes::make_plan(named.program.graph, caps);
    ASSERT_EQ(plan.kernels.size(), 1u) << named.name;
    const std::string text = codegen::cuda_source(plan.kernels[0]);
    testing::expect_golden("cuda/" + std::string(named.name) + ".cu", text);
  }
}

}  // namespace
}  // namespace kiln
