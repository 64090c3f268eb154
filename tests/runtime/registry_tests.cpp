#include "runtime/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "ir/error.h"
#include "ir/targets.h"
#include "runtime/cuda/driver.h"
#include "runtime/targets.h"
#include "tests/runtime/support.h"

namespace kiln::runtime {
namespace {

using test::Folder;
using testing::HasSubstr;

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const DeviceError& e) {
    EXPECT_FALSE(e.remedy.empty()) << e.what();
    return e.what();
  }
  return "(no error)";
}

TEST(Registry, AMissingDriverIsNamedWithItsPlace) {
  Config config;
  config.cuda_driver = "/no/such/place/libcuda.so.1";
  Registry registry(config);
  EXPECT_EQ(registry.cuda_count(), 0);
  const std::string message = message_of([&] { registry.cuda(0); });
  EXPECT_THAT(message, HasSubstr("no CUDA device: the CUDA driver was not found. Looked for:\n"
                                 "  /no/such/place/libcuda.so.1: no such file"));
  EXPECT_EQ("no CUDA device: " + registry.cuda_missing(), message);
}

TEST(Registry, ByDefaultTheLoaderLooksForTheDriver) {
  Config config;
  config.cuda_driver = "libkiln-no-such-driver.so.1";
  Registry registry(config);
  EXPECT_THAT(registry.cuda_missing(),
              HasSubstr("Looked for (by the loader's path):\n  libkiln-no-such-driver.so.1: "));
}

TEST(Registry, AFileThatIsNoDriverIsSaidToBeNone) {
  Folder folder;
  Config config;
  config.cuda_driver = folder.path() + "/libcuda.so.1";
  std::ofstream(config.cuda_driver) << "text";
  EXPECT_THAT(Registry(config).cuda_missing(), HasSubstr(config.cuda_driver + ": "));
  config.cuda_driver = "libm.so.6";
  EXPECT_THAT(
      Registry(config).cuda_missing(),
      HasSubstr("libm.so.6 is not a usable CUDA driver: it lacks cuInit cuDriverGetVersion"));
}

TEST(Registry, PlanOnlyDevicesForEveryTarget) {
  Registry registry{Config{}};
  for (const ir::GpuTarget& target : ir::kGpuTargets) {
    Device& device = registry.plan_only(target.name);
    EXPECT_EQ(device.caps().compute_capability, target.compute_capability);
    EXPECT_EQ(device.caps().target, ir::Target::cuda);
    EXPECT_EQ(&registry.plan_only(target.name), &device) << "made once";
    EXPECT_FALSE(device.runs());
  }
  EXPECT_EQ(registry.plan_only("cpu").caps().target, ir::Target::cpu);
  EXPECT_THAT(message_of([&] { registry.plan_only("sm_70"); }),
              HasSubstr("no target \"sm_70\": the targets are cpu, sm_75, sm_80"));
  EXPECT_EQ(registry.devices().size(), std::size(ir::kGpuTargets) + 1);
}

TEST(Registry, TheCpuIsMadeOnce) {
  Registry registry(test::interpreting());
  EXPECT_EQ(&registry.cpu(), &registry.cpu());
  EXPECT_EQ(registry.devices().size(), 1u);
}

TEST(Registry, ConfigurationComesBeforeUse) {
  const auto late = [] {
    runtime::registry();
    try {
      configure({});
    } catch (const ir::InternalError&) {
      return 3;
    }
    return 1;
  };
  EXPECT_EQ(test::in_child(late), 3);
}

TEST(Targets, AnUnknownCapabilityTakesTheNextLowerFigures) {
  EXPECT_EQ(gpu_target(89)->compute_capability, 80);
  EXPECT_EQ(gpu_target(70), nullptr);
  EXPECT_EQ(gpu_target(999)->compute_capability, 120);
}

}  // namespace
}  // namespace kiln::runtime
