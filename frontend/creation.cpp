#include "kiln/creation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "frontend/binary.h"
#include "frontend/devices.h"
#include "frontend/environment.h"
#include "frontend/host_memory.h"
#include "frontend/promote.h"
#include "ir/bytes.h"
#include "ir/scalar.h"
#include "kiln/elementwise.h"

namespace kiln::inline v0 {

using frontend::Access;
using frontend::Complaint;
using frontend::Composite;

namespace {

std::uint16_t device_or_current(const MaybeDevice& device) {
  return device ? Access::id(*device) : frontend::current_device();
}

void refuse_complex(std::string_view function, DType dtype, Where where) {
  if (!ir::is_complex(frontend::to_ir(dtype))) return;
  Complaint(function, fmt::format("{} is reserved: no function takes complex numbers", name(dtype)),
            where)
      .advise("two arrays, of the real and the imaginary parts")
      .raise();
}

Array constant(std::string_view function, const Shape& shape, DType dtype, double value,
               const MaybeDevice& device, Where where) {
  const Composite scope(where);
  frontend::check_shape(function, shape, where);
  refuse_complex(function, dtype, where);
  return frontend::filled(shape, dtype, value, device_or_current(device), where);
}

}  // namespace

Array zeros(const Shape& shape, MaybeDType dtype, MaybeDevice device, Where where) {
  return constant("zeros", shape, dtype.value_or(float32), 0, device, where);
}
Array ones(const Shape& shape, MaybeDType dtype, MaybeDevice device, Where where) {
  return constant("ones", shape, dtype.value_or(float32), 1, device, where);
}
Array empty(const Shape& shape, MaybeDType dtype, MaybeDevice device, Where where) {
  return constant("empty", shape, dtype.value_or(float32), 0, device, where);
}
Array zeros_like(const Array& x, MaybeDType dtype, MaybeDevice device, Where where) {
  return constant("zeros_like", x.shape(), dtype.value_or(x.dtype()), 0,
                  device.value_or(x.device()), where);
}
Array ones_like(const Array& x, MaybeDType dtype, MaybeDevice device, Where where) {
  return constant("ones_like", x.shape(), dtype.value_or(x.dtype()), 1, device.value_or(x.device()),
                  where);
}
Array empty_like(const Array& x, MaybeDType dtype, MaybeDevice device, Where where) {
  return constant("empty_like", x.shape(), dtype.value_or(x.dtype()), 0,
                  device.value_or(x.device()), where);
}

namespace {
Array full_of(std::string_view function, const Shape& shape, const Operand& value, DType dtype,
              std::uint16_t device) {
  const Where where = Access::where(value);
  const Composite scope(where);
  frontend::check_shape(function, shape, where);
  refuse_complex(function, dtype, where);
  if (Access::is_array(value) && Access::array(value).ndim() != 0) {
    Complaint(function, "the value must be one number", where)
        .operand("value", value)
        .advise("a number or a 0-d array; broadcast_to repeats an array")
        .raise();
  }
  if (!Access::is_array(value)) {
    return frontend::filled_with(shape, frontend::scalar_of(function, value, dtype), device, where);
  }
  const Array one = astype(Access::array(value), dtype, where);
  frontend::Node* const node = Access::node(one);
  if (node->anywhere) return frontend::filled_with(shape, one, device, where);
  return frontend::broadcast(one, shape, where);
}
}  // namespace

Array full(const Shape& shape, Operand value, MaybeDType dtype, MaybeDevice device) {
  return full_of("full", shape, value, dtype.value_or(frontend::given_dtype(value)),
                 device_or_current(device));
}
Array full_like(const Array& x, Operand value, MaybeDType dtype, MaybeDevice device) {
  return full_of("full_like", x.shape(), value, dtype.value_or(x.dtype()),
                 Access::id(device.value_or(x.device())));
}

Array arange(Operand stop, MaybeDType dtype, MaybeDevice device) {
  if (Access::is_array(stop) || Access::kind(stop) != Access::ScalarKind::floating) {
    return arange(Operand(0, Access::where(stop)), stop, 1, dtype, device);
  }
  return arange(Operand(0.0, Access::where(stop)), stop, 1, dtype, device);
}

Array arange(Operand start, Operand stop, Operand step, MaybeDType dtype, MaybeDevice device) {
  const Where where = Access::where(start);
  const Composite scope(where);
  bool floating = false;
  for (const Operand* x : {&start, &stop, &step}) {
    if (Access::is_array(*x)) {
      Complaint("arange", "bounds must be C++ numbers", where)
          .operand("bound", *x)
          .advise("x.item<std::int64_t>() reads one")
          .raise();
    }
    floating = floating || Access::kind(*x) == Access::ScalarKind::floating;
  }
  const double first = Access::number(start), last = Access::number(stop),
               by = Access::number(step);
  if (by == 0 || !std::isfinite(first) || !std::isfinite(last) || !std::isfinite(by)) {
    Complaint("arange", fmt::format("from {} to {} by {} has no end", first, last, by), where)
        .advise("finite bounds and a step that is not 0")
        .raise();
  }
  const DType result = dtype.value_or(floating ? float32 : int64);
  refuse_complex("arange", result, where);
  if (result == bool_)
    Complaint("arange", "has no bool numbers", where).advise("an integer dtype").raise();
  std::int64_t count = 0;
  if (floating) {
    const double n = std::ceil((last - first) / by);
    if (n > 0x1p62) {
      Complaint("arange", fmt::format("{} elements", n), where).advise("a larger step").raise();
    }
    count = n > 0 ? static_cast<std::int64_t>(n) : 0;
  } else {
    const std::int64_t a = Access::integer(start), b = Access::integer(stop),
                       k = Access::integer(step);
    // Differences of 64-bit integers fit 64 bits without a sign.
    const std::uint64_t span =
        static_cast<std::uint64_t>(k > 0 ? b : a) - static_cast<std::uint64_t>(k > 0 ? a : b);
    const std::uint64_t stride =
        k > 0 ? static_cast<std::uint64_t>(k) : ~static_cast<std::uint64_t>(k) + 1;
    if (k > 0 ? b > a : a > b)
      count = static_cast<std::int64_t>(
          std::min<std::uint64_t>((span - 1) / stride, INT64_MAX - 1) + 1);
  }
  const Shape shape{count};
  frontend::check_shape("arange", shape, where);
  Array x =
      frontend::cast(frontend::iota(shape, 0, device_or_current(device), where), result, where);
  if (by != 1) x = multiply(x, frontend::scalar_of("arange", step, result));
  if (first != 0) x = add(x, frontend::scalar_of("arange", start, result));
  return x;
}

Array linspace(double start, double stop, Extent count, MaybeDType dtype, MaybeDevice device,
               Where where) {
  const Composite scope(where);
  const DType result = dtype.value_or(float32);
  if (!ir::is_float(frontend::to_ir(result)) || count.value < 0) {
    Complaint("linspace",
              count.value < 0 ? fmt::format("{} values", count.value)
                              : fmt::format("takes floats, not {}", name(result)),
              where)
        .advise(count.value < 0 ? "0 values or more" : "a float dtype, then astype")
        .raise();
  }
  const std::uint16_t target = device_or_current(device);
  const DType work = frontend::working_dtype(result);
  const ir::DType t = frontend::to_ir(work);
  const Shape shape{count};
  const auto number = [&](double value) {
    return frontend::scalar(work, ir::bits_of(t, value), where);
  };
  const double step = count.value > 1 ? (stop - start) / static_cast<double>(count.value - 1) : 0;
  const Array index = frontend::iota(shape, 0, target, where);
  Array x = add(multiply(frontend::cast(index, work, where), number(step)), number(start));
  if (count.value > 1) {  // the end exactly
    const Array last = frontend::scalar(int64, static_cast<std::uint64_t>(count.value - 1), where);
    x = kiln::where(equal(index, last), number(stop), x);
  }
  return frontend::cast(x, result, where);
}

Array eye(Extent rows, std::optional<std::int64_t> columns, std::int64_t diagonal, MaybeDType dtype,
          MaybeDevice device, Where where) {
  const Composite scope(where);
  const std::uint16_t target = device_or_current(device);
  const Shape shape{rows.value, columns.value_or(rows.value)};
  frontend::check_shape("eye", shape, where);
  refuse_complex("eye", dtype.value_or(float32), where);
  const Array row = frontend::iota(shape, 0, target, where);
  const Array column = frontend::iota(shape, 1, target, where);
  const Array offset = frontend::scalar(int64, static_cast<std::uint64_t>(diagonal), where);
  return astype(equal(column, add(row, offset)), dtype.value_or(float32), where);
}

namespace frontend {

namespace {

void check_layout(const char* function, DType dtype, const Layout& layout, const void* data,
                  Where where) {
  refuse_complex(function, dtype, where);
  check_shape(function, layout.shape, where);
  if (static_cast<std::int64_t>(layout.strides.size()) != layout.shape.ndim()) {
    Complaint(function,
              fmt::format("{} strides for {} axes", layout.strides.size(), layout.shape.ndim()),
              where)
        .advise("a stride for each axis, in elements")
        .raise();
  }
  if (data == nullptr && layout.shape.size() != 0) {
    Complaint(function, "a null pointer", where).advise("the address of the first element").raise();
  }
}

bool is_dense(const Layout& layout) {
  std::int64_t expected = 1;
  for (std::int64_t i = layout.shape.ndim(); i-- > 0;) {
    const std::int64_t n = layout.shape.extents()[static_cast<std::size_t>(i)];
    if (n != 1 && layout.strides[static_cast<std::size_t>(i)] != expected) return false;
    expected *= n;
  }
  return true;
}

Node* leaf_of(DType dtype, const Shape& shape, runtime::Block block, std::int64_t bytes,
              std::int64_t offset, std::vector<std::int64_t> strides, Where where) {
  auto value = std::make_unique<Value>();
  value->storage = std::make_shared<Storage>(registry().cpu(), std::move(block), bytes);
  value->offset = offset;
  value->strides = std::move(strides);
  return trace().leaf(dtype, shape, current_device(), value.release(), line_of(where));
}

// Copies strided elements to dense ones, innermost axis in a tight loop.
void gather(std::byte* to, const std::byte* from, std::size_t size, const Layout& layout) {
  const std::int64_t ndim = layout.shape.ndim();
  if (layout.shape.size() == 0) return;
  std::vector<std::int64_t> index(static_cast<std::size_t>(ndim), 0);
  const std::int64_t inner = ndim == 0 ? 1 : layout.shape[-1];
  const std::int64_t stride =
      ndim == 0 ? 0 : layout.strides.back() * static_cast<std::int64_t>(size);
  for (;;) {
    for (std::int64_t i = 0; i < inner; ++i, to += size) std::memcpy(to, from + i * stride, size);
    std::int64_t axis = ndim - 2;
    for (; axis >= 0; --axis) {
      const auto a = static_cast<std::size_t>(axis);
      from += layout.strides[a] * static_cast<std::int64_t>(size);
      if (++index[a] < layout.shape.extents()[a]) break;
      from -= layout.strides[a] * index[a] * static_cast<std::int64_t>(size);
      index[a] = 0;
    }
    if (axis < 0) return;
  }
}

}  // namespace

Array copy_strided(DType dtype, const void* data, const Layout& layout, Where where) {
  check_layout("from_host", dtype, layout, data, where);
  const std::int64_t size = ir::size_of(to_ir(dtype));
  const std::int64_t bytes = layout.shape.size() * size;
  runtime::Block block = host_block("from_host", dtype, layout.shape, where);
  if (bytes > 0 && is_dense(layout)) {
    std::memcpy(block.data(), data, static_cast<std::size_t>(bytes));
  } else {
    gather(static_cast<std::byte*>(block.data()), static_cast<const std::byte*>(data),
           static_cast<std::size_t>(size), layout);
  }
  return Access::adopt(leaf_of(dtype, layout.shape, std::move(block), bytes, 0, {}, where));
}

Array borrow_strided(DType dtype, const void* data, const Layout& layout,
                     std::shared_ptr<const void> owner, Where where) {
  check_layout("borrow", dtype, layout, data, where);
  if (owner == nullptr) {
    Complaint("borrow", "the owner is null", where)
        .advise("a shared_ptr that keeps the memory; from_host copies")
        .raise();
  }
  // The memory that the elements span, from the lowest address; none without elements.
  const bool empty = layout.shape.size() == 0;
  std::int64_t low = 0, high = 0;
  for (std::int64_t i = 0; i < layout.shape.ndim() && !empty; ++i) {
    const auto a = static_cast<std::size_t>(i);
    const std::int64_t reach = (layout.shape.extents()[a] - 1) * layout.strides[a];
    (reach < 0 ? low : high) += reach;
  }
  const std::int64_t size = ir::size_of(to_ir(dtype));
  const std::int64_t bytes = empty ? 0 : (high - low + 1) * size;
  auto* const first = const_cast<std::byte*>(static_cast<const std::byte*>(data)) + low * size;
  runtime::Block block{registry().cpu().adopt(first, bytes, std::move(owner), false), 0};
  return Access::adopt(leaf_of(dtype, layout.shape, std::move(block), bytes, -low,
                               is_dense(layout) ? std::vector<std::int64_t>{} : layout.strides,
                               where));
}

}  // namespace frontend

namespace {
void check_given(DType dtype, const Shape& shape, std::int64_t given, Where where) {
  refuse_complex("Array", dtype, where);
  frontend::check_shape("Array", shape, where);
  if (shape.size() != given) {
    Complaint("Array",
              fmt::format("shape {} has {} elements, the data has {}", frontend::to_text(shape),
                          shape.size(), given),
              where)
        .advise("a shape of as many elements as the data has")
        .raise();
  }
}
}  // namespace

frontend::Node* Array::from_bytes(DType dtype, const void* data, const Shape& shape,
                                  std::int64_t given, Where where) {
  check_given(dtype, shape, given, where);
  const std::int64_t bytes = given * ir::size_of(frontend::to_ir(dtype));
  runtime::Block block = frontend::host_block("Array", dtype, shape, where);
  ir::copy_bytes(block.data(), data, bytes);
  return frontend::leaf_of(dtype, shape, std::move(block), bytes, 0, {}, where);
}

frontend::Node* Array::take_over(DType dtype, void* data, std::int64_t count, const Shape& shape,
                                 std::shared_ptr<const void> owner, Where where) {
  check_given(dtype, shape, count, where);
  const std::int64_t bytes = count * ir::size_of(frontend::to_ir(dtype));
  runtime::Block block{frontend::registry().cpu().adopt(data, bytes, std::move(owner), true), 0};
  return frontend::leaf_of(dtype, shape, std::move(block), bytes, 0, {}, where);
}

void Array::ragged(Where where) {
  Complaint("Array", "the rows have different lengths", where)
      .advise("rows of one length, or several arrays")
      .raise();
}

}  // namespace kiln::inline v0
