// What must not compile does not, and what must does: the rules of the API's shape.
#include <algorithm>
#include <complex>
#include <concepts>
#include <memory>
#include <string>

#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;
using kn::Array;

template <class X, class... A>
concept Max = requires(const X& x, A... a) { kn::max(x, a...); };
template <class X, class... A>
concept Var = requires(const X& x, A... a) { kn::var(x, a...); };
template <class X, class... A>
concept Sum = requires(const X& x, A... a) { kn::sum(x, a...); };
template <class X, class... A>
concept Zeros = requires(A... a) { kn::zeros({2}, a...); };
template <class N>
concept Shaped = requires(N n) { kn::zeros(n); };
template <class X, class I>
concept Subscript = requires(X x, I i) { x[i]; };
template <class X, class V>
concept AssignsToRead = requires(X x, V v) { x(0) = v; };
template <class X, class V>
concept AssignsToPlace = requires(X x, V v) { x.at(0) = v; };
template <class X>
concept PlaceOfTemporary = requires(X x) { static_cast<X&&>(x).at(0); };
template <class X>
concept AddsToString = requires(X x) { x + "text"; };
template <class X>
concept ImplicitBool = std::convertible_to<X, bool>;

// Axes as sum takes them. max(x, y) does not compile either, with the remedy: see
// tests/tools/public_calls.py.
static_assert(Max<Array> && Max<Array, kn::AllAxes> && Max<Array, int> &&
              Max<Array, int, kn::Keep> && Max<Array, std::vector<std::int64_t>>);
static_assert(!Max<Array, const char*> && !Max<Array, int, bool>);
static_assert(requires(const Array& x) {
  kn::max(x, {0});
  kn::max(x, {0, -1}, kn::keepdims);
});
// A shape from one integer, and not from what is none.
static_assert(Shaped<int> && Shaped<std::size_t> && Shaped<unsigned char> && !Shaped<bool> &&
              !Shaped<char> && !Shaped<double> && !Shaped<kn::DType>);
// A bare number is no correction, a bare bool neither axis nor keepdims nor dtype.
static_assert(!Var<Array, int, int> && !Var<Array, int, double> && Var<Array, int, kn::Correction>);
static_assert(!Sum<Array, bool> && !Sum<Array, int, bool> && !Sum<Array, double> &&
              Sum<Array, int, kn::Keep>);
static_assert(!Zeros<Array, bool> && !Zeros<Array, int> && Zeros<Array, kn::DType>);
static_assert(requires(std::vector<float> v) { kn::zeros({v.size(), 3}); });
static_assert(Subscript<Array, int> && Subscript<Array, kn::Slice> && Subscript<Array, kn::Whole>);
static_assert(!Subscript<Array, bool> && !Subscript<Array, double>);
static_assert(!std::assignable_from<decltype(std::declval<Array&>()[0]), int>);
// x(i) = v would do nothing.
static_assert(!AssignsToRead<Array, int> && !AssignsToRead<Array, double>);
static_assert(AssignsToPlace<Array, int> && AssignsToPlace<Array, Array>);
static_assert(!PlaceOfTemporary<Array>);
static_assert(!std::copy_constructible<kn::Place>);
static_assert(!AddsToString<Array> && !ImplicitBool<Array>);
static_assert(!std::constructible_from<Array, const char*> &&
              !std::constructible_from<Array, std::string>);
static_assert(!std::convertible_to<double, Array> && std::constructible_from<Array, double>);
static_assert(!std::convertible_to<char, kn::Extent> && !std::convertible_to<bool, kn::Extent>);
static_assert(!std::convertible_to<bool, kn::Index> &&
              std::convertible_to<unsigned char, kn::Index>);
static_assert(!std::convertible_to<double, kn::Index>);

// A value, one pointer wide.
static_assert(sizeof(Array) == sizeof(void*));
static_assert(std::regular<kn::Shape> && std::copyable<Array>);
static_assert(std::is_nothrow_move_constructible_v<Array> &&
              std::is_nothrow_move_assignable_v<Array>);
static_assert(std::is_nothrow_default_constructible_v<Array>);

TEST(Api, AnArrayIsNeverNull) {
  kn::Array x;
  EXPECT_EQ(x.shape(), kn::Shape{0});
  EXPECT_EQ(x.dtype(), kn::float32);
  EXPECT_TRUE(x.evaluated());
  kn::Array y = {1, 2};
  kn::Array z = std::move(y);
  EXPECT_EQ(y.size(), 0);  // NOLINT: what a moved-from array is, is promised
  EXPECT_EQ((y + 1).size(), 0);
  EXPECT_EQ(text(y), "[]");
  EXPECT_EQ(y.to_vector<float>().size(), 0u);
  z = std::move(*&z);
  EXPECT_EQ(z.size(), 2);
  EXPECT_EQ(kn::sum(x).item<float>(), 0);
}

TEST(Api, ComplexIsReserved) {
  expect_contains(message_of([] { return kn::Array{std::complex<float>(1, 2)}; }),
                  "complex64 is reserved");
  expect_contains(message_of([] { return kn::Array{1.f} + std::complex<double>(1, 2); }),
                  "complex128 is reserved");
  expect_contains(message_of([] { return kn::zeros({2}, kn::complex64); }),
                  "complex64 is reserved");
  expect_contains(message_of([] { return kn::Array{1.f}.item<std::complex<float>>(); }),
                  "complex64 is reserved");
  expect_contains(message_of([] { return kn::Array{1.f}.astype(kn::complex64); }), "complex");
}

TEST(Api, NamesAndShapesPrint) {
  std::ostringstream out;
  out << kn::bool_ << ' ' << kn::bfloat16 << ' ' << kn::Shape{3, 4} << ' ' << kn::Shape{} << ' '
      << kn::Shape{5} << ' ' << kn::cpu() << ' ' << kn::slice(1, -1) << ' '
      << kn::slice(kn::_, kn::_, -2) << ' ' << kn::zeros({2, 3}).shape();
  EXPECT_EQ(out.str(), "bool bfloat16 (3, 4) () (5) cpu 1:-1 ::-2 (2, 3)");
  EXPECT_EQ(to_string(kn::Shape{3, 4}), "(3, 4)");
  EXPECT_EQ(to_string(kn::Array{1, 2}), "[1 2]");
}

TEST(Api, DataComesWithAShape) {
  const std::vector<float> six{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(text(kn::Array(six, {2, 3})), "[[1. 2. 3.]\n [4. 5. 6.]]");
  EXPECT_EQ(kn::Array(six, 6).shape(), kn::Shape{6});
  EXPECT_EQ(kn::Array(std::vector<double>{}, {0, 3}).shape(), (kn::Shape{0, 3}));
  EXPECT_EQ(kn::Array(std::vector<int>{7}, kn::Shape{}).item<int>(), 7);
  const kn::Array bits(std::vector<bool>{true, false, true, true}, {2, 2});
  EXPECT_EQ(text(bits), "[[ True False]\n [ True  True]]");
  std::vector<float> given = six;
  const float* const data = given.data();
  const kn::Array taken(std::move(given), {3, 2});
  EXPECT_EQ(taken.shape(), (kn::Shape{3, 2}));
  if (kn::default_device().kind() == kn::Device::cpu) {
    EXPECT_EQ(taken.host<float>().data(), data);  // no copy was made
  }
  EXPECT_EQ(values<float>(taken), six);
}

TEST(Api, AVectorThatIsRefusedIsAsItWas) {
  std::vector<float> given{1, 2, 3, 4, 5, 6};
  const std::vector<float> before = given;
  const float* const data = given.data();
  expect_contains(message_of([&] { return Array(std::move(given), {2, 2}); }),
                  "shape (2, 2) has 4 elements, the data has 6");
  EXPECT_EQ(given, before);  // NOLINT: what is left is promised
  message_of([&] { return Array(std::move(given), {-2, -3}); });
  EXPECT_EQ(given, before);  // NOLINT
  EXPECT_EQ(given.data(), data);
  std::vector<std::complex<float>> reserved(3);
  message_of([&] { return Array(std::move(reserved)); });
  EXPECT_EQ(reserved.size(), 3u);  // NOLINT
  std::vector<bool> bits{true, false};
  message_of([&] { return Array(std::move(bits), 3); });
  EXPECT_EQ(bits, (std::vector<bool>{true, false}));  // NOLINT
}

TEST(Api, ThreeLevelsOfBraces) {
  const kn::Array x = {{{1, 2}, {3, 4}, {5, 6}}, {{7, 8}, {9, 10}, {11, 12}}};
  EXPECT_EQ(x.shape(), (kn::Shape{2, 3, 2}));
  EXPECT_EQ(x.dtype(), kn::int32);
  EXPECT_EQ(values<int>(x), (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
  EXPECT_EQ((kn::Array{{{1.0}}}).shape(), (kn::Shape{1, 1, 1}));
  EXPECT_EQ((kn::Array{{1.0}}).shape(), (kn::Shape{1, 1}));
}

TEST(Api, OneIntegerIsAShape) {
  EXPECT_EQ(kn::zeros(3).shape(), kn::Shape{3});
  EXPECT_EQ(kn::ones(3, kn::int32).dtype(), kn::int32);
  EXPECT_EQ(text(kn::full(2, 7)), "[7 7]");
  EXPECT_EQ(kn::zeros({2, 3}).reshape(-1).shape(), kn::Shape{6});
  EXPECT_EQ(kn::broadcast_to(kn::Array(1.f), 4).shape(), kn::Shape{4});
  EXPECT_EQ(values<int>(kn::tile(kn::Array{1, 2}, 2)), (std::vector<int>{1, 2, 1, 2}));
}

TEST(Api, OneIndexInBrackets) {
  const kn::Array x = {{1, 2}, {3, 4}};
  EXPECT_EQ(values<int>(x[1]), (std::vector<int>{3, 4}));
  EXPECT_EQ(x[1][0].item<int>(), 3);
  EXPECT_EQ(values<int>(x[kn::slice(0, 1)]), (std::vector<int>{1, 2}));
  int line = 0;
  expect_contains(message_of([&] { return x[2]; }, &line), "index 2 is out of range for axis 0");
  EXPECT_EQ(line, __LINE__ - 1);
}

TEST(Api, AShapeIsARangeOfItsExtents) {
  const kn::Shape shape{7, 9};
  const std::span<const std::int64_t> extents(shape);
  EXPECT_EQ(std::vector<std::int64_t>(extents.begin(), extents.end()),
            (std::vector<std::int64_t>{7, 9}));
  EXPECT_TRUE(std::ranges::equal(shape, std::vector<std::int64_t>{7, 9}));
}

kn::Array kept_after_main;

// Records, and evaluates where that needs nothing of a driver, which is gone by then.
struct Last {
  ~Last() {
    kept_after_main = kept_after_main * 2;
    if (kept_after_main.device().kind() != kn::Device::cuda) kn::eval(kept_after_main);
  }
};

[[noreturn]] void leave_with_static_arrays() {
  static const Last last;
  static const kn::Array pending = kn::zeros({4}) + 1, evaluated = kn::ones({4}) * 2;
  kn::eval(evaluated);
  kept_after_main = pending + evaluated;
  std::exit(0);
}

TEST(Api, AStaticArrayDestroyedAfterMainIsHarmless) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // a forked child may not use CUDA
  // Destructors of static arrays run before the handler by which test_main gives early exits 86.
  EXPECT_EXIT(leave_with_static_arrays(), testing::ExitedWithCode(86), "");
}

}  // namespace
