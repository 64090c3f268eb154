// What passes ask of a node instead of its kind.
#pragma once
#include "ir/graph.h"

namespace kiln::passes {

// Memory that the evaluation is given.
inline bool is_input(const ir::Node& n) { return n.kind == ir::NodeKind::buffer; }
// One number, in no memory.
inline bool is_number(const ir::Node& n) {
  return n.kind == ir::NodeKind::constant || n.kind == ir::NodeKind::scalar;
}
inline bool is_view(const ir::Node& n) { return ir::role(n.kind) == ir::Role::view; }
inline bool is_map(const ir::Node& n) { return ir::role(n.kind) == ir::Role::map; }
// Combines its operand's elements over coordinates of its own, which come after those that it
// shares with others: inner ones.
inline bool folds(const ir::Node& n) { return ir::role(n.kind) == ir::Role::fold; }
// Has one value for each point of the outer coordinates, whatever the inner ones are.
inline bool per_row(const ir::Node& n) { return ir::role(n.kind) == ir::Role::fold; }
// Made as a whole, of operands that are in memory.
inline bool is_call(const ir::Node& n) { return ir::role(n.kind) == ir::Role::call; }

// A result of what is, or that itself: in memory, made by nothing that is fused.
inline bool is_result(const ir::Node& n) { return ir::role(n.kind) == ir::Role::item; }
inline bool is_by_call(const ir::Node& n) { return is_call(n) || is_result(n); }

// Where the walk of an expression ends, whether or not the value is stored: it is not an element of
// operands at the same point, or at one that follows from it.
inline bool ends_expression(const ir::Node& n) {
  switch (ir::role(n.kind)) {
    case ir::Role::map:
    case ir::Role::view:
    case ir::Role::join:
    case ir::Role::put:
      return false;
    case ir::Role::leaf:
    case ir::Role::fold:
    case ir::Role::call:
    case ir::Role::region:
    case ir::Role::item:
      return true;
  }
  return true;
}

}  // namespace kiln::passes
