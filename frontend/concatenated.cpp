#include <algorithm>
#include <iterator>

#include "frontend/access.h"
#include "frontend/number_shapes.h"
#include "frontend/record.h"

namespace kiln::inline v0::frontend {

namespace {

// Operands that one node may have: the graph counts them in 16 bits.
constexpr std::size_t kMostOperands = 1 << 15;

// Of parts that are joined first, each of as many as may be.
Array concatenated_in_parts(std::span<Node* const> nodes, std::int64_t axis, Where where) {
  std::vector<Array> parts;
  std::vector<Node*> joined;
  for (std::size_t i = 0; i < nodes.size(); i += kMostOperands) {
    const std::size_t count = std::min(kMostOperands, nodes.size() - i);
    parts.push_back(concatenated(nodes.subspan(i, count), axis, where));
    joined.push_back(Access::node(parts.back()));
  }
  return concatenated(joined, axis, where);
}

}  // namespace

Array concatenated(std::span<Node* const> nodes, std::int64_t axis, Where where) {
  // Empty operands contribute nothing: pending graphs with elements never see one without.
  std::vector<Node*> present;
  std::ranges::copy_if(nodes, std::back_inserter(present),
                       [](Node* node) { return node->shape->size != 0; });
  if (present.empty()) present.push_back(nodes[0]);
  const PerAxis shape = shape_by_rule(Kind::concat, nodes, {}, static_cast<std::size_t>(axis));
  check_shape("concat", shape, where);
  if (present.size() == 1) {
    if (present[0]->shape->holds(shape)) return Access::share(present[0]);
    return filled(shape, present[0]->dtype, 0, present[0]->device, where);  // all are empty
  }
  if (present.size() > kMostOperands) return concatenated_in_parts(present, axis, where);
  Recipe r;
  r.kind = Kind::concat;
  r.dtype = present[0]->dtype;
  r.device = present[0]->device;
  r.anywhere = present[0]->anywhere;
  r.where = where;
  r.operands = present;
  r.imm = static_cast<std::uint64_t>(axis);
  r.new_shape = shape;
  return record(r);
}

}  // namespace kiln::inline v0::frontend
