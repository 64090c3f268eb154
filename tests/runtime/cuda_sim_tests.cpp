// The CUDA device on the simulated driver, with kernels that NVRTC compiled: the driver's own path
// from source to result, every access checked.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "runtime/registry.h"
#include "tests/cudasim/cudasim.h"
#include "tests/runtime/products.h"
#include "tests/runtime/support.h"

namespace kiln::runtime {
namespace {

using namespace test;
using testing::HasSubstr;

// z[i] = x[i] op a; parameters as in map_kernel.
ir::Kernel map_on_cuda(ir::Op op) {
  ir::KernelBuilder b(ir::Target::cuda, ir::DType::int32);
  const std::uint32_t x = b.buffer(ir::DType::float32, "x", true);
  const std::uint32_t z = b.buffer(ir::DType::float32, "z", false);
  const ir::Value n = b.integer("n");
  const ir::Value a = b.scalar(ir::DType::float32, "a");
  b.set_line("user.cpp:12");
  const ir::Value block = b.begin_grid();
  const ir::Value i = b.add(b.mul(block, b.index(128)), b.begin_thread(128));
  b.begin_if(b.less(i, n));
  b.store(z, i, b.op(op, ir::DType::float32, {b.load(x, i), a}));
  b.end();
  b.end();
  b.end();
  ir::Kernel kernel = b.finish();
  kernel.name = op == ir::Op::add ? "add" : "mul";
  kernel.grid = {{{2}, 128}};
  return kernel;
}

std::string text_of(const ir::Kernel& kernel, const char* index = "i") {
  return "extern \"C\" __global__ void " + kernel.name +
         "(const float* __restrict__ x, float* __restrict__ z, int n, float a) {\n"
         "  int i = blockIdx.x * 128 + threadIdx.x;\n"
         "  if (i < n) z[" +
         index + "] = x[i] " + (kernel.name == "add" ? "+" : "*") + " a;\n}\n";
}

class CudaSimTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* const path = KILN_CUDASIM;
    if (*path == '\0') GTEST_SKIP() << "the simulated driver was not built";
    config_.cuda_driver = path;
    config_.cublaslt = path;
    registry_ = std::make_unique<Registry>(config_);
    ASSERT_EQ(registry_->cuda_count(), 1) << registry_->cuda_missing();
    if (!registry_->nvrtc().available()) GTEST_SKIP() << registry_->nvrtc().missing();
  }
  ir::Plan plan() {
    ir::Plan plan = two_step_plan();
    plan.kernels = {map_on_cuda(ir::Op::add), map_on_cuda(ir::Op::mul)};
    return plan;
  }
  Compiler compiler(const char* index = "i") {
    return {[index](const ir::Kernel& kernel) {
              return ir::KernelSource{kernel.name, text_of(kernel, index), {}};
            },
            "by hand"};
  }
  Config config_;
  std::unique_ptr<Registry> registry_;
};

TEST_F(CudaSimTest, MultipliesMatricesWhereverTheyBegin) {
  Device& cuda = registry_->cuda(0);
  check_products<float>(cuda, ir::DType::float32, 1e-5);
  check_products<double>(cuda, ir::DType::float64, 1e-14);
}

TEST_F(CudaSimTest, RunsAPlan) {
  Device& cuda = registry_->cuda(0);
  const LoadedPlan loaded = load(cuda, plan(), compiler(), registry_->cache());
  for (const std::int64_t n : {1, 128, 1000, 0}) {
    std::vector<float> x(static_cast<std::size_t>(n));
    std::iota(x.begin(), x.end(), 0.25f);
    const Block input = upload(cuda, x);
    const std::vector<Block> out = execute(loaded, bind(n, 3), {&input, 1});
    const std::vector<float> z = download(out[0], x.size());
    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(z[i], (x[i] + 3) * 3);
  }
  cuda.synchronize();
  EXPECT_EQ(cuda.counters().read().launched, 6);
  EXPECT_EQ(cuda.counters().read().compiled, 2);
  EXPECT_EQ(cuda.memory().live, 0);
}

// In a process of its own: the fault poisons the device for the process that made it.
TEST_F(CudaSimTest, AFaultLosesTheDeviceAndNamesTheKernel) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto fault = [&] {
    Device& cuda = registry_->cuda(0);
    ir::Plan wrong = plan();
    for (const ir::NodeId node : {0u, 1u}) {
      wrong.clusters.emplace_back().name = wrong.kernels[node].name;
      wrong.clusters.back().nodes = {node};
      wrong.launches[node].report = node;
    }
    const LoadedPlan loaded = load(cuda, wrong, compiler("i + 100000000"), registry_->cache());
    const Block input = upload(cuda, std::vector<float>(256, 1.0f));
    std::string message;
    try {
      const ir::SourceLine lines[] = {{"user.cpp", 12}, {"user.cpp", 13}};
      Block output;
      execute(loaded, bind(256, 3), {&input, 1}, {&output, 1}, lines);
      cuda.synchronize();
    } catch (const DeviceError& e) {
      EXPECT_FALSE(e.remedy.empty()) << e.what();
      message = e.what();
    }
    std::fprintf(stderr, "message: %s\n", message.c_str());
    try {
      cuda.allocate(64);
    } catch (const DeviceError& e) {
      EXPECT_FALSE(e.remedy.empty()) << e.what();
      std::_Exit(message == e.what() ? 3 : 1);
    }
    std::_Exit(2);
  };
  EXPECT_EXIT(fault(), testing::ExitedWithCode(3),
              "message: cuda:0 is lost: .*700.*\nkernels launched since.*\n  add .user.cpp:12.");
}

TEST_F(CudaSimTest, AllocationsThatTheDriverFailsAreTriedAgain) {
  Device& cuda = registry_->cuda(0);
  const auto fail = reinterpret_cast<decltype(&kilnsim_fail)>(
      dlsym(dlopen(KILN_CUDASIM, RTLD_NOW), "kilnsim_fail"));
  fail(KILNSIM_FAIL_ALLOCATION, 1, 0);
  EXPECT_NO_THROW(cuda.allocate(1 << 20));
  fail(KILNSIM_FAIL_ALLOCATION, 1, 1);
  EXPECT_THROW(cuda.allocate(1 << 20), OutOfMemory);
  fail(KILNSIM_FAIL_ALLOCATION, 0, 0);
  EXPECT_NO_THROW(cuda.allocate(1 << 20));
}

}  // namespace
}  // namespace kiln::runtime
