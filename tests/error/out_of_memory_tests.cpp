// Out of memory: the message names the array and its line, and nothing is taken that is not there.
#include <memory>

#include "frontend/environment.h"
#include "frontend/host_memory.h"
#include "tests/folder.h"
#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;

constexpr std::int64_t kMegabyte = 1 << 20;

// Leaves about so many bytes of the CPU's limit; nothing of this is touched.
class AlmostFull {
 public:
  explicit AlmostFull(std::int64_t left) {
    const std::int64_t free = kn::cpu().free_bytes();
    for (std::int64_t taken = 0; taken < free - left;) {
      taken = std::min(free - left, taken + 32 * kMegabyte);
      counted_.resize(taken);
    }
  }

 private:
  kiln::runtime::OtherMemory counted_{kn::frontend::host_allocator()};
};

// The error that the body throws; its arrays are as before.
template <class Body>
kn::OutOfMemory refused(Body body) {
  const std::int64_t free = kn::cpu().free_bytes();
  try {
    body();
  } catch (const kn::OutOfMemory& error) {
    EXPECT_GT(error.asked, 0);
    EXPECT_GT(error.limit, 0);
    EXPECT_GE(error.limit, error.free);
    expect_contains(error.what(), "out of memory on ");
    expect_contains(error.what(), std::to_string(error.asked) + " bytes asked for");
    expect_contains(error.what(), "the limit is " + std::to_string(error.limit));
    expect_contains(error.what(), "\n  try: ");
    EXPECT_EQ(kn::cpu().free_bytes(), free) << "what was counted is given back";
    return error;
  }
  ADD_FAILURE() << "there was room";
  return kn::OutOfMemory("");
}

TEST(OutOfMemory, NamesTheOutputThatHasNoRoom) {
  const kn::Scope scope({.device = kn::cpu(), .mode = kn::Mode::lazy});
  const kn::Array x = kn::linspace(0.f, 1.f, 1000);
  const int made = __LINE__ + 1;
  const kn::Array y = (kn::zeros({4, 2 * kMegabyte}) + kn::sum(x)).named("table");
  const AlmostFull full(8 * kMegabyte);
  const int asked = __LINE__ + 1;
  const kn::OutOfMemory error = refused([&] { kn::eval(y); });
  EXPECT_EQ(error.where.line, asked);
  EXPECT_EQ(error.asked, 32 * kMegabyte);
  EXPECT_LE(error.free, 8 * kMegabyte);
  EXPECT_EQ(error.made.line, made);
  EXPECT_EQ(error.array, "float32 (4, 2097152) \"table\"");
  expect_contains(error.what(),
                  "\n  for: float32 (4, 2097152) \"table\", made at "
                  "out_of_memory_tests.cpp:" +
                      std::to_string(made));
  EXPECT_FALSE(y.evaluated());
}

TEST(OutOfMemory, NamesTheTemporaryThatHasNoRoom) {
  const kn::Scope scope({.device = kn::cpu(), .mode = kn::Mode::lazy});
  const kn::Array x = kn::linspace(0.f, 1.f, 8 * kMegabyte);
  const int made = __LINE__ + 1;
  const kn::Array square = x * x;
  kn::no_fuse(square);
  const kn::Array y = kn::sum(square);
  const AlmostFull full(16 * kMegabyte);
  const kn::OutOfMemory error = refused([&] { kn::eval(y); });
  EXPECT_EQ(error.asked, 32 * kMegabyte);
  EXPECT_EQ(error.made.line, made);
  expect_contains(error.array, "float32 (8388608) ");
  expect_contains(error.array, " * ");
}

TEST(OutOfMemory, NamesWhatIsCopiedFromTheProgram) {
  const std::vector<float> data(4 * kMegabyte, 1.f);
  const AlmostFull full(8 * kMegabyte);
  int line = __LINE__ + 1;
  kn::OutOfMemory error = refused([&] { kn::Array x(data); });
  EXPECT_EQ(error.where.line, line);
  EXPECT_EQ(error.array, "float32 (4194304)");
  expect_contains(error.what(), "kiln: Array: ");
  const kn::Layout layout{{2, 2 * kMegabyte}, {2 * kMegabyte, 1}};
  line = __LINE__ + 1;
  error = refused([&] { return kn::from_host(data.data(), layout); });
  EXPECT_EQ(error.where.line, line);
  expect_contains(error.what(), "kiln: from_host: ");
}

TEST(OutOfMemory, CopiesToTheProgramAreCounted) {
  const auto data = std::make_shared<std::vector<float>>(4 * kMegabyte, 1.f);
  const kn::Array x = kn::borrow(data->data(), {{2, 2 * kMegabyte}, {1, 2}}, data).named("columns");
  ASSERT_FALSE(x.host<float>().begin() == data->data()) << "it lies by columns";
  const Folder folder;
  kn::save(folder.file("x.npy"), kn::borrow(data->data(), {{4 * kMegabyte}, {1}}, data));
  const AlmostFull full(8 * kMegabyte);
  const int line = __LINE__ + 1;
  kn::OutOfMemory error = refused([&] { return x.host<float>(); });
  EXPECT_EQ(error.where.line, line);
  EXPECT_EQ(error.asked, 16 * kMegabyte);
  expect_contains(error.what(), "kiln: host: ");
  expect_contains(refused([&] { kn::save(folder.file("y.npy"), x); }).what(), "kiln: save: ");
  expect_contains(refused([&] { return kn::load(folder.file("x.npy")); }).what(), "kiln: load: ");
  std::ostringstream out;
  EXPECT_NO_THROW(out << x) << "a summary needs no copy of all";
  const kn::Array doubles = kn::borrow(data->data(), {{4 * kMegabyte}, {1}}, data);
  expect_contains(refused([&] { return doubles.host<double>(); }).what(), "kiln: host: ");
  error = refused([&] { return doubles.to_vector<float>(); });
  expect_contains(error.what(), "kiln: to_vector: ");
  EXPECT_EQ(error.asked, 16 * kMegabyte);
  EXPECT_EQ(error.array, "float32 (4194304)");
  if (kn::default_device() == kn::interpreter()) return;  // it stores the whole, as a check does
  const kn::Scope unchecked({.mode = kn::Mode::lazy});
  const std::int64_t free = kn::cpu().free_bytes();
  const std::vector<float> few = doubles(kn::slice(0, kMegabyte)).to_vector<float>();
  EXPECT_EQ(few.size(), std::size_t{kMegabyte});
  EXPECT_EQ(kn::cpu().free_bytes(), free) << "the vector is the program's own";
}

TEST(OutOfMemory, AnInputIsNamedByTheShapeOfItsArray) {
  const auto data = std::make_shared<std::vector<float>>(4 * kMegabyte, 1.f);
  const kn::Array x = kn::borrow(data->data(), {{2, 2 * kMegabyte}, {1, 2}}, data).named("columns");
  const kn::Scope scope({.device = kn::cpu(), .mode = kn::Mode::check});
  const kn::Array y = kn::sum(x);
  const AlmostFull full(8 * kMegabyte);
  EXPECT_EQ(refused([&] { kn::eval(y); }).array, "float32 (2, 2097152) \"columns\"");
}

// A graph that the machine cannot hold: counted before it is taken, never tried.
TEST(OutOfMemory, CheckingCountsBeforeItTakes) {
  for (const kn::Device& device : tested_devices()) {
    SCOPED_TRACE(device.name());
    for (const kn::Mode mode : {kn::Mode::lazy, kn::Mode::check}) {
      const kn::Scope scope({.device = device, .mode = mode});
      const int made = __LINE__ + 1;
      const kn::Array x = kn::zeros({std::int64_t{1} << 50}, kn::uint8).named("vast") + 1;
      const int asked = __LINE__ + 1;
      const kn::OutOfMemory error = refused([&] { kn::eval(x); });
      EXPECT_EQ(error.where.line, asked);
      EXPECT_EQ(error.made.line, made);
      EXPECT_GE(error.asked, std::int64_t{1} << 50);
      expect_contains(error.what(), "this one alone is beyond the limit");
      const bool interpreted = mode == kn::Mode::check || device == kn::interpreter();
      EXPECT_EQ(std::string(error.what()).find("stores the value of every operation") !=
                    std::string::npos,
                interpreted);
      if (device == kn::interpreter()) continue;  // it has no other way to compute a part
      const kn::Scope lazy({.mode = kn::Mode::lazy});
      EXPECT_EQ(x(0).item<int>(), 1);
    }
  }
}

TEST(OutOfMemory, CheckingCountsItsInputsAndWhatLiesBetween) {
  const kn::Scope scope({.device = kn::cpu()});
  const kn::Array x = kn::linspace(0.f, 1.f, 4 * kMegabyte);
  kn::eval(x);
  const kn::Array y = kn::sum(kn::sqrt(x) * x);
  const AlmostFull full(24 * kMegabyte);  // enough for the kernel, and for one copy
  {
    const kn::Scope check({.mode = kn::Mode::check});
    refused([&] { kn::eval(y); });
  }
  {
    const kn::Scope trap({.nan = kn::Nan::trap});
    refused([&] { kn::eval(y); });
  }
  const kn::Scope lazy({.mode = kn::Mode::lazy});
  EXPECT_GT(y.item<float>(), 0.f);
}

TEST(OutOfMemory, NothingStaysCounted) {
  const std::int64_t free = kn::cpu().free_bytes();
  {
    const kn::Scope scope({.device = kn::cpu(), .mode = kn::Mode::check});
    const kn::Array x = kn::linspace(0.f, 1.f, 1000);
    EXPECT_EQ(values<float>(kn::sqrt(x)).size(), 1000u);
    const kn::Scope trap({.device = kn::interpreter(), .nan = kn::Nan::trap});
    EXPECT_EQ(values<float>(kn::sqrt(kn::linspace(0.f, 1.f, 10))).size(), 10u);
  }
  EXPECT_EQ(kn::cpu().free_bytes(), free);
}

}  // namespace
