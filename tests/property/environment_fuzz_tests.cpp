// Environment variables with values of any kind: each is read, or refused by an Error that names
// it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

#include "frontend/devices.h"
#include "frontend/environment.h"
#include "kiln/kiln.h"
#include "tests/damage.h"
#include "tests/seed.h"

namespace {

namespace kn = kiln;
using kiln::testing::first_seed;
using kiln_tests::Damage;

constexpr const char* kVariables[] = {
    "KILN_DUMP",         "KILN_MODE",         "KILN_FUSION",         "KILN_FLUSH_AFTER",
    "KILN_FLUSH_BYTES",  "KILN_CACHED_PLANS", "KILN_DISABLE_PASSES", "KILN_THREADS",
    "KILN_INTERPRET",    "KILN_HOST_FIGURES", "KILN_MEMORY_LIMIT",   "KILN_CUDA_MEMORY_LIMIT",
    "KILN_LIBRARY_PATH", "KILN_CACHE_DIR",    "KILN_CACHE_BYTES",    "KILN_COMPILE_BUDGET",
    "KILN_QUIET",        "XDG_CACHE_HOME"};

// A variable's value for the time of a test.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* const before = std::getenv(name)) before_ = before;
    setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (before_) {
      setenv(name_, before_->c_str(), 1);
    } else {
      unsetenv(name_);
    }
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

// Damage may make a character that ends a C string.
std::string value_of(Damage& damage) {
  static const std::vector<std::string> valid{"",
                                              "0",
                                              "1",
                                              "8",
                                              "16K",
                                              "4G",
                                              "1024M",
                                              "lazy",
                                              "eager",
                                              "check",
                                              "dead",
                                              "simplify",
                                              "dead,simplify",
                                              "fixed",
                                              "measured",
                                              "bandwidth=40e9,cached=1e11,rate=1e11,wake=1e-5",
                                              "/a:/b",
                                              "/a/b"};
  std::string value = damage.below(4) == 0 ? valid[damage.below(valid.size())] : damage.of(valid);
  std::erase(value, '\0');
  return value;
}

void read_any(std::uint64_t count) {
  int read = 0, refused = 0;
  for (std::uint64_t seed = first_seed(); seed < first_seed() + count; ++seed) {
    Damage damage(seed);
    const char* const name = kVariables[damage.below(std::size(kVariables))];
    const std::string value = value_of(damage);
    SCOPED_TRACE("KILN_SEED=" + std::to_string(seed) + " " + name + "=" + value);
    const Variable variable(name, value);
    try {
      const kn::frontend::Environment e = kn::frontend::read_environment();
      EXPECT_GE(e.runtime.threads, 0);
      EXPECT_GE(e.runtime.memory_limit, 0);
      EXPECT_GE(e.cached_plans, 0);
      ++read;
    } catch (const kn::Error& error) {
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
      ++refused;
    }
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(read, 0);
  EXPECT_GT(refused, 0);
}

void name_any_device(std::uint64_t count) {
  const std::vector<std::string> valid{"cpu", "interpreter", "plan_only:sm_90", "plan_only:cpu",
                                       "cuda:99"};
  int known = 0, refused = 0;
  for (std::uint64_t seed = first_seed(); seed < first_seed() + count; ++seed) {
    Damage damage(seed);
    const std::string text = damage.below(8) == 0 ? valid[seed % 4] : damage.of(valid);
    SCOPED_TRACE("KILN_SEED=" + std::to_string(seed) + " " + text);
    try {
      EXPECT_FALSE(kn::frontend::device_name(kn::frontend::device_called(text)).empty());
      ++known;
    } catch (const kn::Error&) {
      ++refused;
    }
  }
  EXPECT_GT(known, 0);
  EXPECT_GT(refused, 0);
}

TEST(Environment, EveryVariableArrives) {
  using Read = const kn::frontend::Environment&;
  struct Row {
    const char *variable, *value;
    bool (*arrives)(Read);
  };
  const Row rows[] = {
      {"KILN_DEVICE", "interpreter", [](Read e) { return e.device == "interpreter"; }},
      {"KILN_DUMP", "a/b", [](Read e) { return e.dump == "a/b"; }},
      {"KILN_MODE", "eager", [](Read e) { return e.mode == "eager"; }},
      {"KILN_FUSION", "0", [](Read e) { return !e.fusion; }},
      {"KILN_FLUSH_AFTER", "12", [](Read e) { return e.flush_after == 12; }},
      {"KILN_FLUSH_BYTES", "3M", [](Read e) { return e.flush_bytes == 3 << 20; }},
      {"KILN_CACHED_PLANS", "7", [](Read e) { return e.cached_plans == 7; }},
      {"KILN_COMPILE_BUDGET", "2.5", [](Read e) { return e.compile_budget == 2.5; }},
      {"KILN_DISABLE_PASSES", "simplify", [](Read e) { return e.disabled_passes.size() == 1; }},
      {"KILN_QUIET", "1", [](Read e) { return e.quiet; }},
      {"KILN_THREADS", "2", [](Read e) { return e.runtime.threads == 2; }},
      {"KILN_INTERPRET", "1", [](Read e) { return e.runtime.interpret; }},
      {"KILN_HOST_FIGURES", "fixed", [](Read e) { return e.runtime.host_figures == "fixed"; }},
      {"KILN_MEMORY_LIMIT", "5K", [](Read e) { return e.runtime.memory_limit == 5 << 10; }},
      {"KILN_CUDA_DRIVER", "a", [](Read e) { return e.runtime.cuda_driver == "a"; }},
      {"KILN_NVRTC", "b", [](Read e) { return e.runtime.nvrtc == "b"; }},
      {"KILN_CUBLASLT", "c", [](Read e) { return e.runtime.cublaslt == "c"; }},
      {"KILN_CUDA_MEMORY_LIMIT", "1G",
       [](Read e) { return e.runtime.cuda_memory_limit == std::int64_t{1} << 30; }},
      {"KILN_LIBRARY_PATH", "a:b", [](Read e) { return e.runtime.library_folders.size() == 2; }},
      {"KILN_CACHE_DIR", "d", [](Read e) { return e.runtime.cache_folder == "d"; }},
      {"KILN_CACHE_BYTES", "9", [](Read e) { return e.runtime.cache_bytes == 9; }}};
  for (const Row& row : rows) {
    const Variable variable(row.variable, row.value);
    EXPECT_TRUE(row.arrives(kn::frontend::read_environment())) << row.variable;
  }
}

TEST(EnvironmentFuzz, VariablesAreReadOrRefused) { read_any(5000); }
TEST(EnvironmentFuzz, DevicesAreKnownOrRefused) { name_any_device(2000); }
TEST(NightlyEnvironmentFuzz, VariablesAreReadOrRefused) { read_any(500'000); }
TEST(NightlyEnvironmentFuzz, DevicesAreKnownOrRefused) { name_any_device(100'000); }

}  // namespace
