#include "ir/kernel_builder.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "ir/error.h"
#include "ir/hash.h"
#include "ir/kernel_codes.h"
#include "ir/scalar.h"

namespace kiln::ir {

KernelBuilder::KernelBuilder(Target target, DType index) : scopes_(1) {
  kernel_.target = target;
  kernel_.index = index;
}

std::size_t KernelBuilder::KeyHash::operator()(const Key& key) const {
  const Inst& i = key.inst;
  std::uint64_t h = static_cast<std::uint64_t>(i.code) | static_cast<std::uint64_t>(i.op) << 8 |
                    static_cast<std::uint64_t>(i.dtype) << 16 |
                    static_cast<std::uint64_t>(i.lanes) << 24;
  const auto add = [&h](std::uint64_t v) { h = mix(h, v); };
  for (const Value arg : i.args) add(arg);
  add(static_cast<std::uint64_t>(i.imm));
  return h;
}

std::uint32_t KernelBuilder::buffer(DType dtype, std::string name, bool constant) {
  const auto param = static_cast<std::uint32_t>(kernel_.params.size());
  kernel_.params.push_back({ParamKind::buffer, dtype, false, false, name});
  kernel_.memories.push_back({Space::global, dtype, 0, param, std::move(name)});
  constant_memory_.resize(kernel_.memories.size());
  constant_memory_.back() = constant;
  return static_cast<std::uint32_t>(kernel_.memories.size() - 1);
}

Value KernelBuilder::integer(std::string name) {
  kernel_.params.push_back({ParamKind::integer, kernel_.index, false, true, std::move(name)});
  Inst inst;
  inst.code = Code::param;
  inst.dtype = kernel_.index;
  inst.imm = static_cast<std::int64_t>(kernel_.params.size() - 1);
  return place(inst, 0);
}

Value KernelBuilder::scalar(DType dtype, std::string name) {
  kernel_.params.push_back({ParamKind::scalar, dtype, false, true, std::move(name)});
  Inst inst;
  inst.code = Code::param;
  inst.dtype = dtype;
  inst.imm = static_cast<std::int64_t>(kernel_.params.size() - 1);
  return place(inst, 0);
}

std::uint32_t KernelBuilder::local(DType dtype, std::int64_t size, std::string name) {
  kernel_.memories.push_back({Space::local, dtype, size, 0, std::move(name)});
  constant_memory_.push_back(false);
  return static_cast<std::uint32_t>(kernel_.memories.size() - 1);
}

std::uint32_t KernelBuilder::shared(DType dtype, std::int64_t size, std::string name) {
  kernel_.memories.push_back({Space::shared, dtype, size, 0, std::move(name)});
  constant_memory_.push_back(false);
  return static_cast<std::uint32_t>(kernel_.memories.size() - 1);
}

Value KernelBuilder::place(Inst inst, int depth) {
  inst.line = line_;
  const auto value = static_cast<Value>(kernel_.insts.size());
  kernel_.insts.push_back(inst);
  depths_.push_back(depth);
  scopes_[static_cast<std::size_t>(depth)].order.push_back(value);
  return value;
}

Value KernelBuilder::append(Inst inst) { return place(inst, static_cast<int>(scopes_.size()) - 1); }

int KernelBuilder::depth_of(const Inst& inst) const {
  int depth = 0;
  for (const Value arg : inst.args) {
    if (arg != kNoValue) depth = std::max(depth, depths_[arg]);
  }
  return depth;
}

Value KernelBuilder::pure(Inst inst, int least_depth) {
  const Key key{inst};
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    if (const auto found = scope->table.find(key); found != scope->table.end()) {
      return found->second;
    }
  }
  const int depth = std::max(least_depth, depth_of(inst));
  const Value value = place(inst, depth);
  scopes_[static_cast<std::size_t>(depth)].table.emplace(key, value);
  return value;
}

Value KernelBuilder::open(Inst inst) {
  Scope scope;
  scope.guards = inst.code == Code::if_;
  scopes_.push_back(std::move(scope));
  scopes_.back().opener = append(inst);
  return scopes_.back().opener;
}

Value KernelBuilder::constant(DType dtype, std::uint64_t bits, int lanes) {
  Inst inst;
  inst.code = Code::constant;
  inst.dtype = dtype;
  inst.imm = static_cast<std::int64_t>(bits);
  const Value scalar = pure(inst);
  return lanes == 1 ? scalar : splat(scalar, lanes);
}

Value KernelBuilder::index(std::int64_t value) {
  return constant(kernel_.index, bits_of_int(kernel_.index, value));
}

bool KernelBuilder::is_constant(Value v, std::int64_t* value) const {
  const Inst& inst = kernel_.insts[v];
  if (inst.code == Code::splat) return is_constant(inst.args[0], value);
  if (inst.code != Code::constant || !is_int(inst.dtype)) return false;
  if (value) {
    const int shift = 64 - 8 * static_cast<int>(size_of(inst.dtype));
    const auto bits = static_cast<std::uint64_t>(inst.imm) << shift;
    *value = is_signed_int(inst.dtype) ? static_cast<std::int64_t>(bits) >> shift
                                       : static_cast<std::int64_t>(bits >> shift);
  }
  return true;
}

namespace {

// x + 0, x - 0, x * 1, x * 0, x / 1, 0 / x, x % 1: the operand or constant that an integer
// operation reduces to, or kNoValue.
Value integer_identity(KernelBuilder& b, Op op, DType type, Value x, Value y) {
  std::int64_t c = 0;
  const bool right = b.is_constant(y, &c);
  if (right && c == 0 && (op == Op::add || op == Op::sub)) return x;
  if (right && c == 1 && (op == Op::mul || op == Op::idiv)) return x;
  const auto zero = [&] { return b.constant(type, 0, std::max(b.lanes(x), b.lanes(y))); };
  if (right && ((c == 0 && op == Op::mul) || (c == 1 && op == Op::irem))) return zero();
  std::int64_t d = 0;
  if (!b.is_constant(x, &d)) return kNoValue;
  if (d == 0 && op == Op::add) return y;
  if (d == 1 && op == Op::mul) return y;
  if (d == 0 && (op == Op::mul || op == Op::idiv || op == Op::irem)) return zero();
  return kNoValue;
}

}  // namespace

Value KernelBuilder::op(Op op, DType result, std::initializer_list<Value> args) {
  return this->op(op, result, args.begin(), static_cast<int>(args.size()));
}

Value KernelBuilder::op(Op op, DType result, const Value* args, int count) {
  int widest = 1;
  bool constants = true;
  std::uint64_t bits[3] = {};
  for (int i = 0; i < count; ++i) {
    const Inst& arg = kernel_.insts[args[i]];
    widest = std::max<int>(widest, arg.lanes);
    constants = constants && arg.code == Code::constant;
    bits[i] = static_cast<std::uint64_t>(arg.imm);
  }
  const DType type = kernel_.insts[args[op == Op::select ? 1 : 0]].dtype;
  if (constants) {
    return constant(result,
                    evaluate_bits(op, type, result, {bits, static_cast<std::size_t>(count)}));
  }
  if (count == 2 && is_int(type) && result == type) {
    if (const Value same = integer_identity(*this, op, type, args[0], args[1]); same != kNoValue) {
      return lanes(same) == widest ? same : splat(same, widest);
    }
  }
  if (op == Op::cast && type == result) return args[0];
  Inst inst;
  inst.code = Code::op;
  inst.op = op;
  inst.dtype = result;
  inst.lanes = static_cast<std::uint16_t>(widest);
  for (int i = 0; i < count; ++i) {
    inst.args[static_cast<std::size_t>(i)] =
        lanes(args[i]) == widest ? args[i] : splat(args[i], widest);
  }
  return pure(inst);
}

Value KernelBuilder::add(Value a, Value b) { return op(Op::add, dtype(a), {a, b}); }
Value KernelBuilder::sub(Value a, Value b) { return op(Op::sub, dtype(a), {a, b}); }
Value KernelBuilder::mul(Value a, Value b) { return op(Op::mul, dtype(a), {a, b}); }
Value KernelBuilder::div(Value a, Value b) { return op(Op::idiv, dtype(a), {a, b}); }
Value KernelBuilder::rem(Value a, Value b) { return op(Op::irem, dtype(a), {a, b}); }
Value KernelBuilder::min(Value a, Value b) { return op(Op::min, dtype(a), {a, b}); }
Value KernelBuilder::less(Value a, Value b) { return op(Op::lt, DType::bool_, {a, b}); }

Value KernelBuilder::logical_and(Value a, Value b) {
  if (a == kNoValue) return b;
  if (b == kNoValue) return a;
  return op(Op::and_, DType::bool_, {a, b});
}

Value KernelBuilder::load(std::uint32_t memory, Value index, int lanes, Value mask, Value otherwise,
                          std::uint8_t flags) {
  Inst inst;
  inst.code = Code::load;
  inst.dtype = kernel_.memories[memory].dtype;
  inst.flags = flags;
  inst.lanes = static_cast<std::uint16_t>(std::max(lanes, this->lanes(index)));
  if (mask != kNoValue && this->lanes(mask) < inst.lanes) mask = splat(mask, inst.lanes);
  if (otherwise != kNoValue && this->lanes(otherwise) < inst.lanes) {
    otherwise = splat(otherwise, inst.lanes);
  }
  inst.args = {index, mask, otherwise, kNoValue};
  inst.imm = memory;
  if (!constant_memory_[memory]) return append(inst);
  int guard = static_cast<int>(scopes_.size()) - 1;
  while (guard > 0 && !scopes_[static_cast<std::size_t>(guard)].guards) --guard;
  return pure(inst, guard);
}

void KernelBuilder::store(std::uint32_t memory, Value index, Value value, Value mask,
                          std::uint8_t flags) {
  Inst inst;
  inst.code = Code::store;
  inst.dtype = kernel_.memories[memory].dtype;
  inst.flags = flags;
  if (lanes(value) < lanes(index)) value = splat(value, lanes(index));
  inst.lanes = static_cast<std::uint16_t>(lanes(value));
  if (mask != kNoValue && lanes(mask) < inst.lanes) mask = splat(mask, inst.lanes);
  inst.args = {index, value, mask, kNoValue};
  inst.imm = memory;
  append(inst);
}

Value KernelBuilder::begin_grid() {
  Inst inst;
  inst.code = Code::grid;
  inst.dtype = kernel_.index;
  return open(inst);
}

Value KernelBuilder::begin_thread(std::int64_t threads) {
  Inst inst;
  inst.code = Code::thread;
  inst.dtype = kernel_.index;
  inst.imm = threads;
  return open(inst);
}

Value KernelBuilder::begin_loop(Value begin, Value end, Value step, bool unroll) {
  Inst inst;
  inst.code = Code::loop;
  inst.dtype = dtype(begin);
  inst.args = {begin, end, step, kNoValue};
  inst.imm = unroll;
  return open(inst);
}

Value KernelBuilder::begin_short_loop(Value begin, Value end, Value step) {
  const Value loop = begin_loop(begin, end, step);
  kernel_.insts[loop].imm = 2;
  return loop;
}

void KernelBuilder::begin_if(Value condition) {
  Inst inst;
  inst.code = Code::if_;
  inst.args[0] = condition;
  open(inst);
}

void KernelBuilder::begin_else() {
  Inst inst;
  inst.code = Code::else_;
  inst.imm = scopes_.back().opener;
  append(inst);
  scopes_.back().table.clear();
}

void KernelBuilder::end() {
  internal_check(scopes_.size() > 1, "kernel builder: end without an open scope");
  Inst inst;
  inst.code = Code::end;
  inst.imm = scopes_.back().opener;
  append(inst);
  const std::vector<Value> order = std::move(scopes_.back().order);
  scopes_.pop_back();
  scopes_.back().order.insert(scopes_.back().order.end(), order.begin(), order.end());
}

Value KernelBuilder::splat(Value scalar, int lanes) {
  if (lanes == 1) return scalar;
  Inst inst;
  inst.code = Code::splat;
  inst.dtype = dtype(scalar);
  inst.lanes = static_cast<std::uint16_t>(lanes);
  inst.args[0] = scalar;
  return pure(inst);
}

Value KernelBuilder::lane(DType dtype, int lanes) {
  Inst inst;
  inst.code = Code::lane;
  inst.dtype = dtype;
  inst.lanes = static_cast<std::uint16_t>(lanes);
  return pure(inst);
}

Value KernelBuilder::extract(Value vector, int lane) {
  Inst inst;
  inst.code = Code::extract;
  inst.dtype = dtype(vector);
  inst.args[0] = vector;
  inst.imm = lane;
  return pure(inst);
}

Value KernelBuilder::join(Value a, Value b) {
  Inst inst;
  inst.code = Code::join;
  inst.dtype = dtype(a);
  inst.lanes = static_cast<std::uint16_t>(2 * lanes(a));
  inst.args = {a, b, kNoValue, kNoValue};
  return pure(inst);
}

Value KernelBuilder::even(Value a) {
  Inst inst;
  inst.code = Code::even;
  inst.dtype = dtype(a);
  inst.lanes = static_cast<std::uint16_t>(lanes(a) / 2);
  inst.args[0] = a;
  return pure(inst);
}

Value KernelBuilder::odd(Value a) {
  Inst inst;
  inst.code = Code::odd;
  inst.dtype = dtype(a);
  inst.lanes = static_cast<std::uint16_t>(lanes(a) / 2);
  inst.args[0] = a;
  return pure(inst);
}

Value KernelBuilder::any(Value mask) {
  Inst inst;
  inst.code = Code::any;
  inst.args[0] = mask;
  return pure(inst);
}

void KernelBuilder::prefetch(std::uint32_t memory, Value index) {
  Inst inst;
  inst.code = Code::prefetch;
  inst.dtype = kernel_.memories[memory].dtype;
  inst.args[0] = index;
  inst.imm = memory;
  append(inst);
}

void KernelBuilder::barrier() {
  Inst inst;
  inst.code = Code::barrier;
  append(inst);
}

Value KernelBuilder::shuffle(Value value, Value source_lane) {
  Inst inst;
  inst.code = Code::shuffle;
  inst.dtype = dtype(value);
  inst.args = {value, source_lane, kNoValue, kNoValue};
  return append(inst);
}

void KernelBuilder::set_line(std::string_view line) {
  const auto found = std::find(kernel_.lines.begin(), kernel_.lines.end(), line);
  line_ = static_cast<std::uint32_t>(found - kernel_.lines.begin());
  if (found == kernel_.lines.end()) kernel_.lines.emplace_back(line);
}

void KernelBuilder::name(Value value, std::string_view hint) {
  const auto found = std::find(kernel_.names.begin(), kernel_.names.end(), hint);
  kernel_.insts[value].name = static_cast<std::uint16_t>(found - kernel_.names.begin());
  if (found == kernel_.names.end()) kernel_.names.emplace_back(hint);
}

namespace {

// Regions aside, which hold what others need.
bool has_no_effect(Code code) {
  return code == Code::load || (info(code).pure && code != Code::rare && code != Code::end_rare);
}

}  // namespace

// The instructions in their final order, without those whose value nothing needs.
std::vector<Value> KernelBuilder::needed() const {
  std::vector<bool> used(kernel_.insts.size(), false);
  std::vector<Value> result;
  const std::vector<Value>& order = scopes_.back().order;
  for (std::size_t i = order.size(); i-- > 0;) {
    const Value v = order[i];
    const Inst& inst = kernel_.insts[v];
    if (!used[v] && has_no_effect(inst.code)) continue;
    result.push_back(v);
    for (const Value arg : inst.args) {
      if (arg != kNoValue) used[arg] = true;
    }
  }
  std::ranges::reverse(result);
  return result;
}

Kernel KernelBuilder::finish() {
  internal_check(scopes_.size() == 1, "kernel builder: a scope is still open");
  const std::vector<Value> order = needed();
  std::vector<Value> renumbered(kernel_.insts.size(), kNoValue);
  for (std::size_t i = 0; i < order.size(); ++i) renumbered[order[i]] = static_cast<Value>(i);
  std::vector<Inst> insts;
  insts.reserve(order.size());
  for (const Value old : order) {
    Inst inst = kernel_.insts[old];
    for (Value& arg : inst.args) {
      if (arg != kNoValue) arg = renumbered[arg];
    }
    if (inst.code == Code::end || inst.code == Code::else_) {
      inst.imm = renumbered[static_cast<std::size_t>(inst.imm)];
    }
    insts.push_back(inst);
    if (inst.code != Code::load && inst.code != Code::store) continue;
    const Memory& memory = kernel_.memories[static_cast<std::size_t>(inst.imm)];
    if (memory.space != Space::global) continue;
    (inst.code == Code::load ? kernel_.params[memory.param].read
                             : kernel_.params[memory.param].written) = true;
  }
  kernel_.insts = std::move(insts);
  return std::move(kernel_);
}

}  // namespace kiln::ir
