#include "kiln/creation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "frontend/binary.h"
#include "frontend/devices.h"
#include "frontend/environment.h"
#include "frontend/host_memory.h"
#include "frontend/layout.h"
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

namespace {
// 64 bits, of either sign, whose order is that of the numbers.
bool below(const Operand& x, const Operand& y) {
  const auto negative = [](const Operand& o) {
    return Access::kind(o) != Access::ScalarKind::natural && Access::integer(o) < 0;
  };
  if (negative(x) != negative(y)) return negative(x);
  return static_cast<std::uint64_t>(Access::integer(x)) <
         static_cast<std::uint64_t>(Access::integer(y));
}

std::int64_t truncated(const Operand& x, ir::DType dtype) {
  if (Access::kind(x) != Access::ScalarKind::floating) return Access::integer(x);
  const bool natural = dtype == ir::DType::uint64;  // whose upper half no int64 holds
  return static_cast<std::int64_t>(
      ir::bits_of(natural ? dtype : ir::DType::int64, std::trunc(Access::number(x))));
}

// UserError if a range of integers does not begin inside its dtype.
void check_start(const Operand& start, DType dtype, Where where) {
  if (Access::kind(start) != Access::ScalarKind::floating) {
    frontend::scalar_of("arange", start, dtype);
    return;
  }
  const ir::DType t = frontend::to_ir(dtype);
  const int bits = static_cast<int>(8 * ir::size_of(t)) - (ir::is_signed_int(t) ? 1 : 0);
  const double first = std::trunc(Access::number(start)), most = std::ldexp(1.0, bits);
  if (first < most && first >= (ir::is_signed_int(t) ? -most : 0)) return;
  Complaint("arange", fmt::format("{} does not fit {}", first, name(dtype)), where)
      .advise("a wider dtype")
      .raise();
}

std::int64_t integer_count(const Operand& start, const Operand& stop, const Operand& step) {
  const bool up = below(Operand(0), step);
  if (up ? !below(start, stop) : !below(stop, start)) return 0;
  const auto a = static_cast<std::uint64_t>(Access::integer(start)),
             b = static_cast<std::uint64_t>(Access::integer(stop)),
             k = static_cast<std::uint64_t>(Access::integer(step));
  // A span of 2^64 and more, from a negative number to one of the upper half.
  if (below(start, Operand(0)) != below(stop, Operand(0)) && (up ? b >= a : a >= b))
    return INT64_MAX;
  const std::uint64_t span = up ? b - a : a - b, stride = up ? k : ~k + 1;
  return static_cast<std::int64_t>(std::min<std::uint64_t>((span - 1) / stride, INT64_MAX - 1) + 1);
}
}  // namespace

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
    count = integer_count(start, stop, step);
  }
  const Shape shape{count};
  frontend::check_shape("arange", shape, where);
  const ir::DType t = frontend::to_ir(result);
  const bool modular = !ir::is_float(t);  // a step that does not fit wraps, as sums do
  const auto number = [&](const Operand& x) {
    return modular ? frontend::scalar(result, ir::bits_of_int(t, truncated(x, t)), where)
                   : frontend::scalar_of("arange", x, result);
  };
  if (modular && count > 0) check_start(start, result, where);
  Array x =
      frontend::cast(frontend::iota(shape, 0, device_or_current(device), where), result, where);
  if (by != 1) x = multiply(x, number(step));
  if (first != 0 || (by < 0 && !modular)) x = add(x, number(start));  // 0 * -1 is -0
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

// The lowest and the highest element, from the one that data points to.
struct Reach {
  std::int64_t low = 0, high = 0;
  std::int64_t elements = 0;
};

// UserError if it is more than an address can be.
Reach reach_of(const char* function, const Layout& layout, Where where) {
  Reach reach;
  if (layout.shape.size() == 0) return reach;
  constexpr std::int64_t kMost = std::int64_t{1} << 59;
  for (std::size_t i = 0; i < layout.strides.size(); ++i) {
    const std::int64_t steps = layout.shape.extents()[i] - 1, stride = layout.strides[i];
    const bool far = steps > 0 && (stride > kMost / steps || stride < -kMost / steps);
    if (!far) (stride < 0 ? reach.low : reach.high) += steps * stride;
    if (far || reach.high - reach.low >= kMost)
      Complaint(function, "the strides reach beyond what memory there can be", where)
          .advise("strides count elements, not bytes")
          .raise();
  }
  reach.elements = reach.high - reach.low + 1;
  return reach;
}

Node* leaf_of(DType dtype, const Shape& shape, runtime::Block block, std::int64_t bytes,
              std::int64_t offset, std::vector<std::int64_t> strides, Where where) {
  auto value = std::make_unique<Value>();
  value->storage = std::make_shared<Storage>(registry().cpu(), std::move(block), bytes);
  value->offset = offset;
  value->strides = std::move(strides);
  return trace().leaf(dtype, shape, current_device(), std::move(value), line_of(where));
}

}  // namespace

Array copy_strided(DType dtype, const void* data, const Layout& layout, Where where) {
  check_layout("from_host", dtype, layout, data, where);
  reach_of("from_host", layout, where);
  const std::int64_t size = ir::size_of(to_ir(dtype));
  const std::int64_t bytes = layout.shape.size() * size;
  runtime::Block block = host_block("from_host", dtype, layout.shape, where);
  if (bytes > 0 && is_dense(layout.shape.extents(), layout.strides)) {
    std::memcpy(block.data(), data, static_cast<std::size_t>(bytes));
  } else {
    gather(static_cast<std::byte*>(block.data()), static_cast<const std::byte*>(data),
           layout.shape.extents(), layout.strides, size);
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
  const Reach reach = reach_of("borrow", layout, where);
  const std::int64_t size = ir::size_of(to_ir(dtype));
  const std::int64_t bytes = reach.elements * size;
  auto* const first =
      const_cast<std::byte*>(static_cast<const std::byte*>(data)) + reach.low * size;
  runtime::Block block{registry().cpu().adopt(first, bytes, std::move(owner), false), 0};
  return Access::adopt(leaf_of(dtype, layout.shape, std::move(block), bytes, -reach.low,
                               is_dense(layout.shape.extents(), layout.strides)
                                   ? std::vector<std::int64_t>{}
                                   : layout.strides,
                               where));
}

}  // namespace frontend

void Array::check_given(DType dtype, const Shape& shape, std::int64_t given, Where where) {
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

frontend::Node* Array::from_bytes(DType dtype, const void* data, const Shape& shape,
                                  std::int64_t given, Where where) {
  check_given(dtype, shape, given, where);
  const std::int64_t bytes = given * ir::size_of(frontend::to_ir(dtype));
  runtime::Block block = frontend::host_block("Array", dtype, shape, where);
  ir::copy_bytes(block.data(), data, bytes);
  return frontend::leaf_of(dtype, shape, std::move(block), bytes, 0, {}, where);
}

frontend::Node* Array::take_over(DType dtype, void* data, const Shape& shape,
                                 std::shared_ptr<const void> owner, Where where) {
  const std::int64_t bytes = shape.size() * ir::size_of(frontend::to_ir(dtype));
  runtime::Block block{frontend::registry().cpu().adopt(data, bytes, std::move(owner), true), 0};
  return frontend::leaf_of(dtype, shape, std::move(block), bytes, 0, {}, where);
}

void Array::ragged(Where where) {
  Complaint("Array", "the rows have different lengths", where)
      .advise("rows of one length, or several arrays")
      .raise();
}

}  // namespace kiln::inline v0
