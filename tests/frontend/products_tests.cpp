// Products of arrays that lie in memory in every way. Factors are whole numbers without zero, so
// that sums are exact in any order and of one sign of zero; every byte that belongs to no element
// is NaN.
#include <fstream>
#include <functional>
#include <limits>

#include "tests/folder.h"
#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;
using kn::_;
using kn::slice;
using Extents = std::vector<std::int64_t>;

// Values of an array with its shape.
struct Matrix {
  kn::Shape shape;
  std::vector<double> values;
  explicit Matrix(const kn::Array& x)
      : shape(x.shape()), values(x.astype(kn::float64).to_vector<double>()) {}
};

// By loops; leading axes of two matrices are equal, or one has none.
std::vector<double> product(const Matrix& a, const Matrix& b) {
  const std::int64_t m = a.shape[-2], k = a.shape[-1], n = b.shape[-1];
  const std::int64_t in_a = m * k, in_b = k * n;
  const auto size = [](const Matrix& x) { return static_cast<std::int64_t>(x.values.size()); };
  const std::int64_t batch = in_a == 0 || in_b == 0 ? 1 : std::max(size(a) / in_a, size(b) / in_b);
  std::vector<double> c;
  for (std::int64_t l = 0; l < batch; ++l) {
    const std::int64_t a0 = size(a) == in_a ? 0 : l * in_a, b0 = size(b) == in_b ? 0 : l * in_b;
    for (std::int64_t i = 0; i < m * n; ++i) {
      double sum = 0;
      for (std::int64_t p = 0; p < k; ++p) {
        sum += a.values[static_cast<std::size_t>(a0 + i / n * k + p)] *
               b.values[static_cast<std::size_t>(b0 + p * n + i % n)];
      }
      c.push_back(sum);
    }
  }
  return c;
}

kn::Array whole(const kn::Shape& shape, kn::DType dtype, int seed = 0) {
  const kn::Array i = kn::arange(shape.size(), kn::int64) * 7 + seed;
  kn::Array x = kn::reshape(i % 5 + 1, shape).astype(dtype);
  kn::eval(x);
  return x;
}

// Memory of the test's own, NaN but for the elements at these strides.
template <class T>
kn::Array borrowed(const kn::Shape& shape, const Extents& strides, int seed) {
  constexpr std::int64_t kMargin = 9;
  std::int64_t low = 0, high = 0;
  for (std::size_t i = 0; i < strides.size(); ++i) {
    (strides[i] < 0 ? low : high) += (shape.extents()[i] - 1) * strides[i];
  }
  const auto memory = std::make_shared<std::vector<T>>(
      static_cast<std::size_t>(high - low + 1 + 2 * kMargin), std::numeric_limits<T>::quiet_NaN());
  T* const first = memory->data() + kMargin - low;
  for (std::int64_t e = 0; e < shape.size(); ++e) {
    std::int64_t rest = e, at = 0;
    for (std::size_t i = strides.size(); i-- > 0;) {
      at += rest % shape.extents()[i] * strides[i];
      rest /= shape.extents()[i];
    }
    first[at] = static_cast<T>((at * 7 + seed) % 5 + 5);  // repeated elements are one
  }
  return kn::borrow(first, {shape, strides}, memory);
}
kn::Array borrowed(const kn::Shape& shape, const Extents& strides, kn::DType dtype, int seed) {
  return dtype == kn::float32 ? borrowed<float>(shape, strides, seed)
                              : borrowed<double>(shape, strides, seed);
}

// Matrices (m, k); views of arrays with values are pending.
struct Way {
  const char* name;
  kn::Array (*make)(std::int64_t m, std::int64_t k, kn::DType dtype, int seed);
};
const Way kWays[] = {
    {"dense", [](auto m, auto k, auto t, int seed) { return whole({m, k}, t, seed); }},
    {"transposed", [](auto m, auto k, auto t, int seed) { return whole({k, m}, t, seed).T(); }},
    {"flipped", [](auto m, auto k, auto t, int seed) { return kn::flip(whole({m, k}, t, seed)); }},
    {"columns flipped",
     [](auto m, auto k, auto t, int seed) { return kn::flip(whole({m, k}, t, seed), 1); }},
    {"transposed and flipped",
     [](auto m, auto k, auto t, int seed) { return kn::flip(whole({k, m}, t, seed).T(), 0); }},
    {"every second row",
     [](auto m, auto k, auto t, int seed) { return whole({2 * m, k}, t, seed)(slice(1, _, 2)); }},
    {"every second column", [](auto m, auto k, auto t,
                               int seed) { return whole({m, 2 * k}, t, seed)(_, slice(0, _, 2)); }},
    {"inner columns", [](auto m, auto k, auto t,
                         int seed) { return whole({m, k + 2}, t, seed)(_, slice(1, k + 1)); }},
    {"later rows",
     [](auto m, auto k, auto t, int seed) { return whole({m + 1, k}, t, seed)(slice(1, _)); }},
    {"a row repeated", [](auto m, auto k, auto t,
                          int seed) { return kn::broadcast_to(whole({k}, t, seed), {m, k}); }},
    {"a column repeated",
     [](auto m, auto k, auto t, int seed) {
       return kn::broadcast_to(whole({m, 1}, t, seed), {m, k});
     }},
    {"one element repeated",
     [](auto m, auto k, auto t, int seed) {
       return kn::broadcast_to(whole({1, 1}, t, seed), {m, k});
     }},
    {"borrowed, rows with gaps",
     [](auto m, auto k, auto t, int seed) { return borrowed({m, k}, {k + 3, 1}, t, seed); }},
    {"borrowed, elements with gaps",
     [](auto m, auto k, auto t, int seed) { return borrowed({m, k}, {3 * k, 3}, t, seed); }},
    {"borrowed, column-major",
     [](auto m, auto k, auto t, int seed) { return borrowed({m, k}, {1, m}, t, seed); }},
    {"borrowed, column-major with gaps",
     [](auto m, auto k, auto t, int seed) { return borrowed({m, k}, {1, m + 1}, t, seed); }},
    {"borrowed, backwards",
     [](auto m, auto k, auto t, int seed) { return borrowed({m, k}, {-k, -1}, t, seed); }},
    {"borrowed, overlapping",
     [](auto m, auto k, auto t, int seed) { return borrowed({m, k}, {1, 1}, t, seed); }},
};

void expect_product(const kn::Array& a, const kn::Array& b) {
  const std::vector<double> got = values<double>(kn::matmul(a, b).astype(kn::float64));
  EXPECT_EQ(got, product(Matrix(a), Matrix(b)));
}

class Products : public ::testing::Test {
 protected:
  // Each way as the left and as the right operand.
  static void check_ways(kn::DType dtype, const std::function<void(const kn::Array&)>& prepare) {
    constexpr std::int64_t kSizes[][3] = {{3, 5, 4}, {1, 6, 2}, {4, 1, 3}, {5, 7, 1}};
    int seed = 0;
    for (const auto& [m, k, n] : kSizes) {
      for (const Way& way : kWays) {
        SCOPED_TRACE(std::string(way.name) + ", m " + std::to_string(m) + ", k " +
                     std::to_string(k) + ", n " + std::to_string(n));
        const Way& other = kWays[static_cast<std::size_t>(++seed) % std::size(kWays)];
        const kn::Array left = way.make(m, k, dtype, seed), right = way.make(k, n, dtype, seed + 1);
        const kn::Array beside = other.make(k, n, dtype, seed + 2);
        for (const kn::Array* x : {&left, &right, &beside}) prepare(*x);
        expect_product(left, right);
        expect_product(left, beside);
        if (testing::Test::HasFailure()) return;
      }
    }
  }
  static void nothing(const kn::Array&) {}
  static void evaluate(const kn::Array& x) { kn::eval(x); }
};

TEST_F(Products, OfPendingViews) {
  on_each_device([] { check_ways(kn::float32, nothing); });
}
TEST_F(Products, OfEvaluatedViews) {
  on_each_device([] {
    check_ways(kn::float32, evaluate);
    check_ways(kn::float64, evaluate);
  });
}
TEST_F(Products, OfViewsInEagerMode) {
  on_each_device([] {
    const kn::Scope scope({.mode = kn::Mode::eager});
    check_ways(kn::float32, nothing);
  });
}
TEST_F(Products, OfEvaluatedViewsWithoutFusion) {
  on_each_device([] {
    const kn::Scope scope({.fusion = false});
    check_ways(kn::float32, evaluate);
  });
}
TEST_F(Products, OfNarrowFloatsAndIntegers) {
  on_each_device([] {
    for (const kn::DType t : {kn::float16, kn::bfloat16, kn::int32, kn::uint8}) {
      const kn::Array a = kn::flip(whole({3, 4}, t)), b = whole({5, 4}, t, 1).T();
      kn::eval({a, b});
      expect_product(a, b);
    }
  });
}

// As in cases without eval: a loop's pending operations are evaluated on any of its lines.
TEST_F(Products, OfViewsThatAreEvaluatedByTheWay) {
  on_each_device([] {
    constexpr int kRows = 4, kColumns = 3;
    const kn::Array x = whole({kRows, kColumns}, kn::float32) * 0.01f;
    const std::vector<float> xs = values<float>(x);
    for (int bound = 3; bound < 12; ++bound) {
      const kn::Scope scope({.flush_after = bound});
      kn::Array w = kn::zeros({kColumns});
      std::vector<double> expected(kColumns);
      for (int step = 0; step < 40; ++step) {
        const kn::Array mirrored = kn::flip(x, 0);
        const kn::Array error = kn::matmul(mirrored, w) - 1;
        const kn::Array transposed = x.T();
        const kn::Array gradient = kn::matmul(transposed, kn::flip(error));
        w = w - gradient * 0.5f;
        double errors[kRows];
        for (int i = 0; i < kRows; ++i) {
          errors[i] = -1;
          for (int j = 0; j < kColumns; ++j) errors[i] += xs[i * kColumns + j] * expected[j];
        }
        for (int j = 0; j < kColumns; ++j) {
          for (int i = 0; i < kRows; ++i) expected[j] -= 0.5 * xs[i * kColumns + j] * errors[i];
        }
      }
      const std::vector<float> got = values<float>(w);
      for (int j = 0; j < kColumns; ++j) EXPECT_NEAR(got[j], expected[j], 1e-4) << bound;
    }
  });
}

TEST_F(Products, OfBatches) {
  on_each_device([] {
    const kn::DType t = kn::float32;
    const kn::Array a[] = {whole({3, 2, 4}, t),
                           kn::permute_dims(whole({3, 4, 2}, t), {0, 2, 1}),
                           kn::permute_dims(whole({2, 3, 4}, t), {1, 0, 2}),
                           kn::permute_dims(whole({4, 2, 3}, t), {2, 1, 0}),
                           kn::flip(whole({3, 2, 4}, t), 0),
                           whole({6, 2, 4}, t)(slice(0, _, 2)),
                           kn::broadcast_to(whole({2, 4}, t), {3, 2, 4}),
                           kn::broadcast_to(whole({4, 2}, t).T(), {3, 2, 4}),
                           borrowed({3, 2, 4}, {30, 5, 1}, t, 3)};
    for (const kn::Array& left : a) {
      kn::eval(left);
      for (const kn::Array& right :
           {whole({4, 5}, t), kn::flip(whole({4, 5}, t)), whole({5, 4}, t).T(), whole({3, 4, 5}, t),
            kn::permute_dims(whole({4, 5, 3}, t), {2, 0, 1})}) {
        kn::eval(right);
        expect_product(left, right);
      }
    }
  });
}

TEST_F(Products, OfVectors) {
  on_each_device([] {
    const kn::Array x = whole({6, 4}, kn::float32), t = x.T(), f = kn::flip(x);
    const kn::Array column = x(_, 2), row = x(slice(_, _, 2), 1);
    kn::eval({t, f, column, row});
    EXPECT_EQ(values<double>(kn::matmul(t, column).astype(kn::float64)),
              product(Matrix(t), Matrix(kn::expand_dims(column, 1))));
    EXPECT_EQ(values<double>(kn::matmul(column, f).astype(kn::float64)),
              product(Matrix(kn::expand_dims(column, 0)), Matrix(f)));
    const std::vector<float> c = values<float>(column), r = values<float>(row);
    std::vector<float> pairs;
    float squares = 0;
    for (const float v : c) {
      squares += v * v;
      for (const float u : r) pairs.push_back(v * u);
    }
    EXPECT_EQ(values<float>(kn::outer(column, row)), pairs);
    EXPECT_EQ(kn::vecdot(column, column).item<float>(), squares);
    EXPECT_EQ(values<float>(kn::vecdot(t, kn::flip(f, {0, 1}).T(), 0)),
              values<float>(kn::sum(x * x, 1)));
  });
}

// An operand that other things are done with in the same plan.
TEST_F(Products, OfOneOperandInSeveralWays) {
  on_each_device([] {
    const kn::Array f = kn::flip(whole({4, 4}, kn::float32)), t = whole({4, 4}, kn::float32, 1).T();
    kn::eval({f, t});
    for (const kn::Array& x : {f, t}) {
      const kn::Array square = kn::matmul(x, x), gram = kn::matmul(x.T(), x), twice = x * 2,
                      total = kn::sum(x, 1), other = kn::matmul(x, t) + twice;
      kn::eval({square, gram, twice, total, other});
      const Matrix m(x), n(t);
      EXPECT_EQ(values<double>(square.astype(kn::float64)), product(m, m));
      EXPECT_EQ(values<double>(gram.astype(kn::float64)), product(Matrix(x.T() + 0.f), m));
      std::vector<double> sum = product(m, n);
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += 2 * m.values[i];
      EXPECT_EQ(values<double>(other.astype(kn::float64)), sum);
    }
    // A view that the same evaluation asks for, of which nothing else is left.
    kn::Array x = whole({4, 4}, kn::float32, 2) * 3.f;
    const Matrix before(x);
    kn::Array y = kn::flip(x, 0);
    x = kn::Array();
    const kn::Array z = kn::matmul(y, y), next = y + 1.f;
    kn::eval({y, z, next});
    y = kn::matmul(y, kn::matmul(std::move(y), next));
    const Matrix flipped(kn::flip(kn::Array(before.values).reshape({4, 4}), 0));
    EXPECT_EQ(values<double>(z.astype(kn::float64)), product(flipped, flipped));
  });
}

TEST_F(Products, WithoutElements) {
  on_each_device([] {
    const kn::Array tall = kn::zeros({3, 0}), wide = kn::zeros({0, 3}),
                    x = whole({3, 3}, kn::float32);
    const kn::Array flipped = kn::flip(tall), turned = tall.T(), none = x(slice(3, _));
    kn::eval({flipped, turned, none});
    for (const kn::Array& left : {tall, flipped, wide.T()}) {
      for (const kn::Array& right : {wide, turned, none, kn::flip(wide, 0)}) {
        EXPECT_EQ(values<float>(kn::matmul(left, right)), std::vector<float>(9, 0));
      }
      EXPECT_EQ(kn::matmul(x, left).shape(), (kn::Shape{3, 0}));
    }
    EXPECT_EQ(kn::matmul(none, x).shape(), (kn::Shape{0, 3}));
    EXPECT_EQ(values<float>(kn::outer(tall(0), x(0))).size(), 0u);
    EXPECT_EQ(kn::vecdot(tall, flipped).to_vector<float>(), std::vector<float>(3, 0));
  });
}

// Header and values, column by column.
kn::Array from_fortran_file(std::int64_t rows, std::int64_t columns) {
  const Folder folder;
  const std::string header = "{'descr': '<f4', 'fortran_order': True, 'shape': (" +
                             std::to_string(rows) + ", " + std::to_string(columns) + "), }\n";
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size());
  bytes += '\0';
  bytes += header;
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    const auto value = static_cast<float>(i % 5 + 1);
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  std::ofstream(folder.file("x.npy"), std::ios::binary) << bytes;
  return kn::load(folder.file("x.npy"));
}

TEST_F(Products, OfColumnMajorFiles) {
  on_each_device([] {
    const kn::Array a = from_fortran_file(3, 4), b = from_fortran_file(4, 5);
    EXPECT_EQ(values<float>(a)[1], 4);
    expect_product(a, b);
    expect_product(b.T(), a.T());
  });
}

// A library is handed a transposed matrix as it lies: nothing is copied for it.
TEST_F(Products, OfTransposedMatricesNeedNoCopy) {
  if (interpreting()) GTEST_SKIP() << "the interpreter makes no plans";
  const kn::Array x = whole({3, 40, 50}, kn::float32), y = whole({50, 30}, kn::float32);
  const kn::Array a = kn::permute_dims(x, {0, 2, 1}), b = y.T(), c = kn::flip(y);
  kn::eval({a, b, c});
  const auto launched = [](const kn::Array& z) {
    const kn::Stats before = kn::stats();
    kn::eval(z);
    return (kn::stats() - before).launched;
  };
  EXPECT_EQ(launched(kn::matmul(b, y)), 1);
  EXPECT_EQ(launched(kn::matmul(a, x)), 1);
  EXPECT_EQ(launched(kn::matmul(b, c)), 2);
  EXPECT_EQ(launched(kn::matmul(c.T(), c)), 3);  // the transpose of what has strides, and that
  const std::string text = kn::explain(kn::matmul(b, c)).text();
  expect_contains(text, "an input that lies otherwise is copied");
}

// One matrix on the right is one product, whatever axes the left has in front; on the left it is
// read again for each of the batch. Of dense arrays nothing is copied, nor for a layer's gradient.
TEST_F(Products, OfManyByOneAreOneProduct) {
  if (interpreting()) GTEST_SKIP() << "the interpreter makes no plans";
  const kn::Array x = whole({4, 6, 30}, kn::float32), w = whole({30, 20}, kn::float32),
                  g = whole({4, 6, 20}, kn::float32), one = whole({7, 6}, kn::float32);
  kn::eval({x, w, g, one});
  const auto launched = [](const kn::Array& z) {
    const kn::Stats before = kn::stats();
    kn::eval(z);
    return (kn::stats() - before).launched;
  };
  EXPECT_EQ(launched(kn::matmul(x, w)), 1);
  EXPECT_EQ(launched(kn::matmul(g, w.T())), 1);
  EXPECT_EQ(launched(kn::matmul(one, x)), 1);
  EXPECT_EQ(launched(kn::matmul(kn::permute_dims(whole({4, 30, 6}, kn::float32), {0, 2, 1}), w)),
            1);
  EXPECT_EQ(launched(kn::matmul(x.reshape({24, 30}), w).reshape({4, 6, 20})), 1);
  const kn::Array h = kn::tanh(x);  // computed once, for the product and beside it
  EXPECT_EQ(launched(kn::matmul(h, w)(kn::_, kn::_, slice(_, 20)) + h(kn::_, kn::_, slice(_, 20))),
            3);
  EXPECT_EQ(launched(kn::matmul(x.reshape({-1, 30}).T(), g.reshape({-1, 20}))), 1);
  EXPECT_EQ(launched(kn::matmul(x, w) + 1), 2);
}

// What lies 16 bytes from a boundary on one device may not on another.
TEST(Alignment, OfBorrowedMemoryIsItsCopysToo) {
  on_each_device([] {
    for (std::int64_t lead = 0; lead < 4; ++lead) {
      const auto memory = std::make_shared<std::vector<float>>(208, 7.f);
      const auto address = reinterpret_cast<std::uintptr_t>(memory->data());
      const auto to_boundary = static_cast<std::int64_t>((16 - address % 16) % 16 / sizeof(float));
      float* const first = memory->data() + to_boundary + lead;
      for (int i = 0; i < 200; ++i) first[i] = static_cast<float>(i);
      const kn::Array x = kn::borrow(first, {{200}, {1}}, memory);
      for (std::int64_t begin = 0; begin < 5; ++begin) {
        const kn::Array y = x(slice(begin, begin + 192));
        kn::eval(y);
        const std::vector<float> got = values<float>(y + 1.f);
        for (int i = 0; i < 192; ++i) ASSERT_EQ(got[i], static_cast<float>(begin + i + 1));
      }
    }
  });
}

}  // namespace
