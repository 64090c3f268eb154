#include "runtime/execute.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <numeric>

#include "ir/error.h"
#include "runtime/host/host_device.h"
#include "runtime/null/null_device.h"
#include "runtime/targets.h"
#include "tests/runtime/support.h"

namespace kiln::runtime {
namespace {

using namespace test;

class ExecuteTest : public testing::Test {
 protected:
  LoadedPlan load_plan(ir::Plan plan) { return load(device_, std::move(plan), {}, cache_); }
  std::vector<float> ramp(std::int64_t n) {
    std::vector<float> x(static_cast<std::size_t>(n));
    std::iota(x.begin(), x.end(), 1.0f);
    return x;
  }

  HostDevice device_{interpreting()};
  KernelCache cache_{Config{}};
};

TEST_F(ExecuteTest, RunsStepsInOrderForAnySize) {
  const LoadedPlan plan = load_plan(two_step_plan());
  for (const std::int64_t n : {1, 63, 64, 65, 1000}) {
    const std::vector<float> x = ramp(n);
    const Block input = upload(device_, x);
    const std::vector<Block> out = execute(plan, bind(n, 0.5f), {&input, 1});
    ASSERT_EQ(out.size(), 1u);
    const std::vector<float> z = download(out[0], x.size());
    for (std::size_t i = 0; i < x.size(); ++i)
      ASSERT_EQ(z[i], (x[i] + 0.5f) * 0.5f) << n << " " << i;
  }
  const Stats stats = device_.counters().read();
  EXPECT_EQ(stats.launched, 10);
  EXPECT_EQ(stats.compiled, 2);
}

TEST_F(ExecuteTest, ReleasesTemporariesAndWarmRunsTakeNoNewMemory) {
  const LoadedPlan plan = load_plan(two_step_plan());
  const Block input = upload(device_, ramp(1000));
  const std::int64_t before = device_.memory().live;
  {
    const std::vector<Block> out = execute(plan, bind(1000, 1), {&input, 1});
    EXPECT_EQ(device_.memory().live, before + 4000);
  }
  EXPECT_EQ(device_.memory().live, before);
  const std::int64_t cached = device_.memory().cached;
  for (int i = 0; i < 10; ++i) execute(plan, bind(1000, 1), {&input, 1});
  EXPECT_EQ(device_.memory().cached, cached);
}

TEST_F(ExecuteTest, EmptyGridsAreNotLaunched) {
  const LoadedPlan plan = load_plan(two_step_plan());
  const Block input = upload(device_, {});
  const std::vector<Block> out = execute(plan, bind(0, 1), {&input, 1});
  EXPECT_EQ(out[0].memory->bytes(), 0);
  EXPECT_EQ(device_.counters().read().launched, 0);
}

TEST_F(ExecuteTest, CountsTheBytesThatThePlanStates) {
  ir::Plan plan = two_step_plan();
  const std::vector<ir::Sym> n = {2};
  for (int i = 0; i < 2; ++i) {
    ir::ClusterReport report;
    report.compulsory_read = ir::SizeExpr::product(4 + i, n);
    report.compulsory_written = ir::SizeExpr::product(4, n);
    plan.launches[static_cast<std::size_t>(i)].report = static_cast<std::uint32_t>(i);
    plan.clusters.push_back(report);
  }
  const LoadedPlan loaded = load_plan(std::move(plan));
  const Block input = upload(device_, ramp(10));
  execute(loaded, bind(10, 1), {&input, 1});
  const Stats stats = device_.counters().read();
  EXPECT_EQ(stats.bytes_read, 90);
  EXPECT_EQ(stats.bytes_written, 80);
}

// z takes over x: z = x + a in place.
ir::Plan donating_plan(bool then_allocate) {
  ir::Plan plan = vector_plan();
  plan.kernels = {map_kernel(ir::Op::add)};
  const std::uint32_t z = add_buffer(plan, ir::BufferRole::output, 0);
  add_allocate(plan, z);
  add_launch(plan, 0, 0, z);
  plan.outputs = {z};
  if (then_allocate) {
    const std::uint32_t t = add_buffer(plan, ir::BufferRole::output);
    plan.buffers[t].elements = ir::SizeExpr::product(1000, std::vector<ir::Sym>{2});
    add_allocate(plan, t);
    add_launch(plan, 0, z, t);
    plan.outputs.push_back(t);
  }
  return plan;
}

TEST_F(ExecuteTest, ADonatedInputBecomesTheOutput) {
  const LoadedPlan plan = load_plan(donating_plan(false));
  Block input = upload(device_, {0, 1, 2, 3});
  input.offset = 4;
  const std::vector<Block> out = execute(plan, bind(3, 10), {&input, 1});
  EXPECT_EQ(out[0].memory, input.memory);
  EXPECT_EQ(out[0].offset, 4);
  EXPECT_THAT(download(out[0], 3), testing::ElementsAre(11, 12, 13));
}

TEST_F(ExecuteTest, AReadOnlyInputIsNeverDonated) {
  const LoadedPlan plan = load_plan(donating_plan(false));
  std::vector<float> foreign = {1, 2};
  const Block input{device_.adopt(foreign.data(), 8, nullptr, false), 0};
  EXPECT_THROW(execute(plan, bind(2, 10), {&input, 1}), ir::InternalError);
  EXPECT_THAT(foreign, testing::ElementsAre(1, 2));
}

TEST(Execute, OutOfMemoryLeavesDonatedInputsAsTheyWere) {
  Config config = interpreting();
  config.memory_limit = 1 << 20;
  HostDevice device(config);
  KernelCache cache(config);
  const LoadedPlan plan = load(device, donating_plan(true), {}, cache);
  const std::vector<float> x(1000, 1.0f);
  const Block input = upload(device, x);
  const std::int64_t live = device.memory().live;
  EXPECT_THROW(execute(plan, bind(1000, 1), {&input, 1}), OutOfMemory);
  EXPECT_EQ(download(input, x.size()), x) << "z = x + a ran before what failed";
  EXPECT_EQ(device.memory().live, live);
}

TEST_F(ExecuteTest, OutputsMayRepeatAndMayBeInputs) {
  ir::Plan plan = two_step_plan();
  plan.outputs = {plan.outputs[0], 0, plan.outputs[0]};
  const LoadedPlan loaded = load_plan(std::move(plan));
  const Block input = upload(device_, {1, 2});
  const std::vector<Block> out = execute(loaded, bind(2, 1), {&input, 1});
  EXPECT_EQ(out[0].memory, out[2].memory);
  EXPECT_EQ(out[1].memory, input.memory);
  EXPECT_THAT(download(out[2], 2), testing::ElementsAre(2, 3));
}

TEST_F(ExecuteTest, MalformedPlansAreRefused) {
  const auto refuses = [&](const std::function<void(ir::Plan&)>& spoil, const char* message) {
    ir::Plan plan = two_step_plan();
    spoil(plan);
    try {
      load_plan(std::move(plan));
      ADD_FAILURE() << "accepted: " << message;
    } catch (const ir::InternalError& e) {
      EXPECT_THAT(e.what(), testing::HasSubstr(message));
    }
  };
  refuses([](ir::Plan& p) { p.steps.erase(p.steps.begin()); }, "buffer 1 is used while it has no");
  refuses([](ir::Plan& p) { p.launches[0].args.pop_back(); }, "arguments do not fit the kernel");
  refuses([](ir::Plan& p) { p.launches[0].args[2].index = 99; }, "a symbol that does not exist");
  refuses([](ir::Plan& p) { p.launches[0].kernel = 9; }, "a kernel that does not exist");
  refuses([](ir::Plan& p) { p.outputs = {1}; }, "buffer 1 is used while it has no memory");
  refuses([](ir::Plan& p) { p.buffers[0].index = 3; }, "an input that does not exist");
}

ir::Plan product_plan() {
  ir::Plan plan;
  const auto sym = [&] {
    plan.graph.syms.push_back({0, 1 << 20, 1});
    return static_cast<ir::Sym>(plan.graph.syms.size() - 1);
  };
  const ir::Sym m = sym(), k = sym(), n = sym();
  const auto size = [](std::vector<ir::Sym> syms) { return ir::SizeExpr::product(1, syms); };
  plan.graph.inputs.resize(2);
  plan.buffers = {{ir::BufferRole::input, 0, ir::DType::float32, size({m, k}), 0, -1},
                  {ir::BufferRole::input, 1, ir::DType::float32, size({k, n}), 0, -1},
                  {ir::BufferRole::output, 0, ir::DType::float32, size({m, n}), 0, -1}};
  ir::Call call;
  call.extents = {size({m}), size({n}), size({k})};
  const ir::SizeExpr none, one = ir::SizeExpr::constant(1);
  const auto f32 = ir::DType::float32;
  call.operands = {{0, f32, {}, {size({k}), none, one}}, {1, f32, {}, {none, one, size({n})}}};
  call.results = {{2, f32, {}, {size({n}), one, none}}};
  plan.calls = {call};
  plan.steps = {{ir::StepKind::allocate, 2}, {ir::StepKind::call, 0}};
  plan.outputs = {2};
  return plan;
}

TEST_F(ExecuteTest, MatmulSteps) {
  const LoadedPlan plan = load_plan(product_plan());
  const Block inputs[] = {upload(device_, {1, 2, 3, 4, 5, 6}), upload(device_, {1, 0, 2, 1, 0, 3})};
  const std::vector<Block> out = execute(plan, {{0, 1, 2, 3, 2}, {}}, inputs);
  EXPECT_THAT(download(out[0], 4), testing::ElementsAre(5, 11, 14, 23));
  EXPECT_EQ(device_.counters().read().launched, 1);
}

TEST_F(ExecuteTest, ACallThatReachesBeyondItsBufferIsRefused) {
  ir::Plan wrong = product_plan();
  wrong.calls[0].operands[0].offset = ir::SizeExpr::constant(1);
  const LoadedPlan plan = load_plan(std::move(wrong));
  const Block inputs[] = {upload(device_, {1, 2, 3, 4, 5, 6}), upload(device_, {1, 0, 2, 1, 0, 3})};
  EXPECT_THROW(execute(plan, {{0, 1, 2, 3, 2}, {}}, inputs), ir::InternalError);
}

TEST_F(ExecuteTest, AProductOverNothingIsZero) {
  const LoadedPlan plan = load_plan(product_plan());
  upload(device_, {7, 7, 7, 7});  // what the output's memory holds before
  const Block inputs[] = {upload(device_, {}), upload(device_, {})};
  const std::vector<Block> out = execute(plan, {{0, 1, 2, 0, 2}, {}}, inputs);
  EXPECT_THAT(download(out[0], 4), testing::Each(0.0f));
  EXPECT_NO_THROW(execute(plan, {{0, 1, 0, 3, 2}, {}}, inputs));
}

TEST(NullDevice, PlansAndChecksButHasNoData) {
  NullDevice device(*target_caps("cpu"));
  KernelCache cache{Config{}};
  Compiler compiler;
  compiler.emit = [](const ir::Kernel& kernel) {
    return ir::KernelSource{kernel.name, "text", {}};
  };
  const LoadedPlan plan = load(device, two_step_plan(), compiler, cache);
  const Block input = upload(device, {1, 2});
  const std::vector<Block> out = execute(plan, bind(2, 1), {&input, 1});
  EXPECT_FALSE(device.runs());
  EXPECT_EQ(device.counters().read().launched, 2);
  EXPECT_EQ(device.counters().read().upload_bytes, 8);
  try {
    download(out[0], 2);
    FAIL();
  } catch (const DeviceError& e) {
    EXPECT_FALSE(e.remedy.empty()) << e.what();
    EXPECT_THAT(e.what(), testing::HasSubstr("plan_only(cpu) only plans"));
  }
}

ir::Kernel cuda_kernel(std::int64_t threads, std::int64_t shared) {
  ir::KernelBuilder b(ir::Target::cuda, ir::DType::int32);
  const std::uint32_t z = b.buffer(ir::DType::float32, "z", false);
  const ir::Value n = b.integer("n");
  const std::uint32_t s = b.shared(ir::DType::float32, shared, "s");
  b.begin_grid();
  const ir::Value t = b.begin_thread(threads);
  b.store(s, t, b.constant(ir::DType::float32, 0));
  b.begin_if(b.less(t, n));
  b.store(z, t, b.load(s, t));
  b.end();
  b.end();
  b.end();
  ir::Kernel kernel = b.finish();
  kernel.name = "limits";
  return kernel;
}

TEST(NullDevice, RefusesLaunchesBeyondTheTargetsLimits) {
  NullDevice device(*target_caps("sm_80"));
  const auto message = [&](const ir::Kernel& kernel, std::int64_t items) -> std::string {
    try {
      const auto loaded = device.load_kernel(kernel, {});
      device.launch({loaded.get(), nullptr, items, {}, 0, {kernel.name}});
      return "";
    } catch (const ir::InternalError& e) {
      return e.what();
    } catch (const DeviceError& e) {
      EXPECT_FALSE(e.remedy.empty()) << e.what();
      return e.what();
    }
  };
  EXPECT_EQ(message(cuda_kernel(1024, 1024), 2147483647), "");
  EXPECT_THAT(message(cuda_kernel(1024, 1024), 2147483648),
              testing::HasSubstr("kernel limits has 2147483648 blocks, sm_80 takes 2147483647"));
  EXPECT_THAT(message(cuda_kernel(1056, 1056), 1), testing::HasSubstr("1056 threads a block"));
  EXPECT_THAT(message(cuda_kernel(32, 20000), 1),
              testing::HasSubstr("80000 bytes of shared memory, the limit is 49152"));
}

}  // namespace
}  // namespace kiln::runtime
