// Programs with clusters that differ in extents only: launched together, on every device, with the
// graph interpreter's bits; how many launches; the CUDA text.
#include <gtest/gtest.h>

#include <algorithm>
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
using testing::Setting;
using Id = Program::Id;
using Shape = std::vector<std::int64_t>;

// m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g g, p -= rate m / (sqrt(v) + eps), for each shape.
Program adam(const std::vector<Shape>& shapes) {
  Program p;
  const auto scalar = [&](double value) { return p.scalar(DType::float32, value); };
  const Id b1 = scalar(0.9), c1 = scalar(0.1), b2 = scalar(0.999), c2 = scalar(0.001);
  const Id rate = scalar(0.01), eps = scalar(1e-8);
  int seed = 0;
  for (const Shape& shape : shapes) {
    const auto input = [&] { return p.input(DType::float32, shape, ++seed); };
    const Id x = input(), g = input(), m0 = input(), v0 = p.map(Op::abs, {input()});
    const Id m = p.map(Op::add, {p.map(Op::mul, {m0, b1}), p.map(Op::mul, {g, c1})});
    const Id squares = p.map(Op::mul, {p.map(Op::mul, {g, g}), c2});
    const Id v = p.map(Op::add, {p.map(Op::mul, {v0, b2}), squares});
    const Id below = p.map(Op::add, {p.map(Op::sqrt, {v}), eps});
    p.output(p.map(Op::sub, {x, p.map(Op::div, {p.map(Op::mul, {m, rate}), below})}));
    p.output(m);
    p.output(v);
  }
  return p;
}

std::vector<Shape> shapes_of(std::size_t count) {
  std::vector<Shape> result;
  for (std::size_t i = 0; i < count; ++i) {
    const auto n = static_cast<std::int64_t>(i);
    const Shape all[] = {{2 + n}, {3 + n % 7, 2 + n}, {2, 3, 5 + n}, {1, 7 * n + 300}};
    result.push_back(all[i % 4]);
  }
  return result;
}

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  // A few programs, each over several shapes; some read what others make.
  Program make() {
    const std::size_t kinds = 1 + pick(3);
    for (std::size_t k = 0; k < kinds; ++k) {
      const std::size_t members = 1 + pick(12);
      const std::uint64_t recipe = random_();
      const DType type = pick(2) == 0 ? DType::float32 : DType::int32;
      const bool shared = pick(2) == 0;
      Id s = p_.scalar(type, 3);
      for (std::size_t m = 0; m < members; ++m) {
        if (!shared) s = p_.scalar(type, 3 + static_cast<double>(m));
        member(recipe, type, s);
      }
    }
    return std::move(p_);
  }

 private:
  std::size_t pick(std::size_t n) { return random_() % n; }

  Shape shape() {
    Shape result(pick(4));
    for (std::int64_t& extent : result) {
      constexpr std::int64_t kExtents[] = {0, 1, 2, 3, 5, 16, 17, 31, 64};
      extent = kExtents[pick(10) == 0 ? 0 : 1 + pick(8)];
    }
    if (pick(4) == 0) result = {static_cast<std::int64_t>(200 + pick(3000))};
    return result;
  }

  void member(std::uint64_t recipe, DType type, Id s) {
    const Shape at = shape();
    Id x = p_.input(type, at, static_cast<int>(pick(1000)));
    const Id y = p_.input(type, at, static_cast<int>(pick(1000)));
    for (int step = 0; step < 4; ++step, recipe /= 4) {
      constexpr Op kOps[] = {Op::add, Op::sub, Op::mul, Op::max};
      x = p_.map(kOps[recipe % 4], {x, recipe / 4 % 2 == 0 ? y : s});
      if (recipe / 8 % 8 == 0) p_.output(x);
    }
    p_.output(x);
    const bool empty = std::ranges::find(at, 0) != at.end();
    if (pick(5) == 0 && !at.empty() && !empty) {  // stored, and read by another kernel
      const auto last = static_cast<std::uint8_t>(at.size() - 1);
      p_.output(p_.map(Op::sub, {x, p_.reduce(Op::max, x, {last}, true)}));
    }
  }

  std::mt19937_64 random_;
  Program p_;
};

// Of every second program each input may be overwritten.
Program make(std::uint64_t seed) {
  Program p = Maker(seed).make();
  for (ir::Input& input : p.graph.inputs) input.donatable = seed % 2 == 0;
  return p;
}

std::size_t members_of(const ir::Plan& plan) {
  std::size_t members = 0;
  for (const ir::PlanLaunch& launch : plan.launches) members += launch.members;
  return members;
}

TEST(PlanProperty, BatchesHaveTheInterpretersBits) {
  std::size_t members = 0;
  ir::Caps small = testing::cuda_caps();  // tables of a few rows
  small.parameter_bytes = 200;
  const auto look = [&](const ir::Plan& plan, const ir::Caps& caps) {
    members += members_of(plan);
    for (const ir::Kernel& kernel : plan.kernels) {
      ASSERT_LE(kernel.members * ir::batch_row(kernel).bytes, caps.parameter_bytes);
      ASSERT_EQ(ir::print(ir::parse_kernel(ir::print(kernel))), ir::print(kernel));
    }
  };
  testing::check_plans(150, make, look, {}, {testing::cpu_caps(), testing::cuda_caps(), small});
  EXPECT_GT(members, 500u);
}

TEST(Batches, AnUpdateOfManyShapesIsFewLaunches) {
  std::vector<Shape> shapes = shapes_of(48);
  shapes.push_back({});
  shapes.push_back({1, 1});
  const Program p = adam(shapes);
  for (const ir::Caps& caps : {testing::cpu_caps(), testing::cuda_caps()}) {
    const ir::Plan plan = passes::make_plan(p.graph, caps);
    EXPECT_LE(plan.launches.size(), 3u) << caps.name;
    EXPECT_GE(members_of(plan), 48u) << caps.name;
    ir::SizeExpr bytes;
    for (const ir::ClusterReport& report : plan.clusters) {
      bytes += report.compulsory_read;
      bytes += report.compulsory_written;
    }
    std::int64_t least = 0;
    for (const auto& memory : p.data) least += static_cast<std::int64_t>(memory.size()) * 7 / 4;
    EXPECT_EQ(bytes.evaluate(p.bindings.syms), least) << caps.name;
  }
}

std::size_t donated(const ir::Plan& plan) {
  std::size_t count = 0;
  for (const ir::PlanBuffer& buffer : plan.buffers) count += buffer.donated_from >= 0 ? 1 : 0;
  return count;
}

// Members run in any order: an update in place takes nothing that another member reads.
TEST(Batches, MembersAreUpdatedInPlaceWhereNoOtherReadsTheirInputs) {
  for (const bool shared : {false, true}) {
    Program p;
    const Id a = p.input(DType::float32, {700}, 1), b = p.input(DType::float32, {700}, 2);
    const Id c = p.input(DType::float32, {300}, 3), d = p.input(DType::float32, {300}, 4);
    p.output(p.map(Op::add, {a, b}));
    p.output(p.map(Op::add, {c, shared ? p.slice(a, {0}, {1}, {300}) : d}));
    for (const Id first : {a, c}) p.graph.inputs[p.graph.nodes[first].attr].donatable = true;
    const auto expected = ir::interpret(p.graph, p.bindings, p.views());
    for (const ir::Caps& caps : {testing::cpu_caps(), testing::cuda_caps()}) {
      const ir::Plan plan = passes::make_plan(p.graph, caps);
      EXPECT_EQ(members_of(plan), 2u) << caps.name;
      EXPECT_EQ(donated(plan), shared ? 0u : 2u) << caps.name;
      const auto actual = testing::run_plan(plan, p.bindings, p.views());
      EXPECT_EQ(testing::difference(expected, actual, p.graph), "") << caps.name;
    }
  }
}

// Batching would keep all of the large intermediate values alive at once.
TEST(Batches, LargeTemporariesAreNotMadeTogether) {
  Program p;
  for (std::int64_t i = 0; i < 4; ++i) {
    const Id x = p.map(Op::exp, {p.input(DType::float32, {600 + i, 2000})});
    p.output(p.matmul(x, p.input(DType::float32, {2000, 3})));
  }
  const ir::Plan plan = passes::make_plan(p.graph, testing::cpu_caps());
  EXPECT_EQ(members_of(plan), 0u);
}

class DevicePropertyBatch : public testing::DeviceTest {};
TEST_F(DevicePropertyBatch, RandomProgramsOnTheCpu) { check(15, make, testing::kOnCpu); }
TEST_F(DevicePropertyBatch, RandomProgramsOnCuda) { check(15, make, testing::kOnCuda); }
TEST_F(DevicePropertyBatch, AnUpdateOfManyShapes) {
  const auto g = testing::graph_of(adam(shapes_of(50)));
  for (const Setting& setting : {testing::kOnCpu[0], testing::kOnCpu[1], testing::kOnCuda[0]}) {
    if (!devices_.missing(setting.where).empty()) continue;
    EXPECT_EQ(devices_.failure(g, setting), "") << setting.name;
  }
}

TEST(BatchText, IsGolden) {
  const ir::Caps caps = runtime::target_caps("sm_80").value();
  const ir::Plan plan = passes::make_plan(adam(shapes_of(20)).graph, caps);
  ASSERT_EQ(plan.kernels.size(), 1u);
  testing::expect_golden("cuda/batch.cu", codegen::cuda_source(plan.kernels[0]));
}

}  // namespace
}  // namespace kiln
