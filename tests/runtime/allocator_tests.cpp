#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "ir/error.h"
#include "runtime/host/host_device.h"
#include "runtime/size_class.h"

namespace kiln::runtime {
namespace {

constexpr std::int64_t kMegabyte = 1 << 20;

HostDevice device_with_limit(std::int64_t limit) {
  Config config;
  config.memory_limit = limit;
  return HostDevice(config);
}

TEST(SizeClass, WastesAtMostAnEighthAndIsAMultipleOf64) {
  std::int64_t before = 0;
  for (std::int64_t bytes = 0; bytes < 100000; bytes += 7) {
    const std::int64_t size = size_class(bytes);
    ASSERT_GE(size, bytes);
    ASSERT_EQ(size % 64, 0);
    ASSERT_LE(size, std::max<std::int64_t>(bytes + 64, bytes + bytes / 8 + 64)) << bytes;
    ASSERT_GE(size, before);
    ASSERT_EQ(size_class(size), size) << "a class holds its own size";
    before = size;
  }
  EXPECT_EQ(size_class(std::int64_t{1} << 40), std::int64_t{1} << 40);
}

TEST(HostAllocator, BlocksAreAlignedAndWritable) {
  HostDevice device{Config{}};
  for (const std::int64_t bytes : {1, 63, 64, 65, 4096, 100000, 3 << 20, 9 << 20}) {
    const MemoryRef memory = device.allocate(bytes);
    const auto address = reinterpret_cast<std::uintptr_t>(memory->data());
    EXPECT_EQ(address % 64, 0u);
    if (bytes > 2 * kMegabyte) {
      EXPECT_EQ(address % (2 * kMegabyte), 0u);
    }
    std::memset(memory->data(), 0xab, static_cast<std::size_t>(size_class(bytes)));
    EXPECT_EQ(memory->bytes(), bytes);
    EXPECT_TRUE(memory->writable());
  }
}

TEST(HostAllocator, ReusesABlockOfTheSameClass) {
  HostDevice device{Config{}};
  for (const std::int64_t bytes : {100, 5000, 8 << 20}) {
    const void* const first = device.allocate(bytes)->data();
    EXPECT_EQ(device.allocate(bytes - 1)->data(), first) << bytes;
  }
}

TEST(HostAllocator, TheBlockReleasedLastIsKept) {
  HostDevice device{Config{}};
  for (std::int64_t size = 100; size < 200; size += 20) device.allocate(size * kMegabyte);
  const void* const first = device.allocate(250 * kMegabyte)->data();
  EXPECT_GE(device.memory().cached, size_class(250 * kMegabyte));
  EXPECT_EQ(device.allocate(250 * kMegabyte)->data(), first);
}

TEST(HostAllocator, CountsLivePeakAndCached) {
  HostDevice device{Config{}};
  {
    const MemoryRef a = device.allocate(1000);
    const MemoryRef b = device.allocate(2000);
    EXPECT_EQ(device.memory().live, 3000);
    EXPECT_EQ(device.memory().cached, 0);
  }
  EXPECT_EQ(device.memory().live, 0);
  EXPECT_EQ(device.memory().peak, 3000);
  EXPECT_EQ(device.memory().cached, size_class(1000) + size_class(2000));
  device.reset_peak();
  EXPECT_EQ(device.memory().peak, 0);
  device.trim();
  EXPECT_EQ(device.memory().cached, 0);
}

TEST(HostAllocator, BeyondTheLimitIsOutOfMemoryWithFigures) {
  HostDevice device = device_with_limit(10 * kMegabyte);
  const MemoryRef held = device.allocate(4 * kMegabyte);
  try {
    device.allocate(7 * kMegabyte);
    FAIL() << "no error";
  } catch (const OutOfMemory& e) {
    EXPECT_EQ(e.asked, 7 * kMegabyte);
    EXPECT_EQ(e.free, 6 * kMegabyte);
    EXPECT_THAT(e.what(), testing::HasSubstr("out of memory on cpu: 7340032 bytes asked for, "
                                             "6291456 free, the limit is 10485760"));
    EXPECT_EQ(e.limit, 10 * kMegabyte);
  }
  EXPECT_NO_THROW(device.allocate(6 * kMegabyte)) << "what is free can be had";
  EXPECT_THROW(device.allocate(std::int64_t{1} << 62), OutOfMemory);
}

TEST(HostAllocator, ExactlyTheLimitFitsAlthoughItsClassIsLarger) {
  const std::int64_t limit = 9 * kMegabyte + 12 * 64;
  ASSERT_GT(size_class(limit), limit);
  HostDevice device = device_with_limit(limit);
  EXPECT_NO_THROW(device.allocate(limit));
  EXPECT_EQ(device.memory().cached, 0) << "a block cut to fit is not kept";
  EXPECT_THROW(device.allocate(limit + 1), OutOfMemory);
}

TEST(HostAllocator, GivesCachedBlocksBackBeforeItFails) {
  HostDevice device = device_with_limit(10 * kMegabyte);
  device.allocate(6 * kMegabyte).reset();
  EXPECT_GT(device.memory().cached, 0);
  const MemoryRef other = device.allocate(8 * kMegabyte);  // fits only once the cache is empty
  EXPECT_EQ(device.memory().cached, 0);
}

std::int64_t hundred_megabytes() { return 100 * kMegabyte; }

// The system promises memory that it does not have, and ends the process that takes it.
TEST(HostAllocator, MoreThanTheMachineCanGiveIsRefusedBeforeItIsTaken) {
  HostDevice device{Config{}};
  HostAllocator allocator(device, 1000 * kMegabyte, hundred_megabytes);
  try {
    allocator.allocate(128 * kMegabyte);
    FAIL() << "no error";
  } catch (const OutOfMemory& e) {
    EXPECT_EQ(e.asked, 128 * kMegabyte);
    EXPECT_EQ(e.free, 100 * kMegabyte);
    EXPECT_EQ(e.limit, 1000 * kMegabyte);
  }
  EXPECT_THROW(allocator.count_other(0, 128 * kMegabyte), OutOfMemory);
  EXPECT_EQ(allocator.free_bytes(), 1000 * kMegabyte);
}

TEST(HostAllocator, TheMachineHasMemoryAndSaysHowMuch) {
  EXPECT_GT(machine_memory(), 0);
  EXPECT_GT(available_memory(), 0);
}

TEST(HostAllocator, OtherMemoryOfTheProcessCountsWhileItIsHeld) {
  HostDevice device = device_with_limit(10 * kMegabyte);
  device.allocate(6 * kMegabyte).reset();  // cached: makes room
  {
    OtherMemory other(device.allocator(), 2 * kMegabyte);
    other.resize(8 * kMegabyte);
    EXPECT_EQ(device.memory().cached, 0);
    EXPECT_EQ(device.free_bytes(), 2 * kMegabyte);
    EXPECT_EQ(device.memory().live, 0) << "no array's";
    EXPECT_THROW(device.allocate(3 * kMegabyte), OutOfMemory);
    EXPECT_THROW(other.resize(11 * kMegabyte), OutOfMemory);
    EXPECT_EQ(device.free_bytes(), 2 * kMegabyte) << "as before";
    other.resize(kMegabyte);
    EXPECT_EQ(device.free_bytes(), 9 * kMegabyte);
  }
  EXPECT_EQ(device.free_bytes(), 10 * kMegabyte);
}

TEST(HostAllocator, NothingAskedForGivesAnEmptyBlock) {
  HostDevice device{Config{}};
  const MemoryRef memory = device.allocate(0);
  EXPECT_EQ(memory->bytes(), 0);
  EXPECT_NO_THROW(device.upload(*memory, 0, nullptr, 0));
}

TEST(MemoryBlocks, AdoptedMemoryIsHeldByItsOwnerAndReadOnlyUnlessSaid) {
  HostDevice device{Config{}};
  auto owner = std::make_shared<std::vector<float>>(4, 1.0f);
  const std::weak_ptr<std::vector<float>> watch = owner;
  float* const data = owner->data();
  MemoryRef memory = device.adopt(data, 16, std::move(owner), false);
  EXPECT_EQ(memory->data(), data);
  EXPECT_FALSE(memory->writable());
  const MemoryRef second = memory;
  EXPECT_FALSE(memory.unique());
  memory.reset();
  EXPECT_TRUE(second.unique());
  EXPECT_FALSE(watch.expired());
  const_cast<MemoryRef&>(second).reset();
  EXPECT_TRUE(watch.expired());
}

TEST(MemoryBlocks, CopiesOutsideABlockAreRefused) {
  HostDevice device{Config{}};
  const MemoryRef memory = device.allocate(16);
  char buffer[32] = {};
  EXPECT_THROW(device.upload(*memory, 8, buffer, 16), ir::InternalError);
  EXPECT_THROW(device.download(buffer, *memory, -1, 4), ir::InternalError);
}

}  // namespace
}  // namespace kiln::runtime
