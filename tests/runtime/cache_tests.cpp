#include "runtime/cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "ir/error.h"
#include "runtime/null/null_device.h"
#include "runtime/targets.h"
#include "tests/runtime/support.h"

namespace kiln::runtime {
namespace {

using namespace test;

// A device whose binaries are the source text, so that what reaches it can be looked at.
class TextDevice final : public Device {
 public:
  explicit TextDevice(std::string target = "cpu")
      : Device(
            "text",
            [&] {
              ir::Caps caps;
              caps.name = target;
              return caps;
            }(),
            false) {}
  struct Kernel : LoadedKernel {
    std::string entry, text;
  };
  MemoryRef allocate(std::int64_t) override { return {}; }
  void upload(Memory&, std::int64_t, const void*, std::int64_t) override {}
  void download(void*, const Memory&, std::int64_t, std::int64_t) override {}
  void copy(Memory&, std::int64_t, const Memory&, std::int64_t, std::int64_t) override {}
  void fill_zero(Memory&, std::int64_t, std::int64_t) override {}
  MemoryStats memory() const override { return {}; }
  std::int64_t free_bytes() const override { return 0; }
  void trim() override {}
  void reset_peak() override {}
  void set_memory_limit(std::int64_t) override {}
  bool needs_source() const override { return true; }
  std::string compiler() const override { return compiler_name; }
  Binary compile(const ir::KernelSource& source) override {
    const auto* const p = reinterpret_cast<const std::byte*>(source.text.data());
    return {source.name, {p, p + source.text.size()}};
  }
  std::shared_ptr<const LoadedKernel> load_kernel(const ir::Kernel&,
                                                  const Binary& binary) override {
    if (refuse-- > 0) throw DeviceError("refused", "again");
    auto kernel = std::make_shared<Kernel>();
    kernel->entry = binary.entry;
    kernel->text.assign(reinterpret_cast<const char*>(binary.bytes.data()), binary.bytes.size());
    return kernel;
  }
  void launch(const Launch&) override {}
  bool has(ir::NodeKind) const override { return true; }
  void call(const ir::BoundCall&, const LaunchLabel&) override {}
  std::shared_ptr<Event> record() override { return nullptr; }
  void synchronize() override {}
  std::string compiler_name = "text 1";
  std::atomic<int> refuse{0};

 private:
  void release(Memory*) noexcept override {}
};

class CacheTest : public testing::Test {
 protected:
  Config config() const {
    Config config;
    config.cache_folder = folder_.path() + "/kiln";
    return config;
  }
  Compiler compiler() {
    return {[this](const ir::Kernel& kernel) {
              return ir::KernelSource{kernel.name, "source " + std::to_string(++emitted_), {}};
            },
            "version 1"};
  }
  static const TextDevice::Kernel& text(const CachedKernel& cached) {
    return static_cast<const TextDevice::Kernel&>(*cached.kernel);
  }
  Folder folder_;
  std::atomic<int> emitted_{0};
  TextDevice device_;
};

TEST_F(CacheTest, MemoryThenDiskThenCompiler) {
  KernelCache first(config());
  EXPECT_EQ(first.get(device_, map_kernel(ir::Op::add), compiler()).origin, Origin::compiled);
  EXPECT_EQ(first.get(device_, map_kernel(ir::Op::add), compiler()).origin, Origin::memory);
  KernelCache second(config());
  const CachedKernel from_disk = second.get(device_, map_kernel(ir::Op::add), compiler());
  EXPECT_EQ(from_disk.origin, Origin::disk);
  EXPECT_EQ(text(from_disk).text, "source 1");
  EXPECT_EQ(emitted_, 1);
  const Stats stats = device_.counters().read();
  EXPECT_EQ(stats.compiled, 1);
  EXPECT_EQ(stats.memory_hits, 1);
  EXPECT_EQ(stats.disk_hits, 1);
}

TEST_F(CacheTest, NamesDoNotEnterTheKeyAndTheEntryIsTheCachedOne) {
  KernelCache(config()).get(device_, map_kernel(ir::Op::add, "first"), compiler());
  KernelCache cache(config());
  const CachedKernel cached = cache.get(device_, map_kernel(ir::Op::add, "second"), compiler());
  EXPECT_EQ(cached.origin, Origin::disk);
  EXPECT_EQ(text(cached).entry, "first");
}

TEST_F(CacheTest, EveryPartOfTheKeyCounts) {
  KernelCache cache(config());
  cache.get(device_, map_kernel(ir::Op::add), compiler());
  const auto compiles = [&](Device& device, const ir::Kernel& kernel, const Compiler& by) {
    return cache.get(device, kernel, by).origin == Origin::compiled;
  };
  EXPECT_TRUE(compiles(device_, map_kernel(ir::Op::mul), compiler())) << "the kernel";
  Compiler newer = compiler();
  newer.version = "version 2";
  EXPECT_TRUE(compiles(device_, map_kernel(ir::Op::add), newer)) << "the compiler's version";
  TextDevice other("sm_90");
  EXPECT_TRUE(compiles(other, map_kernel(ir::Op::add), compiler())) << "the target";
  device_.compiler_name = "text 2";
  EXPECT_TRUE(compiles(device_, map_kernel(ir::Op::add), compiler())) << "the device's compiler";
  EXPECT_FALSE(compiles(device_, map_kernel(ir::Op::add), compiler()));
}

TEST_F(CacheTest, AnEntryThatTheDeviceRefusesIsMadeAnew) {
  KernelCache(config()).get(device_, map_kernel(ir::Op::add), compiler());
  KernelCache cache(config());
  device_.refuse = 1;
  const CachedKernel cached = cache.get(device_, map_kernel(ir::Op::add), compiler());
  EXPECT_EQ(cached.origin, Origin::compiled);
  EXPECT_EQ(text(cached).text, "source 2");
}

TEST_F(CacheTest, CorruptEntriesAreMadeAnew) {
  KernelCache first(config());
  first.get(device_, map_kernel(ir::Op::add), compiler());
  const std::string key = KernelCache::key(device_, map_kernel(ir::Op::add), compiler());
  std::ofstream(first.disk().path(key), std::ios::binary) << "garbage";
  KernelCache second(config());
  EXPECT_EQ(second.get(device_, map_kernel(ir::Op::add), compiler()).origin, Origin::compiled);
  KernelCache third(config());
  EXPECT_EQ(third.get(device_, map_kernel(ir::Op::add), compiler()).origin, Origin::disk);
}

TEST_F(CacheTest, AWholeEntryThatHoldsNoBinaryIsMadeAnew) {
  KernelCache cache(config());
  const std::string key = KernelCache::key(device_, map_kernel(ir::Op::add), compiler());
  const std::byte too_long_an_entry[] = {std::byte{255}, std::byte{255}, {}, {}, std::byte{'x'}};
  cache.disk().store(key, too_long_an_entry);
  EXPECT_EQ(cache.get(device_, map_kernel(ir::Op::add), compiler()).origin, Origin::compiled);
}

TEST_F(CacheTest, AFailureIsNotKept) {
  KernelCache cache(config());
  Compiler broken = compiler();
  broken.emit = [](const ir::Kernel&) -> ir::KernelSource {
    throw DeviceError("no compiler", "one");
  };
  EXPECT_THROW(cache.get(device_, map_kernel(ir::Op::add), broken), DeviceError);
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_EQ(cache.get(device_, map_kernel(ir::Op::add), compiler()).origin, Origin::compiled);
}

TEST_F(CacheTest, TheLeastRecentlyUsedLeavesMemory) {
  Config small;
  small.cached_kernels = 2;
  KernelCache cache(small);
  cache.get(device_, map_kernel(ir::Op::add), compiler());
  cache.get(device_, map_kernel(ir::Op::mul), compiler());
  cache.get(device_, map_kernel(ir::Op::add), compiler());
  cache.get(device_, map_kernel(ir::Op::sub), compiler());
  EXPECT_EQ(cache.size(), 2u);
  EXPECT_EQ(cache.get(device_, map_kernel(ir::Op::add), compiler()).origin, Origin::memory);
  EXPECT_EQ(cache.get(device_, map_kernel(ir::Op::mul), compiler()).origin, Origin::compiled);
  cache.clear_memory();
  EXPECT_EQ(cache.size(), 0u);
}

TEST_F(CacheTest, AnUnwritableFolderOnlyCostsCompilations) {
  std::ofstream(folder_.path() + "/file") << "";
  Config blocked;
  blocked.cache_folder = folder_.path() + "/file/kiln";
  KernelCache cache(blocked);
  testing::internal::CaptureStderr();
  EXPECT_EQ(cache.get(device_, map_kernel(ir::Op::add), compiler()).origin, Origin::compiled);
  EXPECT_EQ(cache.get(device_, map_kernel(ir::Op::mul), compiler()).origin, Origin::compiled);
  EXPECT_EQ(cache.get(device_, map_kernel(ir::Op::add), compiler()).origin, Origin::memory);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
}

}  // namespace
}  // namespace kiln::runtime
