#include "passes/emit.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <set>

#include "ir/error.h"

namespace kiln::passes {

using ir::DType;
using ir::kNoValue;
using ir::NodeId;
using ir::NodeKind;
using ir::Op;
using ir::Sym;
using ir::Value;

namespace {

// A scalar or constant, broadcast or not.
bool is_literal(const ir::Graph& graph, NodeId node) {
  while (graph.nodes[node].kind == NodeKind::broadcast) node = graph.operand(node, 0);
  const NodeKind kind = graph.nodes[node].kind;
  return kind == NodeKind::scalar || kind == NodeKind::constant;
}

}  // namespace

Emitter::Emitter(const ir::Graph& graph, const std::vector<bool>& stored,
                 ir::KernelBuilder& builder)
    : graph_(graph), stored_(stored), b_(builder) {}

std::uint32_t Emitter::sym_param(Sym s) {
  const auto found = syms_.find(s);
  if (found != syms_.end()) return found->second.first;
  const auto param = static_cast<std::uint32_t>(b_.kernel().params.size());
  const Value value = b_.integer("n" + std::to_string(syms_.size() + lengths_.size()));
  syms_.emplace(s, std::pair(param, value));
  arguments_.push_back({ir::ParamKind::integer, s, false, false, {}});
  return param;
}

Value Emitter::sym(Sym s) {
  if (graph_.constant_sym(s)) return b_.index(graph_.sym(s).lo);
  sym_param(s);
  const Value value = syms_.at(s).second;
  bounds_[value] = graph_.sym(s).hi;
  return value;
}

std::uint32_t Emitter::length_param(std::span<const Sym> extents) {
  if (extents.size() == 1) return sym_param(extents[0]);
  const std::vector<Sym> key(extents.begin(), extents.end());
  const auto found = lengths_.find(key);
  if (found != lengths_.end()) return found->second.first;
  const auto param = static_cast<std::uint32_t>(b_.kernel().params.size());
  const Value value = b_.integer("n" + std::to_string(syms_.size() + lengths_.size()));
  arguments_.push_back({ir::ParamKind::integer, 0, false, false, key});
  lengths_.emplace(key, std::pair(param, value));
  double bound = 1;
  for (const Sym s : extents) bound *= static_cast<double>(graph_.sym(s).hi);
  if (bound < 1e15) bounds_[value] = static_cast<std::int64_t>(bound);
  return param;
}

Value Emitter::length(std::span<const Sym> extents) {
  if (extents.empty()) return b_.index(1);
  if (extents.size() == 1) return sym(extents[0]);
  length_param(extents);
  return lengths_.at({extents.begin(), extents.end()}).second;
}

Value Emitter::product(std::span<const Sym> syms) {
  Value result = b_.index(1);
  double bound = 1;
  for (const Sym s : syms) {
    result = b_.mul(result, sym(s));
    bound *= static_cast<double>(graph_.sym(s).hi);
  }
  if (bound < 1e15) bounds_[result] = static_cast<std::int64_t>(bound);
  return result;
}

Value Emitter::sum(const std::vector<Monomial>& monomials) {
  Value total = b_.index(0);
  for (const Monomial& m : monomials) {
    const Value size = product(m.factors);
    const Value by = b_.index(m.coefficient < 0 ? -m.coefficient : m.coefficient);
    const Value term = b_.mul(size, by);
    total = m.coefficient < 0 ? b_.sub(total, term) : b_.add(total, term);
  }
  return total;
}

std::uint32_t Emitter::scale(std::vector<Sym> extents) {
  for (std::uint32_t i = 0; i < scales_.size(); ++i) {
    if (scales_[i] == extents) return i;
  }
  scales_.push_back(std::move(extents));
  return static_cast<std::uint32_t>(scales_.size() - 1);
}

Value Emitter::scaled(Value v, const LaneIndex& like) {
  return like.scale == 0 ? v : b_.mul(v, product(scales_[like.scale]));
}

LaneIndex Emitter::zero() {
  LaneIndex index;
  index.base = b_.index(0);
  return index;
}

Value Emitter::lanes_of(const LaneIndex& a) {
  if (a.step == kNoValue) return a.base;
  const DType index = b_.kernel().index;
  const Value offsets = b_.op(Op::mul, index, {b_.lane(index, lanes_), a.step});
  return b_.op(Op::add, index, {a.base, offsets});
}

// m / by at each lane, and the remainder. Where lanes are consecutive, one scalar division serves
// them all: with m = base + lane, the quotient is that of the base plus (remainder of the base +
// lane) / by, small numbers that float32 divides exactly enough: (x + 1/2) / by is at least 1 / (2
// by) from an integer, and its rounding error is below 2^-22 of a value of at most 1 + lanes / by.
Value Emitter::quotient(const LaneIndex& m, Value by, Value* remainder) {
  constexpr std::int64_t kSmall = 1 << 16;
  std::int64_t step = 0;
  const bool consecutive = m.step != kNoValue && b_.is_constant(m.step, &step) && step == 1;
  const DType index = b_.kernel().index;
  if (!consecutive || upper_bound(by) > kSmall) {
    const Value lanes = lanes_of(m);
    *remainder = b_.rem(lanes, by);
    return b_.div(lanes, by);
  }
  const Value first = b_.div(m.base, by);
  const Value rest = b_.op(Op::cast, DType::int32, {b_.rem(m.base, by)});
  const Value small_by = b_.op(Op::cast, DType::int32, {by});
  const Value x = b_.op(Op::add, DType::int32, {rest, b_.lane(DType::int32, lanes_)});
  const Value half = b_.constant(DType::float32, std::bit_cast<std::uint32_t>(0.5f));
  const Value numerator =
      b_.op(Op::add, DType::float32, {b_.op(Op::cast, DType::float32, {x}), half});
  const Value real =
      b_.op(Op::div, DType::float32, {numerator, b_.op(Op::cast, DType::float32, {small_by})});
  const Value q = b_.op(Op::cast, DType::int32, {real});
  const Value r = b_.op(Op::sub, DType::int32, {x, b_.op(Op::mul, DType::int32, {q, small_by})});
  *remainder = b_.op(Op::cast, index, {r});
  return b_.add(first, b_.op(Op::cast, index, {q}));
}

// Upper bound of a product of symbols' values, as far as this emitter made it.
std::int64_t Emitter::upper_bound(Value v) const {
  std::int64_t c = 0;
  if (b_.is_constant(v, &c)) return c;
  const auto found = bounds_.find(v);
  return found == bounds_.end() ? std::numeric_limits<std::int64_t>::max() : found->second;
}

LaneIndex Emitter::resolved(const LaneIndex& a) {
  if (a.plain()) return a;
  LaneIndex m{a.base, a.step, a.arbitrary};
  Value unused = kNoValue;
  Value q = a.scale == 0 ? kNoValue : quotient(m, product(scales_[a.scale]), &unused);
  if (a.residue) {
    const LaneIndex outer = q == kNoValue ? m : LaneIndex{q, kNoValue, !a.uniform()};
    Value rest = kNoValue;
    quotient(outer, sym(a.extent), &rest);
    q = rest;
  } else if (a.complete) {  // without the next axis's residue
    if (q == kNoValue) q = lanes_of(m);
    q = b_.sub(q, b_.rem(q, sym(a.extent)));
  }
  return {q, kNoValue, !a.uniform()};
}

Value Emitter::materialise(const LaneIndex& a) { return lanes_of(resolved(a)); }

LaneIndex Emitter::add(const LaneIndex& a, const LaneIndex& b) {
  if (a.complete && b.residue && a.run == b.run && a.scale == b.scale && a.extent == b.extent) {
    LaneIndex both = a;  // it already counts b
    both.complete = false;
    both.extent = ir::kZero;
    if (both.scale == 0) both.run = 0;
    return both;
  }
  const auto leads = [](const LaneIndex& i) { return i.scale != 0 && !i.residue && !i.complete; };
  if (a.plain() && leads(b)) {  // a multiplied to b's scale keeps b's divisions away
    LaneIndex sum = b;
    sum.base = b_.add(scaled(a.base, b), b.base);
    if (!a.arbitrary && !b.arbitrary && a.step == kNoValue) return sum;
  }
  const LaneIndex x = resolved(a);
  const LaneIndex y = resolved(b);
  if (x.arbitrary || y.arbitrary) return {b_.add(lanes_of(x), lanes_of(y)), kNoValue, true};
  LaneIndex sum{b_.add(x.base, y.base), x.step};
  if (y.step != kNoValue) sum.step = x.step == kNoValue ? y.step : b_.add(x.step, y.step);
  return sum;
}

LaneIndex Emitter::shift(const LaneIndex& a, Value by) {
  std::int64_t c = 0;
  if (b_.is_constant(by, &c) && c == 0) return a;
  LaneIndex result = a.residue || a.complete ? resolved(a) : a;
  result.base = b_.add(result.base, scaled(by, result));
  if (result.origin != kNoValue) result.origin = b_.add(result.origin, by);
  return result;
}

LaneIndex Emitter::add(const LaneIndex& a, Sym s) { return shift(a, sym(s)); }

LaneIndex Emitter::sub(const LaneIndex& a, Sym s) {
  return s == ir::kZero ? a : shift(a, b_.sub(b_.index(0), sym(s)));
}

LaneIndex Emitter::mul(const LaneIndex& a, Sym s) {
  if (s == ir::kZero) return zero();
  if (s == ir::kOne) return a;
  if (a.scale != 0 && !a.complete && !a.residue && scales_[a.scale].front() == s) {
    const std::vector<Sym> rest(scales_[a.scale].begin() + 1, scales_[a.scale].end());
    LaneIndex result = a;  // m is already multiplied by it, and counts the next axis too
    result.scale = scale(rest);
    result.complete = true;
    result.extent = s;
    return result;
  }
  const LaneIndex x = resolved(a);
  std::int64_t base = 1;
  if (x.uniform() && b_.is_constant(x.base, &base) && base == 0) return zero();  // without `s`
  LaneIndex result{b_.mul(x.base, sym(s)), x.step, x.arbitrary};
  if (x.step != kNoValue) result.step = b_.mul(x.step, sym(s));
  return result;
}

LaneIndex Emitter::div_by(const LaneIndex& a, Value by) {
  Value remainder = kNoValue;
  return {quotient(resolved(a), by, &remainder), kNoValue, !a.uniform()};
}

LaneIndex Emitter::rem_by(const LaneIndex& a, Value by) {
  Value remainder = kNoValue;
  quotient(resolved(a), by, &remainder);
  return {remainder, kNoValue, !a.uniform()};
}

std::uint32_t Emitter::intern(Point point) {
  std::uint64_t key = point.index.size();
  const auto mix = [&key](std::uint64_t v) {
    key = (key ^ v) * 0x9E3779B97F4A7C15u, key ^= key >> 29;
  };
  for (const LaneIndex& i : point.index) {
    mix(i.base | static_cast<std::uint64_t>(i.step) << 32);
    mix(i.scale | static_cast<std::uint64_t>(i.run) << 16 |
        static_cast<std::uint64_t>(i.residue) << 32);
    mix(i.extent);
  }
  mix(point.guarded);
  mix(point.uniform_mask | static_cast<std::uint64_t>(point.lane_mask) << 32);
  const auto [first, last] = point_ids_.equal_range(key);
  for (auto it = first; it != last; ++it) {
    if (points_[it->second] == point) return it->second;
  }
  points_.push_back(std::move(point));
  const auto id = static_cast<std::uint32_t>(points_.size() - 1);
  point_ids_.emplace(key, id);
  return id;
}

Value Emitter::known(const Demand& d) const {
  if (const auto found = bound_.find(d.node); found != bound_.end()) return found->second;
  const std::uint64_t key = static_cast<std::uint64_t>(d.node) << 32 | d.context;
  for (auto scope = memo_.rbegin(); scope != memo_.rend(); ++scope) {
    if (const auto found = scope->find(key); found != scope->end()) return found->second;
  }
  return kNoValue;
}

void Emitter::remember(const Demand& d, Value v) {
  memo_.back()[static_cast<std::uint64_t>(d.node) << 32 | d.context] = v;
}

Point Emitter::below(const Point& point, std::span<const View> path) {
  Point result = point;
  for (const View& view : path) {
    result = points_[demands(view.node, result)[view.operand].context];
  }
  return result;
}

void Emitter::give(NodeId node, const Point& point, Value value) {
  remember({node, intern(point)}, value);
}

bool Emitter::is_leaf(NodeId node) const {
  if (graph_.nodes[node].operand_count == 0) return true;
  return stored_[node] && std::ranges::find(own_, node) == own_.end();
}

// Depth first with an explicit stack: expressions may be deeper than the call stack.
Value Emitter::value(NodeId node, const Point& point) {
  const Demand wanted{node, intern(point)};
  std::vector<Demand> stack{wanted};
  while (!stack.empty()) {
    const Demand d = stack.back();
    if (known(d) != kNoValue) {
      stack.pop_back();
      continue;
    }
    const Point here = points_[d.context];
    if (is_leaf(d.node)) {
      remember(d, leaf(d.node, here));
      stack.pop_back();
      continue;
    }
    const std::vector<Demand> operands = demands(d.node, here);
    std::vector<Value> values;
    for (const Demand& operand : operands) values.push_back(known(operand));
    if (std::ranges::find(values, kNoValue) == values.end()) {
      if (!graph_.lines.empty()) b_.set_line(graph_.lines[d.node]);
      const Value v = combine(d.node, here, values);
      if (!graph_.labels.empty() && !graph_.labels[d.node].empty())
        b_.name(v, graph_.labels[d.node]);
      remember(d, v);
      stack.pop_back();
      continue;
    }
    for (std::size_t i = operands.size(); i-- > 0;) {
      if (values[i] == kNoValue) stack.push_back(operands[i]);
    }
  }
  return known(wanted);
}

std::vector<Emitter::Read> Emitter::reads(const std::vector<std::pair<NodeId, Point>>& wanted) {
  std::vector<Read> result;
  std::set<std::pair<NodeId, std::uint32_t>> seen;
  std::vector<Demand> stack;
  for (std::size_t i = wanted.size(); i-- > 0;) {
    stack.push_back({wanted[i].first, intern(wanted[i].second)});
  }
  while (!stack.empty()) {
    const Demand d = stack.back();
    stack.pop_back();
    if (!seen.insert({d.node, d.context}).second || bound_.contains(d.node)) continue;
    const Point here = points_[d.context];
    const NodeKind kind = graph_.nodes[d.node].kind;
    if (!is_leaf(d.node)) {
      const std::vector<Demand> operands = demands(d.node, here);
      stack.insert(stack.end(), operands.rbegin(), operands.rend());
    } else if (kind != NodeKind::constant && kind != NodeKind::scalar && kind != NodeKind::iota) {
      result.push_back({d.node, here});
    }
  }
  return result;
}

Value Emitter::compared(const LaneIndex& index) {
  return index.origin != kNoValue ? index.origin : lanes_of(index);
}

Value Emitter::in_range(const LaneIndex& at, Value low, Value high) {
  const LaneIndex index = at.residue || at.complete ? resolved(at) : at;
  const Value i = compared(index);
  const Value above = b_.op(Op::le, DType::bool_, {scaled(low, index), i});
  return b_.logical_and(above, b_.less(i, scaled(high, index)));
}

// The point with lanes outside [low, high) along an axis masked off.
Point Emitter::guarded(const Point& point, std::size_t axis, Value low, Value high) {
  Point result = point;
  const Value condition = in_range(point.index[axis], low, high);
  const LaneIndex& index = point.index[axis];
  Value& mask =
      index.uniform() || index.origin != kNoValue ? result.uniform_mask : result.lane_mask;
  mask = b_.logical_and(mask, condition);
  result.guarded = true;
  return result;
}

// Bounds of the parts of a concat along its axis: 0, n0, n0 + n1, ...
std::vector<Value> Emitter::concat_bounds(NodeId node) {
  std::vector<Value> bounds{b_.index(0)};
  for (const NodeId operand : graph_.operands(node)) {
    bounds.push_back(b_.add(bounds.back(), sym(graph_.shape(operand)[graph_.nodes[node].imm])));
  }
  return bounds;
}

std::vector<Emitter::Demand> Emitter::demands(NodeId node, const Point& point) {
  const ir::Node& n = graph_.nodes[node];
  std::vector<Demand> result;
  if (n.kind == NodeKind::map) {
    const std::uint32_t same = intern(point);
    for (const NodeId operand : graph_.operands(node)) result.push_back({operand, same});
    // What clusters share (scalars) comes last, whatever its number, so that alike ones give equal text.
    if (ir::has(n.op, ir::kCommutes) && is_literal(graph_, result[0].node) &&
        !is_literal(graph_, result[1].node)) {
      std::swap(result[0], result[1]);
    }
    return result;
  }
  if (n.kind == NodeKind::concat) {
    const std::vector<Value> bounds = concat_bounds(node);
    for (std::size_t i = 0; i < n.operand_count; ++i) {
      Point part = guarded(point, n.imm, bounds[i], bounds[i + 1]);
      LaneIndex& index = part.index[n.imm];
      index = shift(index, b_.sub(b_.index(0), bounds[i]));
      result.push_back({graph_.operand(node, static_cast<int>(i)), intern(std::move(part))});
    }
    return result;
  }
  Point inner = point;
  inner.index = operand_index<Emitter>(graph_, node, point.index, *this);
  if (n.kind == NodeKind::pad) {
    const auto from = graph_.shape(graph_.operand(node, 0));
    const auto to = graph_.shape(node);
    for (std::size_t axis = 0; axis < from.size(); ++axis) {
      if (from[axis] != to[axis]) inner = guarded(inner, axis, b_.index(0), sym(from[axis]));
    }
  }
  result.push_back({graph_.operand(node, 0), intern(std::move(inner))});
  if (n.kind == NodeKind::pad) result.push_back({graph_.operand(node, 1), intern(Point{})});
  return result;
}

Value Emitter::inside_pad(NodeId pad, const Point& point) {
  const auto from = graph_.shape(graph_.operand(pad, 0));
  const auto to = graph_.shape(pad);
  const std::vector<LaneIndex> index = operand_index<Emitter>(graph_, pad, point.index, *this);
  Value inside = kNoValue;
  for (std::size_t axis = 0; axis < from.size(); ++axis) {
    if (from[axis] == to[axis]) continue;
    inside = b_.logical_and(inside, in_range(index[axis], b_.index(0), sym(from[axis])));
  }
  return inside;
}

Value Emitter::combine(NodeId node, const Point& point, std::span<const Value> operands) {
  const ir::Node& n = graph_.nodes[node];
  switch (n.kind) {
    case NodeKind::map:
      return b_.op(n.op, n.dtype, operands.data(), static_cast<int>(operands.size()));
    case NodeKind::pad: {
      const Value inside = inside_pad(node, point);
      if (inside == kNoValue) return operands[0];
      return b_.op(Op::select, n.dtype, {inside, operands[0], operands[1]});
    }
    case NodeKind::concat: {
      const std::vector<Value> bounds = concat_bounds(node);
      Value result = operands.back();
      for (std::size_t i = operands.size() - 1; i-- > 0;) {
        LaneIndex at = point.index[n.imm];
        if (at.residue || at.complete) at = resolved(at);
        const Value before = b_.less(compared(at), scaled(bounds[i + 1], at));
        result = b_.op(Op::select, n.dtype, {before, operands[i], result});
      }
      return result;
    }
    default:
      return operands[0];
  }
}

Value Emitter::leaf(NodeId node, const Point& point) {
  const ir::Node& n = graph_.nodes[node];
  switch (n.kind) {
    case NodeKind::constant:
      return b_.constant(n.dtype, n.imm);
    case NodeKind::scalar: {
      const auto found = scalars_.find(n.imm);
      if (found != scalars_.end()) return found->second;
      const Value v = b_.scalar(n.dtype, "s" + std::to_string(scalars_.size()));
      arguments_.push_back(
          {ir::ParamKind::scalar, static_cast<std::uint32_t>(n.imm), false, false, {}});
      scalars_.emplace(n.imm, v);
      return v;
    }
    case NodeKind::iota:
      return b_.op(Op::cast, n.dtype, {materialise(point.index[n.imm])});
    default:
      return load(node, point);
  }
}

LaneIndex Emitter::offset_of(NodeId node, const Point& point) {
  const ir::Node& n = graph_.nodes[node];
  if (n.kind == NodeKind::buffer && !graph_.inputs[n.attr].dense) {
    const std::vector<Sym>& strides = graph_.inputs[n.attr].strides;
    LaneIndex sum = zero();
    // Resolved first: sums of products with negative strides could not be divided by a scale.
    for (std::size_t i = 0; i < strides.size(); ++i) {
      sum = add(sum, mul(resolved(point.index[i]), strides[i]));
    }
    return sum;
  }
  return linear_index<Emitter>(*this, graph_.shape(node), point.index);
}

std::uint32_t Emitter::memory_of(NodeId node, bool output) {
  const auto [found, fresh] = memories_.try_emplace({node, output}, 0);
  if (!fresh) return found->second;
  const std::string name = (output ? "out" : "x") + std::to_string(memories_.size() - 1);
  found->second = b_.buffer(graph_.nodes[node].dtype, name, !output);
  arguments_.push_back({ir::ParamKind::buffer, node, true, output, {}});
  return found->second;
}

std::uint32_t Emitter::temporary(DType dtype, std::string name, std::uint32_t plan_buffer,
                                 bool constant) {
  arguments_.push_back({ir::ParamKind::buffer, plan_buffer, false, false, {}});
  return b_.buffer(dtype, std::move(name), constant);
}

Value Emitter::load(NodeId node, const Point& point) {
  const std::uint32_t memory = memory_of(node, false);
  const LaneIndex offset = resolved(offset_of(node, point));
  if (offset.uniform()) return b_.load(memory, offset.base, 1, point.uniform_mask);
  std::int64_t step = 0;
  const bool unit = !offset.arbitrary && b_.is_constant(offset.step, &step) && step == 1;
  const Value index = unit ? offset.base : lanes_of(offset);
  const std::uint8_t flags = unit && aligned_ ? ir::kAligned : 0;
  if (unit && point.lane_mask == kNoValue && node < ahead_.nodes.size() && ahead_.nodes[node]) {
    const std::int64_t size = ir::size_of(graph_.nodes[node].dtype);
    const Value by = ahead_.elements == kNoValue ? b_.index(ahead_.bytes / size) : ahead_.elements;
    b_.prefetch(memory, b_.add(index, by));
  }
  if (!point.guarded) return b_.load(memory, index, lanes_, point.lane_mask, kNoValue, flags);
  // Most vectors of a padded or joined array lie wholly inside or outside. A masked load of none is
  // not free: processors take hundreds of cycles where its address is in no mapped page.
  const DType type = graph_.nodes[node].dtype;
  const std::uint32_t part = b_.local(type, lanes_, "part" + std::to_string(parts_++));
  b_.store(part, b_.index(0), b_.constant(type, 0, lanes_));
  Value inside = point.lane_mask;
  if (inside != kNoValue)
    inside = b_.any(b_.lanes(inside) == lanes_ ? inside : b_.splat(inside, lanes_));
  b_.begin_if(b_.logical_and(point.uniform_mask, inside));
  b_.store(part, b_.index(0), b_.load(memory, index, lanes_, point.lane_mask, kNoValue, flags));
  b_.end();
  return b_.load(part, b_.index(0), lanes_);
}

void Emitter::store(NodeId node, const Point& point, Value value, std::uint8_t flags) {
  const std::uint32_t memory = memory_of(node, true);
  const LaneIndex offset = resolved(linear_index<Emitter>(*this, graph_.shape(node), point.index));
  const Value mask = b_.logical_and(point.lane_mask, point.uniform_mask);
  if (offset.uniform()) {
    // One place for all lanes: only in an array without elements.
    if (mask != kNoValue && b_.lanes(mask) > 1) return;
    b_.store(memory, offset.base, value, mask, flags);
    return;
  }
  if (b_.lanes(value) < lanes_) value = b_.splat(value, lanes_);
  std::int64_t step = 0;
  const bool unit = !offset.arbitrary && b_.is_constant(offset.step, &step) && step == 1;
  b_.store(memory, unit ? offset.base : materialise(offset), value, mask,
           unit ? flags : std::uint8_t{0});
}

}  // namespace kiln::passes
