// Environment variables: what each takes, and that it says so of everything else.
#include "frontend/environment.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>

#include "frontend/devices.h"
#include "runtime/host/workers.h"
#include "tests/frontend/support.h"
#include "tests/source_folder.h"

namespace {

using namespace kiln_tests;
using kn::frontend::read_environment;

// A variable with a value, as it was before at the end of the scope.
class With {
 public:
  With(const char* variable, const char* value) : variable_(variable) {
    const char* const before = std::getenv(variable);
    if (before != nullptr) before_ = before;
    had_ = before != nullptr;
    setenv(variable, value, 1);
  }
  ~With() { had_ ? setenv(variable_, before_.c_str(), 1) : unsetenv(variable_); }
  With(const With&) = delete;
  With& operator=(const With&) = delete;

 private:
  const char* variable_;
  std::string before_;
  bool had_ = false;
};

struct Bad {
  const char* variable;
  const char* value;
  const char* wanted;
};
const char* const kNumber = "a number: digits, then K, M or G";
const Bad kBad[] = {
    {"KILN_MODE", "quick", "lazy, eager or check"},
    {"KILN_FUSION", "yes", "0 or 1"},
    {"KILN_QUIET", "yes", "0 or 1"},
    {"KILN_INTERPRET", "2", "0 or 1"},
    {"KILN_FLUSH_AFTER", "-1", kNumber},
    {"KILN_FLUSH_BYTES", "1T", kNumber},
    {"KILN_CACHED_PLANS", "many", kNumber},
    {"KILN_COMPILE_BUDGET", "-1", "a number of seconds, such as 0, 2.5 or inf"},
    {"KILN_COMPILE_BUDGET", "nan", "a number of seconds, such as 0, 2.5 or inf"},
    {"KILN_THREADS", "2.5", kNumber},
    {"KILN_THREADS", "0x10", kNumber},
    {"KILN_MEMORY_LIMIT", "99999999999999999999", kNumber},
    {"KILN_CUDA_MEMORY_LIMIT", "9999999999G", kNumber},
    {"KILN_CACHE_BYTES", "5 M", kNumber},
    {"KILN_HOST_FIGURES", "fast", "measured, fixed or figures such as"},
    {"KILN_DISABLE_PASSES", "nonsense", "a list of graph passes, separated by commas: dead"},
    {"KILN_DISABLE_PASSES", "dead,nonsense", "simplify"},
    {"KILN_DISABLE_PASSES", "dead simplify", "simplify"},
    {"KILN_DEVICE", "gpu", "cpu, cuda, cuda:<n>, interpreter or plan_only:<target>"},
    {"KILN_DEVICE", "cuda:one", "cpu, cuda, cuda:<n>"},
};
// Paths and lists of them: what is wrong with one is said where it is used.
const std::set<std::string> kOfAnyText = {"KILN_CACHE_DIR", "KILN_CUBLASLT",     "KILN_CUDA_DRIVER",
                                          "KILN_DUMP",      "KILN_LIBRARY_PATH", "KILN_NVRTC"};

TEST(EnvironmentVariables, WhatIsWrongIsNamed) {
  for (const Bad& bad : kBad) {
    const With with(bad.variable, bad.value);
    const std::string message = message_of([&] {
      if (std::string_view(bad.variable) == "KILN_DEVICE") {
        kn::frontend::device_called(bad.value);
      } else {
        read_environment();
      }
    });
    expect_contains(message, std::string("kiln: environment: ") + bad.variable + "=\"" + bad.value +
                                 "\" is not ");
    expect_contains(message, bad.wanted);
  }
  expect_contains(message_of([] { kn::frontend::device_called("plan_only:sm_1"); }),
                  "kiln: environment: KILN_DEVICE=\"plan_only:sm_1\": no target \"sm_1\"");
  expect_contains(message_of<kn::DeviceError>([] { kn::frontend::device_called("cuda:99"); }),
                  "kiln: environment: KILN_DEVICE=\"cuda:99\": no CUDA device");
}

// Variables as they stand in the sources, in the guide, and here.
TEST(EnvironmentVariables, EveryVariableIsListed) {
  std::set<std::string> here = kOfAnyText, read, told;
  for (const Bad& bad : kBad) here.insert(bad.variable);
  const auto collect = [](const std::string& path, const char* before, std::set<std::string>* to) {
    std::ifstream file(kiln::testing::source_folder() + path);
    const std::string sign = std::string(before) + "KILN_";
    for (std::string line; std::getline(file, line);) {
      for (std::size_t at = 0; (at = line.find(sign, at)) != std::string::npos;) {
        at += sign.size() - 5;
        const std::size_t end = line.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", at);
        if (end > at + 5) to->insert(line.substr(at, end - at));
      }
    }
  };
  collect("/frontend/environment.cpp", "\"", &read);
  EXPECT_EQ(read, here);
  collect("/examples/guide/devices.md", "`", &told);
  for (const std::string& name : read)
    EXPECT_TRUE(told.contains(name)) << name << " is not in the guide";
}

std::vector<std::string> notes_of(const char* variable, const char* value) {
  const With with(variable, value);
  return read_environment().notes;
}

TEST(EnvironmentVariables, AMisspeltVariableIsNoted) {
  using Notes = std::vector<std::string>;
  EXPECT_EQ(notes_of("KILN_THREAD", "2"),
            Notes{"KILN_THREAD is not known: is KILN_THREADS meant?"});
  EXPECT_EQ(notes_of("KILN_FUSOIN", "0"), Notes{"KILN_FUSOIN is not known: is KILN_FUSION meant?"});
  EXPECT_EQ(notes_of("KILN_OF_ANOTHER_PROGRAM", "1"), Notes{});
  EXPECT_EQ(notes_of("KILN_MODE", "lazy"), Notes{});
}

TEST(EnvironmentVariables, ThreadsAreAsManyAsTheCoresHaveAUseFor) {
  const int most = kn::runtime::most_threads();
  EXPECT_GE(most, 64);
  for (const char* wanted : {"500", "5000", "4G", "9223372036854775807"}) {
    const With with("KILN_THREADS", wanted);
    const kn::frontend::Environment e = read_environment();
    EXPECT_EQ(e.runtime.threads, most);
    ASSERT_EQ(e.notes.size(), 1u);
    expect_contains(e.notes[0], "KILN_THREADS=");
    expect_contains(e.notes[0], ": " + std::to_string(most) + " threads are used");
  }
  for (const int wanted : {0, 1, 3, 16}) {
    const std::string value = std::to_string(wanted);
    const With with("KILN_THREADS", value.c_str());
    EXPECT_EQ(read_environment().runtime.threads, wanted);
    EXPECT_TRUE(read_environment().notes.empty());
  }
  EXPECT_GE(kn::runtime::usable_threads(0), 1);
}

TEST(EnvironmentVariables, AnEmptyVariableIsNone) {
  for (const char* name : {"KILN_MODE", "KILN_FUSION", "KILN_THREADS", "KILN_HOST_FIGURES",
                           "KILN_DISABLE_PASSES", "KILN_DEVICE", "KILN_FLUSH_AFTER"}) {
    const With with(name, "");
    EXPECT_NO_THROW(read_environment()) << name;
  }
  const With with("KILN_MODE", "");
  EXPECT_EQ(read_environment().mode, "lazy");
}

// As a user meets it: the first use throws, and again each time.
TEST(EnvironmentVariables, TheFirstUseThrows) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto body = [] {
    setenv("KILN_DISABLE_PASSES", "nonsense", 1);
    for (int i = 0; i < 2; ++i)
      expect_contains(message_of([] { return kn::zeros({2}); }),
                      "KILN_DISABLE_PASSES=\"nonsense\"");
    setenv("KILN_DISABLE_PASSES", "dead,simplify", 1);
    setenv("KILN_DEVICE", "cpu", 1);
    setenv("KILN_THREADS", "5000", 1);
    EXPECT_EQ(values<float>(kn::exp(kn::zeros({2}))), (std::vector<float>{1, 1}));
    EXPECT_EQ(kn::sum(kn::ones({1 << 22})).item<float>(), static_cast<float>(1 << 22));
    std::_Exit(testing::Test::HasFailure() ? 1 : 3);
  };
  EXPECT_EXIT(body(), testing::ExitedWithCode(3), "kiln: environment: KILN_THREADS=5000: ");
}

TEST(EnvironmentVariables, ADriverThatIsAskedForIsNotPassedOver) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto body = [] {
    unsetenv("KILN_DEVICE");
    setenv("KILN_CUDA_DRIVER", "/no/such/libcuda.so", 1);
    const std::string message = message_of<kn::DeviceError>([] { return kn::zeros({2}); });
    message_of<kn::DeviceError>([] { return kn::default_device(); });
    expect_contains(message,
                    "KILN_CUDA_DRIVER=\"/no/such/libcuda.so\": the CUDA driver was not found");
    expect_contains(message, "try: KILN_DEVICE=cpu");
    std::_Exit(testing::Test::HasFailure() ? 1 : 3);
  };
  EXPECT_EXIT(body(), testing::ExitedWithCode(3), "");
}

}  // namespace
