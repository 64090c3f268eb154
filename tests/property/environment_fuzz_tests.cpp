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
    "KILN_LIBRARY_PATH", "KILN_CACHE_DIR",    "KILN_CACHE_BYTES",    "XDG_CACHE_HOME"};

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

TEST(EnvironmentFuzz, VariablesAreReadOrRefused) { read_any(5000); }
TEST(EnvironmentFuzz, DevicesAreKnownOrRefused) { name_any_device(2000); }
TEST(NightlyEnvironmentFuzz, VariablesAreReadOrRefused) { read_any(500'000); }
TEST(NightlyEnvironmentFuzz, DevicesAreKnownOrRefused) { name_any_device(100'000); }

}  // namespace
