#include "passes/emit.h"

#include <algorithm>
#include <set>

#include "ir/error.h"
#include "ir/hash.h"
#include "ir/mutant.h"
#include "passes/length.h"

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
  return is_number(graph.nodes[node]);
}

}  // namespace

Emitter::Emitter(const ir::Graph& graph, const std::vector<bool>& stored,
                 ir::KernelBuilder& builder)
    : graph_(graph), stored_(stored), b_(builder) {}

std::uint32_t Emitter::intern(Point point) {
  std::uint64_t key = point.index.size();
  const auto add = [&key](std::uint64_t v) { key = ir::mix(key, v); };
  for (const LaneIndex& i : point.index) {
    add(i.base | static_cast<std::uint64_t>(i.step) << 32);
    add(i.scale | static_cast<std::uint64_t>(i.run) << 16 |
        static_cast<std::uint64_t>(i.residue) << 32);
    add(i.extent);
  }
  add(point.guarded | static_cast<std::uint64_t>(point.outside) << 1);
  add(point.uniform_mask | static_cast<std::uint64_t>(point.lane_mask) << 32);
  const auto [first, last] = point_ids_.equal_range(key);
  for (auto it = first; it != last; ++it) {
    if (points_[it->second] == point) return it->second;
  }
  points_.push_back(std::move(point));
  const auto id = static_cast<std::uint32_t>(points_.size() - 1);
  point_ids_.emplace(key, id);
  return id;
}

// The point without the masks of pads and concats.
std::uint32_t Emitter::unguarded(std::uint32_t context) {
  const auto known = unguarded_.find(context);
  if (known != unguarded_.end()) return known->second;
  const std::uint32_t plain =
      intern({points_[context].index, kNoValue, points_[context].outside, false, kNoValue});
  unguarded_.emplace(context, plain);
  return plain;
}

// A value where a mask leaves out some lanes is the one that has them all, if that was made.
Value Emitter::known(const Demand& d) {
  if (const auto found = bound_.find(d.node); found != bound_.end()) return found->second;
  const Value value = remembered(d);
  if (value != kNoValue || !points_[d.context].guarded) return value;
  return remembered({d.node, unguarded(d.context)});
}

Value Emitter::remembered(const Demand& d) const {
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

void Emitter::check_length() {
  constexpr std::int64_t kNotNeeded = 4;  // of these instructions one is left
  const auto written = static_cast<std::int64_t>(b_.kernel().insts.size());
  if (longest_ > 0 && std::max(written, ++visits_) > kNotNeeded * longest_) throw KernelTooLong{};
}

// Depth first with an explicit stack: expressions may be deeper than the call stack.
Value Emitter::value(NodeId node, const Point& point) {
  const Demand wanted{node, intern(point)};
  std::vector<Demand> stack{wanted};
  while (!stack.empty()) {
    const Demand d = stack.back();
    check_length();
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
    check_length();
    const Point here = points_[d.context];
    const ir::Node& n = graph_.nodes[d.node];
    const bool stored = is_leaf(d.node);
    if (!stored && per_row(n)) continue;
    if (!stored) {
      const std::vector<Demand> operands = demands(d.node, here);
      stack.insert(stack.end(), operands.rbegin(), operands.rend());
    } else if (!is_number(n) && n.kind != NodeKind::iota) {
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
  if (!point.guarded) result.outside = point.lane_mask;
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
  if (is_map(n)) {
    const std::uint32_t same = intern(point);
    for (const NodeId operand : graph_.operands(node)) result.push_back({operand, same});
    // What clusters share (scalars) comes last, whatever its number, so that alike ones give equal
    // text.
    if (ir::has(n.op, ir::kCommutes) && is_literal(graph_, result[0].node) &&
        !is_literal(graph_, result[1].node)) {
      std::swap(result[0], result[1]);
    }
    return result;
  }
  if (n.kind == NodeKind::concat) {
    const std::vector<Value> bounds = concat_bounds(node);
    reach_axes(graph_.shape(node), {});
    for (std::size_t i = 0; i < n.operand_count; ++i) {
      Point part = guarded(point, n.imm, bounds[i], bounds[i + 1]);
      LaneIndex& index = part.index[n.imm];
      index = shift(index, b_.sub(b_.index(0), bounds[i]));
      result.push_back({graph_.operand(node, static_cast<int>(i)), intern(std::move(part))});
    }
    return result;
  }
  if (n.kind == NodeKind::update) {
    const NodeId value = graph_.operand(node, 1);
    reach_axes(graph_.shape(node), graph_.shape(value));
    Point part = point;
    part.index = updated_index<Emitter>(graph_, node, point.index, *this);
    result.push_back({graph_.operand(node, 0), intern(point)});
    result.push_back({value, intern(guarded(std::move(part), node, value))});
    return result;
  }
  Point inner = point;
  if (n.kind == NodeKind::reshape) {
    reach_elements(graph_.shape(node));
  } else {
    reach_axes(graph_.shape(node), graph_.shape(graph_.operand(node, 0)));
  }
  inner.index = operand_index<Emitter>(graph_, node, point.index, *this);
  if (n.kind == NodeKind::pad && !mutant(ir::Mutant::pad_mask)) {
    inner = guarded(std::move(inner), node, graph_.operand(node, 0));
  }
  result.push_back({graph_.operand(node, 0), intern(std::move(inner))});
  if (n.kind == NodeKind::pad) result.push_back({graph_.operand(node, 1), intern(Point{})});
  return result;
}

// The point in a part with lanes outside of it masked off, along the axes where the whole is
// longer.
Point Emitter::guarded(Point point, NodeId whole, NodeId part) {
  const auto from = graph_.shape(part);
  const auto to = graph_.shape(whole);
  for (std::size_t axis = 0; axis < from.size(); ++axis) {
    if (from[axis] != to[axis]) point = guarded(point, axis, b_.index(0), sym(from[axis]));
  }
  return point;
}

// Whether an index in a part of the whole is one of the part's.
Value Emitter::inside(NodeId whole, NodeId part, std::span<const LaneIndex> index) {
  const auto from = graph_.shape(part);
  const auto to = graph_.shape(whole);
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
      const NodeId part = graph_.operand(node, 0);
      reach_axes(graph_.shape(node), graph_.shape(part));
      const Value within =
          inside(node, part, operand_index<Emitter>(graph_, node, point.index, *this));
      if (within == kNoValue) return operands[0];
      return b_.op(Op::select, n.dtype, {within, operands[0], operands[1]});
    }
    case NodeKind::update: {
      const NodeId part = graph_.operand(node, 1);
      reach_axes(graph_.shape(node), graph_.shape(part));
      const Value within =
          inside(node, part, updated_index<Emitter>(graph_, node, point.index, *this));
      if (within == kNoValue) return operands[1];
      return b_.op(Op::select, n.dtype, {within, operands[1], operands[0]});
    }
    case NodeKind::concat: {
      const std::vector<Value> bounds = concat_bounds(node);
      Value result = operands.back();
      for (std::size_t i = operands.size() - 1; i-- > 0;) {
        LaneIndex at = point.index[n.imm];
        if (at.residue || at.complete) at = resolved(at);
        const Value bound = bounds[mutant(ir::Mutant::concat_bound) ? i : i + 1];
        const Value before = b_.less(compared(at), scaled(bound, at));
        result = b_.op(Op::select, n.dtype, {before, operands[i], result});
      }
      return result;
    }
    case NodeKind::broadcast:
    case NodeKind::permute:
    case NodeKind::reshape:
    case NodeKind::slice:
    case NodeKind::put:
      return operands[0];
    case NodeKind::buffer:
    case NodeKind::constant:
    case NodeKind::scalar:
    case NodeKind::iota:
    case NodeKind::reduce:
    case NodeKind::arg_reduce:
    case NodeKind::contract:
    case NodeKind::scan:
    case NodeKind::sort:
    case NodeKind::loop:
    case NodeKind::item:
      break;
  }
  ir::internal_error("emit: an expression ends here");
}

Value Emitter::leaf(NodeId node, const Point& point) {
  const ir::Node& n = graph_.nodes[node];
  if (n.kind == NodeKind::constant) return b_.constant(n.dtype, n.imm);
  if (n.kind == NodeKind::iota) return b_.op(Op::cast, n.dtype, {materialise(point.index[n.imm])});
  if (n.kind != NodeKind::scalar) return load(node, point);
  const auto found = scalars_.find(n.imm);
  if (found != scalars_.end()) return found->second;
  const Value v = b_.scalar(n.dtype, "s" + std::to_string(scalars_.size()));
  arguments_.push_back(
      {ir::ParamKind::scalar, static_cast<std::uint32_t>(n.imm), false, false, {}});
  scalars_.emplace(n.imm, v);
  return v;
}

LaneIndex Emitter::offset_of(NodeId node, const Point& point) {
  const ir::Node& n = graph_.nodes[node];
  if (is_input(n) && !graph_.inputs[n.attr].dense) {
    const std::vector<Sym>& strides = graph_.inputs[n.attr].strides;
    LaneIndex sum = zero();
    // Resolved first: sums of products with negative strides could not be divided by a scale.
    for (std::size_t i = 0; i < strides.size(); ++i) {
      sum = add(sum, mul(resolved(point.index[i]), strides[i]));
    }
    return sum;
  }
  reach_elements(graph_.shape(node));
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
  const bool aligned = aligned_ || mutant(ir::Mutant::alignment);
  const std::uint8_t flags = unit && aligned ? ir::kAligned : 0;
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
  const auto put = wholes_.find(node);
  const NodeId whole = put != wholes_.end() ? put->second : node;
  const std::uint32_t memory = memory_of(whole, true);
  std::vector<LaneIndex> index = point.index;
  if (whole != node) {
    reach_axes(graph_.shape(node), graph_.shape(whole));
    index = window_index<Emitter>(graph_, node, point.index, *this);
  }
  reach_elements(graph_.shape(whole));
  const LaneIndex offset = resolved(linear_index<Emitter>(*this, graph_.shape(whole), index));
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
