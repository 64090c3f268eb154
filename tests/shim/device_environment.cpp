// A run whose default device is CUDA (KILN_DEVICE) needs NVRTC: without it every test is skipped.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

#include "tests/shim/nvrtc.h"

namespace kiln::tests {
namespace {

class DeviceEnvironment : public ::testing::Environment {
 public:
  void SetUp() override {
    const char* const device = std::getenv("KILN_DEVICE");
    if (device == nullptr || !std::string_view(device).starts_with("cuda")) return;
    const Nvrtc& nvrtc = Nvrtc::get();
    if (!nvrtc.available()) GTEST_SKIP() << nvrtc.missing();
  }
};

const ::testing::Environment* const kEnvironment =
    ::testing::AddGlobalTestEnvironment(new DeviceEnvironment);

}  // namespace
}  // namespace kiln::tests
