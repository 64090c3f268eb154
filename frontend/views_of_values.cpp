#include "frontend/views_of_values.h"

#include <algorithm>
#include <vector>

#include "frontend/access.h"
#include "frontend/layout.h"
#include "frontend/snapshot.h"
#include "ir/mutant.h"

namespace kiln::inline v0::frontend {

namespace {

using Extents = std::vector<std::int64_t>;

// Strides of the same elements under another shape; false if they do not lie evenly.
bool reshape_strides(std::span<const std::int64_t> from, std::span<const std::int64_t> to,
                     Extents* strides) {
  const ir::Groups groups = group_axes(from, to);
  Extents result(to.size(), 1);
  std::size_t f = 0, t = 0;
  for (std::size_t g = 0; g < groups.from.size(); ++g) {
    const std::size_t f_end = f + groups.from[g], t_end = t + groups.to[g];
    for (std::size_t i = f; i + 1 < f_end; ++i) {
      if ((*strides)[i] != (*strides)[i + 1] * from[i + 1]) return false;
    }
    std::int64_t next = f_end > f ? (*strides)[f_end - 1] : 1;
    for (std::size_t i = t_end; i-- > t; next *= to[i]) result[i] = next;
    f = f_end;
    t = t_end;
  }
  *strides = std::move(result);
  return true;
}

bool apply(const Node& node, std::span<const std::int64_t> from, std::int64_t* offset,
           Extents* strides) {
  const std::span<const std::int64_t> to = node.shape->shape.extents();
  if (node.kind == Kind::alias) return true;
  if (node.kind == Kind::reshape) return reshape_strides(from, to, strides);
  if (node.kind == Kind::permute) {
    Extents result;
    for (const std::int64_t axis : node.list())
      result.push_back((*strides)[static_cast<std::size_t>(axis)]);
    *strides = std::move(result);
    return true;
  }
  if (node.kind == Kind::slice) {
    for (std::size_t i = 0; i < to.size(); ++i) {
      *offset += node.list()[i] * (*strides)[i];
      (*strides)[i] *= node.more()[i];
    }
    return true;
  }
  if (node.kind != Kind::broadcast) return false;
  Extents result(to.size(), 0);
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] != 1) result[to.size() - from.size() + i] = (*strides)[i];
  }
  *strides = std::move(result);
  return true;
}

}  // namespace

std::unique_ptr<Value> view_value(Node* node) {
  std::vector<Node*> chain;
  Node* base = node;
  for (; !base->ready(); base = base->operands()[0]) {
    if (role(base->kind) != ir::Role::view) return nullptr;
    chain.push_back(base);
  }
  const Value& value = *base->value.load(std::memory_order_acquire);
  std::int64_t offset = value.offset;
  Extents shape(base->shape->shape.begin(), base->shape->shape.end());
  Extents strides = value.strides.empty() ? dense_strides(shape) : value.strides;
  for (std::size_t i = chain.size(); i-- > 0;) {
    if (!apply(*chain[i], shape, &offset, &strides)) return nullptr;
    shape.assign(chain[i]->shape->shape.begin(), chain[i]->shape->shape.end());
  }
  if (2 * node->shape->size * ir::size_of(to_ir(node->dtype)) < value.storage->bytes())
    return nullptr;
  auto result = std::make_unique<Value>();
  result->storage = value.storage;
  result->offset = mutant(ir::Mutant::view_offset) ? 0 : offset;
  if (!is_dense(shape, strides)) result->strides = std::move(strides);
  return result;
}

}  // namespace kiln::inline v0::frontend
