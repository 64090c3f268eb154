// Views, indexing and writing to places.
#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;
using kn::_;
using kn::ellipsis;
using kn::newaxis;
using kn::Shape;
using kn::slice;
using Ints = std::vector<int>;

kn::Array counted(const Shape& shape) {
  return kn::reshape(kn::arange(shape.size(), kn::int32), shape);
}

// Python's x[begin:end:step] on 0..n-1.
Ints python_slice(int n, const kn::Slice& s) {
  const int step = static_cast<int>(s.step.at.value_or(1));
  const auto bound = [&](const kn::Bound& b, int otherwise) {
    if (!b.at) return otherwise;
    int i = static_cast<int>(*b.at);
    if (i < 0) i += n;
    return step > 0 ? std::clamp(i, 0, n) : std::clamp(i, -1, n - 1);
  };
  Ints result;
  const int begin = bound(s.begin, step > 0 ? 0 : n - 1), end = bound(s.end, step > 0 ? n : -1);
  for (int i = begin; step > 0 ? i < end : i > end; i += step) result.push_back(i);
  return result;
}

TEST(Views, EverySliceOfAVector) {
  const kn::Scope scope({.device = kn::interpreter()});
  const kn::Array x = counted({7});
  const std::vector<kn::Bound> bounds = {_, 0, 1, 3, 6, 7, 9, -1, -3, -7, -8, -20};
  for (const kn::Bound& begin : bounds) {
    for (const kn::Bound& end : bounds) {
      for (const kn::Bound& step : {kn::Bound(_), kn::Bound(1), kn::Bound(2), kn::Bound(3),
                                    kn::Bound(10), kn::Bound(-1), kn::Bound(-2), kn::Bound(-9)}) {
        const kn::Slice s = slice(begin, end, step);
        EXPECT_EQ(values<int>(x(s)), python_slice(7, s));
      }
    }
  }
}

TEST(Views, Indices) {
  on_each_device([] {
    const kn::Array x = counted({2, 3, 4});
    EXPECT_EQ(x(1).shape(), (Shape{3, 4}));
    EXPECT_EQ(x(1, -1, 2).item<int>(), 22);
    EXPECT_EQ(values<int>(x(0, _, 1)), (Ints{1, 5, 9}));
    EXPECT_EQ(values<int>(x(ellipsis, 3)), (Ints{3, 7, 11, 15, 19, 23}));
    EXPECT_EQ(values<int>(x(1, ellipsis, slice(0, 2))), (Ints{12, 13, 16, 17, 20, 21}));
    EXPECT_EQ(x(newaxis, ellipsis, newaxis).shape(), (Shape{1, 2, 3, 4, 1}));
    EXPECT_EQ(x(_, newaxis, 0).shape(), (Shape{2, 1, 4}));
    EXPECT_EQ(values<int>(x(0, slice(_, _, -1), 0)), (Ints{8, 4, 0}));
    EXPECT_EQ(values<int>(x(slice(_, _, -1), slice(2, 0, -1), slice(1, _, 2))),
              (Ints{21, 23, 17, 19, 9, 11, 5, 7}));
    EXPECT_EQ(x(slice(5, 9)).shape(), (Shape{0, 3, 4}));
  });
}

TEST(Views, Reshape) {
  on_each_device([] {
    const kn::Array x = counted({2, 6});
    EXPECT_EQ(kn::reshape(x, {3, -1}).shape(), (Shape{3, 4}));
    EXPECT_EQ(values<int>(kn::reshape(kn::permute_dims(x, {1, 0}), {3, 4})),
              (Ints{0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11}));
    EXPECT_EQ(values<int>(kn::flatten(x.T())), (Ints{0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11}));
    EXPECT_EQ(kn::reshape(kn::zeros({0, 3}), {3, 0}).shape(), (Shape{3, 0}));
    EXPECT_EQ(kn::reshape(kn::Array(5), {1, 1}).shape(), (Shape{1, 1}));
  });
}

TEST(Views, AxesMove) {
  on_each_device([] {
    const kn::Array x = counted({2, 3, 4});
    EXPECT_EQ(kn::permute_dims(x, {2, 0, 1}).shape(), (Shape{4, 2, 3}));
    EXPECT_EQ(kn::permute_dims(x, {2, 0, 1})(3, 1, 2).item<int>(), 23);
    EXPECT_EQ(kn::transpose(x).shape(), (Shape{4, 3, 2}));
    EXPECT_EQ(x.mT().shape(), (Shape{2, 4, 3}));
    EXPECT_EQ(kn::moveaxis(x, 0, -1).shape(), (Shape{3, 4, 2}));
    EXPECT_EQ(kn::moveaxis(x, {0, 1}, {-1, -2}).shape(), (Shape{4, 3, 2}));
    EXPECT_EQ(kn::swapaxes(x, 0, 2).shape(), (Shape{4, 3, 2}));
    EXPECT_EQ(kn::expand_dims(x, {0, -1}).shape(), (Shape{1, 2, 3, 4, 1}));
    EXPECT_EQ(kn::squeeze(kn::expand_dims(x, {0, 2})).shape(), (Shape{2, 3, 4}));
    EXPECT_EQ(kn::squeeze(kn::expand_dims(x, {0, 2}), 0).shape(), (Shape{2, 1, 3, 4}));
    EXPECT_EQ(values<int>(kn::flip(counted({2, 3}), 1)), (Ints{2, 1, 0, 5, 4, 3}));
    EXPECT_EQ(values<int>(kn::flip(counted({2, 3}))), (Ints{5, 4, 3, 2, 1, 0}));
  });
}

TEST(Views, PadJoinAndRepeat) {
  on_each_device([] {
    const kn::Array x = counted({2, 2});
    EXPECT_EQ(values<int>(kn::pad(x, {{1, 0}, {0, 2}}, 9)),
              (Ints{9, 9, 9, 9, 0, 1, 9, 9, 2, 3, 9, 9}));
    EXPECT_EQ(kn::pad(x, {1}).shape(), (Shape{4, 4}));
    EXPECT_EQ(values<int>(kn::concat({x, x}, 1)), (Ints{0, 1, 0, 1, 2, 3, 2, 3}));
    EXPECT_EQ(values<int>(kn::concat({x, kn::zeros({0, 2}, kn::int32), x(slice(1, 2))})),
              (Ints{0, 1, 2, 3, 2, 3}));
    EXPECT_EQ(kn::concat({x, kn::ones({1, 2}, kn::float32)}).dtype(), kn::float64);
    EXPECT_EQ(values<int>(kn::stack({x, x + 4}, -1)), (Ints{0, 4, 1, 5, 2, 6, 3, 7}));
    EXPECT_EQ(values<int>(kn::unstack(x)[1]), (Ints{2, 3}));
    EXPECT_EQ(values<int>(kn::roll(counted({5}), 2)), (Ints{3, 4, 0, 1, 2}));
    EXPECT_EQ(values<int>(kn::roll(counted({5}), -11)), (Ints{1, 2, 3, 4, 0}));
    EXPECT_EQ(values<int>(kn::roll(x, 1)), (Ints{3, 0, 1, 2}));
    EXPECT_EQ(values<int>(kn::roll(x, 1, 1)), (Ints{1, 0, 3, 2}));
    EXPECT_EQ(values<int>(kn::repeat(x, 2, 1)), (Ints{0, 0, 1, 1, 2, 2, 3, 3}));
    EXPECT_EQ(values<int>(kn::tile(counted({2}), {2, 2})), (Ints{0, 1, 0, 1, 0, 1, 0, 1}));
    EXPECT_EQ(values<int>(kn::tril(counted({3, 3}))), (Ints{0, 0, 0, 3, 4, 0, 6, 7, 8}));
    EXPECT_EQ(values<int>(kn::triu(counted({2, 3}), 1)), (Ints{0, 1, 2, 0, 0, 5}));
  });
}

TEST(Views, Broadcasting) {
  on_each_device([] {
    EXPECT_EQ(values<int>(kn::broadcast_to(counted({3, 1}), {3, 2})), (Ints{0, 0, 1, 1, 2, 2}));
    EXPECT_EQ(values<int>(counted({2, 1}) * 10 + counted({3})), (Ints{0, 1, 2, 10, 11, 12}));
    EXPECT_EQ((kn::zeros({5, 1, 3}) + kn::zeros({4, 1})).shape(), (Shape{5, 4, 3}));
    EXPECT_EQ((kn::zeros({0, 3}) + kn::zeros({1, 3})).shape(), (Shape{0, 3}));
    EXPECT_EQ(kn::broadcast_arrays({kn::zeros({2, 1}), kn::zeros({3})})[1].shape(), (Shape{2, 3}));
  });
}

// Writing x.at(i) = v against a loop over x's elements, for many kinds of index.
TEST(Places, EverySlice) {
  const kn::Scope scope({.device = kn::interpreter()});
  for (const kn::Slice& s :
       {slice(_, _), slice(1, 4), slice(_, _, 2), slice(1, _, 3), slice(_, _, -1), slice(5, 0, -2),
        slice(-2, _), slice(3, 3), slice(6, _, -3)}) {
    kn::Array x = counted({7});
    const Ints where = python_slice(7, s);
    Ints wanted(7);
    for (int i = 0; i < 7; ++i) wanted[static_cast<std::size_t>(i)] = i;
    for (std::size_t k = 0; k < where.size(); ++k)
      wanted[static_cast<std::size_t>(where[k])] = 100 + static_cast<int>(k);
    x.at(s) = kn::arange(static_cast<int>(where.size())).astype(kn::int32) + 100;
    EXPECT_EQ(values<int>(x), wanted);
  }
}

TEST(Places, UpdatesRebindOneArray) {
  on_each_device([] {
    kn::Array x = counted({3, 4});
    const kn::Array copy = x;
    x.at(1, slice(1, 3)) = kn::Array{-1, -2};
    x.at(ellipsis, 0) += 10;
    x.at(2, slice(_, _, 2)) *= 2;
    x.at(0).max(2);
    x.at(0, _).min(3);
    x.at(-1, -1) -= 1;
    EXPECT_EQ(values<int>(x), (Ints{3, 2, 2, 3, 14, -1, -2, 7, 36, 9, 20, 10}));
    EXPECT_EQ(values<int>(copy), (Ints{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
    x.at(_) = 5;
    EXPECT_EQ(values<int>(x), Ints(12, 5));
    x.at(newaxis, 0) = kn::zeros({1, 1, 4}, kn::int32)(0);
    EXPECT_EQ(values<int>(x(0)), Ints(4, 0));
    expect_contains(message_of([&] { x.at(0) = 1.5; }), "does not convert to int32 implicitly");
    expect_contains(message_of([&] { x.at(0) = kn::zeros({3}, kn::int32); }),
                    "does not broadcast to the place's shape (4)");
  });
}

TEST(Views, EvaluatedViewsShareTheirBase) {
  if (interpreting()) GTEST_SKIP() << "the interpreter makes no plans";
  const kn::Array x = counted({100, 100}) + 0;
  kn::eval(x);
  const kn::Stats before = kn::stats();
  const kn::Array t = x.T(), half = x(slice(0, 60)), flat = kn::reshape(x, {10000});
  kn::eval({t, half, flat});
  EXPECT_EQ((kn::stats() - before).launched, 0);
  EXPECT_TRUE(t.evaluated() && half.evaluated() && flat.evaluated());
  EXPECT_EQ(t(3, 7).item<int>(), 703);
  const kn::Array small = x(slice(0, 10));  // would keep ten times its size
  kn::eval(small);
  EXPECT_EQ((kn::stats() - before).launched, 2);  // and the element above
  EXPECT_EQ(values<int>(t)[1], 100);
}

}  // namespace
