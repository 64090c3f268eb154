#include "kiln/views.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "frontend/binary.h"
#include "frontend/promote.h"
#include "kiln/elementwise.h"

namespace kiln::inline v0 {

using frontend::Access;
using frontend::check_axes;
using frontend::check_axis;
using frontend::check_shape;
using frontend::Complaint;
using frontend::Composite;
using frontend::to_text;
using Extents = std::vector<std::int64_t>;

namespace {
Extents extents_of(const Array& x) { return Extents(x.shape().begin(), x.shape().end()); }
std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }
}  // namespace

Array reshape(const Array& x, const Shape& shape, Where where) {
  Extents extents(shape.begin(), shape.end());
  if (std::ranges::count(extents, -1) > 1) {
    Complaint("reshape", fmt::format("shape {} leaves more than one extent open", to_text(shape)),
              where)
        .operand("array", x)
        .advise("one -1, which is what is left, and numbers")
        .raise();
  }
  const auto open = std::ranges::find(extents, -1);
  if (open != extents.end()) {
    *open = 1;
    check_shape("reshape", Shape(extents), where);
    const std::int64_t rest = Shape(extents).size();
    if (rest == 0 || x.size() % rest != 0) {
      Complaint("reshape",
                fmt::format("{} elements do not divide into shape {}", x.size(), to_text(shape)),
                where)
          .operand("array", x)
          .advise("extents whose product divides the number of elements")
          .raise();
    }
    *open = x.size() / rest;
  }
  const Shape target(extents);
  check_shape("reshape", target, where);
  if (target.size() != x.size()) {
    Complaint("reshape",
              fmt::format("shape {} has {} elements, shape {} has {}", to_text(x.shape()), x.size(),
                          to_text(target), target.size()),
              where)
        .operand("array", x)
        .advise("one extent may be -1: what is left")
        .raise();
  }
  return frontend::reshaped(x, target, where);
}
Array Array::reshape(const Shape& shape, Where where) const {
  return kiln::reshape(*this, shape, where);
}

namespace {
Array permute(std::string_view function, const Array& x, const Axes& axes, Where where) {
  Extents order;
  for (const std::int64_t axis : axes.list()) {
    order.push_back(check_axis(function, axis, x.ndim(), where, Access::node(x)));
  }
  check_axes(function, axes, Access::node(x), where);
  if (static_cast<std::int64_t>(order.size()) != x.ndim()) {
    Complaint(function, fmt::format("{} axes are named, the array has {}", order.size(), x.ndim()),
              where)
        .operand("array", x)
        .advise("name every axis once")
        .raise();
  }
  return frontend::permuted(x, order, where);
}
}  // namespace

Array permute_dims(const Array& x, const Axes& axes, Where where) {
  if (axes.all()) return transpose(x, axes, where);
  return permute("permute_dims", x, axes, where);
}

Array transpose(const Array& x, const Axes& axes, Where where) {
  if (!axes.all()) return permute("transpose", x, axes, where);
  Extents order(at(x.ndim()));
  std::iota(order.rbegin(), order.rend(), 0);
  return frontend::permuted(x, order, where);
}

Array swapaxes(const Array& x, std::int64_t a, std::int64_t b, Where where) {
  Extents order(at(x.ndim()));
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[at(check_axis("swapaxes", a, x.ndim(), where, Access::node(x)))],
            order[at(check_axis("swapaxes", b, x.ndim(), where, Access::node(x)))]);
  return frontend::permuted(x, order, where);
}

Array matrix_transpose(const Array& x, Where where) {
  if (x.ndim() < 2) {
    Complaint("matrix_transpose", fmt::format("needs 2 axes or more, not {}", x.ndim()), where)
        .operand("array", x)
        .advise("expand_dims makes a row or a column of a 1-d array")
        .raise();
  }
  return swapaxes(x, -2, -1, where);
}
Array Array::mT(Where where) const { return matrix_transpose(*this, where); }
Array Array::T(Where where) const {
  if (ndim() != 2) {
    Complaint("T", fmt::format("is for arrays of 2 axes, not {}", ndim()), where)
        .operand("array", *this)
        .advise("mT swaps the last two axes, transpose reverses all")
        .raise();
  }
  return swapaxes(*this, 0, 1, where);
}

Array moveaxis(const Array& x, const Axes& from, const Axes& to, Where where) {
  check_axes("moveaxis", from, Access::node(x), where);
  check_axes("moveaxis", to, Access::node(x), where);
  const Extents& source = from.list();
  const Extents& target = to.list();
  if (from.all() || to.all() || source.size() != target.size()) {
    Complaint("moveaxis", "as many axes must be moved as places are given", where)
        .operand("array", x)
        .advise("two lists of one length, such as moveaxis(x, {0, 1}, {-1, 0})")
        .raise();
  }
  Extents order(at(x.ndim()), -1);
  std::vector<bool> moved(at(x.ndim()));
  for (std::size_t i = 0; i < source.size(); ++i) {
    const std::int64_t axis = check_axis("moveaxis", source[i], x.ndim(), where);
    order[at(check_axis("moveaxis", target[i], x.ndim(), where))] = axis;
    moved[at(axis)] = true;
  }
  std::int64_t next = 0;
  for (std::int64_t& axis : order) {
    if (axis >= 0) continue;
    while (moved[at(next)]) ++next;
    axis = next++;
  }
  return frontend::permuted(x, order, where);
}

Array expand_dims(const Array& x, const Axes& axes, Where where) {
  const auto added = static_cast<std::int64_t>(axes.list().size());
  const std::int64_t ndim = x.ndim() + added;
  if (axes.all())
    Complaint("expand_dims", "needs places for the new axes", where)
        .operand("array", x)
        .advise("the places that they have in the result, such as 0 or -1")
        .raise();
  std::vector<bool> fresh(at(ndim));
  for (const std::int64_t axis : axes.list()) {
    const std::int64_t place = check_axis("expand_dims", axis, ndim, where, Access::node(x));
    if (fresh[at(place)]) {
      Complaint("expand_dims", fmt::format("axis {} is named twice", place), where)
          .operand("array", x)
          .advise("each place once; a negative one counts from the result's last")
          .raise();
    }
    fresh[at(place)] = true;
  }
  Extents extents;
  const std::int64_t* next = x.shape().begin();
  for (const bool is_new : fresh) extents.push_back(is_new ? 1 : *next++);
  check_shape("expand_dims", Shape(extents), where);
  return frontend::reshaped(x, Shape(extents), where);
}

Array squeeze(const Array& x, const Axes& axes, Where where) {
  Extents extents;
  const Extents dropped = check_axes("squeeze", axes, Access::node(x), where);
  for (std::int64_t i = 0; i < x.ndim(); ++i) {
    const std::int64_t n = x.shape().extents()[at(i)];
    if (axes.all() ? n != 1 : !std::ranges::binary_search(dropped, i)) {
      extents.push_back(n);
    } else if (n != 1) {
      Complaint("squeeze", fmt::format("axis {} has extent {}, not 1", i, n), where)
          .operand("array", x)
          .advise("an index, which picks one element of the axis; without axes all of extent 1 go")
          .raise();
    }
  }
  return frontend::reshaped(x, Shape(extents), where);
}

Array flatten(const Array& x, Where where) { return frontend::reshaped(x, Shape{x.size()}, where); }

Array broadcast_to(const Array& x, const Shape& shape, Where where) {
  check_shape("broadcast_to", shape, where);
  const std::span<const std::int64_t> from = x.shape().extents(), to = shape.extents();
  bool fits = from.size() <= to.size();
  for (std::size_t i = 0; fits && i < from.size(); ++i) {
    const std::int64_t n = from[from.size() - 1 - i];
    fits = n == 1 || n == to[to.size() - 1 - i];
  }
  if (!fits) {
    Complaint("broadcast_to",
              fmt::format("shape {} does not broadcast to {}", to_text(x.shape()), to_text(shape)),
              where)
        .operand("array", x)
        .advise("extents must be equal or 1, counted from the last axis")
        .raise();
  }
  return frontend::broadcast(x, shape, where);
}

std::vector<Array> broadcast_arrays(const Arrays& arrays, Where where) {
  std::vector<Array> result;
  if (arrays.list().empty()) return result;
  std::vector<frontend::Node*> nodes;
  for (const Array& x : arrays.list()) nodes.push_back(Access::node(x));
  frontend::PerAxis made;
  const frontend::ShapeBox* const box =
      frontend::broadcast_shape("broadcast_arrays", nodes, where, &made);
  const std::span<const std::int64_t> shape = box != nullptr ? box->shape.extents() : made;
  for (const Array& x : arrays.list()) result.push_back(frontend::broadcast(x, shape, where));
  return result;
}

Array flip(const Array& x, const Axes& axes, Where where) {
  frontend::PerAxis begin, step;
  begin.assign(at(x.ndim()), 0);
  step.assign(at(x.ndim()), 1);
  for (const std::int64_t axis : check_axes("flip", axes, Access::node(x), where)) {
    const std::int64_t n = x.shape().extents()[at(axis)];
    if (n < 2) continue;
    begin[at(axis)] = n - 1;
    step[at(axis)] = -1;
  }
  return frontend::sliced(x, x.shape(), begin, step, where);
}

namespace {
Array join(const Array& a, const Array& b, std::int64_t axis, Where where) {
  frontend::Node* const nodes[] = {Access::node(a), Access::node(b)};
  return frontend::concatenated(nodes, axis, where);
}

// A window of the array put beside itself: its first element is a run-time begin.
Array roll_axis(const Array& x, std::int64_t shift, std::int64_t axis, Where where) {
  const std::int64_t n = x.shape().extents()[at(axis)];
  if (x.size() == 0 || n == 1) return x;
  const std::int64_t moved = ((shift % n) + n) % n;
  Extents begin(at(x.ndim()), 0);
  begin[at(axis)] = n - moved;
  return frontend::sliced(join(x, x, axis, where), x.shape(), begin, Extents(at(x.ndim()), 1),
                          where);
}
}  // namespace

Array roll(const Array& x, std::int64_t shift, const Axes& axis, Where where) {
  const Composite scope(where);
  if (axis.all()) return reshape(roll_axis(flatten(x, where), shift, 0, where), x.shape(), where);
  Array result = x;
  for (const std::int64_t i : check_axes("roll", axis, Access::node(x), where)) {
    result = roll_axis(result, shift, i, where);
  }
  return result;
}

Array pad(const Array& x, const std::vector<Margin>& margins, Operand value, Where where) {
  const Composite scope(where);
  const auto given = static_cast<std::int64_t>(margins.size());
  if (given != x.ndim() && given != 1) {
    Complaint("pad", fmt::format("{} margins are given for {} axes", given, x.ndim()), where)
        .operand("array", x)
        .advise("one margin an axis, or one for all")
        .raise();
  }
  if (Access::is_array(value) && Access::array(value).ndim() != 0) {
    Complaint("pad", "the value must be one number", where)
        .operand("value", value)
        .advise("a number or a 0-d array; concat joins arrays")
        .raise();
  }
  frontend::PerAxis extents(x.shape().extents()), low;
  for (std::int64_t i = 0; i < x.ndim(); ++i) {
    const Margin& margin = margins[given == 1 ? 0 : at(i)];
    if (margin.before.value < 0 || margin.after.value < 0) {
      Complaint("pad", "a margin is negative", where)
          .operand("array", x)
          .advise("slices cut")
          .raise();
    }
    low.push_back(margin.before.value);
    extents[at(i)] += margin.before.value + margin.after.value;
  }
  check_shape("pad", extents, where);
  const Array fill = frontend::within_kind(
      "pad",
      Access::is_array(value)
          ? Access::array(value)
          : frontend::as_array("pad", value,
                               frontend::promote_scalar(x.dtype(), Access::dtype(value))),
      x.dtype(), where);
  return frontend::padded(x, extents, low, fill, where);
}

Array concat(const Arrays& arrays, std::int64_t axis, Where where) {
  const Composite scope(where);
  const std::span<const Array> list = arrays.list();
  if (list.empty())
    Complaint("concat", "no arrays to join", where).advise("one array or more").raise();
  const Array& first = list[0];
  const std::int64_t along = check_axis("concat", axis, first.ndim(), where, Access::node(first));
  const DType dtype = result_type(arrays, where);
  std::vector<Array> converted;
  std::vector<frontend::Node*> nodes;
  for (std::size_t i = 0; i < list.size(); ++i) {
    bool fits = list[i].ndim() == first.ndim();
    for (std::int64_t k = 0; fits && k < first.ndim(); ++k) {
      fits = k == along || list[i].shape().extents()[at(k)] == first.shape().extents()[at(k)];
    }
    if (!fits) {
      Complaint("concat",
                fmt::format("shapes {} and {} do not join along axis {}", to_text(first.shape()),
                            to_text(list[i].shape()), along),
                where)
          .operand("array 0", first)
          .operand(fmt::format("array {}", i), list[i])
          .advise("all other extents must be equal")
          .raise();
    }
    converted.push_back(frontend::cast(list[i], dtype, where));
    nodes.push_back(Access::node(converted.back()));
  }
  frontend::common_device("concat", nodes, where);
  return frontend::concatenated(nodes, along, where);
}

Array stack(const Arrays& arrays, std::int64_t axis, Where where) {
  const Composite scope(where);
  if (arrays.list().empty())
    Complaint("stack", "no arrays to join", where).advise("one array or more").raise();
  const Array& first = arrays.list()[0];
  const std::int64_t place =
      check_axis("stack", axis, first.ndim() + 1, where, Access::node(first));
  std::vector<Array> expanded;
  for (const Array& x : arrays.list()) {
    if (!(x.shape() == first.shape())) {
      Complaint("stack",
                fmt::format("shapes {} and {} differ", to_text(first.shape()), to_text(x.shape())),
                where)
          .operand("array 0", first)
          .operand("array", x)
          .advise("arrays of one shape; concat joins along an axis that they have")
          .raise();
    }
    expanded.push_back(expand_dims(x, place, where));
  }
  return concat(expanded, place, where);
}

std::vector<Array> unstack(const Array& x, std::int64_t axis, Where where) {
  const Composite scope(where);
  const std::int64_t along = check_axis("unstack", axis, x.ndim(), where, Access::node(x));
  Extents extents = extents_of(x);
  const std::int64_t count = std::exchange(extents[at(along)], 1);
  std::vector<Array> result;
  for (std::int64_t i = 0; i < count; ++i) {
    Extents begin(at(x.ndim()), 0);
    begin[at(along)] = i;
    const Array one = frontend::sliced(x, Shape(extents), begin, Extents(at(x.ndim()), 1), where);
    result.push_back(squeeze(one, along, where));
  }
  return result;
}

Array repeat(const Array& x, Extent times, std::int64_t axis, Where where) {
  const Composite scope(where);
  const std::int64_t along = check_axis("repeat", axis, x.ndim(), where, Access::node(x));
  if (times.value < 0)
    Complaint("repeat", "a negative number of times", where)
        .operand("array", x)
        .advise("0 times or more")
        .raise();
  const Array column = expand_dims(x, along + 1, where);
  Extents extents = extents_of(column);
  extents[at(along + 1)] = times.value;
  check_shape("repeat", Shape(extents), where);
  const Array wide = frontend::broadcast(column, Shape(extents), where);
  extents[at(along)] *= times.value;
  extents.erase(extents.begin() + along + 1);
  return frontend::reshaped(wide, Shape(extents), where);
}

Array tile(const Array& x, const Shape& times, Where where) {
  const Composite scope(where);
  check_shape("tile", times, where);
  const std::int64_t ndim = std::max(x.ndim(), times.ndim());
  Extents extents = extents_of(x), count(times.begin(), times.end()), split, wide, flat;
  extents.insert(extents.begin(), at(ndim - x.ndim()), 1);
  count.insert(count.begin(), at(ndim - times.ndim()), 1);
  for (std::size_t i = 0; i < at(ndim); ++i) {
    split.insert(split.end(), {1, extents[i]});
    wide.insert(wide.end(), {count[i], extents[i]});
    flat.push_back(count[i] * extents[i]);
  }
  check_shape("tile", Shape(wide), where);
  const Array rows = frontend::reshaped(x, Shape(split), where);
  return frontend::reshaped(frontend::broadcast(rows, Shape(wide), where), Shape(flat), where);
}

namespace {
// Keeps where column - row <= diagonal (lower) or >= it.
Array triangle(const char* name, const Array& x, std::int64_t diagonal, bool lower, Where where) {
  const Composite scope(where);
  if (x.ndim() < 2) {
    Complaint(name, fmt::format("needs 2 axes or more, not {}", x.ndim()), where)
        .operand("array", x)
        .advise("expand_dims makes a row or a column of a 1-d array")
        .raise();
  }
  const std::int64_t rows = x.shape()[-2], columns = x.shape()[-1];
  const std::uint16_t device = Access::node(x)->device;
  const Array row = frontend::iota(Shape{rows, 1}, 0, device, where);
  const Array column = frontend::iota(Shape{columns}, 0, device, where);
  const Array border = frontend::map(
      name, ir::Op::add, int64,
      {row, frontend::scalar(int64, static_cast<std::uint64_t>(diagonal), where)}, where);
  const Array keep = lower ? frontend::map(name, ir::Op::le, bool_, {column, border}, where)
                           : frontend::map(name, ir::Op::le, bool_, {border, column}, where);
  return frontend::map(name, ir::Op::select, x.dtype(),
                       {keep, x, frontend::literal(x.dtype(), 0, where)}, where);
}
}  // namespace

Array tril(const Array& x, std::int64_t diagonal, Where where) {
  return triangle("tril", x, diagonal, true, where);
}
Array triu(const Array& x, std::int64_t diagonal, Where where) {
  return triangle("triu", x, diagonal, false, where);
}

}  // namespace kiln::inline v0
