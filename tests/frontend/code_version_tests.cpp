// Keys of kernels in the cache say which code made them and by which numerics.
#include "frontend/code_version.h"

#include <gmock/gmock.h>

#include "frontend/compile.h"
#include "ir/numerics.h"
#include "runtime/registry.h"
#include "tests/frontend/support.h"

namespace {

using ::testing::HasSubstr;
namespace frontend = kiln::frontend;

TEST(CodeVersion, IsInTheKeyOfEveryTarget) {
  static_cast<void>(kiln_tests::kn::default_device());  // the registry is configured
  const std::string numerics = "numerics " + std::to_string(kiln::ir::kNumericsVersion);
  EXPECT_EQ(frontend::code_version().size(), 16u);
  for (const char* target : {"cpu", "sm_80", "sm_120"}) {
    const std::string& version =
        frontend::compiler_for(kiln::runtime::registry().plan_only(target)).version;
    EXPECT_THAT(version, HasSubstr(std::string(frontend::code_version())));
    EXPECT_THAT(version, HasSubstr(numerics));
  }
}

}  // namespace
