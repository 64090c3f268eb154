// The vocabulary of the API: source lines, element types, shapes, axes, and the pieces of an index.
#pragma once
#include <complex>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#pragma GCC visibility push(default)
namespace kiln {
inline namespace v0 {

// A line of the user's program. Functions take it as a last defaulted argument, operators through
// Operand, indices through Index.
struct Where {
  constexpr Where() = default;  // no line; not an aggregate, so that {0, 3} is a shape and no line
  [[nodiscard]] static constexpr Where here(const char* f = __builtin_FILE(),
                                            int l = __builtin_LINE()) {
    Where where;
    where.file = f;
    where.line = l;
    return where;
  }
  const char* file = nullptr;
  int line = 0;
};

// The bits of a 16-bit float: storage for data that comes and goes; arithmetic is for Arrays.
struct half {
  std::uint16_t bits;
};
struct brain_float {
  std::uint16_t bits;
};

template <class T, class... U>
concept OneOf = (std::same_as<T, U> || ...);
// The integer types that name numbers: no bool, no plain char.
template <class T>
concept Integer = OneOf<T, signed char, unsigned char, short, unsigned short, int, unsigned, long,
                        unsigned long, long long, unsigned long long>;
template <class T>
concept Element =
    Integer<T> ||
    OneOf<T, bool, float, double, half, brain_float, std::complex<float>, std::complex<double>>;

// Element types. Complex ones are reserved: they have names, and every function refuses them.
enum class DType : std::uint8_t {
  bool_,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64,
  float16,
  bfloat16,
  float32,
  float64,
  complex64,
  complex128
};
using enum DType;  // kiln::float32; these are the names that are printed (bool_ as "bool")
[[nodiscard]] std::string_view name(DType dtype);
std::ostream& operator<<(std::ostream& out, DType dtype);

template <Element T>
[[nodiscard]] constexpr DType dtype_of() {
  if constexpr (std::same_as<T, bool>) return bool_;
  if constexpr (std::same_as<T, float>) return float32;
  if constexpr (std::same_as<T, double>) return float64;
  if constexpr (std::same_as<T, half>) return float16;
  if constexpr (std::same_as<T, brain_float>) return bfloat16;
  if constexpr (std::same_as<T, std::complex<float>>) return complex64;
  if constexpr (std::same_as<T, std::complex<double>>) return complex128;
  if constexpr (Integer<T>) {
    constexpr bool is_signed = std::is_signed_v<T>;
    if constexpr (sizeof(T) == 1) return is_signed ? int8 : uint8;
    if constexpr (sizeof(T) == 2) return is_signed ? int16 : uint16;
    if constexpr (sizeof(T) == 4) return is_signed ? int32 : uint32;
    if constexpr (sizeof(T) == 8) return is_signed ? int64 : uint64;
  }
}

// One extent, from any integer: takes v.size() without narrowing.
struct Extent {
  std::int64_t value;
  template <Integer T>
  constexpr Extent(T n) : value(static_cast<std::int64_t>(n)) {}
};

// Extents, outermost first; {} is the shape of a 0-d array, and one integer, as in zeros(3), that
// of one axis. Not validated here: functions that take a shape refuse negative extents and more
// than 32 axes, with the caller's line.
class Shape {
 public:
  Shape() = default;
  template <Integer T>
  Shape(T extent) : extents_{static_cast<std::int64_t>(extent)} {}
  Shape(std::initializer_list<Extent> extents);
  Shape(std::span<const std::int64_t> extents) : extents_(extents.begin(), extents.end()) {}
  Shape(const std::vector<std::int64_t>& extents) : extents_(extents) {}
  // The extent of an axis; negative axes count from the end. UserError if there is none.
  [[nodiscard]] std::int64_t operator[](std::int64_t axis) const;
  [[nodiscard]] std::int64_t ndim() const { return static_cast<std::int64_t>(extents_.size()); }
  // The number of elements.
  [[nodiscard]] std::int64_t size() const;
  [[nodiscard]] const std::int64_t* begin() const { return extents_.data(); }
  [[nodiscard]] const std::int64_t* end() const { return extents_.data() + extents_.size(); }
  [[nodiscard]] std::span<const std::int64_t> extents() const { return extents_; }
  [[nodiscard]] bool operator==(const Shape&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Shape& shape);  // (3, 4)
  [[nodiscard]] friend std::string to_string(const Shape& shape) { return shape.text(); }

 private:
  [[nodiscard]] std::string text() const;
  std::vector<std::int64_t> extents_;
};
}  // namespace v0
}  // namespace kiln
// As a range a shape is its extents; size() counts elements.
template <>
inline constexpr bool std::ranges::disable_sized_range<kiln::Shape> = true;
namespace kiln {
inline namespace v0 {

// Axes of a reduction: all of them, one, or several; {} is no axis. Negative ones count from the
// end.
struct AllAxes {};
inline constexpr AllAxes all_axes;
class Axes {
 public:
  Axes(AllAxes) : all_(true) {}
  template <Integer T>
  Axes(T axis) : axes_{static_cast<std::int64_t>(axis)} {}
  Axes(std::initializer_list<Extent> axes);
  Axes(const std::vector<std::int64_t>& axes) : axes_(axes) {}
  [[nodiscard]] bool all() const { return all_; }
  [[nodiscard]] const std::vector<std::int64_t>& list() const { return axes_; }

 private:
  std::vector<std::int64_t> axes_;
  bool all_ = false;
};
enum class Keep : bool { no, yes };
inline constexpr Keep keepdims = Keep::yes;
// What var and std subtract from the number of elements before dividing. A bare number does not
// compile in its place.
struct Correction {
  double value;
};

// Pieces of an index. `whole` (or `_`) is `:`, and an open end of slice().
struct Whole {};
inline constexpr Whole _, whole;
struct NewAxis {};
inline constexpr NewAxis newaxis;
struct Ellipsis {};
inline constexpr Ellipsis ellipsis;
struct Bound {
  std::optional<std::int64_t> at;
  constexpr Bound(Whole) {}
  template <Integer T>
  constexpr Bound(T i) : at(static_cast<std::int64_t>(i)) {}
};
struct Slice {
  Bound begin, end, step;
  friend std::ostream& operator<<(std::ostream& out, const Slice& slice);  // 1:-1:2
};
// begin:end:step as in Python: negative bounds count from the end, any step but 0.
[[nodiscard]] constexpr Slice slice(Bound begin, Bound end, Bound step = _) {
  return {begin, end, step};
}

}  // namespace v0
}  // namespace kiln
#pragma GCC visibility pop
