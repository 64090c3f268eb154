// What is said about an evaluation names its own lines, whoever's plan and kernels it runs.
#include <dlfcn.h>

#include <functional>

#include "frontend/state.h"
#include "tests/cudasim/cudasim.h"
#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;

// Two programs of one structure under other names: what the first evaluates serves the second.
struct Place {
  kn::Array result;
  std::string label;
  int exp_line = 0, sum_line = 0;
};
kn::Array data(const char* name) { return kn::Array{1.f, 2.f, 3.f, 4.f}.named(name); }
Place first_place(int variant) {
  Place p;
  p.label = "alpha";
  kn::Array x = data("alpha");
  for (int i = 0; i < variant; ++i) x = kn::sqrt(x);
  p.exp_line = __LINE__ + 1;
  const kn::Array t = kn::exp(x).named("alpha");
  p.sum_line = __LINE__ + 1;
  p.result = (t + data("alpha_y")).named("alpha_too");
  return p;
}
Place second_place(int variant) {
  Place p;
  p.label = "beta";
  kn::Array x = data("beta");
  for (int i = 0; i < variant; ++i) x = kn::sqrt(x);
  p.exp_line = __LINE__ + 1;
  const kn::Array t = kn::exp(x).named("beta");
  p.sum_line = __LINE__ + 1;
  p.result = (t + data("beta_y")).named("beta_too");
  return p;
}

std::string line(int number) { return "lines_tests.cpp:" + std::to_string(number); }

// The message speaks of one place and knows nothing of the other.
void expect_speaks_of(const Place& one, const Place& other, const std::string& message) {
  expect_contains(message, line(one.exp_line));
  expect_contains(message, line(one.sum_line));
  for (const std::string& absent : {line(other.exp_line), line(other.sum_line), other.label}) {
    EXPECT_EQ(message.find(absent), std::string::npos) << absent << " is in:\n" << message;
  }
}

TEST(Lines, ACheckNamesThePresentProgram) {
  const kn::Scope scope({.device = kn::cpu(), .mode = kn::Mode::check});
  kn::frontend::state().planted_fault = "schedule";
  const Place first = first_place(1), second = second_place(1);
  const std::string before = message_of<kn::InternalError>([&] { kn::eval(first.result); });
  const kn::Stats stats = kn::stats();
  const std::string message = message_of<kn::InternalError>([&] { kn::eval(second.result); });
  kn::frontend::state().planted_fault.clear();
  EXPECT_EQ((kn::stats() - stats).plans_built, 0);
  expect_speaks_of(first, second, before);
  expect_speaks_of(second, first, message);
  expect_contains(message, "pass schedule, kernel ");
}

TEST(Lines, ExplainNamesThePresentProgram) {
  const Place first = first_place(2), second = second_place(2);
  kn::eval(first.result);
  const std::string text = kn::explain(second.result).text();
  expect_speaks_of(second, first, text);
  for (const char* const name : {"exp(sqrt(sqrt(beta)))", "beta_y", "beta_too"}) {
    expect_contains(text, name);
  }
}

// On the simulated driver, which is told what to fail.
class CudaLines : public testing::Test {
 protected:
  void SetUp() override {
    const char* const device = std::getenv("KILN_DEVICE");
    const char* const driver = std::getenv("KILN_CUDA_DRIVER");
    if (device != nullptr && std::string_view(device).starts_with("cuda") && driver != nullptr) {
      fail_ = reinterpret_cast<decltype(fail_)>(dlsym(dlopen(driver, RTLD_NOW), "kilnsim_fail"));
    }
    if (fail_ == nullptr) GTEST_SKIP() << "the default device is not the simulated one";
  }
  // What the body says of a process of its own, which ends with it.
  static void in_a_process(const std::function<void()>& body) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const auto child = [&] {
      setenv("KILN_SIM_QUIET", "1", 1);
      body();
      std::_Exit(testing::Test::HasFailure() ? 1 : 3);
    };
    EXPECT_EXIT(child(), testing::ExitedWithCode(3), "");
  }
  decltype(&kilnsim_fail) fail_ = nullptr;
};

TEST_F(CudaLines, ARefusedLaunchNamesThePresentProgram) {
  const Place first = first_place(3), second = second_place(3);
  values<float>(first.result);
  fail_(KILNSIM_FAIL_LAUNCH, 1, 0);
  const std::string message = message_of<kn::DeviceError>([&] { kn::eval(second.result); });
  fail_(KILNSIM_FAIL_LAUNCH, 0, 0);
  expect_contains(message, "cuLaunchKernel failed");
  expect_speaks_of(second, first, message);
}

TEST_F(CudaLines, ALostDeviceNamesThePresentProgram) {
  in_a_process([this] {
    const Place first = first_place(4), second = second_place(4);
    kn::eval(first.result);
    kn::synchronize();
    fail_(KILNSIM_FAIL_EXECUTION, 1, 0);
    int where = 0;
    const int above = __LINE__;
    const auto read = [&] { return second.result.to_vector<float>(); };
    const std::string message = message_of<kn::DeviceError>(read, &where);
    EXPECT_EQ(where, above + 1);
    expect_contains(message, line(where));
    expect_contains(message, "cuda:0 is lost");
    expect_contains(message, "(700)");
    expect_speaks_of(second, first, message);
  });
}

TEST_F(CudaLines, AKernelThatNvrtcRefusesIsShownWithItsNumberedLines) {
  in_a_process([] {
    setenv("KILN_NVRTC", KILN_NVRTC_STUB, 1);
    const Place first = first_place(5), second = second_place(5);
    int where = 0;
    const std::string before = message_of<kn::DeviceError>([&] { kn::eval(first.result); });
    const int above = __LINE__;
    const auto evaluate = [&] { kn::eval(second.result); };
    const std::string message = message_of<kn::DeviceError>(evaluate, &where);
    EXPECT_EQ(where, above + 1);
    expect_contains(message, line(where));
    for (const std::string& said : {before, message}) {
      expect_contains(said, "NVRTC could not compile kernel");
      expect_contains(said, "NVRTC_ERROR_COMPILATION");
      expect_contains(said, "kernel.cu(2): error: the test wants no kernels");
      expect_contains(said, "\n    1 | ");
      expect_contains(said, "\n    2 | ");
      expect_contains(said, "__global__");
    }
    expect_speaks_of(first, second, before);
    expect_speaks_of(second, first, message);
    EXPECT_FALSE(second.result.evaluated());
  });
}

TEST_F(CudaLines, AMissingNvrtcNamesWhereItWasLookedForAndTheLine) {
  in_a_process([] {
    setenv("KILN_NVRTC", "/no/such/libnvrtc.so", 1);
    const Place place = first_place(6);
    int where = 0;
    const int above = __LINE__;
    const auto evaluate = [&] { kn::eval(place.result); };
    const std::string message = message_of<kn::DeviceError>(evaluate, &where);
    expect_contains(message, "NVRTC, which compiles CUDA kernels, was not found");
    expect_contains(message, "/no/such/libnvrtc.so");
    expect_contains(message, line(place.exp_line));
    EXPECT_EQ(where, above + 1);
    expect_contains(message, line(where));
  });
}

}  // namespace
