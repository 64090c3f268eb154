#include "runtime/disk_cache.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "tests/runtime/support.h"

namespace kiln::runtime {
namespace {

namespace fs = std::filesystem;
using test::Folder;

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto* const p = reinterpret_cast<const std::byte*>(text.data());
  return {p, p + text.size()};
}
std::string text_of(const std::optional<std::vector<std::byte>>& bytes) {
  if (!bytes) return "(miss)";
  return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
}
std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

class DiskCacheTest : public testing::Test {
 protected:
  Folder folder_;
  std::string path_ = folder_.path() + "/deep/kiln";
  DiskCache cache_{path_, 1 << 20};
};

TEST_F(DiskCacheTest, FindsWhatWasStored) {
  EXPECT_EQ(text_of(cache_.find("key")), "(miss)");
  cache_.store("key", bytes_of("value"));
  EXPECT_EQ(text_of(cache_.find("key")), "value");
  cache_.store("key", bytes_of(""));
  EXPECT_EQ(text_of(cache_.find("key")), "");
  DiskCache again(path_, 1 << 20);
  EXPECT_EQ(text_of(again.find("key")), "");
  EXPECT_EQ(text_of(again.find("key2")), "(miss)");
}

TEST_F(DiskCacheTest, FolderAndFilesAreTheUsersOnly) {
  const mode_t before = umask(0);
  cache_.store("key", bytes_of("value"));
  umask(before);
  struct stat info{};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  ASSERT_EQ(stat(cache_.path("key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(DiskCacheTest, AnyFlippedBitIsAMiss) {
  cache_.store("some key", bytes_of("some value"));
  const std::string file = cache_.path("some key");
  const std::string good = read_file(file);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    write_file(file, bad);
    ASSERT_EQ(text_of(cache_.find("some key")), "(miss)") << "byte " << i;
  }
  write_file(file, good);
  EXPECT_EQ(text_of(cache_.find("some key")), "some value");
}

TEST_F(DiskCacheTest, AnyTruncationOrExtensionIsAMiss) {
  cache_.store("some key", bytes_of("some value"));
  const std::string file = cache_.path("some key");
  const std::string good = read_file(file);
  for (std::size_t size = 0; size < good.size(); ++size) {
    write_file(file, good.substr(0, size));
    ASSERT_EQ(text_of(cache_.find("some key")), "(miss)") << size << " bytes";
  }
  write_file(file, good + "x");
  EXPECT_EQ(text_of(cache_.find("some key")), "(miss)");
  cache_.store("some key", bytes_of("new"));
  EXPECT_EQ(text_of(cache_.find("some key")), "new") << "a bad entry is replaced";
}

TEST_F(DiskCacheTest, AForeignFileOrAnotherKeysEntryIsAMiss) {
  cache_.store("a", bytes_of("of a"));
  write_file(cache_.path("b"), read_file(cache_.path("a")));  // as if their hashes were equal
  EXPECT_EQ(text_of(cache_.find("b")), "(miss)");
  write_file(cache_.path("c"), "#!/bin/sh\necho something else altogether, long enough\n");
  EXPECT_EQ(text_of(cache_.find("c")), "(miss)");
  fs::create_directory(cache_.path("d"));
  EXPECT_EQ(text_of(cache_.find("d")), "(miss)");
  fs::create_symlink(cache_.path("a"), cache_.path("e"));
  EXPECT_EQ(text_of(cache_.find("e")), "(miss)");
}

TEST_F(DiskCacheTest, AnUnusableFolderIsSaidOnceAndDoesNotFail) {
  write_file(folder_.path() + "/file", "");
  DiskCache cache(folder_.path() + "/file/kiln", 1 << 20);
  testing::internal::CaptureStderr();
  cache.store("key", bytes_of("value"));
  cache.store("key", bytes_of("value"));
  EXPECT_EQ(text_of(cache.find("key")), "(miss)");
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, testing::HasSubstr("kiln: kernels are not kept on disk: cannot make"));
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
}

TEST_F(DiskCacheTest, AFolderThatOthersMayWriteIsNotTrusted) {
  cache_.store("key", bytes_of("value"));
  fs::permissions(path_, fs::perms::all);
  DiskCache other(path_, 1 << 20);
  testing::internal::CaptureStderr();
  EXPECT_EQ(text_of(other.find("key")), "(miss)");
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::HasSubstr("may be written by other users"));
}

TEST_F(DiskCacheTest, NoFolderMeansNoCacheAndNoWord) {
  DiskCache none("", 1 << 20);
  testing::internal::CaptureStderr();
  none.store("key", bytes_of("value"));
  EXPECT_EQ(text_of(none.find("key")), "(miss)");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

void set_age(const std::string& path, int seconds) {
  const auto when = fs::last_write_time(path) - std::chrono::seconds(seconds);
  fs::last_write_time(path, when);
}

TEST_F(DiskCacheTest, SweepDeletesTheLeastRecentlyUsed) {
  DiskCache small(path_, 4000);
  const std::string value(1000, 'v');
  for (int i = 0; i < 3; ++i) {
    small.store("key" + std::to_string(i), bytes_of(value));
    set_age(small.path("key" + std::to_string(i)), 300 - 100 * i);
  }
  EXPECT_EQ(text_of(small.find("key0")), value) << "reading marks it used";
  small.store("key3", bytes_of(value));  // above the bound: 3/4 of 4000 hold two entries
  EXPECT_EQ(text_of(small.find("key1")), "(miss)");
  EXPECT_EQ(text_of(small.find("key2")), "(miss)");
  EXPECT_EQ(text_of(small.find("key0")), value);
  EXPECT_EQ(text_of(small.find("key3")), value);
}

TEST_F(DiskCacheTest, SweepDeletesWhatCrashedWritersLeft) {
  cache_.store("key", bytes_of("value"));
  const std::string old_file = path_ + "/.writing-old", new_file = path_ + "/.writing-new";
  write_file(old_file, "half");
  write_file(new_file, "half");
  set_age(old_file, 7200);
  cache_.sweep();
  EXPECT_FALSE(fs::exists(old_file));
  EXPECT_TRUE(fs::exists(new_file)) << "its writer may be at work";
}

// Several processes write and read the same keys: a reader sees a whole value of some writer or
// none.
TEST_F(DiskCacheTest, ProcessesRaceWithoutHarm) {
  const auto value = [](int writer, int key) {
    return std::string(static_cast<std::size_t>(500 + 700 * key), static_cast<char>('a' + writer)) +
           std::to_string(key);
  };
  const auto work = [&](int writer) {
    DiskCache cache(path_, 20000);  // small enough that sweeps happen meanwhile
    for (int round = 0; round < 60; ++round) {
      for (int key = 0; key < 8; ++key) {
        cache.store("key" + std::to_string(key), bytes_of(value(writer, key)));
        const auto found = cache.find("key" + std::to_string((key + round) % 8));
        if (!found) continue;
        const std::string text = text_of(found);
        if (text != value(0, (key + round) % 8) && text != value(1, (key + round) % 8)) return 1;
      }
    }
    return 0;
  };
  const pid_t child = fork();
  if (child == 0) std::_Exit(work(1));
  EXPECT_EQ(work(0), 0);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  for (const fs::directory_entry& entry : fs::directory_iterator(path_)) {
    EXPECT_EQ(entry.path().extension(), ".kernel") << entry.path() << " was left behind";
  }
}

}  // namespace
}  // namespace kiln::runtime
