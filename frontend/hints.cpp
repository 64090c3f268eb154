#include "frontend/access.h"
#include "frontend/complaint.h"
#include "frontend/evaluate.h"
#include "frontend/record.h"
#include "frontend/snapshot.h"
#include "kiln/evaluate.h"

namespace kiln::inline v0::frontend {

void finish_repairing(const Array& result) {
  Node* const node = Access::node(result);
  {
    const std::lock_guard<std::mutex> lock(trace().mutex);
    node->hints &= static_cast<std::uint8_t>(~kRepaired);
  }
  const Context& c = context();
  if (c.mode == Mode::eager && !c.evaluating && !c.repairing)
    evaluate(std::span(&result, 1), node->where);
}

}  // namespace kiln::inline v0::frontend

namespace kiln::inline v0 {

using frontend::Access;
using frontend::Complaint;
using frontend::Node;

namespace {

// Marks what x stands for, unless it has a value. False if the other bit stands.
bool mark(const Array& x, std::uint8_t bit, std::uint8_t other) {
  const std::lock_guard<std::mutex> lock(frontend::trace().mutex);
  Node* const node = frontend::root_of(Access::node(x));
  if (node->ready()) return true;
  if ((node->hints & other) != 0) return false;
  node->hints |= bit;
  return true;
}

Array hint(const char* function, const Array& x, std::uint8_t bit, std::uint8_t other,
           Where where) {
  if (!mark(x, bit, other)) {
    Complaint(function, "of one value both no_fuse and must_fuse", where)
        .operand("array", x)
        .advise("one of the two; materialize to have it stored")
        .raise();
  }
  return x;
}

}  // namespace

Array materialize(const Array& x) {
  mark(x, frontend::kMaterialize, 0);
  return x;
}
Array no_fuse(const Array& x, Where where) {
  return hint("no_fuse", x, frontend::kNoFuse, frontend::kMustFuse, where);
}
Array must_fuse(const Array& x, Where where) {
  return hint("must_fuse", x, frontend::kMustFuse, frontend::kNoFuse, where);
}

}  // namespace kiln::inline v0
