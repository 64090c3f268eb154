// What a launch takes of a device, at each limit and beyond it: kernels by hand, on devices that
// only plan and on the simulated one; and the kernels of random programs for devices that take
// little.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "codegen/cuda.h"
#include "ir/error.h"
#include "ir/kernel_builder.h"
#include "runtime/error.h"
#include "runtime/execute.h"
#include "runtime/registry.h"
#include "runtime/targets.h"
#include "tests/property/differential.h"

namespace kiln {
namespace {

using ir::DType;
using ir::Op;
using ir::Value;
using ::testing::HasSubstr;
using testing::Program;
using Id = Program::Id;

// z[i] = (the first scalar + the last) * what the block's last thread left in shared memory, by the
// threads of each block.
struct Needs {
  std::int64_t threads = 64;
  std::int64_t shared_bytes = 0;  // a multiple of 4
  std::int64_t scalars = 1;       // of 8 bytes; a pointer and an integer stand before them
};
ir::Kernel kernel_of(const Needs& needs) {
  ir::KernelBuilder b(ir::Target::cuda, DType::int64);
  const std::uint32_t z = b.buffer(DType::float64, "z", false);
  const Value n = b.integer("n");
  std::vector<Value> scalars;
  for (std::int64_t i = 0; i < needs.scalars; ++i) {
    scalars.push_back(b.scalar(DType::float64, "s" + std::to_string(i)));
  }
  const Value block = b.begin_grid();
  const Value thread = b.begin_thread(needs.threads);
  Value factor = b.constant(DType::int32, 3);
  if (needs.shared_bytes > 0) {
    const std::int64_t words = needs.shared_bytes / 4;
    const std::uint32_t shared = b.shared(DType::int32, words, "shared");
    b.begin_if(b.op(Op::eq, DType::bool_, {thread, b.index(needs.threads - 1)}));
    b.store(shared, b.index(words - 1), factor);
    b.end();
    b.barrier();
    factor = b.load(shared, b.index(words - 1));
  }
  const Value i = b.add(b.mul(block, b.index(needs.threads)), thread);
  b.begin_if(b.less(i, n));
  const Value sum = b.op(Op::add, DType::float64, {scalars.front(), scalars.back()});
  b.store(z, i, b.op(Op::mul, DType::float64, {sum, b.op(Op::cast, DType::float64, {factor})}));
  b.end();
  b.end();
  b.end();
  ir::Kernel kernel = b.finish();
  kernel.name = "by_hand";
  kernel.grid = {{{1}, needs.threads}};
  return kernel;
}

// One launch over n elements, all scalars the same one.
ir::Plan plan_of(const Needs& needs) {
  ir::Plan plan;
  plan.graph.syms.push_back({0, std::int64_t{1} << 60, 1});
  plan.graph.scalars.push_back(DType::float64);
  plan.kernels.push_back(kernel_of(needs));
  ir::PlanBuffer z;
  z.role = ir::BufferRole::output;
  z.dtype = DType::float64;
  z.elements = ir::SizeExpr::product(1, std::vector<ir::Sym>{2});
  plan.buffers.push_back(z);
  ir::PlanLaunch launch;
  launch.args = {{ir::ParamKind::buffer, 0}, {ir::ParamKind::integer, 2}};
  for (std::int64_t i = 0; i < needs.scalars; ++i)
    launch.args.push_back({ir::ParamKind::scalar, 0});
  plan.launches.push_back(launch);
  plan.steps = {{ir::StepKind::allocate, 0}, {ir::StepKind::launch, 0}};
  plan.outputs = {0};
  return plan;
}

const runtime::Compiler kCompiler{
    [](const ir::Kernel& kernel) { return codegen::cuda_kernel(kernel, ir::Labels::no); },
    "limits"};

std::vector<runtime::Block> run(runtime::Device& device, const Needs& needs, std::int64_t n) {
  runtime::KernelCache cache{runtime::Config{}};
  const runtime::LoadedPlan loaded = runtime::load(device, plan_of(needs), kCompiler, cache);
  const double scalar = 1.25;
  return runtime::execute(loaded, {{0, 1, n}, {std::bit_cast<std::uint64_t>(scalar)}}, {});
}

// What is thrown: "" or the type and the message.
std::string failure(runtime::Device& device, const Needs& needs, std::int64_t n = 100) {
  try {
    run(device, needs, n);
    return "";
  } catch (const runtime::DeviceError& error) {
    return std::string("DeviceError ") + error.what() + "; try: " + error.remedy;
  } catch (const ir::InternalError& error) {
    return std::string("InternalError ") + error.what();
  }
}

constexpr std::int64_t scalars_of(std::int64_t parameter_bytes) { return parameter_bytes / 8 - 2; }

void check_limits(runtime::Device& device) {
  const ir::Caps caps = device.caps();
  const std::int64_t most = scalars_of(caps.parameter_bytes);
  EXPECT_EQ(failure(device, {64, 0, most}), "");
  const std::string parameters = failure(device, {64, 0, most + 1});
  EXPECT_THAT(parameters, HasSubstr("DeviceError kernel by_hand has "));
  EXPECT_THAT(parameters, HasSubstr(" bytes of parameters, " + caps.name + " takes "));
  EXPECT_THAT(parameters, HasSubstr("try: join a part of the arrays at a time"));
  EXPECT_EQ(failure(device, {runtime::kMaxBlockThreads, 0, 1}), "");
  EXPECT_THAT(failure(device, {runtime::kMaxBlockThreads + 32, 0, 1}),
              HasSubstr("1056 threads a block, the limit is 1024"));
  EXPECT_EQ(failure(device, {64, caps.shared_bytes, 1}), "");
  EXPECT_THAT(failure(device, {64, caps.shared_bytes + 4, 1}),
              HasSubstr("bytes of shared memory, the limit is 49152"));
}

TEST(LaunchLimits, OfDevicesThatOnlyPlan) {
  runtime::Registry registry{runtime::Config{}};
  for (const ir::GpuTarget& target : ir::kGpuTargets) {
    SCOPED_TRACE(target.name);
    runtime::Device& device = registry.plan_only(target.name);
    check_limits(device);
    const std::int64_t most = runtime::kMaxBlocks * 64;
    EXPECT_EQ(failure(device, {}, most), "");
    EXPECT_THAT(failure(device, {}, most + 1),
                HasSubstr("DeviceError kernel by_hand has 2147483648 blocks"));
  }
}

TEST(LaunchLimits, OfTheSimulatedDevice) {
  if (*KILN_CUDASIM == '\0') GTEST_SKIP() << "the simulated driver was not built";
  runtime::Config config;
  config.cuda_driver = KILN_CUDASIM;
  runtime::Registry registry{config};
  ASSERT_EQ(registry.cuda_count(), 1) << registry.cuda_missing();
  if (!registry.nvrtc().available()) GTEST_SKIP() << registry.nvrtc().missing();
  runtime::Device& device = registry.cuda(0);
  check_limits(device);
  // At all limits together, with values.
  const ir::Caps caps = device.caps();
  const Needs all{runtime::kMaxBlockThreads, caps.shared_bytes, scalars_of(caps.parameter_bytes)};
  const std::vector<runtime::Block> out = run(device, all, 3000);
  std::vector<double> values(3000);
  device.download(values.data(), *out[0].memory, out[0].offset, 8 * 3000);
  EXPECT_EQ(values, std::vector<double>(3000, 7.5));
}

// Chains of operations on many arrays, scalars, slices and reductions.
Program many_parameters(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  Program p;
  const std::vector<std::int64_t> shape{static_cast<std::int64_t>(2 + pick(4)),
                                        static_cast<std::int64_t>(5 + pick(40))};
  const auto leaf = [&]() -> Id {
    switch (pick(4)) {
      case 0:
        return p.scalar(DType::float32, 0.5 + static_cast<double>(pick(100)));
      case 1: {
        const auto begin = static_cast<std::int64_t>(1 + pick(50));
        const Id far =
            p.input(DType::float32, {shape[0], shape[1] + 60}, static_cast<int>(pick(9)));
        return p.slice(far, {0, begin}, {1, 1}, shape);
      }
      default:
        return p.input(DType::float32, {pick(2) == 0 ? 1 : shape[0], shape[1]},
                       static_cast<int>(pick(9)));
    }
  };
  std::vector<Id> values{p.input(DType::float32, shape)};
  const std::size_t count = 20 + pick(120);
  for (std::size_t i = 0; i < count; ++i) {
    const Id x = pick(3) == 0 ? values[pick(values.size())] : values.back();
    const Id y = pick(6) == 0 ? values[pick(values.size())] : leaf();
    Id z = p.map(pick(2) == 0 ? Op::max : Op::sub, {x, y});
    if (pick(12) == 0) z = p.map(Op::sub, {z, p.reduce(Op::max, z, {1}, true)});
    values.push_back(z);
    if (pick(25) == 0) p.output(z);
  }
  p.output(values.back());
  return p;
}

TEST(PlanProperty, KernelsTakeNoMoreParametersThanTheDevice) {
  std::vector<ir::Caps> targets{testing::cuda_caps(), testing::cuda_caps(), testing::cuda_caps()};
  targets[0].parameter_bytes = 256;
  targets[1].parameter_bytes = 400;
  std::size_t full = 0, kernels = 0;
  const auto look = [&](const ir::Plan& plan, const ir::Caps& caps) {
    kernels += plan.kernels.size();
    for (const ir::Kernel& kernel : plan.kernels) {
      const runtime::LaunchNeeds needs = runtime::launch_needs(kernel);
      ASSERT_LE(needs.parameter_bytes, caps.parameter_bytes) << ir::print(kernel);
      ASSERT_LE(needs.threads, runtime::kMaxBlockThreads);
      ASSERT_LE(needs.shared_bytes, caps.shared_bytes);
      if (3 * needs.parameter_bytes > caps.parameter_bytes) ++full;
    }
  };
  const auto options = [](std::uint64_t seed) {
    passes::Options o;
    if (seed % 3 == 0) o.force = seed;  // whatever fusion decides
    return o;
  };
  testing::check_plans(60, many_parameters, look, options, targets);
  EXPECT_GT(full, 100u) << "of " << kernels;
}

// One operation of too many arrays cannot be cut; what stands around it is.
TEST(LaunchLimits, AWideJoinKeepsOnlyItself) {
  Program p;
  std::vector<Id> parts;
  for (int i = 0; i < 80; ++i) {
    parts.push_back(
        p.map(Op::mul, {p.input(DType::float32, {3 + i % 2}, i), p.scalar(DType::float32, i)}));
  }
  p.output(p.map(Op::exp, {p.concat(parts, 0)}));
  ir::Caps caps = testing::cuda_caps();
  caps.parameter_bytes = 400;
  const ir::Plan plan = passes::make_plan(p.graph, caps);
  const auto expected = ir::interpret(p.graph, p.bindings, p.views());
  EXPECT_EQ(testing::difference(expected, testing::run_plan(plan, p.bindings, p.views()), p.graph),
            "");
}

}  // namespace
}  // namespace kiln
