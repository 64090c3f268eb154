// Reductions, products and functions of rows.
#include <cmath>
#include <limits>

#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;
using kn::Shape;
using Ints = std::vector<int>;

kn::Array counted(const Shape& shape, kn::DType t = kn::int32) {
  return kn::reshape(kn::arange(shape.size(), t), shape);
}

TEST(Reductions, OverAnyAxes) {
  on_each_device([] {
    const kn::Array x = counted({2, 3, 4});
    EXPECT_EQ(kn::sum(x).item<std::int64_t>(), 276);
    EXPECT_EQ(values<int>(kn::sum(x, 0)), (Ints{12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34}));
    EXPECT_EQ(values<int>(kn::sum(x, -1)), (Ints{6, 22, 38, 54, 70, 86}));
    EXPECT_EQ(values<int>(kn::sum(x, {0, 2})), (Ints{60, 92, 124}));
    EXPECT_EQ(values<int>(kn::sum(x, {2, 0})), (Ints{60, 92, 124}));
    EXPECT_EQ(kn::sum(x, {}).shape(), (Shape{2, 3, 4}));
    EXPECT_EQ(kn::sum(x, 1, kn::keepdims).shape(), (Shape{2, 1, 4}));
    EXPECT_EQ(kn::sum(x, kn::all_axes, kn::keepdims).shape(), (Shape{1, 1, 1}));
    EXPECT_EQ(values<int>(kn::max(x, {1})), (Ints{8, 9, 10, 11, 20, 21, 22, 23}));
    EXPECT_EQ(kn::min(x).item<int>(), 0);
    EXPECT_EQ(kn::min(x, {0, 1}, kn::keepdims).shape(), (Shape{1, 1, 4}));
    EXPECT_EQ(kn::prod(kn::Array{1, 2, 3, 4}).item<std::int64_t>(), 24);
  });
}

TEST(Reductions, TruthValues) {
  on_each_device([] {
    const kn::Array x = {{0, 1}, {0, 0}};
    EXPECT_EQ(values<bool>(kn::any(x, 1)), (std::vector<bool>{1, 0}));
    EXPECT_EQ(values<bool>(kn::all(x != 5, 0)), (std::vector<bool>{1, 1}));
    EXPECT_FALSE(kn::all(x).item<bool>());
    EXPECT_EQ(kn::count_nonzero(x).item<std::int64_t>(), 1);
    EXPECT_EQ(values<int>(kn::sum(x == 0, 0)), (Ints{2, 1}));
    EXPECT_TRUE(kn::max(x > 0).item<bool>());
  });
}

TEST(Reductions, MeanVarianceDeviation) {
  on_each_device([] {
    const kn::Array x = {{1.0, 2.0, 4.0}, {3.0, 3.0, 3.0}};
    EXPECT_NEAR(kn::mean(x).item<double>(), 16.0 / 6, 1e-15);
    EXPECT_EQ(values<double>(kn::mean(x, 0)), (std::vector<double>{2, 2.5, 3.5}));
    EXPECT_NEAR(values<double>(kn::var(x, 1))[0], 14.0 / 9, 1e-15);
    EXPECT_NEAR(values<double>(kn::var(x, 1, kn::Correction{1}))[0], 7.0 / 3, 1e-15);
    const double infinity = std::numeric_limits<double>::infinity();
    EXPECT_EQ(kn::var(x(0), kn::all_axes, {5}).item<double>(), infinity);
    EXPECT_TRUE(std::isnan(kn::std(x(0, kn::slice(0, 1)), kn::all_axes, {2}).item<double>()));
    EXPECT_NEAR(values<double>(kn::std(x, 1))[0], std::sqrt(14.0 / 9), 1e-15);
    EXPECT_EQ(values<double>(kn::std(x, 1))[1], 0);
    EXPECT_EQ(kn::mean(kn::Array{1, 2}).item<double>(), 1.5);
  });
}

TEST(Reductions, ArgumentsOfExtremes) {
  on_each_device([] {
    const kn::Array x = {{3, 9, 2}, {9, 0, 9}};
    EXPECT_EQ(kn::argmax(x).item<std::int64_t>(), 1);
    EXPECT_EQ(values<int>(kn::argmax(x, 1)), (Ints{1, 0}));
    EXPECT_EQ(values<int>(kn::argmin(x, 0)), (Ints{0, 1, 0}));
    EXPECT_EQ(kn::argmax(x, 1, kn::keepdims).shape(), (Shape{2, 1}));
    EXPECT_EQ(kn::argmin(x, {}, kn::keepdims).shape(), (Shape{1, 1}));
    const double nan = std::numeric_limits<double>::quiet_NaN();
    EXPECT_EQ(kn::argmax(kn::Array{1.0, nan, 5.0, nan}).item<std::int64_t>(), 1);
    EXPECT_TRUE(std::isnan(kn::max(kn::Array{1.0, nan}).item<double>()));
    EXPECT_EQ(kn::argmax(kn::Array{false, true}).item<std::int64_t>(), 1);
  });
}

// Keeping the axes is no matter of the kernel, nor one more kernel.
TEST(Reductions, WithTheirAxesAreTheSameKernels) {
  const kn::Scope scope({.device = kn::plan_only("sm_80")});
  const kn::Array x = kn::zeros({40, 50, 60}) + 1;
  const auto kernels = [](const kn::Array& y) {  // a name has a hash of the text
    std::vector<std::string> names;
    for (const kn::Source& kernel : kn::cuda_source(y, "sm_80")) names.push_back(kernel.name);
    return names;
  };
  for (const kn::Axes& axes : {kn::Axes(2), kn::Axes(0), kn::Axes({0, 2}), kn::Axes({0, 1, 2})}) {
    EXPECT_EQ(kernels(kn::sum(x, axes)), kernels(kn::sum(x, axes, kn::keepdims)));
    EXPECT_EQ(kernels(kn::max(x, axes)), kernels(kn::max(x, axes, kn::keepdims)));
    EXPECT_EQ(kernels(kn::mean(x, axes)), kernels(kn::mean(x, axes, kn::keepdims)));
    EXPECT_EQ(kernels(kn::std(x, axes)),
              kernels(kn::std(x, axes, kn::Correction(0), kn::keepdims)));
    EXPECT_EQ(kernels(kn::all(x > 0, axes)), kernels(kn::all(x > 0, axes, kn::keepdims)));
  }
  EXPECT_NE(kernels(kn::sum(x, 0)), kernels(kn::sum(x, 2)));
}

TEST(Reductions, OfNoElements) {
  on_each_device([] {
    const kn::Array x = kn::zeros({0, 3});
    EXPECT_EQ(kn::sum(x).item<float>(), 0);
    EXPECT_FALSE(std::signbit(kn::sum(x).item<float>()));
    EXPECT_EQ(kn::prod(x, 0).to_vector<float>(), (std::vector<float>{1, 1, 1}));
    EXPECT_TRUE(kn::all(x).item<bool>());
    EXPECT_FALSE(kn::any(x).item<bool>());
    EXPECT_TRUE(std::isnan(kn::mean(x).item<float>()));
    EXPECT_EQ(kn::max(x, {1}).shape(), (Shape{0}));
    expect_contains(message_of([&] { return kn::max(x, {0}); }), "max: axis 0 has no elements");
    expect_contains(message_of([&] { return kn::argmin(x); }), "argmin: axis 0 has no elements");
    EXPECT_EQ(values<float>(kn::matmul(kn::zeros({2, 0}), kn::zeros({0, 2}))),
              (std::vector<float>(4, 0)));
    EXPECT_EQ(text(kn::softmax(x)), "[]");
  });
}

TEST(Rows, BySums) {
  on_each_device([] {
    const kn::Array x = kn::Array{{1.0, 2.0, 3.0}, {1000.0, 1000.0, 1000.0}};
    const std::vector<double> s = values<double>(kn::softmax(x));
    const double total = std::exp(-2.0) + std::exp(-1.0) + 1;
    EXPECT_NEAR(s[0], std::exp(-2.0) / total, 1e-15);
    EXPECT_NEAR(s[5], 1.0 / 3, 1e-15);
    EXPECT_NEAR(values<double>(kn::log_softmax(x))[2], -std::log(total), 1e-15);
    EXPECT_NEAR(values<double>(kn::logsumexp(x, 1))[1], 1000 + std::log(3.0), 1e-12);
    EXPECT_EQ(kn::logsumexp(x, 1, kn::keepdims).shape(), (Shape{2, 1}));
    const double infinity = std::numeric_limits<double>::infinity();
    EXPECT_EQ(kn::logsumexp(kn::Array{-infinity, -infinity}).item<double>(), -infinity);
    const std::vector<double> n = values<double>(kn::layer_norm(x));
    EXPECT_NEAR(n[0], -1 / std::sqrt(2.0 / 3 + 1e-5), 1e-12);
    EXPECT_NEAR(values<double>(kn::rms_norm(x))[2], 3 / std::sqrt(14.0 / 3 + 1e-5), 1e-12);
    EXPECT_EQ(kn::softmax(x.astype(kn::float16)).dtype(), kn::float16);
  });
}

TEST(Matmul, OfVectorsMatricesAndBatches) {
  on_each_device([] {
    const kn::Array a = counted({2, 3}, kn::float32), b = counted({3, 2}, kn::float32);
    EXPECT_EQ(values<int>(kn::matmul(a, b)), (Ints{10, 13, 28, 40}));
    EXPECT_EQ(values<int>(kn::matmul(a, a.T())), (Ints{5, 14, 14, 50}));
    EXPECT_EQ(values<int>(kn::matmul(a, b(kn::_, 0))), (Ints{10, 28}));
    EXPECT_EQ(values<int>(kn::matmul(a(0), b)), (Ints{10, 13}));
    EXPECT_EQ(kn::matmul(a(0), b(kn::_, 1)).item<float>(), 13);
    EXPECT_EQ(kn::matmul(kn::zeros({4, 1, 2, 3}), kn::zeros({5, 3, 6})).shape(),
              (Shape{4, 5, 2, 6}));
    EXPECT_EQ(values<int>(kn::matmul(a.astype(kn::int16), b.astype(kn::int8))),
              (Ints{10, 13, 28, 40}));
    EXPECT_EQ(kn::matmul(a.astype(kn::float16), b.astype(kn::float16)).dtype(), kn::float16);
    EXPECT_EQ(values<int>(kn::vecdot(a, a)), (Ints{5, 50}));
    EXPECT_EQ(values<int>(kn::outer(kn::Array{1, 2}, kn::Array{3, 4})), (Ints{3, 4, 6, 8}));
  });
}

TEST(Creation, RangesAndIdentities) {
  on_each_device([] {
    EXPECT_EQ(values<int>(kn::arange(2, 10, 3)), (Ints{2, 5, 8}));
    EXPECT_EQ(values<int>(kn::arange(5, 0, -2)), (Ints{5, 3, 1}));
    EXPECT_EQ(kn::arange(3, 1).size(), 0);
    EXPECT_EQ(text(kn::arange(0, -3, -1, kn::float32)), "[ 0. -1. -2.]");
    EXPECT_EQ(text(kn::arange(0.0, -1.0, -0.5, kn::float64)), "[ 0.  -0.5]");
    EXPECT_EQ(text(kn::arange(-0.0, 2.0)), "[0. 1.]");
    EXPECT_EQ(text(kn::arange(12, 10, -1, kn::uint32)), "[12 11]");
    EXPECT_EQ(text(kn::arange(12.9, 10, -1, kn::uint32)), "[12 11 10]");
    EXPECT_EQ(text(kn::arange(0, 10, 300, kn::uint8)), "[0]");
    EXPECT_EQ(text(kn::arange(2, -3, -1, kn::uint8)), "[  2   1   0 255 254]");
    EXPECT_EQ(text(kn::arange(-2, 2, 1, kn::int8)), "[-2 -1  0  1]");
    const std::uint64_t top = std::numeric_limits<std::uint64_t>::max();
    EXPECT_EQ(text(kn::arange(top - 2, top, 1, kn::uint64)),
              "[18446744073709551613 18446744073709551614]");
    EXPECT_EQ(kn::arange(0, top, std::uint64_t{1} << 62, kn::uint64).size(), 4);
    EXPECT_EQ(kn::arange(top, 3, -(std::int64_t{1} << 62), kn::uint64).size(), 4);
    EXPECT_EQ(text(kn::arange(1e19, 1.15e19, 1e18, kn::uint64)),
              "[10000000000000000000 11000000000000000000]");
    EXPECT_THROW((void)kn::arange(1e19, 2e19, 1e18, kn::int64), kn::UserError);
    EXPECT_THROW((void)kn::arange(-5, top), kn::UserError);  // 2^64 + 4 numbers
    EXPECT_EQ(values<float>(kn::arange(0, 1, 0.25)), (std::vector<float>{0, .25f, .5f, .75f}));
    EXPECT_EQ(values<double>(kn::linspace(0, 1, 5, kn::float64)),
              (std::vector<double>{0, .25, .5, .75, 1}));
    EXPECT_EQ(values<float>(kn::linspace(2, 3, 1)), (std::vector<float>{2}));
    EXPECT_EQ(values<float>(kn::linspace(0, 0.3, 4)).back(), 0.3f);
    EXPECT_EQ(values<int>(kn::eye(2, 3, 1)), (Ints{0, 1, 0, 0, 0, 1}));
    EXPECT_EQ(values<int>(kn::full({2, 2}, 7)), Ints(4, 7));
    EXPECT_EQ(values<int>(kn::ones_like(kn::zeros({3}, kn::int8))), Ints(3, 1));
    EXPECT_EQ(values<int>(kn::full_like(kn::zeros({2}, kn::uint8), 3)), Ints(2, 3));
    EXPECT_EQ(kn::full({2}, kn::Array(1.5f)).to_vector<float>(), (std::vector<float>{1.5f, 1.5f}));
  });
}

TEST(Creation, FromHostMemory) {
  on_each_device([] {
    const std::vector<int> data = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    const kn::Array copied = kn::from_host(data.data() + 1, {{3, 2}, {4, 2}});
    EXPECT_EQ(values<int>(copied), (Ints{1, 3, 5, 7, 9, 11}));
    EXPECT_EQ(values<int>(kn::from_host(data.data() + 11, {{2, 3}, {-6, -2}})),
              (Ints{11, 9, 7, 5, 3, 1}));
    const auto owner = std::make_shared<std::vector<int>>(data);
    const kn::Array lent = kn::borrow(owner->data() + 3, {{2, 3}, {4, -1}}, owner);
    EXPECT_GT(owner.use_count(), 1);
    EXPECT_EQ(values<int>(lent), (Ints{3, 2, 1, 7, 6, 5}));
    EXPECT_EQ(values<int>(lent * 2), (Ints{6, 4, 2, 14, 12, 10}));
    EXPECT_EQ(values<int>(kn::sum(lent, 0)), (Ints{10, 8, 6}));
    std::vector<int> moved = data;
    const int* const address = moved.data();
    const kn::Array taken(std::move(moved));
    EXPECT_EQ(taken.host<int>().data(), address);
    EXPECT_EQ(values<int>(kn::Array(std::span<const int>(data), {3, 4})(2)), (Ints{8, 9, 10, 11}));
    EXPECT_EQ(values<bool>(kn::Array(std::vector<bool>{true, false})), (std::vector<bool>{1, 0}));
    EXPECT_EQ((kn::Array{{1, 2}, {3, 4}}).shape(), (Shape{2, 2}));
    expect_contains(message_of([] { kn::Array x{{1, 2}, {3}}; }), "rows have different lengths");
    expect_contains(message_of([&] { return kn::Array(std::span<const int>(data), {5}); }),
                    "shape (5) has 5 elements, the data has 12");
    expect_contains(message_of([&] { return kn::borrow(data.data(), {{12}, {1}}, nullptr); }),
                    "the owner is null");
  });
}

// Whether a conversion is allowed depends on the dtypes, never on the values.
TEST(Reading, ConvertsByDtype) {
  const kn::DType floats[] = {kn::float16, kn::bfloat16, kn::float32, kn::float64};
  for (const kn::DType t : floats) {
    const kn::Array x = kn::Array{0.1, 1.0, -3.0, 1e-7}.astype(t);
    const std::vector<double> wide = x.to_vector<double>();
    for (std::size_t i = 0; i < wide.size(); ++i) {
      EXPECT_EQ(x.to_vector<float>()[i], static_cast<float>(wide[i]));
      EXPECT_EQ(x.host<kn::half>()[static_cast<std::int64_t>(i)].bits,
                x.astype(kn::float16).host<kn::half>()[static_cast<std::int64_t>(i)].bits);
      EXPECT_EQ(x.to_vector<kn::brain_float>()[i].bits,
                x.astype(kn::bfloat16).to_vector<kn::brain_float>()[i].bits);
    }
    for (const kn::Array& y : {kn::zeros({0}, t), kn::ones({1}, t)}) {
      expect_contains(message_of([&] { return y.to_vector<std::int64_t>(); }),
                      "to_vector: int64 does not hold every " + std::string(name(t)));
      expect_contains(message_of([&] { return y.host<bool>(); }), "try: astype(kiln::bool_)");
    }
  }
  const auto holds = []<class T>(kn::DType t, T) {
    try {
      return kn::ones({1}, t).item<T>() == T{1};
    } catch (const kn::UserError&) {
      return false;
    }
  };
  const auto row = [&](kn::DType t) {
    return std::vector<bool>{holds(t, std::int8_t{}),   holds(t, std::int16_t{}),
                             holds(t, std::int32_t{}),  holds(t, std::int64_t{}),
                             holds(t, std::uint8_t{}),  holds(t, std::uint16_t{}),
                             holds(t, std::uint32_t{}), holds(t, std::uint64_t{}),
                             holds(t, float{}),         holds(t, double{})};
  };
  using Row = std::vector<bool>;
  EXPECT_EQ(row(kn::bool_), Row(10, true));
  EXPECT_EQ(row(kn::int8), (Row{1, 1, 1, 1, 0, 0, 0, 0, 1, 1}));
  EXPECT_EQ(row(kn::int16), (Row{0, 1, 1, 1, 0, 0, 0, 0, 1, 1}));
  EXPECT_EQ(row(kn::int32), (Row{0, 0, 1, 1, 0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(row(kn::int64), (Row{0, 0, 0, 1, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(row(kn::uint8), (Row{0, 1, 1, 1, 1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(row(kn::uint16), (Row{0, 0, 1, 1, 0, 1, 1, 1, 1, 1}));
  EXPECT_EQ(row(kn::uint32), (Row{0, 0, 0, 1, 0, 0, 1, 1, 0, 1}));
  EXPECT_EQ(row(kn::uint64), (Row{0, 0, 0, 0, 0, 0, 0, 1, 0, 0}));
  EXPECT_EQ(row(kn::float32), (Row{0, 0, 0, 0, 0, 0, 0, 0, 1, 1}));
}

TEST(Reading, CopiesAndViews) {
  const kn::Array x = {1.0, 2.0, -3.0};
  EXPECT_EQ(x.to_vector<float>(), (std::vector<float>{1, 2, -3}));
  expect_contains(message_of([&] { return x.to_vector<unsigned char>(); }),
                  "to_vector: uint8 does not hold every float64");
  expect_contains(message_of([] { return kn::Array{1}.to_vector<float>(); }),
                  "try: astype(kiln::float32)");
  expect_contains(message_of([&] { return x.item<double>(); }), "item: needs one element, not 3");
  std::vector<double> target(3);
  x.copy_to(std::span<double>(target));
  EXPECT_EQ(target[2], -3);
  target.resize(2);
  expect_contains(message_of([&] { return x.copy_to(std::span<double>(target)); }),
                  "the target has 2 elements, the array 3");
  const kn::HostView<double> view = x.host<double>();
  EXPECT_EQ(view[2], -3);
  EXPECT_TRUE(kn::any(x > 1));
  expect_contains(message_of([&] { static_cast<void>(static_cast<bool>(x > 1)); }),
                  "use any() or all()");
}

}  // namespace
