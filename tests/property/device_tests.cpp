// Programs by hand and random graphs, planned for the devices of this machine and executed on them:
// machine code by LLVM, and PTX by NVRTC on the simulated driver. The bits are the graph
// interpreter's. A failure prints its seed and the smallest prefix of the graph that shows it.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "codegen/cuda.h"
#if KILN_HAS_LLVM
#include "codegen/llvm.h"
#endif
#include "ir/targets.h"
#include "runtime/targets.h"
#include "tests/plans/cases.h"
#include "tests/property/differential.h"
#include "tests/shim/nvrtc.h"

namespace kiln {
namespace {

using ir::test::products;
using ir::test::RandomGraphOptions;
using ir::test::row_programs;
using ir::test::writes;
using testing::Devices;
using testing::Setting;
using testing::Where;

constexpr Setting kCpu[] = {
    {"cpu", Where::one_thread, true},
    {"cpu, two threads", Where::two_threads, true},
    {"cpu, unfused", Where::one_thread, false},
    {"cpu, two threads, unfused", Where::two_threads, false},
    {"cpu, generated products", Where::two_threads, true, ir::Products::none},
    {"cpu, products of dense operands", Where::two_threads, true, ir::Products::dense}};
constexpr Setting kOnCuda[] = {
    {"cuda", Where::cuda, true},
    {"cuda, generated products", Where::cuda, true, ir::Products::none},
    {"cuda, products of dense operands", Where::cuda, true, ir::Products::dense}};
constexpr Setting kCudaUnfused[] = {{"cuda, unfused", Where::cuda, false}};

testing::MakeGraph random_graphs(const RandomGraphOptions& options = {}) {
  return [=](std::uint64_t seed) { return ir::test::random_graph(seed, options); };
}

ir::test::RandomGraph function_programs(std::uint64_t seed) {
  return ir::test::random_graph(seed, ir::test::function_programs(seed));
}

class DeviceProperty : public testing::DeviceTest {};
class HeavyDeviceProperty : public testing::DeviceTest {};

TEST_F(DeviceProperty, RandomGraphsOnTheCpu) { check(25, random_graphs(), kCpu); }
TEST_F(DeviceProperty, RowProgramsOnTheCpu) { check(25, random_graphs(row_programs()), kCpu); }
TEST_F(DeviceProperty, FunctionProgramsOnTheCpu) {
  check(15, testing::MakeGraph(function_programs), kCpu);
}
TEST_F(DeviceProperty, FunctionProgramsOnCuda) {
  check(8, testing::MakeGraph(function_programs), testing::kOnCuda);
}
TEST_F(DeviceProperty, RandomGraphsOnCuda) { check(25, random_graphs(), kOnCuda); }
TEST_F(DeviceProperty, ProductsOnTheCpu) { check(25, random_graphs(products()), kCpu); }
TEST_F(DeviceProperty, ProductsOnCuda) { check(15, random_graphs(products()), kOnCuda); }
TEST_F(DeviceProperty, WritesOnTheCpu) { check(20, random_graphs(writes()), kCpu); }
TEST_F(DeviceProperty, WritesOnCuda) { check(10, random_graphs(writes()), kOnCuda); }
TEST_F(DeviceProperty, RowProgramsOnCuda) {
  check(25, random_graphs(row_programs()), testing::kOnCuda);
}

TEST_F(HeavyDeviceProperty, RandomGraphsOnTheCpu) { check(600, random_graphs(), kCpu); }
TEST_F(HeavyDeviceProperty, RowProgramsOnTheCpu) {
  check(600, random_graphs(row_programs()), kCpu);
}
TEST_F(HeavyDeviceProperty, FunctionProgramsOnTheCpu) {
  check(600, testing::MakeGraph(function_programs), kCpu);
}
TEST_F(HeavyDeviceProperty, FunctionProgramsOnCuda) {
  check(300, testing::MakeGraph(function_programs), testing::kOnCuda);
}
TEST_F(HeavyDeviceProperty, RandomGraphsOnCuda) { check(600, random_graphs(), kOnCuda); }
TEST_F(HeavyDeviceProperty, ProductsOnTheCpu) { check(600, random_graphs(products()), kCpu); }
TEST_F(HeavyDeviceProperty, ProductsOnCuda) { check(300, random_graphs(products()), kOnCuda); }
TEST_F(HeavyDeviceProperty, WritesOnTheCpu) { check(400, random_graphs(writes()), kCpu); }
TEST_F(HeavyDeviceProperty, WritesOnCuda) { check(300, random_graphs(writes()), kOnCuda); }
TEST_F(HeavyDeviceProperty, RowProgramsOnCuda) {
  check(600, random_graphs(row_programs()), testing::kOnCuda);
}
TEST_F(HeavyDeviceProperty, UnfusedOnCuda) { check(100, random_graphs(), kCudaUnfused); }

#if KILN_HAS_LLVM
// The programs above would hold nothing if their kernels called no function.
TEST(DevicePropertyReach, FunctionProgramsCallFunctions) {
  const codegen::CpuTarget target = codegen::host_target();
  if (target.vector_bytes == 0) GTEST_SKIP() << target.unsupported;
  ir::Caps caps = testing::cpu_caps();
  caps.vector_bytes = target.vector_bytes;
  int call = 0;
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    const ir::Graph graph = function_programs(seed).graph;
    const ir::Plan plan = passes::make_plan(graph, caps);
    call += std::ranges::any_of(plan.kernels, [&](const ir::Kernel& kernel) {
      const std::string text = codegen::llvm_ir(kernel, target);
      return text.find("_f32.x") != std::string::npos || text.find("_f64.x") != std::string::npos;
    });
  }
  EXPECT_GE(call, 8);
}
#endif

class ProgramTest : public ::testing::TestWithParam<testing::Case> {
 protected:
  // One set for the suite, so that kernels are shared; gone before the simulator is.
  static void SetUpTestSuite() { devices_ = std::make_unique<Devices>(); }
  static void TearDownTestSuite() { devices_.reset(); }
  void SetUp() override { GetParam().build(program_); }

  void run(std::span<const Setting> settings) {
    if (const std::string why = devices_->missing(settings[0].where); !why.empty()) {
      GTEST_SKIP() << why;
    }
    const auto g = testing::graph_of(program_);
    for (const Setting& setting : settings) {
      EXPECT_EQ(devices_->smallest_failure(g, setting), "");
    }
  }

  void compile(std::string_view target) {
    const tests::Nvrtc& nvrtc = tests::Nvrtc::get();
    if (!nvrtc.available()) GTEST_SKIP() << nvrtc.missing();
    const ir::Caps caps = runtime::target_caps(target).value();
    const ir::Plan plan = passes::make_plan(program_.graph, caps);
    for (const ir::Kernel& kernel : plan.kernels) {
      const std::string source = codegen::cuda_source(kernel);
      const auto result = nvrtc.compile(source, caps.compute_capability);
      EXPECT_TRUE(result.ok && result.log.empty()) << target << "\n" << result.log << source;
    }
  }

  inline static std::unique_ptr<Devices> devices_;
  testing::Program program_;
};
class ProgramOnDevices : public ProgramTest {};
class HeavyProgramOnDevices : public ProgramTest {};

TEST_P(ProgramOnDevices, HasTheInterpretersBitsOnTheCpu) { run(kCpu); }
TEST_P(ProgramOnDevices, HasTheInterpretersBitsOnCuda) { run(kOnCuda); }
TEST_P(ProgramOnDevices, CompilesWithoutAWarning) { compile("sm_80"); }
TEST_P(HeavyProgramOnDevices, HasTheInterpretersBitsUnfusedOnCuda) { run(kCudaUnfused); }
TEST_P(HeavyProgramOnDevices, CompilesForEveryTarget) {
  for (const ir::GpuTarget& target : ir::kGpuTargets) compile(target.name);
}

std::string name_of(const ::testing::TestParamInfo<testing::Case>& tested) {
  return tested.param.name;
}
INSTANTIATE_TEST_SUITE_P(Programs, ProgramOnDevices, ::testing::ValuesIn(testing::cases()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Programs, HeavyProgramOnDevices, ::testing::ValuesIn(testing::cases()),
                         name_of);

}  // namespace
}  // namespace kiln
