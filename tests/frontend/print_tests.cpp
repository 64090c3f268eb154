// operator<< against texts that NumPy prints for the same values.
#include <limits>

#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;

TEST(Print, Vectors) {
  EXPECT_EQ(text(kn::Array{1, -20, 300}), "[  1 -20 300]");
  EXPECT_EQ(text(kn::Array{true, false}), "[ True False]");
  EXPECT_EQ(text(kn::Array{1.0, 2.5, -3.25}), "[ 1.    2.5  -3.25]");
  EXPECT_EQ(text(kn::Array{0.1f, 0.2f, 1.f / 3}), "[0.1        0.2        0.33333334]");
  EXPECT_EQ(text(kn::Array{1.0 / 3, 100.0}), "[  0.33333333 100.        ]");
  EXPECT_EQ(text(kn::Array{1e10, 1.0}), "[1.e+10 1.e+00]");
  EXPECT_EQ(text(kn::Array{1.5e-5, 0.25}), "[1.5e-05 2.5e-01]");
  const double inf = std::numeric_limits<double>::infinity(),
               nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(text(kn::Array{1.0, nan, -inf}), "[  1.  nan -inf]");
  EXPECT_EQ(text(kn::Array{nan}), "[nan]");
  EXPECT_EQ(text(kn::Array{0.1, 0.25}.astype(kn::float16)), "[0.1  0.25]");
  EXPECT_EQ(text(kn::Array(std::vector<std::uint64_t>{18446744073709551615u, 0})),
            "[18446744073709551615                    0]");
}

// Where others need more digits than a value does, the value's own stand there.
TEST(Print, DigitsBeyondTheShortest) {
  const auto halves = [](std::initializer_list<double> list) {
    return text(kn::Array(list).astype(kn::float16));
  };
  EXPECT_EQ(halves({1e-7}), "[1.e-07]");
  EXPECT_EQ(halves({1e-7, 0.00123}), "[1.19e-07 1.23e-03]");
  EXPECT_EQ(halves({6e-8, 65504}), "[5.96e-08 6.55e+04]");
  EXPECT_EQ(text(kn::Array{1e-45f, 1.5f}), "[1.4e-45 1.5e+00]");
  EXPECT_EQ(text(kn::Array{99999992.f, 99999000.f}), "[99999992. 99999000.]");
  EXPECT_EQ(text(kn::Array(99999992.f)), "99999990.0");
  EXPECT_EQ(text(kn::Array{1e-4f}), "[0.0001]");
  EXPECT_EQ(text(kn::Array{0.1, 1e-9}), "[1.e-01 1.e-09]");
}

TEST(Print, Numbers) {
  EXPECT_EQ(text(kn::Array(5)), "5");
  EXPECT_EQ(text(kn::Array(1.5)), "1.5");
  EXPECT_EQ(text(kn::Array(2.0)), "2.0");
  EXPECT_EQ(text(kn::Array(1e20)), "1e+20");
  EXPECT_EQ(text(kn::Array(1.25e-7)), "1.25e-07");
  EXPECT_EQ(text(kn::Array(true)), "True");
  EXPECT_EQ(text(kn::Array(0.1f)), "0.1");
  EXPECT_EQ(text(kn::Array(123456789.0)), "123456789.0");
}

TEST(Print, Matrices) {
  EXPECT_EQ(text(kn::reshape(kn::arange(6), {2, 3})), "[[0 1 2]\n [3 4 5]]");
  EXPECT_EQ(text(kn::reshape(kn::arange(8), {2, 2, 2})), "[[[0 1]\n  [2 3]]\n\n [[4 5]\n  [6 7]]]");
  for (const kn::Shape& shape :
       {kn::Shape{0}, kn::Shape{2, 0}, kn::Shape{0, 2}, kn::Shape{3, 0, 2}})
    EXPECT_EQ(text(kn::zeros(shape) + 1), "[]");
  EXPECT_EQ(text(kn::zeros({1, 1, 1})), "[[[0.]]]");
}

TEST(Print, LongRowsWrap) {
  EXPECT_EQ(text(kn::arange(30)),
            "[ 0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 23\n"
            " 24 25 26 27 28 29]");
}

TEST(Print, LargeArraysAreSummarised) {
  EXPECT_EQ(text(kn::arange(1001)), "[   0    1    2 ...  998  999 1000]");
  const std::string wide = text(kn::reshape(kn::arange(10000), {100, 100}));
  EXPECT_EQ(wide.substr(0, wide.find('\n')), "[[   0    1    2 ...   97   98   99]");
  expect_contains(wide, "\n ...\n [9700 9701 9702 ... 9797 9798 9799]\n");
  const kn::Array view = kn::reshape(kn::arange(10000), {100, 100}).T();
  kn::eval(view);
  expect_contains(text(view), "[[   0  100  200 ... 9700 9800 9900]\n");
}

}  // namespace
