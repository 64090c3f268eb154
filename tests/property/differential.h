// The two tests of random programs: planned for both targets and run by the kernel interpreter, and
// run on the devices of this machine. The bits are the graph interpreter's. A seed gives a program;
// seeds count from first_seed() on, and a failure names its own.
#pragma once
#include <gtest/gtest.h>

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "passes/plan.h"
#include "tests/plans/programs.h"
#include "tests/property/devices.h"
#include "tests/seed.h"

namespace kiln::testing {

using MakeProgram = std::function<Program(std::uint64_t seed)>;
using MakeGraph = std::function<ir::test::RandomGraph(std::uint64_t seed)>;

ir::test::RandomGraph graph_of(const Program& program);

// `look` sees each plan, before it runs.
void check_plans(std::uint64_t count, const MakeProgram& make,
                 const std::function<void(const ir::Plan&, const ir::Caps&)>& look,
                 const std::function<passes::Options(std::uint64_t seed)>& options = {},
                 const std::vector<ir::Caps>& caps = {cpu_caps(), wide_cpu_caps(), cuda_caps()});
int clusters_with(const ir::Plan& plan, std::string_view schedule);

inline constexpr Setting kOnCpu[] = {{"cpu", Where::one_thread, true},
                                     {"cpu, two threads", Where::two_threads, true}};
inline constexpr Setting kOnCuda[] = {{"cuda", Where::cuda, true}};

class DeviceTest : public ::testing::Test {
 protected:
  // Skips where the first setting's device is missing.
  void check(std::uint64_t count, const MakeGraph& make, std::span<const Setting> settings);
  void check(std::uint64_t count, const MakeProgram& make, std::span<const Setting> settings) {
    check(count, [&](std::uint64_t seed) { return graph_of(make(seed)); }, settings);
  }
  Devices devices_;
};

}  // namespace kiln::testing
