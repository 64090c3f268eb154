// The simulator's own speed, printed: best of several runs. The assertions are on results; times
// depend on the machine and are compared by hand (README.md has figures).

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "tests/cudasim/tests/harness.h"

namespace cudasim_tests {
namespace {

class Speed : public Simulator {
 protected:
  void SetUp() override {
    start(80);
    kilnsim_set_option("KILN_SIM_BUDGET", "268435456");
  }

  // By the clock, and of processor time, which a busy machine disturbs less.
  struct Time {
    double wall = 1e9;
    double processor = 1e9;
    std::string text() const {
      char buffer[64];
      std::snprintf(buffer, sizeof buffer, "%.2f ms (%.2f ms of processor time)", wall, processor);
      return buffer;
    }
  };

  template <class F>
  static Time best(F body) {
    Time found;
    for (int i = 0; i < 7; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      const std::clock_t ticks = std::clock();
      body();
      const std::chrono::duration<double, std::milli> time =
          std::chrono::steady_clock::now() - begin;
      const double processor = static_cast<double>(std::clock() - ticks) * 1e3 / CLOCKS_PER_SEC;
      found.wall = std::min(found.wall, time.count());
      found.processor = std::min(found.processor, processor);
    }
    return found;
  }

  std::string compile(const std::string& source) {
    return Nvrtc::get()->compile(source, "speed.cu",
                                 {"--gpu-architecture=compute_80", "--fmad=false"});
  }
};

constexpr const char* kSaxpy =
    "extern \"C\" __global__ void saxpy(const float* __restrict__ x, float* y, float a, int n) {\n"
    "  int i = blockIdx.x * blockDim.x + threadIdx.x;\n  if (i < n) y[i] = fmaf(a, x[i], "
    "y[i]);\n}\n";

TEST_F(Speed, Saxpy) {
  if (Nvrtc::get() == nullptr) GTEST_SKIP() << "NVRTC is not found";
  const Function kernel = function(compile(kSaxpy), "saxpy");
  int n = 1 << 20;
  float a = 2;
  DevicePtr x = upload(std::vector<float>(static_cast<std::size_t>(n), 3));
  DevicePtr y = upload(std::vector<float>(static_cast<std::size_t>(n), 1));
  const Time time = best([&] {
    ASSERT_EQ(run(kernel, static_cast<unsigned>(n) / 256, 256, {&x, &y, &a, &n}), kSuccess);
  });
  std::printf("saxpy of 2^20 f32: %s\n", time.text().c_str());
  EXPECT_EQ(download<float>(y, 4), std::vector<float>(4, 43));
}

TEST_F(Speed, Softmax) {
  if (Nvrtc::get() == nullptr) GTEST_SKIP() << "NVRTC is not found";
  const std::string ptx = compile(read_file(corpus_path("21_softmax_layernorm.cu")));
  int rows = 1024;
  int columns = 1024;
  std::vector<float> data(1 << 20);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<float>(i % 100) * 0.1f;
  DevicePtr in = upload(data);
  DevicePtr out = allocate(data.size() * 4);
  const Function warp = function(ptx, "softmax_warp");
  const Function block = function(ptx, "softmax_block");
  const Time warp_time = best(
      [&] { ASSERT_EQ(run(warp, 128, 256, {&in, &out, &rows, &columns}), kSuccess) << report(); });
  const Time block_time = best(
      [&] { ASSERT_EQ(run(block, 1024, 256, {&in, &out, &columns}, 4096), kSuccess) << report(); });
  std::printf("softmax of 1024 x 1024 f32, a warp a row: %s\n", warp_time.text().c_str());
  std::printf("softmax of 1024 x 1024 f32, a block a row: %s\n", block_time.text().c_str());
  const auto result = download<float>(out, 1024);
  double sum = 0;
  for (const float value : result) sum += value;
  EXPECT_NEAR(sum, 1, 1e-4);
}

TEST_F(Speed, ModuleLoad) {
  if (Nvrtc::get() == nullptr) GTEST_SKIP() << "NVRTC is not found";
  for (const char* name : {"01_ew_f32", "19_block_reduce", "21_softmax_layernorm"}) {
    const std::string ptx = compile(read_file(corpus_path(std::string(name) + ".cu")));
    Module module = nullptr;
    const Time time = best([&] {
      ASSERT_EQ(cuModuleLoadData(&module, ptx.c_str()), kSuccess);
      ASSERT_EQ(cuModuleUnload(module), kSuccess);
    });
    std::printf("load of %s, %zu bytes: %s\n", name, ptx.size(), time.text().c_str());
  }
  EXPECT_EQ(kilnsim_leaks(0), 0u);
}

}  // namespace
}  // namespace cudasim_tests
