#include "frontend/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "frontend/devices.h"
#include "frontend/evaluate.h"
#include "frontend/layout.h"
#include "frontend/number_shapes.h"
#include "frontend/promote.h"
#include "frontend/writes.h"
#include "ir/scalar.h"

namespace kiln::inline v0::frontend {

Array record(Recipe& recipe, Eager eager) {
  Context& c = context();
  if (c.line_scopes != 0) recipe.where = c.line;
  recipe.math = c.math;
  recipe.repaired = c.repairing && recipe.kind == Kind::map;
  recipe.rounds = &c.rounds;
  const bool logs = c.flush_after != 0 && !c.evaluating && !recipe.anywhere;
  const bool whole = has_several(recipe.kind);  // of no value: its results are asked for
  if (logs && flush_may_be_due(c)) flush(recipe);
  Array result = Access::adopt(trace().record(recipe));
  if (logs && !whole) c.loops.note(Access::node(result));
  if (eager == Eager::at_once && !whole) evaluate_if_eager(std::span(&result, 1), recipe.where);
  return result;
}

void evaluate_if_eager(std::span<const Array> arrays, Where where) {
  const Context& c = context();
  if (c.mode == Mode::eager && !c.evaluating && !c.repairing) evaluate(arrays, where);
}

namespace {

std::string extents(std::span<const std::int64_t> list) { return to_text(Shape(list)); }

// Left, right, or first, second, third.
std::string role(std::size_t i, std::size_t count) {
  if (count == 2) return i == 0 ? "left" : "right";
  return fmt::format("operand {}", i);
}

[[noreturn]] void refuse_shapes(std::string_view function, std::span<Node* const> operands,
                                std::int64_t axis, std::int64_t a, std::int64_t b, Where where) {
  std::string shapes;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (i > 0) shapes += i + 1 == operands.size() ? " and " : ", ";
    shapes += to_text(operands[i]->shape->shape);
  }
  Complaint complaint(
      function, fmt::format("shapes {} do not broadcast: axis {} is {} and {}", shapes, axis, a, b),
      where);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    complaint.operand(role(i, operands.size()), operands[i]);
  }
  complaint
      .advise(
          "extents must be equal or 1, counted from the last axis; expand_dims, newaxis and "
          "reshape "
          "make "
          "axes of extent 1")
      .raise();
}

}  // namespace

void refuse_axes(std::string_view function, std::int64_t axes, Where where) {
  Complaint(function, fmt::format("{} axes; at most {} are possible", axes, ir::kMaxRank), where)
      .advise("reshape, which joins neighbouring axes")
      .raise();
}

void check_shape(std::string_view function, std::span<const std::int64_t> shape, Where where) {
  const auto axes = static_cast<std::int64_t>(shape.size());
  if (axes > ir::kMaxRank) refuse_axes(function, axes, where);
  std::int64_t size = 1;
  for (const std::int64_t n : shape) {
    if (n < 0) {
      Complaint(function, fmt::format("shape {} has a negative extent", to_text(Shape(shape))),
                where)
          .advise("extents of 0 or more; of the functions reshape alone takes a -1, and one")
          .raise();
    }
    if (n > 0 && (size > (std::int64_t{1} << 62) / n)) {
      Complaint(function,
                fmt::format("shape {} has more than 2^62 elements", to_text(Shape(shape))), where)
          .advise("smaller extents: was a product of sizes too large for its type?")
          .raise();
    }
    size *= std::max<std::int64_t>(n, 1);
  }
}

std::int64_t check_axis(std::string_view function, std::int64_t axis, std::int64_t ndim,
                        Where where, Node* node) {
  if (axis >= -ndim && axis < ndim) return axis < 0 ? axis + ndim : axis;
  Complaint complaint(function,
                      ndim == 0 ? fmt::format("axis {} of a 0-d array, which has none", axis)
                                : fmt::format("axis {} is out of range for {} axes", axis, ndim),
                      where);
  if (node != nullptr) complaint.operand("array", node);
  complaint
      .advise(ndim > 0 ? fmt::format("an axis from {} to {}", -ndim, ndim - 1)
                       : "an array with axes: reshape and expand_dims make some")
      .raise();
}

std::vector<std::int64_t> check_axes(std::string_view function, const Axes& axes, Node* node,
                                     Where where) {
  const std::int64_t ndim = node->shape->shape.ndim();
  std::vector<std::int64_t> result;
  if (axes.all()) {
    for (std::int64_t i = 0; i < ndim; ++i) result.push_back(i);
    return result;
  }
  for (const std::int64_t axis : axes.list()) {
    result.push_back(check_axis(function, axis, ndim, where, node));
  }
  std::sort(result.begin(), result.end());
  const auto twice = std::adjacent_find(result.begin(), result.end());
  if (twice != result.end()) {
    Complaint(function, fmt::format("axis {} is named twice in {}", *twice, extents(axes.list())),
              where)
        .operand("array", node)
        .advise("each axis once; a negative one counts from the last")
        .raise();
  }
  return result;
}

std::uint16_t common_device(std::string_view function, std::span<Node* const> operands,
                            Where where) {
  Node* first = nullptr;
  for (Node* const operand : operands) {
    if (operand->anywhere) continue;
    if (first == nullptr) {
      first = operand;
    } else if (first->device != operand->device) {
      Complaint complaint(function,
                          fmt::format("operands are on two devices, {} and {}",
                                      device_name(first->device), device_name(operand->device)),
                          where);
      for (std::size_t i = 0; i < operands.size(); ++i) {
        complaint.operand(role(i, operands.size()), operands[i]);
      }
      complaint.advise("x.to(device) copies explicitly").raise();
    }
  }
  return first != nullptr ? first->device : current_device();
}

ShapeBox* broadcast_shape(std::string_view function, std::span<Node* const> operands, Where where,
                          PerAxis* made) {
  ShapeBox* widest = operands[0]->shape;
  bool equal = true;
  for (Node* const operand : operands) {
    if (operand->shape == widest) continue;
    equal = equal && operand->shape->shape == widest->shape;
    if (operand->shape->shape.ndim() > widest->shape.ndim()) widest = operand->shape;
  }
  if (equal) return widest;
  PerAxis& result = *made;
  result.assign(widest->shape.extents().size(), 1);
  for (Node* const operand : operands) {
    const std::span<const std::int64_t> shape = operand->shape->shape.extents();
    const std::size_t shift = result.size() - shape.size();
    for (std::size_t i = 0; i < shape.size(); ++i) {
      std::int64_t& n = result[shift + i];
      if (n == 1) {
        n = shape[i];
      } else if (shape[i] != 1 && shape[i] != n) {
        refuse_shapes(function, operands, static_cast<std::int64_t>(shift + i), n, shape[i], where);
      }
    }
  }
  for (Node* const operand : operands) {
    if (operand->shape->holds(result)) return operand->shape;
  }
  check_shape(function, result, where);
  return nullptr;
}

namespace {
// The shape of all scalars: never freed.
ShapeBox* scalar_shape() {
  static auto* const box = [] {
    auto* const made = new ShapeBox({});
    made->references = 1;
    return made;
  }();
  return box;
}
}  // namespace

Array literal_bits(DType dtype, std::uint64_t bits, Where where) {
  Recipe r;
  r.kind = Kind::literal;
  r.dtype = dtype;
  r.anywhere = true;
  r.imm = bits;
  r.shape = scalar_shape();
  r.where = line_of(where);
  r.repaired = context().repairing;
  return Access::adopt(trace().record(r));
}

Array literal(DType dtype, double value, Where where) {
  return literal_bits(dtype, ir::bits_of(to_ir(dtype), value), where);
}

Array scalar(DType dtype, std::uint64_t bits, Where where) {
  Recipe r;
  r.kind = Kind::scalar;
  r.dtype = dtype;
  r.anywhere = true;
  r.imm = bits;
  r.shape = scalar_shape();
  r.where = line_of(where);
  return Access::adopt(trace().record(r));
}

Array scalar_of(std::string_view function, const Operand& x, DType dtype) {
  const ir::DType t = to_ir(dtype);
  const Access::ScalarKind kind = Access::kind(x);
  if (kind == Access::ScalarKind::floating || ir::is_float(t)) {
    return scalar(dtype, ir::bits_of(t, Access::number(x)), Access::where(x));
  }
  const std::int64_t value = Access::integer(x);
  if (ir::is_bool(t)) return scalar(dtype, value != 0 ? 1 : 0, Access::where(x));
  const auto bits = static_cast<int>(8 * ir::size_of(t));
  const bool huge = kind == Access::ScalarKind::natural && value < 0;  // above 2^63
  bool fits = false;
  if (ir::is_signed_int(t)) {
    fits = !huge && (bits == 64 || (value >= -(std::int64_t{1} << (bits - 1)) &&
                                    value < (std::int64_t{1} << (bits - 1))));
  } else {
    fits = huge ? bits == 64 : value >= 0 && (bits == 64 || value < (std::int64_t{1} << bits));
  }
  if (!fits) {
    Complaint(function, fmt::format("{} does not fit {}", describe(x), name(dtype)),
              Access::where(x))
        .advise("astype the array to a wider dtype first")
        .raise();
  }
  return scalar(dtype, ir::bits_of_int(t, value), Access::where(x));
}

Array count_of(const Array& x, const std::vector<std::int64_t>& axes, double correction,
               DType dtype, Where where) {
  Node* const node = Access::node(x);
  if (node->shape->size == 0) {  // a graph has no extents of 0: the number, not its operand
    const double n = divisor(node->shape->shape.extents(), axes, correction);
    return scalar(dtype, ir::bits_of(to_ir(dtype), n), where);
  }
  Recipe r = recipe_of(Kind::count, &node, where);
  r.dtype = dtype;
  r.imm = ir::bits_of(ir::DType::float64, correction);
  const Lists lists{axes, {}};
  r.lists = &lists;
  r.shape = scalar_shape();
  return record(r);
}

Array map_nodes(std::string_view function, ir::Op op, DType result, std::span<Node* const> operands,
                Where where) {
  PerAxis made;
  Recipe r;
  r.op = op;
  r.dtype = result;
  r.operands = operands;
  r.where = where;
  // The common case: one shape, one device.
  bool same = !operands[0]->anywhere;
  for (Node* const operand : operands) {
    same = same && operand->shape == operands[0]->shape && operand->device == operands[0]->device;
  }
  if (same) {
    r.device = operands[0]->device;
    r.shape = operands[0]->shape;
    return record(r);
  }
  r.device = common_device(function, operands, where);
  r.anywhere = std::ranges::all_of(operands, [](Node* n) { return n->anywhere; });
  r.shape = broadcast_shape(function, operands, where, &made);
  r.new_shape = made;
  return record(r);
}

Array map(std::string_view function, ir::Op op, DType result, std::initializer_list<Array> operands,
          Where where) {
  Node* nodes[4];
  std::size_t count = 0;
  for (const Array& x : operands) nodes[count++] = Access::node(x);
  return map_nodes(function, op, result, {nodes, count}, where);
}

Array cast(const Array& x, DType dtype, Where where) {
  Node* const node = Access::node(x);
  if (node->dtype == dtype) return x;
  if (node->kind == Kind::literal) {  // stays a literal
    const std::uint64_t in[] = {node->imm};
    return literal_bits(
        dtype, ir::evaluate_bits(ir::Op::cast, to_ir(node->dtype), to_ir(dtype), in), where);
  }
  return map_nodes("astype", ir::Op::cast, dtype, {&node, 1}, where);
}

Array bitcast(const Array& x, DType dtype, Where where) {
  return map("bitcast", ir::Op::bitcast, dtype, {x}, where);
}

Array broadcast(const Array& x, std::span<const std::int64_t> shape, Where where) {
  Node* const node = Access::node(x);
  if (node->shape->holds(shape)) return x;
  Recipe r = recipe_of(Kind::broadcast, &node, where);
  if (node->anywhere) r.device = current_device();
  r.new_shape = shape;
  return record(r);
}

Array permuted(const Array& x, const std::vector<std::int64_t>& axes, Where where) {
  if (std::ranges::is_sorted(axes)) return x;
  Node* const node = Access::node(x);
  const PerAxis shape = shape_by_rule(Kind::permute, {&node, 1}, axes);
  Recipe r = recipe_of(Kind::permute, &node, where);
  const Lists lists{axes, {}};
  r.lists = &lists;
  r.new_shape = shape;
  return record(r);
}

Array reshaped(const Array& x, std::span<const std::int64_t> shape, Where where) {
  Node* const node = Access::node(x);
  if (node->shape->holds(shape)) return x;
  if (node->ready()) {
    const Value& value = *node->value.load(std::memory_order_acquire);
    if (value.strides.empty()) {  // the same memory under another shape: nothing to plan for
      auto same = std::make_unique<Value>();
      same->storage = value.storage;
      same->offset = value.offset;
      return Access::adopt(trace().leaf(node->dtype, shape, node->device, std::move(same),
                                        line_of(where), node->label()));
    }
  }
  Recipe r = recipe_of(Kind::reshape, &node, where);
  r.new_shape = shape;
  return record(r);
}

Array sliced(const Array& x, std::span<const std::int64_t> shape,
             std::span<const std::int64_t> begin, std::span<const std::int64_t> step, Where where) {
  Node* const node = Access::node(x);
  const bool whole_array = node->shape->holds(shape) &&
                           std::ranges::all_of(begin, [](auto b) { return b == 0; }) &&
                           std::ranges::all_of(step, [](auto s) { return s == 1; });
  if (whole_array) return x;
  if (!node->ready() && (node->kind == Kind::update || node->kind == Kind::alias)) {
    Window window{PerAxis(begin), PerAxis(step), PerAxis(shape)};
    const Array from = behind_writes(x, &window);
    if (Access::node(from) != node) return sliced(from, shape, window.begin, window.step, where);
  }
  Recipe r = recipe_of(Kind::slice, &node, where);
  const Lists lists{begin, step};
  r.lists = &lists;
  r.new_shape = shape;
  return record(r);
}

Array padded(const Array& x, std::span<const std::int64_t> shape, std::span<const std::int64_t> low,
             const Array& fill, Where where) {
  Node* const node = Access::node(x);
  if (node->shape->holds(shape)) return x;
  if (node->shape->size == 0) return filled_with(shape, fill, node->device, where);
  Node* const nodes[] = {node, Access::node(fill)};
  Recipe r = recipe_of(Kind::pad, nodes, where);
  r.operands = nodes;
  const Lists lists{low, {}};
  r.lists = &lists;
  r.new_shape = shape;
  return record(r);
}

Array iota(std::span<const std::int64_t> shape, std::int64_t axis, std::uint16_t device,
           Where where) {
  Recipe r;
  r.kind = Kind::iota;
  r.dtype = int64;
  r.device = device;
  r.imm = static_cast<std::uint64_t>(axis);
  r.new_shape = shape;
  r.where = where;
  return record(r);
}

Array filled_with(std::span<const std::int64_t> shape, const Array& value, std::uint16_t device,
                  Where where) {
  Node* const node = Access::node(value);
  Recipe r = recipe_of(Kind::broadcast, &node, where);
  r.device = device;
  r.new_shape = shape;
  return record(r);
}

Array filled(std::span<const std::int64_t> shape, DType dtype, double value, std::uint16_t device,
             Where where) {
  return filled_with(shape, literal(dtype, value, where), device, where);
}

namespace {
double identity(ir::Op op) { return op == ir::Op::mul || op == ir::Op::and_ ? 1 : 0; }
}  // namespace

Array reduced(ir::Op op, const Array& x, const std::vector<std::int64_t>& axes, Keep keep,
              Where where) {
  Node* const node = Access::node(x);
  if (axes.empty()) return x;
  if (keep == Keep::yes) {
    PerAxis kept(node->shape->shape.extents());
    for (const std::int64_t axis : axes) kept[static_cast<std::size_t>(axis)] = 1;
    return reshaped(reduced(op, x, axes, Keep::no, where), kept, where);
  }
  const PerAxis dropped = shape_by_rule(Kind::reduce, {&node, 1}, axes);
  if (node->shape->size == 0)
    return filled(dropped, node->dtype, identity(op), node->device, where);
  Recipe r = recipe_of(Kind::reduce, &node, where);
  r.op = op;
  const Lists lists{axes, {}};
  r.lists = &lists;
  r.new_shape = dropped;
  return record(r);
}

Array arg_reduced(ir::Op op, const Array& x, std::int64_t axis, Where where) {
  Node* const node = Access::node(x);
  const PerAxis dropped = shape_by_rule(Kind::arg_reduce, {&node, 1}, {&axis, 1});
  if (node->shape->size == 0) return filled(dropped, int64, 0, node->device, where);
  Recipe r = recipe_of(Kind::arg_reduce, &node, where);
  r.op = op;
  r.dtype = int64;
  const Lists lists{{&axis, 1}, {}};
  r.lists = &lists;
  r.new_shape = dropped;
  return record(r);
}

}  // namespace kiln::inline v0::frontend
