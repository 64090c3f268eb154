// Recording primitive operations. Dtypes are right when these are called; shapes are broadcast
// here.
#pragma once
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "frontend/access.h"
#include "frontend/complaint.h"
#include "frontend/per_axis.h"

namespace kiln::inline v0::frontend {

// Records, flushes a long pending loop before, and evaluates after in eager mode. The line scope
// and the math of the context are put into the recipe.
enum class Eager : std::uint8_t { at_once, later };
Array record(Recipe& recipe, Eager eager = Eager::at_once);
// What was recorded for later, together.
void evaluate_if_eager(std::span<const Array> arrays, Where where);

// A recipe of one operand's dtype and device.
inline Recipe recipe_of(Kind kind, Node* const* operand, Where where) {
  Recipe r;
  r.kind = kind;
  r.dtype = (*operand)->dtype;
  r.device = (*operand)->device;
  r.anywhere = (*operand)->anywhere && kind != Kind::broadcast;
  r.operands = {operand, 1};
  r.where = where;
  return r;
}

// What body() records, as one operation to Nan::trap: of its NaNs only those of its result count.
void finish_repairing(const Array& result);
template <class Body>
Array repairing(Body body) {
  const Array result = [&] {
    const Repairing scope;
    return body();
  }();
  finish_repairing(result);
  return result;
}

// UserError: so many axes are too many.
[[noreturn]] void refuse_axes(std::string_view function, std::int64_t axes, Where where);
// UserError if a shape has a negative extent, too many axes or too many elements.
void check_shape(std::string_view function, std::span<const std::int64_t> shape, Where where);
// An axis counted from the front; UserError if there is none.
std::int64_t check_axis(std::string_view function, std::int64_t axis, std::int64_t ndim,
                        Where where, Node* node = nullptr);
// Each axis once, counted from the front, ascending.
std::vector<std::int64_t> check_axes(std::string_view function, const Axes& axes, Node* node,
                                     Where where);
// The device that the operands share: UserError if they are of two.
std::uint16_t common_device(std::string_view function, std::span<Node* const> operands,
                            Where where);
// The shape of a result: one of the operands' boxes, or `made` if it is none of them.
ShapeBox* broadcast_shape(std::string_view function, std::span<Node* const> operands, Where where,
                          PerAxis* made);

// 0-d constants and scalars; a shape broadcasts them.
Array literal(DType dtype, double value, Where where);
Array literal_bits(DType dtype, std::uint64_t bits, Where where);
Array scalar(DType dtype, std::uint64_t bits, Where where);
// An operand that is a C++ scalar as a run-time scalar of dtype: UserError if an integer does not
// fit.
Array scalar_of(std::string_view function, const Operand& x, DType dtype);
// The number of elements of x along axes, minus correction (divisor), as a run-time scalar.
Array count_of(const Array& x, const std::vector<std::int64_t>& axes, double correction,
               DType dtype, Where where);

// Elementwise on operands of any broadcastable shapes.
Array map(std::string_view function, ir::Op op, DType result, std::initializer_list<Array> operands,
          Where where);
Array map_nodes(std::string_view function, ir::Op op, DType result, std::span<Node* const> operands,
                Where where);
Array cast(const Array& x, DType dtype, Where where);  // itself if it has the dtype
Array bitcast(const Array& x, DType dtype, Where where);

// Structure. Axes, shapes and ranges are right when these are called.
Array broadcast(const Array& x, std::span<const std::int64_t> shape, Where where);
Array permuted(const Array& x, const std::vector<std::int64_t>& axes, Where where);
Array reshaped(const Array& x, std::span<const std::int64_t> shape, Where where);
Array sliced(const Array& x, std::span<const std::int64_t> shape,
             std::span<const std::int64_t> begin, std::span<const std::int64_t> step, Where where);
Array padded(const Array& x, std::span<const std::int64_t> shape, std::span<const std::int64_t> low,
             const Array& fill, Where where);
Array concatenated(std::span<Node* const> nodes, std::int64_t axis, Where where);
Array iota(std::span<const std::int64_t> shape, std::int64_t axis, std::uint16_t device,
           Where where);  // int64
// A constant of a shape on a device.
Array filled(std::span<const std::int64_t> shape, DType dtype, double value, std::uint16_t device,
             Where where);
Array filled_with(std::span<const std::int64_t> shape, const Array& value, std::uint16_t device,
                  Where where);
// Reduced axes are dropped, or kept with extent 1. No elements: the identity (no max or min then).
Array reduced(ir::Op op, const Array& x, const std::vector<std::int64_t>& axes, Keep keep,
              Where where);
Array arg_reduced(ir::Op op, const Array& x, std::int64_t axis, Where where);
Array contracted(const Array& left, const Array& right, Where where);
// op over the elements up to each.
Array scanned(ir::Op op, const Array& x, std::int64_t axis, Where where);
// Results of ir's sort, by their numbers: the elements in order, and where each was.
std::vector<Array> sorted(ir::Op op, const Array& x, std::int64_t axis,
                          std::initializer_list<std::uint64_t> results, Where where);

}  // namespace kiln::inline v0::frontend
