// Evaluations on the CUDA device while things go wrong: memory that runs out at any point, refused
// launches, a kernel that faults, work in any legal order, many threads. The simulated driver is
// told what to fail; on another device the suites are skipped.
#include <dlfcn.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "tests/cudasim/cudasim.h"
#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;

const char* environment(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

template <class Function>
Function* simulator(const char* name) {
  return reinterpret_cast<Function*>(
      dlsym(dlopen(environment("KILN_CUDA_DRIVER"), RTLD_NOW), name));
}

class CudaAdversity : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::string_view(environment("KILN_DEVICE")).starts_with("cuda") ||
        simulator<decltype(kilnsim_fail)>("kilnsim_fail") == nullptr) {
      GTEST_SKIP() << "the default device is not the simulated one";
    }
    fail_ = simulator<decltype(kilnsim_fail)>("kilnsim_fail");
  }
  void TearDown() override {
    if (fail_ == nullptr) return;
    for (int kind = 0; kind < KILNSIM_FAIL_KINDS; ++kind) fail_(kind, 0, 0);
  }

  // A softmax, a column sum and a product of fresh data; `kind` makes its kernels differ.
  static std::vector<kn::Array> program(int kind = 0) {
    std::vector<float> data(600);
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<float>(i % 37) / 8;
    kn::Array x = kn::reshape(kn::Array(std::move(data)), {20, 30});
    for (int i = 0; i < kind; ++i) x = x * x + 1;
    return {kn::softmax(x * 2), kn::sum(x, 0), kn::matmul(x, x.T()) + 1};
  }
  static std::vector<std::vector<float>> bits(const std::vector<kn::Array>& arrays) {
    std::vector<std::vector<float>> result;
    for (const kn::Array& x : arrays) result.push_back(values<float>(x));
    return result;
  }
  static void evaluate(const std::vector<kn::Array>& a) { kn::eval({a[0], a[1], a[2]}); }

  // With the k-th call of a kind failing, for every k that is reached, once and from then on: an
  // evaluation works or throws E, whose message `check` looks at; then the arrays are pending, and
  // the next evaluation works. Returns how many evaluations threw. With new kernels no evaluation
  // finds one that was loaded before.
  template <class E, class Check>
  int fail_everywhere(int kind, bool new_kernels, Check check) {
    const auto expected = bits(program());
    int thrown = 0, variant = 0;
    for (const int every : {0, 1}) {
      bool reached = true;
      for (unsigned long long k = 1; reached; ++k) {
        const int own = new_kernels ? ++variant : 0;
        const std::vector<kn::Array> arrays = program(own);
        reached = false;
        fail_(kind, k, every);
        try {
          evaluate(arrays);
          bits(arrays);
        } catch (const E& error) {
          reached = true;
          ++thrown;
          check(error);
        }
        // Where one failure is made good no exception tells that it was reached.
        if (every == 0) reached = k < (new_kernels ? 4 : 12);
        fail_(kind, 0, 0);
        evaluate(arrays);
        if (own == 0) {
          EXPECT_EQ(bits(arrays), expected) << k;
        }
      }
    }
    return thrown;
  }

  decltype(&kilnsim_fail) fail_ = nullptr;
};

TEST_F(CudaAdversity, AllocationsFailAnywhere) {
  std::int64_t live = -1;
  const int thrown = fail_everywhere<kn::OutOfMemory>(
      KILNSIM_FAIL_ALLOCATION, false, [&](const kn::OutOfMemory& error) {
        EXPECT_GT(error.asked, 0);
        EXPECT_GT(error.free, error.asked);
        expect_contains(error.what(), "out of memory on cuda:0");
        expect_contains(error.what(), "cuda_adversity_tests.cpp");
        expect_remedy(error.what());
        EXPECT_FALSE(error.array.empty()) << error.what();
        EXPECT_TRUE(error.made.line > 0 || error.array.starts_with("the workspace of matmul ("))
            << error.what();
        EXPECT_GE(error.limit, error.free);
        if (live >= 0) {
          EXPECT_LE(kn::stats().live_bytes, live);
        }
        live = kn::stats().live_bytes + (1 << 20);
      });
  EXPECT_GE(thrown, 5);
}

TEST_F(CudaAdversity, ArraysStayPending) {
  const std::vector<kn::Array> arrays = program();
  fail_(KILNSIM_FAIL_ALLOCATION, 1, 1);
  EXPECT_THROW(evaluate(arrays), kn::OutOfMemory);
  for (const kn::Array& x : arrays) EXPECT_FALSE(x.evaluated());
  fail_(KILNSIM_FAIL_ALLOCATION, 0, 0);
  evaluate(arrays);
  for (const kn::Array& x : arrays) EXPECT_TRUE(x.evaluated());
}

TEST_F(CudaAdversity, NothingStaysAllocated) {
  const std::int64_t before = kn::stats().live_bytes;
  for (unsigned long long k = 1; k < 8; ++k) {
    const std::vector<kn::Array> arrays = program();
    fail_(KILNSIM_FAIL_ALLOCATION, k, 1);
    try {
      evaluate(arrays);
    } catch (const kn::OutOfMemory&) {
    }
    fail_(KILNSIM_FAIL_ALLOCATION, 0, 0);
  }
  kn::synchronize();
  EXPECT_EQ(kn::stats().live_bytes, before);
}

TEST_F(CudaAdversity, ModulesDoNotLoad) {
  const int thrown =
      fail_everywhere<kn::OutOfMemory>(KILNSIM_FAIL_LOAD, true, [](const kn::OutOfMemory& error) {
        expect_contains(error.what(), "out of memory on cuda:0");
      });
  EXPECT_GE(thrown, 1);
}

TEST_F(CudaAdversity, LaunchesAreRefused) {
  const int thrown = fail_everywhere<kn::DeviceError>(
      KILNSIM_FAIL_LAUNCH, false, [](const kn::DeviceError& error) {
        expect_contains(error.what(),
                        "cuLaunchKernel failed: CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES (701)");
      });
  EXPECT_GE(thrown, 3);
}

TEST_F(CudaAdversity, CopiesFail) {
  const int thrown = fail_everywhere<kn::DeviceError>(
      KILNSIM_FAIL_COPY, false,
      [](const kn::DeviceError& error) { expect_contains(error.what(), "cuda:0: cuMemcpy"); });
  EXPECT_GE(thrown, 2);
}

// In a process of its own: the device is lost for good.
TEST_F(CudaAdversity, AFaultLosesOneDeviceOnly) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto body = [] {
    setenv("KILN_SIM_DEVICES", "2", 1);
    setenv("KILN_SIM_QUIET", "1", 1);
    const kn::Device lost = kn::cuda(0), other = kn::cuda(1);
    const kn::Array kept = kn::Array{1.f, 2.f, 3.f}.to(other);
    kn::eval(kept);
    simulator<decltype(kilnsim_fail)>("kilnsim_fail")(KILNSIM_FAIL_EXECUTION, 1, 0);
    std::string messages[3];
    {
      const kn::Scope scope({.device = lost});
      const kn::Array x = kn::Array{1.f, 2.f} + 1;
      messages[0] = message_of<kn::DeviceError>([&] { return values<float>(x); });
      messages[1] = message_of<kn::DeviceError>([&] { return values<float>(x); });
      messages[2] = message_of<kn::DeviceError>([&] { return values<float>(kn::Array{5.f} * 2); });
    }
    for (const std::string& message : messages) {
      expect_contains(message, "cuda:0 is lost");
      expect_contains(message, "700");
      expect_contains(message, "kernels launched since the last synchronisation");
    }
    {
      const kn::Scope scope({.device = other});
      EXPECT_EQ(values<float>(kept * 2), (std::vector<float>{2, 4, 6}));
    }
    const kn::Scope scope({.device = kn::cpu()});
    EXPECT_EQ(values<float>(kn::Array{5.f} * 2), (std::vector<float>{10}));
    std::_Exit(testing::Test::HasFailure() ? 1 : 3);
  };
  EXPECT_EXIT(body(), testing::ExitedWithCode(3), "");
}

TEST_F(CudaAdversity, AnyLegalOrderGivesTheSameBits) {
  const auto expected = bits(program());
  const auto seed = simulator<decltype(kilnsim_seed)>("kilnsim_seed");
  const auto option = simulator<decltype(kilnsim_set_option)>("kilnsim_set_option");
  option("KILN_SIM_SCHEDULE", "random");
  for (unsigned long long s = 1; s <= 20; ++s) {
    seed(s);
    EXPECT_EQ(bits(program()), expected) << s;
  }
  option("KILN_SIM_SCHEDULE", environment("KILN_SIM_SCHEDULE"));
}

TEST_F(CudaAdversity, EightThreads) {
  const auto expected = bits(program());
  const std::vector<kn::Array> shared = program();
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) wrong += bits(program()) != expected;
      wrong += bits(shared) != expected;
      const kn::Array own = shared[1] * static_cast<float>(t);
      wrong += values<float>(own)[3] != expected[1][3] * static_cast<float>(t);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
