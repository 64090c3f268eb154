// Array, and what its operators and indices take.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "kiln/device.h"
#include "kiln/types.h"

namespace kiln::inline v0::frontend {
struct Node;
}
#pragma GCC visibility push(default)
namespace kiln {
inline namespace v0 {
class Array;
class Place;

// One piece of an index, with the caller's line: an integer (drops its axis), slice(), whole,
// newaxis, ellipsis.
class Index {
 public:
  template <Integer T>
  Index(T i, Where where = Where::here())
      : where_(where), value_(static_cast<std::int64_t>(i)), kind_(Kind::number) {}
  Index(Slice slice, Where where = Where::here())
      : where_(where), slice_(slice), kind_(Kind::range) {}
  Index(Whole, Where where = Where::here()) : where_(where), kind_(Kind::range) {}
  Index(NewAxis, Where where = Where::here()) : where_(where), kind_(Kind::fresh) {}
  Index(Ellipsis, Where where = Where::here()) : where_(where), kind_(Kind::rest) {}

 private:
  friend struct frontend::Access;
  enum class Kind : std::uint8_t { number, range, fresh, rest };
  Where where_;
  std::int64_t value_ = 0;
  Slice slice_{whole, whole, whole};
  Kind kind_;
};
template <class... I>
concept Indices = (std::convertible_to<const I&, Index> && ...);

// An operand with the caller's line: an Array, or a C++ scalar. A scalar is weak: it takes the
// dtype of the array beside it, as far as its kind (bool, integer, floating) allows; see
// elementwise.h. A function of yours that takes Operands takes scalars too, and has its caller's
// line.
class Operand {
 public:
  Operand(const Array& array, Where where = Where::here()) : array_(&array), where_(where) {}
  template <Element T>
  Operand(T scalar, Where where = Where::here()) : where_(where), dtype_(dtype_of<T>()) {
    if constexpr (std::same_as<T, bool>) {
      kind_ = Kind::boolean;
      integer_ = scalar ? 1 : 0;
    } else if constexpr (Integer<T>) {
      kind_ = std::is_signed_v<T> ? Kind::integer : Kind::natural;
      integer_ = static_cast<std::int64_t>(scalar);
    } else if constexpr (OneOf<T, float, double>) {
      kind_ = Kind::floating;
      floating_ = static_cast<double>(scalar);
    } else {
      set_other(&scalar);
    }
  }
  [[nodiscard]] Array array() const;  // itself, or a 0-d array of the scalar's own type
  [[nodiscard]] Where where() const { return where_; }

 private:
  friend struct frontend::Access;
  enum class Kind : std::uint8_t { array, boolean, integer, natural, floating };
  void set_other(const void* scalar);  // 16-bit floats; complex is a UserError
  union {
    const Array* array_;
    std::int64_t integer_;
    double floating_;
  };
  Where where_;
  Kind kind_ = Kind::array;
  DType dtype_ = float32;  // of the scalar's C++ type
};

// Read-only view of an array's elements on the host, row-major. On the CPU device no copy is made;
// the memory stays while the view does.
template <Element T>
class HostView {
 public:
  [[nodiscard]] const T* data() const { return data_; }
  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] const T* begin() const { return data_; }
  [[nodiscard]] const T* end() const { return data_ + size_; }
  [[nodiscard]] const T& operator[](std::int64_t i) const { return data_[i]; }
  [[nodiscard]] std::span<const T> span() const { return {data_, static_cast<std::size_t>(size_)}; }

 private:
  friend class Array;
  HostView(const T* data, std::int64_t size, Shape shape, std::shared_ptr<const void> owner)
      : data_(data), size_(size), shape_(std::move(shape)), owner_(std::move(owner)) {}
  const T* data_;
  std::int64_t size_;
  Shape shape_;
  std::shared_ptr<const void> owner_;
};

// A value, one pointer wide, never null: Array() and a moved-from Array are float32 of shape (0).
// Copies share; an assignment or an update in place rebinds this Array and leaves its copies.
class Array {
 public:
  Array() noexcept = default;
  Array(const Array& other) noexcept;
  Array(Array&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  ~Array() {
    if (node_ != nullptr) release(node_);
  }
  Array& operator=(const Array& other) & noexcept;
  Array& operator=(Array&& other) & noexcept {
    if (this != &other) {
      if (node_ != nullptr) release(node_);
      node_ = std::exchange(other.node_, nullptr);
    }
    return *this;
  }
  // x(i) = v does not compile, since it would do nothing: write x.at(i) = v.
  void operator=(Operand) && = delete;

  // From data. The C++ type is kept: {1.0} is float64, {1} int32, {1.f} float32. Copies at the
  // call, but for rvalue vectors, whose memory is taken over: one that throws leaves the vector as
  // it was.
  template <Element E>
  [[nodiscard]] explicit Array(E scalar, Where where = Where::here());  // 0-d
  // UserError unless all rows are equally long.
  template <Element E>
  [[nodiscard]] Array(std::initializer_list<E> values, Where where = Where::here());
  template <Element E>
  [[nodiscard]] Array(std::initializer_list<std::initializer_list<E>> rows,
                      Where where = Where::here());
  template <Element E>
  [[nodiscard]] Array(std::initializer_list<std::initializer_list<std::initializer_list<E>>> planes,
                      Where where = Where::here());
  template <Element E>
  [[nodiscard]] explicit Array(const std::vector<E>& values, Where where = Where::here());
  template <Element E>
  [[nodiscard]] explicit Array(std::vector<E>&& values, Where where = Where::here());
  // UserError if the shape does not have as many elements as the data.
  template <Element E>
  [[nodiscard]] Array(const std::vector<E>& values, const Shape& shape,
                      Where where = Where::here());
  template <Element E>
  [[nodiscard]] Array(std::vector<E>&& values, const Shape& shape, Where where = Where::here());
  template <Element E>
  [[nodiscard]] Array(std::span<const E> values, const Shape& shape, Where where = Where::here());

  [[nodiscard]] const Shape& shape() const;
  [[nodiscard]] std::int64_t shape(std::int64_t axis) const;  // negative axes count from the end
  [[nodiscard]] std::int64_t ndim() const { return shape().ndim(); }
  [[nodiscard]] std::int64_t size() const;
  [[nodiscard]] DType dtype() const;
  [[nodiscard]] Device device() const;
  [[nodiscard]] bool evaluated() const;  // its value is in memory

  // A view, by value: x(0), x(slice(1, -1), whole), x(ellipsis, newaxis). Missing trailing indices
  // are whole. UserError: too many indices, an integer out of range, step 0.
  template <class... I>
    requires Indices<I...>
  [[nodiscard]] Array operator()(Index first, const I&... rest) const {
    const Index list[] = {std::move(first), Index(rest)...};
    return read(list);
  }
  // Writes: x.at(i) = v, += -= *= /=, .max(v), .min(v). v is broadcast to x(i). Rebinds x only.
  template <class... I>
    requires Indices<I...>
  [[nodiscard]] Place at(Index first, const I&... rest) &;
  // The same: x[0], x[slice(1, -1)]; x[0, 1] in C++23 only. In C++20 it means x[1], and compilers
  // warn of the comma: write x(0, 1).
#ifdef __cpp_multidimensional_subscript
  template <class... I>
    requires Indices<I...>
  [[nodiscard]] Array operator[](Index first, const I&... rest) const {
    const Index list[] = {std::move(first), Index(rest)...};
    return read(list);
  }
#else
  [[nodiscard]] Array operator[](Index i) const { return read({&i, 1}); }
#endif

  // Converts elements. Float to integer truncates and saturates, NaN gives 0; integers wrap.
  [[nodiscard]] Array astype(DType dtype, Where where = Where::here()) const;
  // The same values on another device; a transfer if they are different things.
  [[nodiscard]] Array to(const Device& device, Where where = Where::here()) const;
  // Row-major; one extent may be -1. See kiln::reshape.
  [[nodiscard]] Array reshape(const Shape& shape, Where where = Where::here()) const;
  // Transpose of a matrix (2 axes exactly); mT swaps the last two of any number.
  [[nodiscard]] Array T(Where where = Where::here()) const;
  [[nodiscard]] Array mT(Where where = Where::here()) const;
  // The same value with a name, which errors, explain and generated code use.
  [[nodiscard]] Array named(std::string_view label) const;

  // Evaluates and reads. Another type than the array's own is allowed by the dtypes, whatever the
  // values: floats as any floats, rounded; bool as any number; integers as what holds every value
  // of their dtype (int16 as float, int32 as double). Else a UserError that names astype.
  template <Element E>
  [[nodiscard]] E item(Where where = Where::here()) const;  // exactly one element
  // OutOfMemory if the CPU's limit has no room for the vector; once returned it is the program's
  // own, which nobody counts.
  template <Element E>
  [[nodiscard]] std::vector<E> to_vector(Where where = Where::here()) const;
  template <Element E>
  void copy_to(std::span<E> target, Where where = Where::here()) const;  // of size() elements
  template <Element E>
  [[nodiscard]] HostView<E> host(Where where = Where::here()) const;
  // Exactly one element, else UserError: use any() or all().
  [[nodiscard]] explicit operator bool() const;

  Array& operator+=(Operand right) &;
  Array& operator-=(Operand right) &;
  Array& operator*=(Operand right) &;
  Array& operator/=(Operand right) &;
  [[nodiscard]] friend Array operator-(Operand x) { return apply(Operator::negative, x, x); }
  [[nodiscard]] friend Array operator~(Operand x) { return apply(Operator::invert, x, x); }
  [[nodiscard]] Array operator!() const;
  [[nodiscard]] friend Array operator+(Operand left, Operand right) {
    return apply(Operator::add, left, right);
  }
  [[nodiscard]] friend Array operator-(Operand left, Operand right) {
    return apply(Operator::subtract, left, right);
  }
  [[nodiscard]] friend Array operator*(Operand left, Operand right) {
    return apply(Operator::multiply, left, right);
  }
  [[nodiscard]] friend Array operator/(Operand left, Operand right) {
    return apply(Operator::divide, left, right);
  }
  [[nodiscard]] friend Array operator%(Operand left, Operand right) {
    return apply(Operator::remainder, left, right);
  }
  [[nodiscard]] friend Array operator==(Operand left, Operand right) {
    return apply(Operator::equal, left, right);
  }
  [[nodiscard]] friend Array operator!=(Operand left, Operand right) {
    return apply(Operator::not_equal, left, right);
  }
  [[nodiscard]] friend Array operator<(Operand left, Operand right) {
    return apply(Operator::less, left, right);
  }
  [[nodiscard]] friend Array operator<=(Operand left, Operand right) {
    return apply(Operator::less_equal, left, right);
  }
  [[nodiscard]] friend Array operator>(Operand left, Operand right) {
    return apply(Operator::greater, left, right);
  }
  [[nodiscard]] friend Array operator>=(Operand left, Operand right) {
    return apply(Operator::greater_equal, left, right);
  }
  [[nodiscard]] friend Array operator&(Operand left, Operand right) {
    return apply(Operator::bitwise_and, left, right);
  }
  [[nodiscard]] friend Array operator|(Operand left, Operand right) {
    return apply(Operator::bitwise_or, left, right);
  }
  [[nodiscard]] friend Array operator^(Operand left, Operand right) {
    return apply(Operator::bitwise_xor, left, right);
  }
  [[nodiscard]] friend Array operator<<(Operand left, Operand right) {
    return apply(Operator::shift_left, left, right);
  }
  [[nodiscard]] friend Array operator>>(Operand left, Operand right) {
    return apply(Operator::shift_right, left, right);
  }
  [[nodiscard]] friend Array operator&&(const Array& left, const Array& right) {
    return apply(Operator::both, Operand(left, {}), Operand(right, {}));
  }
  [[nodiscard]] friend Array operator||(const Array& left, const Array& right) {
    return apply(Operator::either, Operand(left, {}), Operand(right, {}));
  }
  // As NumPy prints; more than 1000 elements are summarised, and only those shown are moved.
  friend std::ostream& operator<<(std::ostream& out, const Array& x);
  [[nodiscard]] friend std::string to_string(const Array& x) { return x.text(); }

 private:
  friend struct frontend::Access;
  friend class Place;
  enum class Operator : std::uint8_t {
    add,
    subtract,
    multiply,
    divide,
    remainder,
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    shift_left,
    shift_right,
    negative,  // of the left operand
    invert,
    both,  // && and ||
    either
  };
  // What friends do; friends that are defined in the class may be [[nodiscard]].
  static Array apply(Operator op, const Operand& left, const Operand& right);
  explicit Array(frontend::Node* adopted) noexcept : node_(adopted) {}
  static void release(frontend::Node* node) noexcept;
  static frontend::Node* from_bytes(DType dtype, const void* data, const Shape& shape,
                                    std::int64_t given, Where where);
  static void check_given(DType dtype, const Shape& shape, std::int64_t given, Where where);
  static frontend::Node* take_over(DType dtype, void* data, const Shape& shape,
                                   std::shared_ptr<const void> owner, Where where);
  [[noreturn]] static void ragged(Where where);
  template <Element E>
  static frontend::Node* from_rows(
      std::span<const std::initializer_list<std::initializer_list<E>>> planes, bool three,
      Where where);
  [[nodiscard]] std::string text() const;
  Array read(std::span<const Index> indices) const;
  // Evaluates. Counts memory for the elements in `dtype`, as long as *room lives.
  std::size_t readable(DType dtype, std::shared_ptr<const void>* room, const char* function,
                       Where where) const;
  void read_as(DType dtype, void* target, std::int64_t count, const char* function,
               Where where) const;
  std::shared_ptr<const void> host_memory(DType dtype, const void** data, Where where) const;

  frontend::Node* node_ = nullptr;
};

// What x.at(...) gives: a place to write to. Use it in the expression that made it. A write moves
// the bytes of the place where nobody else holds x; else x is copied first. What was read from x
// before keeps its value.
class Place {
 public:
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  // UserError if v does not broadcast to the place, or its dtype does not convert to x's within a
  // kind (a float into an integer array: use astype).
  void operator=(Operand v) &&;
  void operator+=(Operand v) &&;
  void operator-=(Operand v) &&;
  void operator*=(Operand v) &&;
  void operator/=(Operand v) &&;
  void max(Operand v) &&;
  void min(Operand v) &&;

 private:
  friend class Array;
  Place(Array& target, std::vector<Index> indices)
      : target_(&target), indices_(std::move(indices)) {}
  using Combine = Array (*)(Operand old, Operand value);  // null: the value alone
  void write(Combine combine, const Operand& v, const char* name);
  Array* target_;
  std::vector<Index> indices_;
};

// One or several arrays: f(x), f({x, y}), f(vector).
class Arrays {
 public:
  Arrays(const Array& x) : list_{x} {}
  Arrays(std::initializer_list<Array> list) : list_(list) {}
  Arrays(std::vector<Array> list) : list_(std::move(list)) {}
  [[nodiscard]] std::span<const Array> list() const { return list_; }

 private:
  std::vector<Array> list_;
};

template <Element E>
Array::Array(E scalar, Where where)
    : node_(from_bytes(dtype_of<E>(), &scalar, Shape{}, 1, where)) {}

template <Element E>
Array::Array(std::initializer_list<E> values, Where where)
    : node_(from_bytes(dtype_of<E>(), values.begin(), Shape{values.size()},
                       static_cast<std::int64_t>(values.size()), where)) {}

template <Element E>
Array::Array(std::initializer_list<std::initializer_list<E>> rows, Where where)
    : node_(from_rows<E>({&rows, 1}, false, where)) {}

template <Element E>
Array::Array(std::initializer_list<std::initializer_list<std::initializer_list<E>>> planes,
             Where where)
    : node_(from_rows<E>({planes.begin(), planes.size()}, true, where)) {}

template <Element E>
frontend::Node* Array::from_rows(
    std::span<const std::initializer_list<std::initializer_list<E>>> planes, bool three,
    Where where) {
  const std::size_t rows = planes.empty() ? 0 : planes[0].size();
  const std::size_t columns = rows == 0 ? 0 : planes[0].begin()->size();
  const std::size_t count = planes.size() * rows * columns;
  const std::unique_ptr<E[]> flat(new E[count + 1]);
  E* next = flat.get();
  for (const auto& plane : planes) {
    if (plane.size() != rows) ragged(where);
    for (const auto& row : plane) {
      if (row.size() != columns) ragged(where);
      for (const E& value : row) *next++ = value;
    }
  }
  const Shape shape = three ? Shape{planes.size(), rows, columns} : Shape{rows, columns};
  return from_bytes(dtype_of<E>(), flat.get(), shape, static_cast<std::int64_t>(count), where);
}

template <Element E>
Array::Array(const std::vector<E>& values, Where where) : Array(values, values.size(), where) {}

template <Element E>
Array::Array(std::vector<E>&& values, Where where) {
  const Shape shape = values.size();
  *this = Array(std::move(values), shape, where);
}

template <Element E>
Array::Array(const std::vector<E>& values, const Shape& shape, Where where) {
  const auto count = static_cast<std::int64_t>(values.size());
  if constexpr (std::same_as<E, bool>) {  // packed bits
    const std::unique_ptr<bool[]> bytes(new bool[values.size() + 1]);
    for (std::size_t i = 0; i < values.size(); ++i) bytes[i] = values[i];
    node_ = from_bytes(bool_, bytes.get(), shape, count, where);
  } else {
    node_ = from_bytes(dtype_of<E>(), values.data(), shape, count, where);
  }
}

template <Element E>
Array::Array(std::vector<E>&& values, const Shape& shape, Where where) {
  if constexpr (std::same_as<E, bool>) {
    *this = Array(std::as_const(values), shape, where);
  } else {
    check_given(dtype_of<E>(), shape, static_cast<std::int64_t>(values.size()), where);
    auto owner = std::make_shared<std::vector<E>>(std::move(values));
    try {
      node_ = take_over(dtype_of<E>(), owner->data(), shape, owner, where);
    } catch (...) {
      values = std::move(*owner);
      throw;
    }
  }
}

template <Element E>
Array::Array(std::span<const E> values, const Shape& shape, Where where)
    : node_(from_bytes(dtype_of<E>(), values.data(), shape,
                       static_cast<std::int64_t>(values.size()), where)) {}

template <class... I>
  requires Indices<I...>
Place Array::at(Index first, const I&... rest) & {
  return Place(*this, std::vector<Index>{std::move(first), Index(rest)...});
}

template <Element E>
E Array::item(Where where) const {
  E value{};
  read_as(dtype_of<E>(), &value, -1, "item", where);
  return value;
}

template <Element E>
std::vector<E> Array::to_vector(Where where) const {
  std::shared_ptr<const void> room;
  const std::size_t count = readable(dtype_of<E>(), &room, "to_vector", where);
  if constexpr (std::same_as<E, bool>) {
    const std::unique_ptr<bool[]> bytes(new bool[count + 1]);
    read_as(bool_, bytes.get(), static_cast<std::int64_t>(count), "to_vector", where);
    return std::vector<bool>(bytes.get(), bytes.get() + count);
  } else {
    std::vector<E> result(count);
    read_as(dtype_of<E>(), result.data(), static_cast<std::int64_t>(count), "to_vector", where);
    return result;
  }
}

template <Element E>
void Array::copy_to(std::span<E> target, Where where) const {
  read_as(dtype_of<E>(), target.data(), static_cast<std::int64_t>(target.size()), "copy_to", where);
}

template <Element E>
HostView<E> Array::host(Where where) const {
  const void* data = nullptr;
  std::shared_ptr<const void> owner = host_memory(dtype_of<E>(), &data, where);
  return HostView<E>(static_cast<const E*>(data), size(), shape(), std::move(owner));
}

}  // namespace v0
}  // namespace kiln
#pragma GCC visibility pop
