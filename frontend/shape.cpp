#include <fmt/format.h>

#include <ostream>

#include "frontend/complaint.h"
#include "kiln/types.h"

namespace kiln::inline v0 {

Shape::Shape(std::initializer_list<Extent> extents) {
  extents_.reserve(extents.size());
  for (const Extent& n : extents) extents_.push_back(n.value);
}

std::int64_t Shape::operator[](std::int64_t axis) const {
  const std::int64_t n = ndim();
  if (axis < -n || axis >= n) {
    frontend::Complaint(
        "shape",
        fmt::format("axis {} is out of range for shape {}", axis, frontend::to_text(*this)), {})
        .advise(n > 0 ? fmt::format("an axis from {} to {}", -n, n - 1)
                      : "a shape with axes: this one is a scalar's")
        .raise();
  }
  return extents_[static_cast<std::size_t>(axis < 0 ? axis + n : axis)];
}

std::int64_t Shape::size() const {
  std::int64_t size = 1;
  for (const std::int64_t n : extents_) size *= n;
  return size;
}

std::string Shape::text() const { return frontend::to_text(*this); }

[[gnu::visibility("default")]] std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  return out << frontend::to_text(shape);
}

[[gnu::visibility("default")]] std::ostream& operator<<(std::ostream& out, const Slice& slice) {
  if (slice.begin.at) out << *slice.begin.at;
  out << ':';
  if (slice.end.at) out << *slice.end.at;
  if (slice.step.at) out << ':' << *slice.step.at;
  return out;
}

Axes::Axes(std::initializer_list<Extent> axes) {
  for (const Extent& axis : axes) axes_.push_back(axis.value);
}

}  // namespace kiln::inline v0
