#include "passes/reducer.h"

#include <bit>
#include <limits>

#include "ir/mutant.h"
#include "ir/reduce.h"
#include "passes/fuse.h"

namespace kiln::passes {

using ir::DType;
using ir::KernelBuilder;
using ir::Op;
using ir::Value;

Reducer::Reducer(const ir::Graph& graph, ir::NodeId node, std::size_t number)
    : node_(node),
      number_(number),
      operand_(graph.operand(node, 0)),
      op_(graph.nodes[node].op),
      arg_(graph.nodes[node].kind == ir::NodeKind::arg_reduce),
      result_type_(graph.nodes[node].dtype) {
  const DType type = graph.nodes[operand_].dtype;
  const bool sums = !arg_ && (op_ == Op::add || op_ == Op::mul);
  types_.push_back(ir::is_half(type) && sums ? DType::float32 : type);
  for (const ir::Sym s : reduced_extents(graph, node)) empty_ = empty_ || s == ir::kZero;
  if (arg_) types_.push_back(DType::int64);
}

std::string Reducer::name() const {
  std::string text = "r";
  return text += std::to_string(number_);
}

bool Reducer::ordered() const {
  return ir::is_float(types_[0]) && !arg_ && (op_ == Op::add || op_ == Op::mul);
}

Parts Reducer::identity(KernelBuilder& b, int lanes) const {
  Parts parts{b.constant(types_[0], ir::reduce_padding(op_, types_[0]), lanes)};
  if (arg_) {
    const auto none = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    parts.push_back(b.constant(DType::int64, none, lanes));
  }
  return parts;
}

Parts Reducer::element(Emitter& e, const Point& point, Value position) const {
  KernelBuilder& b = e.builder();
  Parts parts{b.op(Op::cast, types_[0], {e.value(operand_, point)})};
  if (arg_) parts.push_back(b.op(Op::cast, DType::int64, {position}));
  for (Value& part : parts) {
    if (b.lanes(part) < e.lanes()) part = b.splat(part, e.lanes());
  }
  return parts;
}

Parts Reducer::combine(KernelBuilder& b, const Parts& first, const Parts& second) const {
  if (!arg_) return {b.op(op_, types_[0], {first[0], second[0]})};
  const Value better = op_ == Op::max ? b.op(Op::lt, DType::bool_, {first[0], second[0]})
                                      : b.op(Op::lt, DType::bool_, {second[0], first[0]});
  Value tie = b.op(Op::eq, DType::bool_, {first[0], second[0]});
  Value take = better;
  if (ir::is_float(types_[0])) {  // NaN counts as extreme
    const Value first_nan = b.op(Op::ne, DType::bool_, {first[0], first[0]});
    const Value second_nan = b.op(Op::ne, DType::bool_, {second[0], second[0]});
    const Value first_number = b.op(Op::not_, DType::bool_, {first_nan});
    take = b.op(Op::or_, DType::bool_, {take, b.logical_and(second_nan, first_number)});
    tie = b.op(Op::or_, DType::bool_, {tie, b.logical_and(first_nan, second_nan)});
  }
  const Value earlier = b.op(Op::lt, DType::bool_, {second[1], first[1]});
  take = b.op(Op::or_, DType::bool_, {take, b.logical_and(tie, earlier)});
  return {b.op(Op::select, types_[0], {take, second[0], first[0]}),
          b.op(Op::select, types_[1], {take, second[1], first[1]})};
}

Parts Reducer::tree(KernelBuilder& b, std::vector<Parts> level) const {
  if (mutant(ir::Mutant::tree_order)) std::swap(level.front(), level[level.size() / 2]);
  while (level.size() > 1) {
    std::vector<Parts> next;
    for (std::size_t i = 0; i < level.size(); i += 2) {
      next.push_back(combine(b, level[i], level[i + 1]));
    }
    level = std::move(next);
  }
  return level[0];
}

Parts Reducer::append(KernelBuilder& b, const Parts& first, const Parts& second) const {
  if (!arg_) return combine(b, first, second);
  const Op beats = mutant(ir::Mutant::last_extreme) ? Op::le : Op::lt;
  Value take = op_ == Op::max ? b.op(beats, DType::bool_, {first[0], second[0]})
                              : b.op(beats, DType::bool_, {second[0], first[0]});
  if (ir::is_float(types_[0])) {  // the first NaN is the extreme
    const Value number = b.op(Op::eq, DType::bool_, {first[0], first[0]});
    const Value nan = b.op(Op::ne, DType::bool_, {second[0], second[0]});
    take = b.op(Op::or_, DType::bool_, {take, b.logical_and(number, nan)});
  }
  return {b.op(Op::select, types_[0], {take, second[0], first[0]}),
          b.op(Op::select, types_[1], {take, second[1], first[1]})};
}

Parts Reducer::start(KernelBuilder& b, Value positions) const {
  Parts parts = identity(b, b.lanes(positions));
  if (arg_) parts[1] = positions;
  return parts;
}

Value Reducer::result(KernelBuilder& b, const Parts& parts) const {
  if (empty_) return b.constant(result_type_, ir::reduce_identity(op_, result_type_));
  return b.op(Op::cast, result_type_, {parts.back()});
}

Parts Reducer::keep(KernelBuilder& b, Value mask, const Parts& parts) const {
  if (mask == ir::kNoValue) return parts;
  const Parts none = identity(b, 1);
  Parts result;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    result.push_back(b.op(Op::select, types_[i], {mask, parts[i], none[i]}));
  }
  return result;
}

Parts Reducer::across_lanes(KernelBuilder& b, Parts parts, int left) const {
  while (b.lanes(parts[0]) > left) {
    Parts even;
    Parts odd;
    for (const Value part : parts) {
      even.push_back(b.even(part));
      odd.push_back(b.odd(part));
    }
    parts = combine(b, even, odd);
  }
  return parts;
}

PartsMemory::PartsMemory(KernelBuilder& b, const Reducer& reducer, ir::Space space,
                         std::int64_t size, const std::string& name) {
  for (std::size_t i = 0; i < reducer.part_count(); ++i) {
    const std::string own = name + (i == 0 ? "" : "_at");
    memories_.push_back(space == ir::Space::shared ? b.shared(reducer.type(i), size, own)
                                                   : b.local(reducer.type(i), size, own));
  }
}

void PartsMemory::store(KernelBuilder& b, Value index, const Parts& parts) const {
  for (std::size_t i = 0; i < memories_.size(); ++i) b.store(memories_[i], index, parts[i]);
}

Parts PartsMemory::load(KernelBuilder& b, Value index, int lanes) const {
  Parts parts;
  for (const std::uint32_t memory : memories_) parts.push_back(b.load(memory, index, lanes));
  return parts;
}

CarryStack::CarryStack(KernelBuilder& b, const Reducer& reducer, int lanes, std::int64_t longest,
                       const std::string& name, std::int64_t width)
    : reducer_(reducer),
      lanes_(lanes),
      width_(width == 0 ? lanes : width),
      levels_(std::bit_width(static_cast<std::uint64_t>(longest))),
      stack_(b, reducer, ir::Space::local, levels_ * width_, name + "_stack"),
      current_(b, reducer, ir::Space::local, lanes, name + "_carry") {}

Value CarryStack::place(KernelBuilder& b, Value level, Value at) const {
  const Value row = b.mul(level, b.index(width_));
  return at == ir::kNoValue ? row : b.add(row, at);
}

void CarryStack::push(KernelBuilder& b, const Parts& parts, Value already, Value at) const {
  const Value zero = b.index(0);
  const Value one = b.index(1);
  current_.store(b, zero, parts);
  const Value levels = b.op(Op::ctz, b.dtype(already), {b.add(already, one)});
  const Value level = b.begin_loop(zero, levels, one);
  const Parts left = stack_.load(b, place(b, level, at), lanes_);
  current_.store(b, zero, reducer_.combine(b, left, current_.load(b, zero, lanes_)));
  b.end();
  stack_.store(b, place(b, levels, at), current_.load(b, zero, lanes_));
}

Parts CarryStack::fold(KernelBuilder& b, Value count, Value at) const {
  const Value zero = b.index(0);
  const Value one = b.index(1);
  current_.store(b, zero, reducer_.identity(b, lanes_));
  const Value level = b.begin_loop(zero, b.index(levels_), one);
  const Value bit =
      b.op(Op::and_, b.dtype(count), {b.op(Op::shr, b.dtype(count), {count, level}), one});
  b.begin_if(b.op(Op::ne, DType::bool_, {bit, zero}));
  const Parts left = stack_.load(b, place(b, level, at), lanes_);
  current_.store(b, zero, reducer_.combine(b, left, current_.load(b, zero, lanes_)));
  b.end();
  b.end();
  return current_.load(b, zero, lanes_);
}

}  // namespace kiln::passes
