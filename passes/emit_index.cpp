// The index algebra of the emitter: lengths and products of symbols, sums of monomials, and lanes
// of indices kept as a base and a step as long as they are.
#include "passes/emit.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "ir/narrow.h"

namespace kiln::passes {

using ir::DType;
using ir::kNoValue;
using ir::Op;
using ir::Sym;
using ir::Value;

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

void Emitter::reach_axes(std::span<const Sym> axes, std::span<const Sym> more) {
  reach_ = 0;
  for (const std::span<const Sym> list : {axes, more}) {
    for (const Sym s : list) reach_ = std::max(reach_, static_cast<double>(graph_.sym(s).hi));
  }
}

void Emitter::reach_elements(std::span<const Sym> extents) {
  reach_ = 1;
  for (const Sym s : extents) reach_ *= static_cast<double>(graph_.sym(s).hi);
}

// Whether the sum of two such indices, multiplied to a scale, is one of 32 bits where those are
// used: a value among few elements may be wanted at each of many points.
bool Emitter::room_for(std::uint32_t scale) const {
  if (scale == 0 || b_.kernel().index != DType::int32) return true;
  double product = 2 * (reach_ + 1);
  for (const Sym s : scales_[scale]) product *= static_cast<double>(graph_.sym(s).hi);
  return product < static_cast<double>(ir::kWideElements);
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
  // a multiplied to b's scale keeps b's divisions away.
  if (a.plain() && leads(b) && room_for(b.scale)) {
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
  LaneIndex result = a.residue || a.complete || !room_for(a.scale) ? resolved(a) : a;
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

}  // namespace kiln::passes
