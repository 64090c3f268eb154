#include "frontend/writes.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>

#include "frontend/access.h"
#include "frontend/record.h"
#include "frontend/snapshot.h"
#include "ir/mutant.h"

namespace kiln::inline v0::frontend {

namespace {

constexpr int kMostWrites = 64;  // that a read goes past

enum class Meets : std::uint8_t { no, partly, inside };

// Of one axis: a read of `extent` elements against a write.
struct Range {
  std::int64_t begin, step, extent;
  std::int64_t end() const { return begin + step * (extent - 1); }
  std::int64_t low() const { return std::min(begin, end()); }
  std::int64_t high() const { return std::max(begin, end()); }
};

Meets meet(const Range& read, const Range& written) {
  if (read.high() < written.low() || written.high() < read.low()) return Meets::no;
  const bool multiple = read.extent == 1 || read.step % written.step == 0;
  const bool aligned = (read.begin - written.begin) % written.step == 0;
  // All that is read has one remainder by the step, and it is another.
  if (multiple && !aligned) return Meets::no;
  const bool within = written.low() <= read.low() && read.high() <= written.high();
  return multiple && aligned && within ? Meets::inside : Meets::partly;
}

Range range_of(const Node& update, std::size_t axis) {
  const Node* const value = update.operands()[1];
  return {update.list()[axis], update.more()[axis], value->shape->shape.extents()[axis]};
}

Meets meet(const Window& read, const Node& update) {
  Meets all = Meets::inside;
  for (std::size_t i = 0; i < read.begin.size(); ++i) {
    const Meets one = meet({read.begin[i], read.step[i], read.extent[i]}, range_of(update, i));
    if (one == Meets::no) return Meets::no;
    if (one == Meets::partly) all = Meets::partly;
  }
  return all;
}

bool is_pending_write(const Node& node) { return node.kind == Kind::update && !node.ready(); }

// Whether a write replaces all that the pending update wrote.
bool covers(const Window& window, const Node& update) {
  for (std::size_t i = 0; i < window.begin.size(); ++i) {
    const Range mine{window.begin[i], window.step[i], window.extent[i]};
    if (meet(range_of(update, i), mine) != Meets::inside) return false;
  }
  return true;
}

}  // namespace

Array updated(const Array& x, const Array& value, const Window& window, Where where) {
  Node* base = Access::node(x);
  Array held = x;
  if (is_pending_write(*base)) {
    const std::lock_guard<std::mutex> lock(trace().mutex);
    while (is_pending_write(*base) && covers(window, *base)) base = root_of(base->operands()[0]);
    held = Access::share(base);
  }
  Node* const nodes[] = {base, Access::node(value)};
  Recipe r;
  r.kind = Kind::update;
  r.dtype = base->dtype;
  r.device = base->device;
  r.operands = nodes;
  r.shape = base->shape;
  const Lists lists{window.begin, window.step};
  r.lists = &lists;
  r.where = where;
  return record(r);
}

Array behind_writes(const Array& x, Window* window) {
  Node* node = Access::node(x);
  if (node->ready() || (node->kind != Kind::update && node->kind != Kind::alias)) return x;
  const Window asked = *window;
  const std::lock_guard<std::mutex> lock(trace().mutex);
  for (int i = 0; i < kMostWrites; ++i) {
    node = root_of(node);
    if (!is_pending_write(*node)) return Access::share(node);
    const Meets meets = meet(*window, *node);
    if (meets == Meets::partly && !mutant(ir::Mutant::write_meets)) return Access::share(node);
    if (meets == Meets::inside) {
      for (std::size_t axis = 0; axis < window->begin.size(); ++axis) {
        const std::int64_t step = node->more()[axis];
        const std::int64_t from = mutant(ir::Mutant::write_inside) ? 0 : node->list()[axis];
        window->begin[axis] = (window->begin[axis] - from) / step;
        window->step[axis] = window->extent[axis] == 1 ? 1 : window->step[axis] / step;
      }
    }
    node = node->operands()[meets == Meets::inside ? 1 : 0];
  }
  *window = asked;
  return x;
}

}  // namespace kiln::inline v0::frontend
