// Every public function on arrays without elements, on a lost device and in a forked child; and
// that it is every one.
#include "tests/frontend/every_function.h"

#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

#include "tests/child.h"
#include "tests/cudasim/cudasim.h"
#include "tests/public_names.h"

namespace {

using namespace kiln_tests;
using kn::_;

TEST(EveryFunction, HasACall) {
  const std::set<std::string> names = public_names();
  EXPECT_GT(names.size(), 150u);
  std::set<std::string> listed;
  for (const FunctionCall& call : every_function()) listed.insert(call.function);
  for (const LeftOut& out : left_out()) listed.insert(out.function);
  for (const std::string& name : names)
    EXPECT_TRUE(listed.contains(name)) << name << " has no call in every_function.cpp";
  for (const std::string& name : listed)
    EXPECT_TRUE(names.contains(name)) << name << " is in no public header";
}

// What a call says of x: "error: ..." where it throws one of the library's errors.
std::string outcome(const FunctionCall& call, const kn::Array& x) {
  try {
    return call.run(x);
  } catch (const kn::Error& error) {
    return std::string("error: ") + error.what();
  }
}

struct Empty {
  const char* how;
  kn::Array (*make)();
};
const Empty kEmpty[] = {
    {"a value",
     [] {
       const kn::Array x = kn::zeros({0, 3});
       kn::eval(x);
       return x;
     }},
    {"pending", [] { return kn::reshape(kn::tile(kn::zeros({0}), {2}), {0, 3}) + 1; }},
    {"a slice of data",
     [] { return kn::reshape(kn::Array{1.f, 2.f, 3.f}, {1, 3})(kn::slice(2, _)); }},
    {"a slice of what is pending",
     [] { return kn::relu(kn::ones({4, 3}) * 2)(kn::slice(1, -3, 2)) - 1; }},
    {"an evaluated view",
     [] {
       const kn::Array x = kn::ones({3, 4}).T()(kn::slice(3, 1));
       kn::eval(x);
       return x;
     }},
    {"a reduction", [] { return kn::sum(kn::zeros({0, 3, 4}), 2); }},
    {"borrowed memory",
     [] {
       const auto own = std::make_shared<std::vector<float>>(64, 1.f);
       return kn::borrow<float>(own->data(), {{0, 3}, {16, -1}}, own);
     }},
};

TEST(EmptyArrays, ThroughEveryFunction) {
  on_each_device([] {
    for (const Empty& empty : kEmpty) {
      const kn::Array x = empty.make();
      ASSERT_EQ(x.shape(), (kn::Shape{0, 3}));
      for (const FunctionCall& call : every_function()) {
        const std::string expected = call.of_none, got = outcome(call, x);
        const bool error = expected.starts_with("error: ");
        if (expected == "*") {
          EXPECT_FALSE(got.starts_with("error: kiln: eval")) << call.function << ": " << got;
          continue;
        }
        EXPECT_EQ(error ? got.substr(0, expected.size()) : got, expected)
            << call.function << " of " << empty.how;
      }
    }
  });
}

// A 0 in any place of a shape.
TEST(EmptyArrays, OfAnyShape) {
  on_each_device([] {
    for (const kn::Shape& shape : {kn::Shape{0}, kn::Shape{3, 0}, kn::Shape{0, 0},
                                   kn::Shape{2, 0, 3}, kn::Shape{0, 4, 1}, kn::Shape{1, 5, 0}}) {
      const kn::Array x = kn::exp(kn::ones(shape)) + 1;
      const std::vector<std::int64_t> extents(shape.begin(), shape.end());
      for (std::int64_t axis = 0; axis < shape.ndim(); ++axis) {
        std::vector<std::int64_t> rest = extents;
        const std::int64_t n = rest[static_cast<std::size_t>(axis)];
        rest.erase(rest.begin() + axis);
        const kn::Array sum = kn::sum(x, axis), mean = kn::mean(x, axis);
        const kn::Array var = kn::var(x, axis, {1}), norm = kn::layer_norm(x, axis);
        kn::eval({sum, mean, var, norm, kn::flip(x, axis), kn::roll(x, 2, axis)});
        EXPECT_EQ(sum.shape(), kn::Shape(rest));
        EXPECT_EQ(mean.shape(), kn::Shape(rest));
        EXPECT_EQ(norm.shape(), shape);
        for (const float v : values<float>(sum)) EXPECT_EQ(v, 0.f);
        for (const float v : values<float>(mean)) EXPECT_TRUE(std::isnan(v)) << n;
        for (const float v : values<float>(var)) EXPECT_TRUE(std::isnan(v)) << n;
        std::vector<std::int64_t> twice = extents;
        twice[static_cast<std::size_t>(axis)] *= 2;
        EXPECT_EQ(kn::concat({x, x}, axis).shape(), kn::Shape(twice));
        EXPECT_EQ(values<float>(kn::stack({x, x}, axis)).size(), 0u);
      }
      EXPECT_EQ(kn::pad(x, {2}, 1).size(), values<float>(kn::pad(x, {2}, 1)).size());
      EXPECT_EQ(text(x), "[]");
      EXPECT_EQ(kn::sum(x).item<float>(), 0.f);
      EXPECT_TRUE(std::isnan(kn::std(x).item<float>()));
    }
  });
}

// A slice that selects nothing, and a mean of it, beside a graph that has elements.
TEST(EmptyArrays, BesideOthersInOneEvaluation) {
  on_each_device([] {
    const kn::Array x = kn::arange(12, kn::float32) * 2, none = x(kn::slice(12, _));
    const kn::Array joined = kn::concat({none, x, none}), mean = kn::mean(none), total = kn::sum(x);
    const kn::Array both = kn::where(kn::isnan(mean), total, mean) + kn::sum(none);
    kn::eval({joined, mean, both, none});
    EXPECT_EQ(joined.size(), 12);
    EXPECT_EQ(both.item<float>(), 132.f);
    kn::Array y = x;
    y.at(kn::slice(7, 7)) += kn::exp(none);
    EXPECT_TRUE(kn::all(y == x).item<bool>());
  });
}

const char* variable(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}
decltype(&kilnsim_fail) simulated_failures() {
  void* const driver = dlopen(variable("KILN_CUDA_DRIVER"), RTLD_NOW);
  return driver == nullptr
             ? nullptr
             : reinterpret_cast<decltype(&kilnsim_fail)>(dlsym(driver, "kilnsim_fail"));
}
bool on_cuda() { return std::string_view(kn::default_device().name()).starts_with("cuda"); }

kn::Array data(float first) {
  return kn::reshape(kn::Array{first, 2.f, 3.f, 4.f, 5.f, 6.f}, {2, 3});
}

// In a process of its own: the device is lost for good.
void call_on_a_lost_device() {
  setenv("KILN_SIM_QUIET", "1", 1);
  const kn::Array value = data(1) * 2, pending = data(2) + 1;
  kn::eval(value);
  simulated_failures()(KILNSIM_FAIL_EXECUTION, 1, 0);
  message_of<kn::DeviceError>([] { values<float>(data(3) * 5); });
  int refused = 0;
  for (const kn::Array& x : {value, pending, data(4)}) {
    for (const FunctionCall& call : every_function()) {
      SCOPED_TRACE(call.function);
      const std::string said = outcome(call, x);  // another exception ends the test
      if (!said.starts_with("error: ")) continue;
      ++refused;
      expect_contains(said, "error: kiln: ");
      expect_remedy(said);
    }
  }
  EXPECT_GT(refused, 200);
  const kn::Scope scope({.device = kn::cpu()});
  EXPECT_EQ(values<float>(kn::sum(data(1) * 2)), (std::vector<float>{42}));
  std::_Exit(testing::Test::HasFailure() ? 1 : 3);
}

TEST(LostDevice, EveryFunctionThrowsErrorsOfOurs) {
  if (!on_cuda() || simulated_failures() == nullptr)
    GTEST_SKIP() << "the default device is not the simulated one";
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(call_on_a_lost_device(), testing::ExitedWithCode(3), "");
}

// In a child of this process: CUDA refuses, other devices compute the same.
TEST(ForkedChild, EveryFunctionWorksOrThrowsErrorsOfOurs) {
  const kn::Array value = data(1) * 2, pending = data(2) + 1;
  kn::eval(value);
  std::vector<std::string> before;
  const bool same = !on_cuda();
  for (const kn::Array& x : {value, pending})
    for (const FunctionCall& call : every_function())
      before.push_back(same ? outcome(call, x) : "");
  EXPECT_EQ(in_child([&] {
              int wrong = 0;
              std::size_t i = 0;
              for (const kn::Array& x : {value, pending}) {
                for (const FunctionCall& call : every_function()) {
                  const std::string got = outcome(call, x);
                  const bool compared = same && std::string_view(call.of_none) != "*";
                  const bool ok = !compared || got == before[i];
                  if (!ok) std::fprintf(stderr, "%s: %s\n", call.function, got.c_str());
                  wrong += ok ? 0 : 1;
                  ++i;
                }
              }
              const kn::Scope scope({.device = kn::cpu()});
              const kn::Array x = data(1) * 2;
              wrong += values<float>(kn::sum(kn::exp(x) * 0 + x)) != std::vector<float>{42} ? 1 : 0;
              return std::min(wrong, 99);
            }),
            0);
}

// Threads of the parent hold locks, and wait for each other's evaluations, at many a fork.
TEST(ForkedChild, ComputesWhileTheParentsThreadsDid) {
  const kn::Scope scope({.device = kn::cpu(), .mode = kn::Mode::lazy});
  const auto work = [](float first) {
    const kn::Array x = kn::exp(data(first) * 0.25f);
    return kn::sum(x * x + kn::arange(3, kn::float32)).item<float>();
  };
  const float expected = work(1);
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      const kn::Scope own({.device = kn::cpu(), .mode = kn::Mode::lazy});
      while (!stop) work(1);
    });
  }
  int failures = 0;
  for (int i = 0; i < 25; ++i) failures += in_child([&] { return work(1) == expected ? 0 : 1; });
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
}

}  // namespace
