// Writes into windows of arrays: what they mean, by random programs against one operation at a time
// and against plain loops; and what they cost, by counters.
#include <functional>
#include <numeric>
#include <random>

#include "tests/frontend/support.h"
#include "tests/seed.h"

namespace {

using namespace kiln_tests;
using kiln::testing::first_seed;
using kn::_;
using kn::Array;
using kn::slice;

std::int64_t kernels(const kn::Stats& s) { return s.compiled + s.memory_hits + s.disk_hits; }

// What a body does.
kn::Stats counted(const std::function<void()>& body) {
  const kn::Stats before = kn::stats();
  body();
  return kn::stats() - before;
}

// Writes, and reads of arrays that were written to, before and after, of 5 to 8 by 4 to 7 elements:
// windows that meet in every way, also those that a value is read from.
class Program {
 public:
  explicit Program(std::uint64_t seed) : random_(seed) {}

  std::vector<Array> run(const std::function<void(Array&)>& between) {
    const auto rows = 5 + draw(4), columns = 4 + draw(4);
    Array x = kn::reshape(kn::arange(rows * columns).astype(kn::float32), {rows, columns});
    if (draw(2) == 0) x = x * 0.5f;
    std::vector<Array> seen;
    for (int step = 0; step < 30; ++step) {
      if (draw(4) == 0) seen.push_back(draw(2) == 0 ? x : read(x));
      write(x, step);
      if (draw(8) == 0) between(x);
      if (draw(8) == 0) x = x + 1;
    }
    seen.push_back(x);
    return seen;
  }

 private:
  std::int64_t draw(std::int64_t below) { return static_cast<std::int64_t>(random_() % below); }

  kn::Slice range(std::int64_t n) {
    const std::int64_t begin = draw(n), end = begin + 1 + draw(n - begin);
    switch (draw(4)) {
      case 0:
        return slice(begin, end, 2);
      case 1:
        return begin == 0 ? slice(end - 1, _, -1) : slice(end - 1, begin - 1, -1);
      default:
        return slice(begin, end);
    }
  }

  Array read(const Array& x) {
    switch (draw(4)) {
      case 0:
        return x(draw(x.shape()[0]));
      case 1:
        return x(_, draw(x.shape()[1]));
      default:
        return x(range(x.shape()[0]), range(x.shape()[1]));
    }
  }

  // A value for a window of these extents, maybe from the array itself.
  Array value(const Array& x, const Array& window, int step) {
    const Array row = kn::sum(read(x)) * 0.125f;
    switch (draw(4)) {
      case 0:
        return row;
      case 1:
        return window + row;
      case 2:
        return kn::flip(window) * 0.5f;
      default:
        return Array(static_cast<float>(step));
    }
  }

  void write(Array& x, int step) {
    const std::int64_t rows = x.shape()[0], columns = x.shape()[1];
    const std::int64_t i = draw(rows), j = draw(columns);
    switch (draw(6)) {
      case 0:
        x.at(i) = value(x, x(draw(rows)), step);
        return;
      case 1:
        x.at(_, j) = value(x, x(_, draw(columns)), step);
        return;
      case 2:
        x.at(i, j) += x(draw(rows), draw(columns));
        return;
      case 3:
        x.at(i, j) = static_cast<float>(step);
        return;
      default: {
        const kn::Slice a = range(rows), b = range(columns);
        x.at(a, b) = value(x, x(a, b), step);
      }
    }
  }

  std::mt19937_64 random_;
};

TEST(Writes, RandomProgramsMeanWhatTheyDoStepByStep) {
  on_each_device([] {
    for (std::uint64_t seed = first_seed(); seed < first_seed() + 6; ++seed) {
      std::vector<std::vector<float>> expected;
      {
        const kn::Scope eager({.mode = kn::Mode::eager});
        for (const Array& x : Program(seed).run([](Array&) {}))
          expected.push_back(x.to_vector<float>());
      }
      const auto check = [&](const std::function<void(Array&)>& between) {
        const std::vector<Array> seen = Program(seed).run(between);
        if (seed % 2 == 0) kn::eval(seen);
        for (std::size_t i = 0; i < seen.size(); ++i)
          ASSERT_EQ(seen[i].to_vector<float>(), expected[i]) << "seed " << seed << ", array " << i;
      };
      check([](Array&) {});
      check([](Array& x) { kn::eval(x); });
      const kn::Scope unfused({.fusion = false, .flush_after = 20});
      check([](Array&) {});
    }
  });
}

// Element by element: a launch each, of kernels that are there after the first few; the second run
// plans nothing.
TEST(Writes, OfManyElementsAreLinear) {
  if (interpreting()) return;
  constexpr int kWrites = 600;
  const kn::Scope scope({.flush_after = 0});
  const auto run = [] {
    Array y = kn::zeros({100000});
    for (int i = 0; i < kWrites; ++i) y.at(i) = static_cast<float>(i) + 0.5f;
    const std::vector<float> all = y.to_vector<float>();
    for (int i = 0; i < kWrites; ++i) ASSERT_EQ(all[static_cast<std::size_t>(i)], i + 0.5f);
    EXPECT_EQ(all[kWrites], 0.f);
  };
  const kn::Stats first = counted(run), second = counted(run);
  EXPECT_LE(kernels(first), 5);
  EXPECT_LE(first.launched, kWrites + 2);
  EXPECT_LE(first.bytes_read + first.bytes_written, 2 * 400000 + kWrites * 16);
  EXPECT_EQ(kernels(second), 0);
  EXPECT_EQ(second.plans_built, 0);
  EXPECT_EQ(second.launched, first.launched);
}

// A chain that is flushed in pieces goes on in the memory of the pieces before.
TEST(Writes, GoOnInPlaceAfterAFlush) {
  if (interpreting()) return;
  constexpr int kWrites = 600;
  const kn::Scope scope({.flush_after = 200});
  const kn::Stats s = counted([] {
    Array y = kn::zeros({100000});
    for (int i = 0; i < kWrites; ++i) y.at(i) = static_cast<float>(i) + 0.5f;
    const std::vector<float> all = y.to_vector<float>();
    for (int i = 0; i < kWrites; ++i) ASSERT_EQ(all[static_cast<std::size_t>(i)], i + 0.5f);
  });
  EXPECT_LE(kernels(s), 12);
  EXPECT_LE(s.bytes_written, 2 * 400000 + kWrites * 16);
}

// Each row from the one before: what is written is read where it was made.
TEST(Writes, RecurrencesAreLinearInRows) {
  if (interpreting()) return;
  constexpr std::int64_t kColumns = 64;
  const kn::Scope scope({.flush_after = 0});
  const auto run = [](std::int64_t rows) {
    return counted([&] {
      Array c = kn::zeros({rows, kColumns});
      c.at(0) = -0.4f;
      for (std::int64_t i = 1; i < rows; ++i) c.at(i) = -1 / (2.5f + c(i - 1));
      const std::vector<float> all = c.to_vector<float>();
      float v = -0.4f;
      for (std::int64_t i = 0; i < rows; ++i, v = -1 / (2.5f + v))
        ASSERT_EQ(all[static_cast<std::size_t>(i * kColumns)], v) << i;
    });
  };
  const kn::Stats few = run(40), many = run(400);
  EXPECT_LE(kernels(few) + kernels(many), 12);
  EXPECT_LE(many.launched, 2 * 400 + 10);
  EXPECT_LE(many.bytes_read + many.bytes_written, 8 * 400 * kColumns * 4);
}

// Columns that are made from all columns before them.
TEST(Writes, ColumnsMayBeReadAgain) {
  if (interpreting()) return;
  const Array a = kn::reshape(kn::sin(kn::arange(3000).astype(kn::float32)), {100, 30});
  kn::eval(a);
  const auto run = [&](int columns) {
    return counted([&] {
      Array q = kn::zeros({100, 30});
      for (int j = 0; j < columns; ++j) {
        Array v = a(_, j);
        for (int i = 0; i < j; ++i) v = v - kn::sum(q(_, i) * v) * q(_, i);
        q.at(_, j) = v / kn::sqrt(kn::sum(v * v));
      }
      const std::vector<float> all = kn::matmul(kn::transpose(q), q).to_vector<float>();
      for (std::size_t k = 0; k < static_cast<std::size_t>(columns); ++k)
        ASSERT_NEAR(all[31 * k], 1, 1e-4) << k;
      ASSERT_NEAR(all[1], 0, 1e-4);
    });
  };
  const kn::Stats few = run(3), many = run(6);
  EXPECT_LE(many.launched, 5 * few.launched + 20);
}

// Nobody else holds the array: the row's bytes are moved. Somebody does: it is copied, and theirs
// stays.
TEST(Writes, OfARowMoveTheRow) {
  if (interpreting()) return;
  constexpr std::int64_t kRows = 512, kColumns = 1024;
  Array x = kn::zeros({kRows, kColumns});
  kn::eval(x);
  for (int i = 0; i < 3; ++i) {  // the second and third find a plan
    const kn::Stats s = counted([&] {
      x.at(7 + i) = static_cast<float>(i + 1);
      kn::eval(x);
    });
    EXPECT_EQ(s.launched, 1);
    EXPECT_LE(s.bytes_read + s.bytes_written, 2 * kColumns * 4);
    EXPECT_EQ(s.plans_built, i == 0 ? 1 : 0);
  }
  const Array held = x;
  const kn::Stats s = counted([&] {
    x.at(9) = -1;
    kn::eval(x);
  });
  EXPECT_GE(s.bytes_written, kRows * kColumns * 4);
  EXPECT_EQ(held(9, 5).item<float>(), 3);
  EXPECT_EQ(x(9, 5).item<float>(), -1);
  EXPECT_EQ(x(8, 5).item<float>(), 2);
  EXPECT_EQ(x(10, 5).item<float>(), 0);
}

// What fuses today does: a few writes into an array that is computed anyway.
TEST(Writes, OfBoundariesAreFused) {
  if (interpreting()) return;
  const Array x = kn::reshape(kn::arange(40000).astype(kn::float32), {200, 200});
  kn::eval(x);
  const kn::Stats s = counted([&] {
    Array y = x * 0.5f;
    y.at(0) = 1;
    y.at(-1) = 2;
    y.at(_, 0) = 3;
    y.at(_, -1) = 4;
    kn::eval(y);
  });
  EXPECT_EQ(s.launched, 1);
}

// One launch, or as many as the tables of arguments take, of two kernels: the first place is 0.
TEST(Writes, JoinsOfManyAreLinear) {
  if (interpreting()) return;
  constexpr int kParts = 1000;
  std::vector<Array> parts;
  for (int i = 0; i < kParts; ++i) parts.push_back(Array(static_cast<float>(i)));
  kn::eval(parts);
  const auto join = [&] {
    const std::vector<float> all = kn::stack(parts).to_vector<float>();
    for (int i = 0; i < kParts; ++i) ASSERT_EQ(all[static_cast<std::size_t>(i)], i);
  };
  const kn::Stats first = counted(join), second = counted(join);
  EXPECT_LE(kernels(first), 4);
  EXPECT_LE(first.launched, 20);
  EXPECT_EQ(second.plans_built, 0);
}

// Of arrays of other extents, along an axis within.
TEST(Writes, JoinsOfManyShapes) {
  on_each_device([] {
    std::vector<Array> parts;
    std::vector<float> expected(std::size_t{3} * 190);
    std::size_t at = 0;
    for (std::size_t i = 0; i < 20; ++i) {
      const auto n = static_cast<std::int64_t>(i);
      const Array part = kn::reshape(kn::arange(3 * n).astype(kn::float32), {3, n});
      parts.push_back(i % 3 == 0 ? part : part * 2);
      for (std::size_t r = 0; r < 3; ++r) {
        for (std::size_t k = 0; k < i; ++k)
          expected[r * 190 + at + k] = static_cast<float>((r * i + k) * (i % 3 == 0 ? 1 : 2));
      }
      at += i;
    }
    EXPECT_EQ(kn::concat(parts, 1).to_vector<float>(), expected);
  });
}

// A view that was taken before keeps the old value, whatever is read of it when.
TEST(Writes, LeaveEarlierViewsAsTheyWere) {
  on_each_device([] {
    Array x = kn::arange(1000).astype(kn::float32);
    kn::eval(x);
    const Array before = x(slice(0, 4)), shifted = x(slice(1, 1000));
    x.at(slice(2, 1000)) = shifted(slice(0, 998)) * 2;
    x.at(0) = x(1) + x(2);
    EXPECT_EQ(x(slice(0, 5)).to_vector<float>(), (std::vector<float>{3, 1, 2, 4, 6}));
    EXPECT_EQ(before.to_vector<float>(), (std::vector<float>{0, 1, 2, 3}));
    EXPECT_EQ(shifted(slice(0, 3)).to_vector<float>(), (std::vector<float>{1, 2, 3}));
  });
}

// More than a node of a graph may have operands.
TEST(Writes, AJoinOfVeryManyIsAJoinOfJoins) {
  const kn::Array zero = kn::zeros({1}, kn::int32), one = kn::ones({1}, kn::int32);
  kn::eval(zero, one);
  std::vector<kn::Array> many(70'000, zero);
  many[3] = many[66'000] = one;
  const std::vector<int> all = kn::concat(many).to_vector<int>();
  ASSERT_EQ(all.size(), many.size());
  EXPECT_EQ(std::accumulate(all.begin(), all.end(), 0), 2);
  EXPECT_EQ(all[3] + all[66'000], 2);
}

}  // namespace
