// Random programs whose views repeat, as those of loops do: a graph that takes a view's axes from
// an equal one before must mean what recording it step by step means.
#include <functional>
#include <random>

#include "tests/frontend/support.h"
#include "tests/seed.h"

namespace {

using namespace kiln_tests;
using kn::_;
using kn::Array;
using kn::slice;

// Draws operations from few sorts with few numbers each, on arrays of 3 to 8 by 4 to 8 elements.
class Program {
 public:
  explicit Program(std::uint64_t seed) : seed_(seed), random_(seed) {}

  // The same steps each time; `between` is called before each.
  Array run(const std::vector<Array>& inputs, const std::function<void()>& between = {}) {
    random_.seed(seed_);
    std::vector<Array> values = inputs;
    for (int step = 0; step < 24; ++step) {
      if (between) between();
      values.push_back(next(values));
    }
    Array sum = weighed(values.back());
    for (const Array& x : values) sum = sum * 0.5f + weighed(x * 0.25f);
    return sum;
  }

 private:
  // A sum that knows where each element stands.
  static Array weighed(const Array& x) {
    return kn::sum(x * kn::reshape(kn::arange(x.size(), kn::float32) + 1.0f, x.shape()));
  }
  std::uint64_t draw(std::uint64_t below) { return random_() % below; }
  // One of the latest.
  const Array& any(const std::vector<Array>& values) {
    return values[values.size() - 1 - draw(std::min<std::uint64_t>(values.size(), 6))];
  }

  Array next(const std::vector<Array>& values) {
    const Array& x = any(values);
    const std::int64_t rows = x.shape()[0], columns = x.shape()[1];
    const auto first = static_cast<std::int64_t>(draw(2));
    switch (draw(9)) {
      case 0:
      case 1:  // as wide as others of another begin, or wider
        if (columns < 5) break;
        return x(_, slice(first, columns - static_cast<std::int64_t>(draw(2))));
      case 2:
        if (rows < 4) break;
        return x(slice(first, rows - 1 + first));
      case 3:
        return kn::flip(x, draw(2));
      case 4:
        if (columns > 7) break;
        return kn::pad(x, {{0, 0}, {first, 1 - first}});
      case 5:
        return kn::reshape(kn::reshape(x, {rows * columns}), {rows, columns});
      case 6:
        return rows < 4 || rows > 8 || columns > 8 ? x + 1.0f : kn::transpose(x);
      case 7:
        return x - kn::sum(x, 1, kn::keepdims) * 0.125f;
      default:
        break;
    }
    for (int i = 0; i < 8; ++i) {
      const Array& y = any(values);
      if (y.shape() == x.shape()) return x * 0.5f + y;
    }
    return x * 0.75f;
  }

  std::uint64_t seed_;
  std::mt19937_64 random_;
};

std::vector<Array> some_inputs(std::int64_t rows, std::int64_t columns) {
  const Array x = kn::reshape(kn::arange(rows * columns, kn::float32), {rows, columns});
  std::vector<Array> inputs{x, x * 0.5f - 3.0f};
  kn::eval(inputs);
  return inputs;
}

TEST(RepeatedViews, MeanWhatTheyMeanOneByOne) {
  const std::uint64_t seed = kiln::testing::first_seed();
  on_each_device([&] {
    const int programs = interpreting() ? 400 : 12;
    for (int i = 0; i < programs; ++i) {
      SCOPED_TRACE("KILN_SEED=" + std::to_string(seed + i));
      Program program(seed + i);
      const std::vector<Array> inputs = some_inputs(3 + i % 4, 5 + i % 3);
      const float together = program.run(inputs).item<float>();
      const kn::Scope scope({.device = kn::interpreter(), .mode = kn::Mode::eager});
      std::vector<Array> copies;
      for (const Array& x : inputs) copies.push_back(x.to(kn::interpreter()));
      EXPECT_EQ(together, program.run(copies).item<float>());
    }
  });
}

TEST(RepeatedViews, OfNoAxesAreNotThoseOfOnes) {
  on_each_device([] {
    const Array ones = kn::full({1, 1}, 2.0f);
    kn::eval(ones);
    const Array sum = kn::sum(kn::full({3}, 1.0f));
    const Array both = sum + ones;
    const Array line =
        kn::reshape(both, {1}) + kn::reshape(ones, {1}) * 10.0f + kn::reshape(sum, {1}) * 100.0f;
    EXPECT_EQ(values<float>(line), std::vector<float>{325});
  });
}

// Which lists and shapes share a box depends on what else was recorded; plans must not.
TEST(RepeatedViews, TheirPlansAreFoundAgainWhateverWasRecordedBetween) {
  if (interpreting()) GTEST_SKIP() << "the interpreter makes no plans";
  const kn::Scope scope(
      {.flush_after = 0});  // what is recorded between decides where loops are cut
  const std::uint64_t seed = kiln::testing::first_seed();
  for (int i = 0; i < 5; ++i) {
    SCOPED_TRACE("KILN_SEED=" + std::to_string(seed + i));
    Program program(seed + i);
    const std::vector<Array> inputs = some_inputs(5, 6);
    kn::eval(program.run(inputs));
    const kn::Stats before = kn::stats();
    const Array others = kn::reshape(kn::arange(4096, kn::float32), {64, 64});
    kn::eval(program.run(inputs, [&] {
      for (std::int64_t k = 1; k < 64; ++k) {
        static_cast<void>(others(slice(0, k), slice(_, _, k)));
      }
    }));
    EXPECT_EQ((kn::stats() - before).plans_built, 0);
  }
}

}  // namespace
