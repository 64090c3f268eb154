#include "runtime/nvrtc.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "ir/targets.h"
#include "runtime/library.h"
#include "runtime/resources.h"
#include "tests/folder.h"

namespace kiln::runtime {
namespace {

using testing::HasSubstr;

const char* const kGood =
    "extern \"C\" __global__ void scale(float* x, int n) {\n"
    "  int i = blockIdx.x * 256 + threadIdx.x;\n"
    "  if (i < n) x[i] = x[i] * 2.0f + 1.0f;\n"
    "}\n";

// The library of this machine, where the environment's usual prefixes have one.
class NvrtcTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!nvrtc_.available()) GTEST_SKIP() << nvrtc_.missing();
  }
  Nvrtc nvrtc_{Config{}};
};

// Where the loader does not look, as in a wheel: a folder with a link to the library and a copy of
// its built-ins.
TEST_F(NvrtcTest, FindsItsBuiltInsBesideIt) {
  namespace fs = std::filesystem;
  const auto [major, minor] = nvrtc_.version();
  const std::string built_ins = fmt::format("libnvrtc-builtins.so.{}.{}", major, minor);
  const auto mapped = [&](const std::string& name) {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
      if (line.ends_with(name)) return line.substr(line.find('/'));
    }
    return std::string();
  };
  const fs::path library = mapped(fmt::format("libnvrtc.so.{}", major));
  ASSERT_NE(library, "") << "NVRTC is not mapped";
  if (!fs::exists(library.parent_path() / built_ins)) GTEST_SKIP() << "no " << built_ins;
  const kiln_tests::Folder folder;
  fs::create_symlink(library, folder.file("libnvrtc.so"));
  fs::copy_file(library.parent_path() / built_ins, folder.file(built_ins));
  Config config;
  config.nvrtc = folder.file("libnvrtc.so");
  EXPECT_TRUE(Nvrtc(config).available());
  EXPECT_NE(mapped(folder.file(built_ins)), "") << "they were not opened beside it";
}

TEST_F(NvrtcTest, CompilesForEveryTargetItSupports) {
  EXPECT_GE(nvrtc_.version().first, 12);
  int compiled = 0;
  for (const ir::GpuTarget& target : ir::kGpuTargets) {
    if (!nvrtc_.supports(target.compute_capability)) continue;
    const NvrtcResult result = nvrtc_.compile("scale", kGood, target.compute_capability, false);
    EXPECT_THAT(result.ptx, HasSubstr(".entry scale"));
    EXPECT_THAT(result.ptx, HasSubstr(std::string(".target ") + std::string(target.name)));
    EXPECT_THAT(result.ptx, testing::Not(HasSubstr("fma."))) << "a * b + c was contracted";
    EXPECT_TRUE(result.cubin.empty());
    ++compiled;
  }
  EXPECT_GE(compiled, 3);
}

TEST_F(NvrtcTest, MakesMachineCodeWithThePtxBesideIt) {
  const NvrtcResult result = nvrtc_.compile("scale", kGood, 80, true);
  ASSERT_GT(result.cubin.size(), 64u);
  EXPECT_EQ(static_cast<char>(result.cubin[1]), 'E');
  EXPECT_THAT(result.ptx, HasSubstr(".entry scale"));
}

TEST_F(NvrtcTest, TheLogTellsWhatMachineCodeTakes) {
  const auto plain = kernel_resources(nvrtc_.compile("scale", kGood, 80, true).log);
  ASSERT_TRUE(plain.has_value());
  EXPECT_GT(plain->registers, 2);
  EXPECT_LT(plain->registers, 32);
  EXPECT_EQ(plain->shared_bytes, 0);
  EXPECT_EQ(plain->stack_bytes, 0);
  EXPECT_FALSE(kernel_resources(nvrtc_.compile("scale", kGood, 80, false).log).has_value());
  // 64 values that must live at once in a thread of 32 registers, and 512 bytes of shared memory.
  const std::string many =
      "extern \"C\" __global__ void __launch_bounds__(1024, 2) many(float* x) {\n"
      "  __shared__ float s[128];\n  float v[64];\n"
      "  for (int i = 0; i < 64; ++i) v[i] = x[i * 1024 + threadIdx.x];\n"
      "  s[threadIdx.x % 128] = v[3];\n  __syncthreads();\n"
      "  for (int i = 0; i < 64; ++i) x[i * 1024 + threadIdx.x] = v[63 - i] * s[i];\n}\n";
  const auto spilled = kernel_resources(nvrtc_.compile("many", many, 80, true).log);
  ASSERT_TRUE(spilled.has_value());
  EXPECT_EQ(spilled->registers, 32);
  EXPECT_EQ(spilled->shared_bytes, 512);
  EXPECT_GT(spilled->spill_store_bytes, 0);
  EXPECT_GT(spilled->spill_load_bytes, 0);
}

TEST_F(NvrtcTest, AFailureShowsTheLogAndTheNumberedSource) {
  try {
    nvrtc_.compile("broken",
                   "extern \"C\" __global__ void broken(float* x) {\n  x[0] = nonsense;\n}", 80,
                   false);
    FAIL() << "no error";
  } catch (const DeviceError& e) {
    EXPECT_FALSE(e.remedy.empty()) << e.what();
    EXPECT_THAT(e.what(), HasSubstr("NVRTC could not compile kernel broken for "
                                    "--gpu-architecture=compute_80"));
    EXPECT_THAT(e.what(), HasSubstr("broken.cu(2): error: identifier \"nonsense\" is undefined"));
    EXPECT_THAT(e.what(), HasSubstr("    1 | extern \"C\" __global__ void broken(float* x) {\n"
                                    "    2 |   x[0] = nonsense;\n"
                                    "    3 | }\n"));
  }
}

TEST_F(NvrtcTest, TwoThreadsCompileAtOnce) {
  std::string first, second;
  std::thread other([&] { first = nvrtc_.compile("scale", kGood, 90, false).ptx; });
  second = nvrtc_.compile("scale", kGood, 90, false).ptx;
  other.join();
  EXPECT_EQ(first, second);
}

TEST(Nvrtc, MissingNamesEveryPlace) {
  Config config;
  config.nvrtc = "/no/such/libnvrtc.so";
  Nvrtc nvrtc(config);
  EXPECT_FALSE(nvrtc.available());
  EXPECT_EQ(nvrtc.missing(),
            "NVRTC, which compiles CUDA kernels, was not found. Looked for:\n"
            "  /no/such/libnvrtc.so: no such file");
  EXPECT_THROW(nvrtc.compile("k", "", 80, false), DeviceError);
}

TEST(Nvrtc, ALibraryOfAnotherKindIsRefused) {
  Config config;
  config.nvrtc = "libm.so.6";
  EXPECT_EQ(Nvrtc(config).missing(), "libm.so.6 is not a usable NVRTC: a function is missing");
}

TEST(ToolkitPaths, ConfiguredFoldersComeBeforeConventionalOnesAndTheLoaderLast) {
  Config config;
  config.library_folders = {"/wheel/lib"};
  const std::vector<std::string> paths = toolkit_paths(config, "", {"libx.so", "libx.so.13"});
  ASSERT_GE(paths.size(), 4u);
  EXPECT_EQ(paths[0], "/wheel/lib/libx.so");
  EXPECT_EQ(paths[1], "/wheel/lib/libx.so.13");
  EXPECT_EQ(paths[paths.size() - 2], "libx.so");
  EXPECT_EQ(paths.back(), "libx.so.13");
  EXPECT_THAT(toolkit_paths(config, "/chosen.so", {"libx.so"}), testing::ElementsAre("/chosen.so"));
}

}  // namespace
}  // namespace kiln::runtime
