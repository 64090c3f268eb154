// Nan::trap: the operation that makes the first NaN is named, and nothing else is.
#include <cmath>
#include <functional>
#include <limits>
#include <thread>

#include <gmock/gmock.h>

#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

// Evaluates under trap; the error, whose message is in *message.
kn::NanTrapped trapped(const kn::Array& x) {
  const kn::Scope scope({.nan = kn::Nan::trap});
  try {
    kn::eval(x);
  } catch (const kn::NanTrapped& error) {
    EXPECT_FALSE(x.evaluated());
    return error;
  }
  ADD_FAILURE() << "no NaN was trapped in " << x;
  return kn::NanTrapped("");
}

void passes(const kn::Array& x) {
  const kn::Scope scope({.nan = kn::Nan::trap});
  EXPECT_NO_THROW(kn::eval(x));
}

TEST(Nan, NamesOperationLineLabelElementAndOperands) {
  on_each_device([] {
    const int made = __LINE__ + 1;
    const kn::Array x = kn::Array{{1.f, 2.f}, {0.f, -3.f}}.named("x");
    const kn::Array y = kn::Array{{1.f, 0.f}, {0.f, 1.f}};
    const int line = __LINE__ + 1;
    const kn::Array ratio = (x / y).named("ratio");
    const kn::NanTrapped error = trapped(ratio + 1.f);
    EXPECT_EQ(error.where.line, line);
    EXPECT_EQ(error.index, (std::vector<std::int64_t>{1, 0}));
    const std::string message = error.what();
    expect_contains(message, "kiln: divide: element (1, 0) is NaN");
    expect_contains(message, "\n  at nan_tests.cpp:" + std::to_string(line));
    expect_contains(message, "\n  result: float32 (2, 2) \"ratio\" = ");
    expect_contains(message, "\n  left: float32 (2, 2) x, there 0, made at nan_tests.cpp:" +
                                 std::to_string(made));
    expect_contains(message, "\n  right: float32 (2, 2) ");
    expect_contains(message, "\n  try: ");
    EXPECT_TRUE(std::isnan((ratio + 1.f)(1, 0).item<float>())) << "allowed again behind the scope";
  });
}

struct Program {
  const char* message;  // a part of it; empty: nothing is trapped
  int line;
  std::function<kn::Array()> run;
};

kn::Array row(std::vector<float> values) { return kn::Array(std::move(values)); }

// One a line: the line of the entry is the line of the operation.
// clang-format off
const Program kPrograms[] = {
    {"subtract: element (1)", __LINE__, [] { return row({1, kInf}) - row({kInf, kInf}); }},
    {"multiply: element (0)", __LINE__, [] { return row({0, 1}) * kInf; }},
    {"log: element (1)", __LINE__, [] { return kn::log(row({1, -1})); }},
    {"sqrt: element (1)", __LINE__, [] { return kn::sqrt(row({1, -1})); }},
    {"sin: element (0)", __LINE__, [] { return kn::sin(row({kInf})); }},
    {"pow: element (0)", __LINE__, [] { return kn::pow(row({-2}), 0.5f); }},
    {"sum: element ()", __LINE__, [] { return kn::sum(row({1, kInf, -kInf})); }},
    {"there 3 elements from -inf to inf", __LINE__, [] { return kn::sum(row({1, kInf, -kInf})); }},
    {"sum: element (1)", __LINE__, [] { return kn::sum(kn::Array{{1.f, 2.f}, {kInf, -kInf}}, {1}); }},
    {"prod: element ()", __LINE__, [] { return kn::prod(row({0, kInf})); }},
    {"subtract: element (1)", __LINE__, [] { return kn::var(row({1, kInf})); }},
    {"divide: element ()", __LINE__, [] { return kn::var(row({1}), kn::all_axes, kn::Correction{1}); }},
    {"matmul: element (1, 0)", __LINE__, [] { return kn::matmul(kn::Array{{1.f, 1.f}, {0.f, kInf}}, kn::Array{{0.f}, {0.f}}); }},
    {"subtract: element (0)", __LINE__, [] { return kn::softmax(row({-kInf, -kInf})); }},
    // A NaN may vanish: that it was made counts.
    {"divide: element (0)", __LINE__, [] { const kn::Array x = row({0, 1}); return kn::where(x > 0, x / x, 0.f); }},
    {"divide: element (0)", __LINE__, [] { const kn::Array x = row({0, 1}); return kn::isnan(x / x); }},
    // What is in the data is handed on, through everything.
    {"", 0, [] { return kn::sqrt(row({kNan, 1})) + row({kNan, 1}); }},
    {"", 0, [] { return kn::sum(row({kNan, 1, kInf, -kInf})); }},
    {"", 0, [] { return kn::matmul(kn::Array{{kNan, kInf}}, kn::Array{{0.f}, {0.f}}); }},
    {"", 0, [] { return kn::max(row({kNan, 1})); }},
    {"", 0, [] { return kn::where(row({1, 0}) > 0.5f, kNan, 1.f); }},
    {"", 0, [] { return row({1, 2}) * kNan; }},
    {"", 0, [] { return kn::flip(row({kNan, 1})).reshape({2, 1}); }},
    {"", 0, [] { return kn::concat({row({kNan}), row({1})}); }},
    {"", 0, [] { return kn::pad(row({1}), {{1, 1}}, kNan); }},
    {"", 0, [] { return kn::astype(row({kNan, 1}), kn::float16); }},
    {"", 0, [] { return kn::astype(row({kNan, 1}), kn::int32); }},
    {"", 0, [] { return kn::softmax(row({kNan, 1})); }},
    {"", 0, [] { return kn::layer_norm(row({kNan, 1})); }},
    // An element of its own: another one's NaN is no excuse.
    {"log: element (1)", __LINE__, [] { return kn::log(row({kNan, -1})); }},
    {"sum: element (1)", __LINE__, [] { return kn::sum(kn::Array{{kNan, 2.f}, {kInf, -kInf}}, {1}); }},
    // A function's inner NaNs are its own affair; those of its result are not.
    {"", 0, [] { return row({5, -5, 1}) % row({kInf, -kInf, 2}); }},
    {"", 0, [] { return kn::floor_divide(row({5, -5, 7}), row({0, 0, kInf})); }},
    {"", 0, [] { return kn::floor_divide(row({kNan, 1}), row({1, kNan})); }},
    {"element (1)", __LINE__, [] { return kn::floor_divide(row({1, 0}), row({0, 0})); }},
    {"element (0)", __LINE__, [] { return kn::floor_divide(row({kInf, 1}), row({2, 2})); }},
    {"", 0, [] { return kn::floor_divide(kn::Array{{kNan}, {1.f}}, row({1, 2, kNan})); }},
    {"", 0, [] { return kn::Array{{kNan}, {1.f}} % row({kInf, 2, kNan}); }},
    {"element (0)", __LINE__, [] { return kn::remainder(row({kInf, 1}), row({2, 2})); }},
    {"", 0, [] { return kn::logsumexp(row({-kInf, -kInf})); }},
    {"", 0, [] { return kn::sigmoid(row({-1000, 1000})); }},
    {"", 0, [] { return kn::sum(kn::zeros({0})) + kn::max(row({1})); }},
};
// clang-format on

TEST(Nan, IsTrappedWhereItIsMadeAndNowhereElse) {
  on_each_device([] {
    for (const kn::Mode mode : {kn::Mode::lazy, kn::Mode::eager}) {
      for (const Program& program : kPrograms) {
        SCOPED_TRACE(program.message + std::string(", line ") + std::to_string(program.line));
        const kn::Scope scope({.mode = mode, .nan = kn::Nan::trap});
        if (program.line == 0) {
          EXPECT_NO_THROW(kn::eval(program.run()));
          continue;
        }
        int line = 0;
        const std::string message =
            message_of<kn::NanTrapped>([&] { kn::eval(program.run()); }, &line);
        expect_contains(message, program.message);
        EXPECT_EQ(line, program.line);
      }
    }
  });
}

// Wherever within a function the loop is flushed, its NaN is seen and nothing else: before a flush,
// in it or after it.
void repair_while_flushing(std::int64_t after) {
  const kn::Scope scope({.mode = kn::Mode::lazy, .nan = kn::Nan::trap, .flush_after = after});
  const kn::Array zero = row({0, 0});
  const auto floors = [&](std::vector<std::vector<float>> dividends) {
    std::vector<kn::Array> quotients;
    for (std::vector<float>& dividend : dividends)
      quotients.push_back(kn::floor_divide(row(std::move(dividend)), zero));
    kn::eval(quotients);
  };
  EXPECT_NO_THROW(floors({{5, 1}, {-2, 3}, {4, 4}, {-7, 1}}));
  EXPECT_THROW(floors({{5, 1}, {0, 3}, {4, 4}}), kn::NanTrapped);
  EXPECT_THROW(floors({{5, 1}, {1, 3}, {0, 4}}), kn::NanTrapped);
}

TEST(Nan, AFlushWithinAFunctionHidesNone) {
  on_each_device([] {
    const kn::Device device = kn::zeros({1}).device();
    for (std::int64_t after = 1; after < 40; ++after) {
      SCOPED_TRACE(after);
      // A thread remembers where it flushed.
      std::thread([&] {
        const kn::Scope scope({.device = device});
        repair_while_flushing(after);
      }).join();
    }
  });
}

TEST(Nan, AnArrayThatLiesPermutedHasItsNameAndShape) {
  const std::vector<float> data(6, 0.f);
  const kn::Array x =
      kn::borrow(data.data(), {{2, 3}, {1, 2}}, std::make_shared<int>()).named("columns");
  const std::string message = trapped(x / 0.f).what();
  expect_contains(message, "= columns / ");
  expect_contains(message, "\n  left: float32 (2, 3) columns, there 0, made at ");
}

TEST(Nan, BitsOfIntegersAreNoNan) {
  const kn::Array x = kn::Array{0x7fc00000};
  passes(x + 1);
  passes(kn::astype(x, kn::float32) * 2.f);
}

TEST(Nan, ScopesNestAndRestore) {
  const kn::Array x = row({0, 1});
  const auto quotient = [&] { return x / row({0, 2}); };
  const kn::Scope trap({.nan = kn::Nan::trap});
  EXPECT_THROW(kn::eval(quotient()), kn::NanTrapped);
  {
    const kn::Scope allow({.nan = kn::Nan::allow});
    EXPECT_NO_THROW(kn::eval(quotient()));
    const kn::Scope other({.math = kn::Math::exact});
    EXPECT_NO_THROW(kn::eval(quotient()));
  }
  EXPECT_THROW(kn::eval(quotient()), kn::NanTrapped);
}

TEST(Nan, ArraysStayPendingAndInputsWhole) {
  on_each_device([] {
    kn::Array x = row({4, -1, 9});
    kn::eval(x);
    x = kn::sqrt(x) + 1.f;  // might be written over its operand
    const kn::Array other = row({1, 2, 3}) * 2.f;
    {
      const kn::Scope scope({.nan = kn::Nan::trap});
      EXPECT_THROW(kn::eval({other, x}), kn::NanTrapped);
    }
    EXPECT_FALSE(x.evaluated());
    EXPECT_FALSE(other.evaluated());
    EXPECT_EQ(values<float>(other), (std::vector<float>{2, 4, 6}));
    const std::vector<float> got = values<float>(x);
    EXPECT_EQ(got[0], 3.f);
    EXPECT_TRUE(std::isnan(got[1]));
    EXPECT_EQ(got[2], 4.f);
  });
}

TEST(Nan, EqualOperationsOfAFunctionAndOfTheUser) {
  on_each_device([] {
    // floor_divide records the quotient too, and both are one operation.
    const kn::Array a = row({1, 6}), b = row({0, 3});
    const kn::Array floor = kn::floor_divide(a, b);
    passes(floor);
    const kn::Array zero = row({0, 6});
    const kn::Array other = kn::floor_divide(zero, b);
    const kn::Array plain = zero / b;
    EXPECT_THAT(trapped(kn::where(b > 0.f, plain, 1.f)).what(),
                testing::HasSubstr("divide: element (0)"));
    passes(kn::where(b > 0.f, 1.f, floor));
  });
}

TEST(Nan, TheOutermostLineScopeDoesNotHideTheOperationsLine) {
  const int line = __LINE__ + 1;
  const kn::Array x = kn::log(row({-1}));
  const kn::LineScope scope;
  EXPECT_EQ(trapped(x).where.line, line);
}

TEST(Nan, ProgramsWithoutOneHaveTheirValues) {
  on_each_device([] {
    const kn::Scope scope({.nan = kn::Nan::trap});
    const kn::Array x = kn::linspace(0.f, 1.f, 1000);
    const std::vector<float> trapping = values<float>(kn::softmax(kn::exp(x) * 3.f - x));
    const kn::Scope allow({.nan = kn::Nan::allow});
    EXPECT_EQ(trapping, values<float>(kn::softmax(kn::exp(x) * 3.f - x)));
  });
}

}  // namespace
