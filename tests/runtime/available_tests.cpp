// What the machine can still give, by what the system's files say.
#include "runtime/host/available.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/folder.h"

namespace kiln::runtime {
namespace {

// A folder with files of the system's in it.
class Files : public kiln_tests::Folder {
 public:
  void write(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = file(name);
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
};

constexpr const char* kMachine =
    "MemTotal:       16000 kB\nMemFree:         1000 kB\nMemAvailable:    8000 kB\n"
    "SwapFree:        2000 kB\n";

TEST(Available, IsUnknownWhereNothingIsSaid) {
  const Files files;
  EXPECT_EQ(available_memory(files.path()), INT64_MAX);
}

TEST(Available, OfTheMachineIncludesSwap) {
  const Files files;
  files.write("proc/meminfo", kMachine);
  EXPECT_EQ(available_memory(files.path()), 1024 * 10000);
}

// A container that has read files has all of its memory in use, and can give most of it back.
TEST(Available, PagesOfFilesAreGivenBack) {
  const Files files;
  files.write("proc/meminfo", kMachine);
  files.write("sys/fs/cgroup/memory.max", "5000000\n");
  files.write("sys/fs/cgroup/memory.current", "4900000\n");
  EXPECT_EQ(available_memory(files.path()), 100000);
  files.write("sys/fs/cgroup/memory.stat",
              "anon 900000\nfile 3700000\ninactive_anon 1\ninactive_file 2500000\n"
              "active_file 1200000\nslab_reclaimable 50000\nslab 90000\n");
  EXPECT_EQ(available_memory(files.path()), 100000 + 2500000 + 1200000 + 50000);
  files.write("sys/fs/cgroup/memory.max", "max\n");
  EXPECT_EQ(available_memory(files.path()), 1024 * 10000);
}

TEST(Available, TheFirstVersionOfCgroupsHasOtherNames) {
  const Files files;
  files.write("proc/meminfo", kMachine);
  files.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "3000000\n");
  files.write("sys/fs/cgroup/memory/memory.usage_in_bytes", "2900000\n");
  files.write("sys/fs/cgroup/memory/memory.stat",
              "inactive_file 7\nactive_file 7\ntotal_inactive_file 400000\n"
              "total_active_file 30000\n");
  EXPECT_EQ(available_memory(files.path()), 100000 + 400000 + 30000);
  files.write("sys/fs/cgroup/memory/memory.usage_in_bytes", "9900000\n");
  EXPECT_EQ(available_memory(files.path()), 0) << "more than the limit is in use";
}

}  // namespace
}  // namespace kiln::runtime
