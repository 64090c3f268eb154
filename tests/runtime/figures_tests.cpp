#include "runtime/host/figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>

#include "runtime/disk_cache.h"
#include "runtime/host/workers.h"
#include "runtime/registry.h"
#include "tests/runtime/support.h"

namespace kiln::runtime {
namespace {

namespace fs = std::filesystem;
using test::Folder;

// A cache folder and a CPU of two threads that is to be measured.
class FiguresTest : public testing::Test {
 protected:
  FiguresTest() {
    config_.threads = 2;
    config_.host_figures = "measured";
    config_.cache_folder = folder_.path() + "/kiln";
  }
  HostFigures ask() const {
    DiskCache disk(config_.cache_folder, 1 << 20);
    return host_figures(config_, disk);
  }
  // The one entry of the cache.
  std::string file() const {
    std::vector<std::string> files;
    for (const auto& item : fs::directory_iterator(config_.cache_folder))
      files.push_back(item.path().string());
    EXPECT_EQ(files.size(), 1u);
    return files.empty() ? "" : files[0];
  }

  Folder folder_;
  Config config_;
};

// Replaces the kept figures by others that no measurement gives, in a whole and valid entry: the
// entry's key and checksum are made anew by the cache itself.
void plant(const Config& config, const std::string& entry, std::string_view value) {
  std::ifstream in(entry, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  std::uint64_t key_bytes = 0;
  std::memcpy(&key_bytes, bytes.data() + 16, sizeof key_bytes);
  DiskCache disk(config.cache_folder, 1 << 20);
  disk.store(std::string_view(bytes).substr(40, key_bytes), std::as_bytes(std::span(value)));
}

bool power_of_two(double value) { return std::exp2(std::round(std::log2(value))) == value; }

TEST_F(FiguresTest, MeasuredOnceThenTakenFromTheCache) {
  const HostFigures first = ask();
  EXPECT_TRUE(power_of_two(first.bandwidth)) << to_text(first);
  EXPECT_TRUE(power_of_two(first.cached)) << to_text(first);
  EXPECT_TRUE(power_of_two(first.rate)) << to_text(first);
  EXPECT_TRUE(power_of_two(first.wake_seconds)) << to_text(first);
  const std::string entry = file();
  EXPECT_EQ(ask(), first);
  // Not by luck: what stands in the cache is what is taken.
  plant(config_, entry, "bandwidth=3e9,cached=4e9,rate=5e9,wake=7e-06");
  EXPECT_EQ(ask(), (HostFigures{3e9, 4e9, 5e9, 7e-6}));
  // A CPU with another number of threads has figures of its own.
  config_.threads = 1;
  EXPECT_NE(ask(), (HostFigures{3e9, 4e9, 5e9, 7e-6}));
}

TEST_F(FiguresTest, TakenFromTheCacheInNoTime) {
  ask();
  double best = 1;
  for (int i = 0; i < 20; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    ask();
    best = std::min(
        best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  EXPECT_LT(best, 1e-4);
}

TEST_F(FiguresTest, WhatIsNotBelievedIsMeasuredAnew) {
  ask();
  const std::string entry = file();
  for (const std::string_view wrong :
       {"", "bandwidth=0,rate=0,wake=0", "bandwidth=3e9,rate=5e9,wake=7", "bandwidth=nan"}) {
    plant(config_, entry, wrong);
    EXPECT_TRUE(power_of_two(ask().bandwidth)) << wrong;
    plant(config_, entry, "bandwidth=3e9");  // asking has mended it, so it can be replaced again
    EXPECT_EQ(ask().bandwidth, 3e9);
  }
  fs::resize_file(entry, fs::file_size(entry) - 1);
  EXPECT_TRUE(power_of_two(ask().bandwidth));
  plant(config_, entry, "bandwidth=3e9");
  {
    std::fstream damaged(entry, std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekp(-1, std::ios::end);
    damaged.put('8');
  }
  EXPECT_TRUE(power_of_two(ask().bandwidth));
}

TEST_F(FiguresTest, NothingIsMeasuredThatCannotBeKept) {
  config_.cache_folder = "";
  EXPECT_EQ(ask(), fixed_figures(2));
  config_.cache_folder = folder_.path() + "/file/kiln";
  std::ofstream(folder_.path() + "/file") << "no folder";
  testing::internal::CaptureStderr();
  EXPECT_EQ(ask(), fixed_figures(2));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("not kept on disk"));
  // A folder that others may write is not believed, whatever lies there.
  config_.cache_folder = folder_.path() + "/shared";
  ASSERT_EQ(mkdir(config_.cache_folder.c_str(), 0700), 0);
  ask();
  plant(config_, file(), "bandwidth=3e9");
  ASSERT_EQ(chmod(config_.cache_folder.c_str(), 0777), 0);
  testing::internal::CaptureStderr();
  EXPECT_EQ(ask(), fixed_figures(2));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("by other users"));
}

TEST_F(FiguresTest, TheRegistrysDeviceHasThem) {
  config_.host_figures = "bandwidth=3e9,rate=5e9,wake=7e-6";
  EXPECT_EQ(Registry(config_).cpu().caps().bandwidth, 3e9);
  EXPECT_EQ(Registry(config_).cpu().caps().rate, 5e9);
  EXPECT_FALSE(fs::exists(config_.cache_folder));
  config_.host_figures = "fixed";
  EXPECT_EQ(Registry(config_).cpu().caps().rate, fixed_figures(2).rate);
  EXPECT_FALSE(fs::exists(config_.cache_folder));
  config_.host_figures = "measured";
  ask();
  plant(config_, file(), "rate=4e9");
  EXPECT_EQ(Registry(config_).cpu().caps().rate, 4e9);
}

TEST(Figures, AreGivenByHand) {
  HostFigures wanted = fixed_figures(3);
  EXPECT_EQ(parse_figures(to_text(wanted), 3), wanted);
  wanted.rate = 7e9;
  EXPECT_EQ(parse_figures("rate=7e9", 3), wanted);
  for (const std::string_view wrong :
       {"", "rate", "rate=", "rate=fast", "rate=1e9,", "rate=1e9,rate=2e9", "speed=1e9",
        "rate=1e9x", "rate=-1e9", "rate=inf", " rate=1e9", "bandwidth=40"}) {
    EXPECT_FALSE(parse_figures(wrong, 3)) << wrong;
    EXPECT_FALSE(valid_host_figures(wrong)) << wrong;
  }
  EXPECT_TRUE(valid_host_figures("measured"));
  EXPECT_TRUE(valid_host_figures("fixed"));
  EXPECT_TRUE(valid_host_figures("wake=1e-5,rate=1e9"));
}

TEST(Figures, AreThoseOfAMachine) {
  // Wide bounds, that a busy machine and an instrumented build keep too.
  Workers workers(2);
  const HostFigures figures = measure_figures(workers, 8 << 20);
  EXPECT_GT(figures.bandwidth, 1e8);
  EXPECT_LT(figures.bandwidth, 1e13);
  EXPECT_GT(figures.cached, 1e8);
  EXPECT_LT(figures.cached, 1e14);
  EXPECT_GT(figures.rate, 1e8);
  EXPECT_LT(figures.rate, 1e13);
  EXPECT_GE(figures.wake_seconds, 5e-7);
  EXPECT_LE(figures.wake_seconds, 4e-4);
}

}  // namespace
}  // namespace kiln::runtime
