#include "kiln/array.h"

#include <fmt/format.h>

#include <cstring>

#include "frontend/binary.h"
#include "frontend/complaint.h"
#include "frontend/devices.h"
#include "frontend/environment.h"
#include "frontend/evaluate.h"
#include "frontend/host_memory.h"
#include "frontend/layout.h"
#include "frontend/promote.h"
#include "frontend/read.h"
#include "frontend/record.h"
#include "frontend/state.h"
#include "frontend/translate.h"
#include "ir/scalar.h"

namespace kiln::inline v0 {

using frontend::Access;
using frontend::Complaint;
using frontend::Node;

namespace frontend {

Node* Access::empty() {
  static Node* const instance = [] {
    auto value = std::make_unique<Value>();
    runtime::Device& host = registry().cpu();
    value->storage = std::make_shared<Storage>(host, runtime::Block{host.allocate(0), 0}, 0);
    Node* const node = trace().leaf(float32, Shape{0}, kCpu, std::move(value), {});
    node->anywhere = true;
    return node;
  }();
  return instance;
}

HostData host_data(const Array& x, Where where, const char* why) {
  ++state().runs;
  evaluate({&x, 1}, where);
  Node* const node = Access::node(x);
  const Value& value = *node->value.load(std::memory_order_acquire);
  const std::int64_t size = ir::size_of(to_ir(node->dtype));
  return translated(why, where, [&]() -> HostData {
    const runtime::Block block =
        on_behalf_of(node, [&] { return value.storage->on(registry().cpu(), where, why); });
    const auto* const first = static_cast<const std::byte*>(block.data()) + value.offset * size;
    if (value.strides.empty()) return {first, value.storage};
    const auto dense =
        std::make_shared<runtime::Block>(host_block(why, node->dtype, node->shape->shape, where));
    auto* const to = static_cast<std::byte*>(dense->data());
    gather(to, first, node->shape->shape.extents(), value.strides, size);
    return {to, dense};
  });
}

}  // namespace frontend

std::string_view name(DType dtype) { return ir::name(frontend::to_ir(dtype)); }
std::ostream& operator<<(std::ostream& out, DType dtype) { return out << name(dtype); }

Array::Array(const Array& other) noexcept : node_(other.node_) {
  if (node_ != nullptr) frontend::Trace::retain(node_);
}
Array& Array::operator=(const Array& other) & noexcept {
  if (other.node_ != nullptr) frontend::Trace::retain(other.node_);
  if (node_ != nullptr) release(node_);
  node_ = other.node_;
  return *this;
}
void Array::release(Node* node) noexcept { frontend::trace().release(node); }

const Shape& Array::shape() const { return Access::node(*this)->shape->shape; }
std::int64_t Array::shape(std::int64_t axis) const {
  Node* const node = Access::node(*this);
  return shape().extents()[static_cast<std::size_t>(
      frontend::check_axis("shape", axis, ndim(), node->where, node))];
}
std::int64_t Array::size() const { return Access::node(*this)->shape->size; }
DType Array::dtype() const { return Access::node(*this)->dtype; }
Device Array::device() const { return Access::device(Access::node(*this)->device); }
bool Array::evaluated() const { return Access::node(*this)->ready(); }

Array Operand::array() const { return frontend::as_array("scalar", *this); }

void Operand::set_other(const void* scalar) {
  const ir::DType t = frontend::to_ir(dtype_);
  if (ir::is_complex(t)) {
    Complaint("scalar",
              fmt::format("{} is reserved: no function takes complex numbers", name(dtype_)),
              where_)
        .advise("two arrays, of the real and the imaginary parts")
        .raise();
  }
  std::uint16_t bits = 0;
  std::memcpy(&bits, scalar, sizeof bits);
  kind_ = Kind::floating;
  floating_ = ir::to_double(t, bits);
}

Array Array::named(std::string_view label) const {
  Node* const node = Access::node(*this);
  const std::string* const text = frontend::trace().intern(label);
  if (node->ready()) {
    const frontend::Value& value = *node->value.load(std::memory_order_acquire);
    auto copy = std::make_unique<frontend::Value>();
    copy->storage = value.storage;
    copy->offset = value.offset;
    copy->strides = value.strides;
    return Array(frontend::trace().leaf(node->dtype, node->shape->shape, node->device,
                                        std::move(copy), node->where, text));
  }
  frontend::Recipe r;
  r.kind = frontend::Kind::alias;
  r.dtype = node->dtype;
  r.device = node->device;
  r.anywhere = node->anywhere;
  r.operands = {&node, 1};
  r.shape = node->shape;
  r.where = node->where;
  r.label = text;
  return Array(frontend::trace().record(r));
}

Array Array::to(const Device& device, Where where) const {
  Node* const node = Access::node(*this);
  const std::uint16_t id = Access::id(device);
  if (node->device == id && !node->anywhere) return *this;
  ++frontend::state().runs;
  frontend::evaluate({this, 1}, where);
  const frontend::Value& value = *node->value.load(std::memory_order_acquire);
  auto copy = std::make_unique<frontend::Value>();
  copy->storage = value.storage;
  copy->offset = value.offset;
  copy->strides = value.strides;
  frontend::translated("to", where, [&] {
    frontend::on_behalf_of(node,
                           [&] { copy->storage->on(frontend::memory_device(id), where, "to"); });
  });
  return Array(frontend::trace().leaf(node->dtype, node->shape->shape, id, std::move(copy),
                                      frontend::line_of(where), node->label()));
}

namespace {

// Whether values convert is decided by the dtypes, never by the values.
void check_conversion(const Array& x, DType to, const char* function, Where where) {
  const ir::DType a = frontend::to_ir(x.dtype()), b = frontend::to_ir(to);
  if (ir::is_complex(b)) {
    Complaint(function, fmt::format("{} is reserved: no function takes complex numbers", name(to)),
              where)
        .advise("two arrays, of the real and the imaginary parts")
        .raise();
  }
  if ((ir::is_float(a) && ir::is_float(b)) || frontend::converts_exactly(x.dtype(), to)) return;
  Complaint(function, fmt::format("{} does not hold every {}", name(to), name(x.dtype())), where)
      .operand("array", x)
      .advise(fmt::format("astype(kiln::{}) where the loss is meant, or read {} elements",
                          to == bool_ ? "bool_" : name(to), name(x.dtype())))
      .raise();
}

// From an array's own dtype.
void convert(const Array& x, const std::byte* data, DType to, void* target) {
  const void* in[] = {data};
  ir::evaluate(ir::Op::cast, frontend::to_ir(x.dtype()), frontend::to_ir(to), x.size(), in, target);
}

}  // namespace

std::size_t Array::readable(DType to, std::shared_ptr<const void>* room, const char* function,
                            Where where) const {
  check_conversion(*this, to, function, where);
  frontend::evaluate({this, 1}, where);
  *room = frontend::host_room(function, to, shape(), where);
  return static_cast<std::size_t>(size());
}

void Array::read_as(DType to, void* target, std::int64_t count, const char* function,
                    Where where) const {
  check_conversion(*this, to, function, where);
  if (count < 0 && size() != 1) {
    Complaint(function, fmt::format("needs one element, not {}", size()), where)
        .operand("array", *this)
        .advise("an index, or to_vector")
        .raise();
  }
  if (count >= 0 && count != size()) {
    Complaint(function, fmt::format("the target has {} elements, the array {}", count, size()),
              where)
        .operand("array", *this)
        .advise(fmt::format("a target of {} elements, or to_vector, which makes one", size()))
        .raise();
  }
  if (size() == 0) return;
  const frontend::HostData host = frontend::host_data(*this, where, function);
  if (to == dtype()) {
    std::memcpy(target, host.data,
                static_cast<std::size_t>(size() * ir::size_of(frontend::to_ir(to))));
  } else {
    convert(*this, host.data, to, target);
  }
}

std::shared_ptr<const void> Array::host_memory(DType to, const void** data, Where where) const {
  check_conversion(*this, to, "host", where);
  const frontend::HostData host = frontend::host_data(*this, where, "host");
  if (to == dtype()) {
    *data = host.data;
    return host.owner;
  }
  const auto copy =
      std::make_shared<runtime::Block>(frontend::host_block("host", to, shape(), where));
  if (size() > 0) convert(*this, host.data, to, copy->data());
  *data = copy->data();
  return copy;
}

Array::operator bool() const {
  const Where where = Access::node(*this)->where;
  if (size() != 1) {
    Complaint("bool", fmt::format("the truth of {} elements", size()), where)
        .operand("array", *this)
        .advise("use any() or all()")
        .raise();
  }
  const frontend::HostData host = frontend::host_data(*this, where, "bool");
  const ir::DType t = frontend::to_ir(dtype());
  std::uint64_t bits = 0;
  std::memcpy(&bits, host.data, static_cast<std::size_t>(ir::size_of(t)));
  return ir::is_float(t) ? ir::to_double(t, bits) != 0 : bits != 0;
}

}  // namespace kiln::inline v0
