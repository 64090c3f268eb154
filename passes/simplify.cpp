#include "passes/simplify.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "ir/mutant.h"
#include "ir/nodes/rule.h"
#include "ir/reduce.h"
#include "ir/scalar.h"
#include "passes/rewrite.h"

namespace kiln::passes {

using ir::DType;
using ir::Node;
using ir::NodeId;
using ir::NodeKind;
using ir::Op;
using ir::Sym;

namespace {

using Shape = std::vector<Sym>;

// The bits of a node that is one literal everywhere.
std::optional<std::uint64_t> splat_constant(Rewriter& r, NodeId n) {
  const ir::Graph& g = r.graph();
  if (r.seen(n) == NodeKind::broadcast) n = g.operand(n, 0);
  if (g.nodes[n].kind != NodeKind::constant) return std::nullopt;
  return g.nodes[n].imm;
}

Shape shape_of(const ir::Graph& g, NodeId n) { return {g.shape(n).begin(), g.shape(n).end()}; }

std::optional<NodeId> fold_constants(Rewriter& r, const Node& node,
                                     std::span<const NodeId> operands) {
  const ir::Graph& g = r.graph();
  std::vector<std::uint64_t> bits;
  for (const NodeId operand : operands) {
    const auto value = splat_constant(r, operand);
    if (!value) return std::nullopt;
    bits.push_back(*value);
  }
  const DType type = g.nodes[operands[node.op == Op::select ? 1 : 0]].dtype;
  const Shape shape = shape_of(g, operands[0]);
  const NodeId value = r.constant(node.dtype, ir::evaluate_bits(node.op, type, node.dtype, bits));
  return r.broadcast(value, shape);
}

// x op c == x for every x, NaN and signed zeros included. Not x + 0.0, which turns -0 into +0.
bool right_identity(Op op, DType type, std::uint64_t c) {
  const bool is_one = c == ir::bits_of(type, 1.0);
  const std::uint64_t negative_zero = ir::reduce_padding(Op::add, type);
  switch (op) {
    case Op::add:
      return c == negative_zero || (mutant(ir::Mutant::added_zero) && c == 0);  // 0 for integers
    case Op::sub:
      return c == 0;
    case Op::mul:
    case Op::div:
    case Op::idiv:
      return is_one;
    case Op::shl:
    case Op::shr:
    case Op::or_:
    case Op::xor_:
      return c == 0;
    default:
      return false;
  }
}

std::optional<NodeId> map_identities(Rewriter& r, const Node& node,
                                     std::span<const NodeId> operands) {
  const ir::Graph& g = r.graph();
  const auto inner = [&](Op op) {
    return r.seen(operands[0]) == NodeKind::map && g.nodes[operands[0]].op == op;
  };
  const DType type = g.nodes[operands[0]].dtype;
  if ((node.op == Op::cast || node.op == Op::bitcast) && type == node.dtype) return operands[0];
  if (((node.op == Op::neg && inner(Op::neg)) || (node.op == Op::not_ && inner(Op::not_)))) {
    return g.operand(operands[0], 0);
  }
  if (node.op == Op::abs && inner(Op::abs)) return operands[0];
  if (node.op == Op::select) {
    if (operands[1] == operands[2]) return operands[1];
    if (const auto c = splat_constant(r, operands[0])) return operands[*c ? 1 : 2];
    return std::nullopt;
  }
  if (operands.size() != 2) return std::nullopt;
  if (const auto c = splat_constant(r, operands[1]); c && right_identity(node.op, type, *c)) {
    return operands[0];
  }
  if (!ir::has(node.op, ir::kCommutes)) return std::nullopt;
  if (const auto c = splat_constant(r, operands[0]); c && right_identity(node.op, type, *c)) {
    return operands[1];
  }
  return std::nullopt;
}

using Order = std::vector<std::uint8_t>;  // of axes: where each axis of a result comes from

// A permute, or what it is of if the two undo each other; `node`: any permute.
NodeId permute_of(Rewriter& r, Node node, NodeId operand, Order axes) {
  const ir::Graph& g = r.graph();
  if (r.seen(operand) == NodeKind::permute) {
    const Order& inner = g.attribute<ir::Axes>(operand).axes;
    for (std::uint8_t& axis : axes) axis = inner[axis];
    operand = g.operand(operand, 0);
  }
  if (std::ranges::is_sorted(axes)) return operand;
  Shape shape;
  for (const std::uint8_t axis : axes) shape.push_back(g.shape(operand)[axis]);
  node.dtype = g.nodes[operand].dtype;
  return r.emit(node, shape, {&operand, 1}, ir::Axes{axes});
}

NodeId simplify_map(Rewriter& r, const Node& node, std::vector<NodeId> operands);

// What raise_permutes needs of a kind: how operands' axes are used, and the node made of others.
struct Raised {
  const ir::AxisUses& uses;  // of each operand alike
  const Shape& shape;        // of the result
  const std::function<NodeId(std::vector<NodeId>, const Shape&, const ir::Axes& folded)>& make;
};

// f(permute(a), permute(b)) = permute(f(a, b)), where axes are kept or folded: permutes meet those
// above, where they undo each other. What is the same everywhere is not permuted. Sums over several
// axes go by the order of these, and keep it.
std::optional<NodeId> raise_permutes(Rewriter& r, const Node& node,
                                     std::span<const NodeId> operands, const Raised& raised) {
  const auto found =
      std::ranges::find_if(operands, [&](NodeId n) { return r.seen(n) == NodeKind::permute; });
  if (found == operands.end()) return std::nullopt;
  const Node permute = r.graph().nodes[*found];
  const Order from = r.graph().attribute<ir::Axes>(*found).axes;
  const Shape inner = shape_of(r.graph(), r.graph().operand(*found, 0));
  ir::Axes folded;
  std::vector<int> at(from.size(), -1);  // by the inner axis: its axis in the result
  for (std::size_t axis = 0; axis < from.size(); ++axis) {
    const ir::AxisUse use = raised.uses[axis];
    if (use.how == ir::AxisUse::How::folded) {
      if (inner[from[axis]] == ir::kZero || inner[from[axis]] == ir::kOne) return std::nullopt;
      folded.axes.push_back(from[axis]);
    } else if (use.how == ir::AxisUse::How::kept || use.how == ir::AxisUse::How::spread) {
      at[from[axis]] = use.at;
    } else {
      return std::nullopt;
    }
  }
  if (from.size() != raised.shape.size() + folded.axes.size()) return std::nullopt;
  if (!std::ranges::is_sorted(folded.axes)) {
    if (ir::ordered(node.op, permute.dtype)) return std::nullopt;
    std::ranges::sort(folded.axes);
  }
  std::vector<NodeId> below;
  for (const NodeId n : operands) {
    const ir::Graph& g = r.graph();
    if (r.seen(n) == NodeKind::permute && g.attribute<ir::Axes>(n).axes == from) {
      below.push_back(g.operand(n, 0));
    } else if (r.seen(n) == NodeKind::broadcast && g.shape(g.operand(n, 0)).empty()) {
      below.push_back(r.broadcast(g.operand(n, 0), inner));
    } else {
      return std::nullopt;
    }
  }
  Shape shape;
  Order order(raised.shape.size());
  for (const int axis : at) {
    if (axis < 0) continue;
    order[static_cast<std::size_t>(axis)] = static_cast<std::uint8_t>(shape.size());
    shape.push_back(raised.shape[static_cast<std::size_t>(axis)]);
  }
  return permute_of(r, permute, raised.make(std::move(below), shape, folded), order);
}

std::optional<NodeId> raise_permutes_of_map(Rewriter& r, const Node& node,
                                            std::span<const NodeId> operands) {
  const Shape shape = shape_of(r.graph(), operands[0]);
  const ir::AxisUses uses = ir::kept_axes(shape.size());
  return raise_permutes(r, node, operands,
                        {uses, shape, [&](std::vector<NodeId> below, const Shape&, const auto&) {
                           return simplify_map(r, node, std::move(below));
                         }});
}

NodeId simplify_map(Rewriter& r, const Node& node, std::vector<NodeId> operands) {
  if (const auto folded = fold_constants(r, node, operands)) return *folded;
  if (const auto same = map_identities(r, node, operands)) return *same;
  if (const auto raised = raise_permutes_of_map(r, node, operands)) return *raised;
  if (ir::has(node.op, ir::kCommutes) && operands[0] > operands[1]) {
    std::swap(operands[0], operands[1]);
  }
  const Shape shape = shape_of(r.graph(), operands[0]);
  return r.emit(node, shape, operands);
}

// Groups of a composition: cut where both boundaries over the middle shape coincide.
ir::Groups compose(const ir::Groups& first, const ir::Groups& second) {
  ir::Groups result;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < first.from.size() || j < second.from.size()) {
    int from = 0;
    int to = 0;
    int left = 0;   // middle axes taken from `first`
    int right = 0;  // and by `second`
    do {
      const bool take_first = i < first.from.size() && (left <= right || j >= second.from.size());
      if (take_first) {
        from += first.from[i];
        left += first.to[i++];
      } else {
        right += second.from[j];
        to += second.to[j++];
      }
    } while (left != right);
    result.from.push_back(static_cast<std::uint8_t>(from));
    result.to.push_back(static_cast<std::uint8_t>(to));
  }
  return result;
}

// A run whose two sides have the same symbols is cut into one run an axis.
ir::Groups refine(const ir::Groups& groups, std::span<const Sym> from, std::span<const Sym> to) {
  ir::Groups result;
  std::size_t f = 0;
  std::size_t t = 0;
  for (std::size_t g = 0; g < groups.from.size(); ++g) {
    const auto a = from.subspan(f, groups.from[g]);
    const auto b = to.subspan(t, groups.to[g]);
    f += groups.from[g];
    t += groups.to[g];
    if (std::ranges::equal(a, b)) {
      result.from.insert(result.from.end(), a.size(), 1);
      result.to.insert(result.to.end(), b.size(), 1);
    } else {
      result.from.push_back(groups.from[g]);
      result.to.push_back(groups.to[g]);
    }
  }
  return result;
}

// Only extents of 1 come and go: such a reshape costs nothing in index arithmetic.
bool only_units(const ir::Graph& g, NodeId n) {
  const auto strip = [](std::span<const Sym> shape) {
    Shape kept;
    std::ranges::copy_if(shape, std::back_inserter(kept), [](Sym s) { return s != ir::kOne; });
    return kept;
  };
  return strip(g.shape(n)) == strip(g.shape(g.operand(n, 0)));
}

NodeId reshape_of(Rewriter& r, NodeId operand, const Shape& shape, const ir::Groups& groups) {
  const ir::Graph& g = r.graph();
  if (std::ranges::equal(g.shape(operand), shape)) return operand;
  if (r.seen(operand) == NodeKind::reshape) {
    const ir::Groups whole = compose(g.attribute<ir::Groups>(operand), groups);
    operand = g.operand(operand, 0);
    const Shape from = shape_of(g, operand);
    return r.reshape(operand, shape, refine(whole, from, shape));
  }
  if (const auto c = splat_constant(r, operand)) {
    return r.broadcast(r.constant(g.nodes[operand].dtype, *c), shape);
  }
  return r.reshape(operand, shape, refine(groups, shape_of(g, operand), shape));
}

// reshape(f(a, b)) = f(reshape(a), reshape(b)): at a dense leaf a reshape is free, in the middle of
// an expression it costs divisions. Explicit stack: maps may be nested deeply.
NodeId sink_reshape(Rewriter& r, NodeId top, const Shape& shape, const ir::Groups& groups) {
  std::unordered_map<NodeId, NodeId> done;
  std::vector<NodeId> stack{top};
  while (!stack.empty()) {
    const NodeId n = stack.back();
    if (done.contains(n)) {
      stack.pop_back();
      continue;
    }
    const Node node = r.graph().nodes[n];
    if (r.seen(n) != NodeKind::map) {
      done.emplace(n, reshape_of(r, n, shape, groups));
      stack.pop_back();
      continue;
    }
    std::vector<NodeId> operands;
    bool ready = true;
    for (const NodeId operand : r.graph().operands(n)) {
      const auto found = done.find(operand);
      if (found == done.end()) {
        stack.push_back(operand);
        ready = false;
      } else {
        operands.push_back(found->second);
      }
    }
    if (!ready) continue;
    done.emplace(n, simplify_map(r, node, operands));
    stack.pop_back();
  }
  return done.at(top);
}

NodeId simplify_reshape(Rewriter& r, NodeId old, NodeId operand) {
  const ir::Graph& source = r.source();
  const Shape shape = shape_of(source, old);
  const ir::Groups groups = source.attribute<ir::Groups>(old);
  if (r.seen(operand) == NodeKind::map && !only_units(source, old)) {
    return sink_reshape(r, operand, shape, groups);
  }
  return reshape_of(r, operand, shape, groups);
}

NodeId simplify_permute(Rewriter& r, NodeId old, NodeId operand) {
  return permute_of(r, r.source().nodes[old], operand, r.source().attribute<ir::Axes>(old).axes);
}

// Of a reduction.
std::optional<NodeId> raise_permute(Rewriter& r, NodeId old, NodeId operand) {
  const Node& node = r.source().nodes[old];
  return raise_permutes(
      r, node, {&operand, 1},
      {ir::rule(node.kind).axes(r.source(), old, 0), shape_of(r.source(), old),
       [&](std::vector<NodeId> below, const Shape& shape, const ir::Axes& folded) {
         return r.emit(node, shape, below, folded);
       }});
}

NodeId simplify_broadcast(Rewriter& r, NodeId old, NodeId operand) {
  const Shape shape = shape_of(r.source(), old);
  if (r.seen(operand) == NodeKind::broadcast) operand = r.graph().operand(operand, 0);
  const std::size_t rank = r.graph().nodes[operand].rank;
  const ir::AxisUses uses = ir::kept_axes(rank, shape.size() - rank);
  const auto raised = raise_permutes(
      r, r.source().nodes[old], {&operand, 1},
      {uses, shape, [&](std::vector<NodeId> below, const Shape& before, const auto&) {
         return r.broadcast(below[0], before);
       }});
  return raised ? *raised : r.broadcast(operand, shape);
}

NodeId simplify_slice(Rewriter& r, NodeId old, NodeId operand) {
  const ir::Slices& slices = r.source().attribute<ir::Slices>(old);
  const bool whole = std::ranges::equal(r.source().shape(old), r.graph().shape(operand)) &&
                     std::ranges::all_of(slices.begin, [](Sym s) { return s == ir::kZero; }) &&
                     std::ranges::all_of(slices.step, [](Sym s) { return s == ir::kOne; });
  if (whole) return operand;
  if (const auto c = splat_constant(r, operand)) {
    return r.broadcast(r.constant(r.source().nodes[old].dtype, *c), shape_of(r.source(), old));
  }
  return r.copy(old);
}

NodeId simplify_reduce(Rewriter& r, NodeId old, NodeId operand) {
  const ir::Graph& source = r.source();
  const Node& node = source.nodes[old];
  if (const auto raised = raise_permute(r, old, operand)) return *raised;
  const Shape from = shape_of(r.graph(), operand);
  ir::Axes kept;
  std::vector<bool> unit(from.size(), false);
  for (const std::uint8_t axis : source.attribute<ir::Axes>(old).axes) {
    if (from[axis] == ir::kZero) {
      return r.broadcast(r.constant(node.dtype, ir::reduce_identity(node.op, node.dtype)),
                         source.shape(old));
    }
    unit[axis] = from[axis] == ir::kOne;
    if (!unit[axis]) kept.axes.push_back(axis);
  }
  if (std::ranges::none_of(unit, [](bool u) { return u; })) {
    return kept.axes.empty() ? operand : r.copy(old);
  }
  Shape squeezed;
  ir::Groups groups;
  std::vector<std::uint8_t> renumbered(from.size());
  for (std::size_t axis = 0; axis < from.size(); ++axis) {
    renumbered[axis] = static_cast<std::uint8_t>(squeezed.size());
    if (!unit[axis]) squeezed.push_back(from[axis]);
    groups.from.push_back(1);
    groups.to.push_back(unit[axis] ? 0 : 1);
  }
  const NodeId narrow = reshape_of(r, operand, squeezed, groups);
  if (kept.axes.empty()) return narrow;
  for (std::uint8_t& axis : kept.axes) axis = renumbered[axis];
  return r.emit(node, source.shape(old), {&narrow, 1}, kept);
}

// Over one element, the extreme is at 0.
NodeId simplify_arg_reduce(Rewriter& r, NodeId old, NodeId operand) {
  const Order& axes = r.source().attribute<ir::Axes>(old).axes;
  if (const auto raised = raise_permute(r, old, operand)) return *raised;
  const std::uint8_t axis = axes[0];
  if (r.graph().shape(operand)[axis] != ir::kOne) return r.copy(old);
  return r.broadcast(r.constant(DType::int64, 0), r.source().shape(old));
}

NodeId simplify_node(Rewriter& r, NodeId old) {
  const Node& node = r.source().nodes[old];
  std::vector<NodeId> operands;
  for (const NodeId operand : r.source().operands(old)) operands.push_back(r.mapped(operand));
  switch (node.kind) {
    case NodeKind::map:
      return simplify_map(r, node, std::move(operands));
    case NodeKind::reshape:
      return simplify_reshape(r, old, operands[0]);
    case NodeKind::permute:
      return simplify_permute(r, old, operands[0]);
    case NodeKind::broadcast:
      return simplify_broadcast(r, old, operands[0]);
    case NodeKind::slice:
      return simplify_slice(r, old, operands[0]);
    case NodeKind::reduce:
      return simplify_reduce(r, old, operands[0]);
    case NodeKind::arg_reduce:
      return simplify_arg_reduce(r, old, operands[0]);
    case NodeKind::concat:
      return operands.size() == 1 ? operands[0] : r.copy(old);
    case NodeKind::buffer:
    case NodeKind::constant:
    case NodeKind::scalar:
    case NodeKind::iota:
    case NodeKind::pad:
    case NodeKind::update:
    case NodeKind::put:
    case NodeKind::contract:
    case NodeKind::scan:
    case NodeKind::sort:
    case NodeKind::loop:
    case NodeKind::item:
      break;
  }
  return r.copy(old);
}

}  // namespace

ir::Graph simplify(const ir::Graph& graph) {
  return remove_dead(Rewriter(graph).run(simplify_node));
}

}  // namespace kiln::passes
