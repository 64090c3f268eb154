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
template <class X>
concept Subscript = requires(X x) { x[0]; };
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

// Elementwise is maximum; an axis is {0}.
static_assert(!Max<Array, double> && !Max<Array, int> && !Max<Array, Array>);
static_assert(Max<Array> && Max<Array, kn::AllAxes>);
static_assert(requires(const Array& x) {
  kn::max(x, {0});
  kn::max(x, {0, -1}, kn::keepdims);
});
// A bare number is no correction, a bare bool neither axis nor keepdims nor dtype.
static_assert(!Var<Array, int, int> && !Var<Array, int, double> && Var<Array, int, kn::Correction>);
static_assert(!Sum<Array, bool> && !Sum<Array, int, bool> && !Sum<Array, double> &&
              Sum<Array, int, kn::Keep>);
static_assert(!Zeros<Array, bool> && !Zeros<Array, int> && Zeros<Array, kn::DType>);
static_assert(requires(std::vector<float> v) { kn::zeros({v.size(), 3}); });
// x[0, 1] would be x[1] in C++20.
#ifndef __cpp_multidimensional_subscript
static_assert(!Subscript<Array>);
#endif
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
  expect_contains(message_of([] { kn::Array{std::complex<float>(1, 2)}; }),
                  "complex64 is reserved");
  expect_contains(message_of([] { kn::Array{1.f} + std::complex<double>(1, 2); }),
                  "complex128 is reserved");
  expect_contains(message_of([] { kn::zeros({2}, kn::complex64); }), "complex64 is reserved");
  expect_contains(message_of([] { kn::Array{1.f}.item<std::complex<float>>(); }),
                  "complex64 is reserved");
  expect_contains(message_of([] { kn::Array{1.f}.astype(kn::complex64); }), "complex");
}

TEST(Api, NamesAndShapesPrint) {
  std::ostringstream out;
  out << kn::bool_ << ' ' << kn::bfloat16 << ' ' << kn::Shape{3, 4} << ' ' << kn::Shape{} << ' '
      << kn::Shape{5} << ' ' << kn::cpu();
  EXPECT_EQ(out.str(), "bool bfloat16 (3, 4) () (5) cpu");
}

TEST(Api, AShapeIsARangeOfItsExtents) {
  const kn::Shape shape{7, 9};
  const std::span<const std::int64_t> extents(shape);
  EXPECT_EQ(std::vector<std::int64_t>(extents.begin(), extents.end()),
            (std::vector<std::int64_t>{7, 9}));
  EXPECT_TRUE(std::ranges::equal(shape, std::vector<std::int64_t>{7, 9}));
}

kn::Array kept_after_main;

struct Last {
  ~Last() { kept_after_main = kept_after_main * 2; }
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
