// x(...) and x.at(...): an index is resolved to one slice an axis and the shape that is read.
#include <fmt/format.h>

#include <algorithm>

#include "frontend/binary.h"
#include "frontend/writes.h"
#include "ir/mutant.h"
#include "kiln/elementwise.h"
#include "kiln/views.h"

namespace kiln::inline v0 {

using frontend::Access;
using frontend::Complaint;
using frontend::Composite;
using frontend::PerAxis;
using frontend::to_text;
using Extents = std::vector<std::int64_t>;

namespace {

struct Region {
  PerAxis begin, step, extent;  // of the array's axes; an integer index has extent 1
  PerAxis shape;                // of the result: without integer indices, with new axes
  Where where;
};

[[noreturn]] void out_of_range(const Array& x, std::int64_t i, std::int64_t axis, std::int64_t n,
                               Where where) {
  Complaint complaint(
      "index", fmt::format("index {} is out of range for axis {} with extent {}", i, axis, n),
      where);
  complaint.operand("array", x);
  complaint
      .advise(n > 0 ? fmt::format("an index from {} to {}", -n, n - 1)
                    : "a slice: of no elements none can be named")
      .raise();
}

// begin:end:step of an axis of n elements, as Python resolves it.
void resolve(const Slice& slice, std::int64_t n, const Array& x, Where where, Region* region) {
  const std::int64_t step = slice.step.at.value_or(1);
  if (step == 0) {
    Complaint("index", "a slice's step is 0", where)
        .operand("array", x)
        .advise("a step such as 1, or -1 for the other direction")
        .raise();
  }
  const auto clamp = [n](std::int64_t i, std::int64_t low, std::int64_t high) {
    return std::clamp(i < 0 ? i + n : i, low, high);
  };
  std::int64_t begin = 0, end = 0, count = 0;
  if (step > 0) {
    begin = slice.begin.at ? clamp(*slice.begin.at, 0, n) : 0;
    end = slice.end.at ? clamp(*slice.end.at, 0, n) : n;
    const std::int64_t rest = mutant(ir::Mutant::slice_count) ? 0 : 1;
    count = end > begin ? (end - begin - rest) / step + 1 : 0;
  } else {
    begin = slice.begin.at ? clamp(*slice.begin.at, -1, n - 1) : n - 1;
    end = slice.end.at ? clamp(*slice.end.at, -1, n - 1) : -1;
    // -(step + 1) cannot overflow.
    count = begin > end ? static_cast<std::int64_t>(static_cast<std::uint64_t>(begin - end - 1) /
                                                    (static_cast<std::uint64_t>(-(step + 1)) + 1)) +
                              1
                        : 0;
  }
  region->begin.push_back(count == 0 ? 0 : begin);
  region->step.push_back(count <= 1 ? 1 : step);
  region->extent.push_back(count);
  region->shape.push_back(count);
}

Region resolve(const Array& x, std::span<const Index> indices) {
  using Kind = Access::IndexKind;
  Region region;
  region.where = Access::where(indices[0]);
  std::int64_t used = 0, rests = 0, axes = x.ndim();
  for (const Index& index : indices) {
    if (Access::kind(index) == Kind::fresh) ++axes;
    if (Access::kind(index) == Kind::number) --axes;
    if (Access::kind(index) == Kind::rest) ++rests;
    if (Access::kind(index) == Kind::number || Access::kind(index) == Kind::range) ++used;
  }
  if (used > x.ndim() || rests > 1) {
    Complaint("index",
              rests > 1 ? std::string("more than one ellipsis")
                        : fmt::format("{} indices for {} axes", used, x.ndim()),
              region.where)
        .operand("array", x)
        .advise(rests > 1 ? std::string("one ellipsis; kn::_ takes a whole axis")
                          : fmt::format("at most {}; newaxis and ellipsis do not count", x.ndim()))
        .raise();
  }
  if (axes > ir::kMaxRank) frontend::refuse_axes("index", axes, region.where);
  std::int64_t axis = 0;
  const auto whole_axes = [&](std::int64_t count) {
    for (; count > 0; --count)
      resolve(Slice{_, _, _}, x.shape().extents()[static_cast<std::size_t>(axis++)], x,
              region.where, &region);
  };
  const Where where = region.where;  // later indices were converted in a header
  for (const Index& index : indices) {
    switch (Access::kind(index)) {
      case Kind::fresh:
        region.shape.push_back(1);
        break;
      case Kind::rest:
        whole_axes(x.ndim() - used);
        break;
      case Kind::range:
        resolve(Access::range(index), x.shape().extents()[static_cast<std::size_t>(axis++)], x,
                where, &region);
        break;
      case Kind::number: {
        const std::int64_t n = x.shape().extents()[static_cast<std::size_t>(axis)];
        const std::int64_t i = Access::number(index);
        if (i < -n || i >= n) out_of_range(x, i, axis, n, where);
        region.begin.push_back(i < 0 ? i + n : i);
        region.step.push_back(1);
        region.extent.push_back(1);
        ++axis;
        break;
      }
    }
  }
  whole_axes(x.ndim() - axis);
  frontend::check_shape("index", region.shape, region.where);
  return region;
}

Array read_region(const Array& x, const Region& r) {
  const Array part = frontend::sliced(x, r.extent, r.begin, r.step, r.where);
  return frontend::reshaped(part, r.shape, r.where);
}

// The window of a write, and the value as it lies there: with rising indices.
frontend::Window window_of(const Region& r, Array* v) {
  frontend::Window window{r.begin, r.step, r.extent};
  PerAxis begin, step;
  bool flipped = false;
  for (std::size_t i = 0; i < r.extent.size(); ++i) {
    const bool falls = r.step[i] < 0;
    begin.push_back(falls ? r.extent[i] - 1 : 0);
    step.push_back(falls ? -1 : 1);
    if (!falls) continue;
    window.begin[i] += r.step[i] * (r.extent[i] - 1);
    window.step[i] = -r.step[i];
    flipped = true;
  }
  if (flipped) *v = frontend::sliced(*v, r.extent, begin, step, r.where);
  return window;
}

}  // namespace

Array Array::read(std::span<const Index> indices) const {
  return read_region(*this, resolve(*this, indices));
}

void Place::write(Combine combine, const Operand& v, const char* name) {
  const Composite scope(Access::where(indices_[0]));
  Array& x = *target_;
  const Region r = resolve(x, indices_);
  const Where where = r.where;
  const Operand old(x, where);
  Array value = Access::is_array(v)
                    ? Access::array(v)
                    : frontend::as_array(name, v, frontend::common_dtype(name, old, v));
  if (combine != nullptr) value = combine(read_region(x, r), v);  // a scalar stays weak
  value = frontend::within_kind(name, value, x.dtype(), where);
  const Shape place{std::span<const std::int64_t>(r.shape)};
  const std::span<const std::int64_t> from = value.shape().extents(), to = place.extents();
  bool fits = from.size() <= to.size();
  for (std::size_t i = 0; fits && i < from.size(); ++i) {
    const std::int64_t n = from[from.size() - 1 - i];
    fits = n == 1 || n == to[to.size() - 1 - i];
  }
  if (!fits) {
    Complaint(name,
              fmt::format("a value of shape {} does not broadcast to the place's shape {}",
                          to_text(value.shape()), to_text(place)),
              where)
        .operand("array", x)
        .operand("value", value)
        .advise("a value whose extents are the place's or 1, counted from the last axis")
        .raise();
  }
  frontend::Node* const nodes[] = {Access::node(x), Access::node(value)};
  const std::uint16_t device = frontend::common_device(name, nodes, where);
  if (place.size() == 0) return;
  value = Access::node(value)->anywhere
              ? frontend::filled_with(r.extent, value, device, where)
              : frontend::reshaped(frontend::broadcast(value, place, where), r.extent, where);
  const frontend::Window window = window_of(r, &value);
  const bool all = std::ranges::equal(r.extent, x.shape());
  x = all ? value : frontend::updated(x, value, window, where);
}

void Place::operator=(Operand v) && { write(nullptr, v, "at ="); }
void Place::operator+=(Operand v) && { write(add, v, "at +="); }
void Place::operator-=(Operand v) && { write(subtract, v, "at -="); }
void Place::operator*=(Operand v) && { write(multiply, v, "at *="); }
void Place::operator/=(Operand v) && { write(divide, v, "at /="); }
void Place::max(Operand v) && { write(maximum, v, "at max"); }
void Place::min(Operand v) && { write(minimum, v, "at min"); }

}  // namespace kiln::inline v0
