// Recording what is computed as a whole.
#include "frontend/number_shapes.h"
#include "frontend/record.h"

namespace kiln::inline v0::frontend {

Array contracted(const Array& left, const Array& right, Where where) {
  Node* const nodes[] = {Access::node(left), Access::node(right)};
  const PerAxis shape = shape_by_rule(Kind::contract, nodes);
  check_shape("matmul", shape, where);
  if (nodes[0]->shape->size == 0 || nodes[1]->shape->size == 0) {
    return filled(shape, nodes[0]->dtype, 0, nodes[0]->device, where);
  }
  Recipe r = recipe_of(Kind::contract, nodes, where);
  r.operands = nodes;
  r.new_shape = shape;
  return record(r);
}

Array scanned(ir::Op op, const Array& x, std::int64_t axis, Where where) {
  Node* const node = Access::node(x);
  const std::int64_t extent = node->shape->shape.extents()[static_cast<std::size_t>(axis)];
  if (node->shape->size == 0 || extent == 1) return x;
  Recipe r = recipe_of(Kind::scan, &node, where);
  r.op = op;
  const Lists lists{{&axis, 1}, {}};
  r.lists = &lists;
  r.shape = node->shape;
  return record(r);
}

std::vector<Array> sorted(ir::Op op, const Array& x, std::int64_t axis,
                          std::initializer_list<std::uint64_t> results, Where where) {
  Node* const node = Access::node(x);
  const std::span<const std::int64_t> shape = node->shape->shape.extents();
  std::vector<Array> items;
  if (node->shape->size == 0 || shape[static_cast<std::size_t>(axis)] == 1) {
    for (const std::uint64_t result : results)
      items.push_back(result == 0 ? x : filled(shape, int64, 0, node->device, where));
    return items;
  }
  Recipe r = recipe_of(Kind::sort, &node, where);
  r.op = op;
  const Lists lists{{&axis, 1}, {}};
  r.lists = &lists;
  r.shape = node->shape;
  const Array whole = record(r);
  Node* const its = Access::node(whole);
  for (const std::uint64_t result : results) {
    Recipe item = recipe_of(Kind::item, &its, where);
    item.imm = result;
    item.shape = node->shape;
    if (result == 1) item.dtype = int64;
    items.push_back(record(item, Eager::later));
  }
  evaluate_if_eager(items, where);
  return items;
}

}  // namespace kiln::inline v0::frontend
