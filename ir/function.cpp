#include "ir/function.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>

#include "ir/error.h"
#include "ir/fp_state.h"
#include "ir/function_run.h"
#include "ir/math/math.h"
#include "ir/scalar.h"
#include "ir/scalar_loops.h"

namespace kiln::ir {

FunctionRun::FunctionRun(const Function& f, std::int64_t most)
    : f_(f),
      width_(std::clamp<std::int64_t>(most, 1, kFunctionBlock)),
      values_(f.insts.size()),
      steps_(f.insts.size()),
      storage_(std::make_unique_for_overwrite<std::uint64_t[]>(f.insts.size() *
                                                               static_cast<std::size_t>(width_))) {
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < f.insts.size(); ++i) {
    const Inst& inst = f.insts[i];
    values_[i] = storage_.get() + i * static_cast<std::size_t>(width_);
    if (inst.code == Code::constant) fill(i);
    if (inst.code == Code::op) steps_[i].loop = loop_of(inst.op, operand_type(inst), inst.dtype);
    if (inst.code == Code::rare) open.push_back(i);
    if (inst.code == Code::end_rare) {
      steps_[i].loop = loop_of(Op::select, inst.dtype, inst.dtype);
      steps_[open.back()].close = i;
      open.pop_back();
    }
  }
}

void FunctionRun::run(std::int64_t n, const void* const* in, void* out) {
  for (std::int64_t begin = 0; begin < n; begin += width_) {
    block(begin, std::min(width_, n - begin), in, out);
  }
}

void FunctionRun::block(std::int64_t begin, std::int64_t n, const void* const* in, void* out) {
  for (std::size_t i = 0; i < f_.insts.size(); ++i) i = step(i, begin, n, in);
  const std::int64_t bytes = size_of(f_.result_type);
  std::memmove(static_cast<std::byte*>(out) + begin * bytes, values_[f_.result],
               static_cast<std::size_t>(n * bytes));
}

DType FunctionRun::operand_type(const Inst& inst) const {
  return f_.insts[inst.args[inst.op == Op::select ? 1 : 0]].dtype;
}

void FunctionRun::fill(std::size_t i) {
  const Inst& inst = f_.insts[i];
  const std::int64_t bytes = size_of(inst.dtype);
  std::byte* at = static_cast<std::byte*>(values_[i]);
  for (std::int64_t k = 0; k < width_; ++k) {
    std::memcpy(at + k * bytes, &inst.imm, static_cast<std::size_t>(bytes));
  }
}

// Runs instruction i and gives the last one done (a rare region that nobody needs is skipped).
std::size_t FunctionRun::step(std::size_t i, std::int64_t begin, std::int64_t n,
                              const void* const* in) {
  const Inst& inst = f_.insts[i];
  if (inst.code == Code::constant) return i;
  if (inst.code == Code::param) {
    values_[i] = const_cast<std::byte*>(static_cast<const std::byte*>(in[inst.imm])) +
                 begin * size_of(inst.dtype);
    return i;
  }
  if (inst.code == Code::op) {
    apply(i, inst.args.data(), info(inst.op).arity, n);
    return i;
  }
  if (inst.code == Code::rare) {
    const std::uint8_t* need = static_cast<const std::uint8_t*>(values_[inst.args[0]]);
    if (std::any_of(need, need + n, [](std::uint8_t x) { return x != 0; })) return i;
    const std::size_t close = steps_[i].close;
    const Inst& end = f_.insts[close];
    std::memcpy(values_[close], values_[end.args[2]],
                static_cast<std::size_t>(n * size_of(end.dtype)));
    return close;
  }
  if (inst.code == Code::end_rare) {
    const Value chosen[3] = {f_.insts[inst.args[0]].args[0], inst.args[1], inst.args[2]};
    apply(i, chosen, 3, n);
    return i;
  }
  internal_error("instruction not allowed in a function: " + f_.name);
}

void FunctionRun::apply(std::size_t i, const Value* args, int count, std::int64_t n) {
  const void* in[3] = {};
  for (int k = 0; k < count; ++k) in[k] = values_[args[k]];
  steps_[i].loop(n, in, values_[i]);
}

void evaluate(const Function& f, std::int64_t n, const void* const* in, void* out) {
  const FloatState state;
  FunctionRun(f, n).run(n, in, out);
}

const Function* expansion(Op op, DType type) {
  // Functions of the float32 and float64 columns, each built once and never changed.
  struct Slot {
    std::once_flag once;
    Function function;
  };
  static std::array<std::array<Slot, 2>, kOpCount> slots;
  if (!has(op, kExpands) || (type != DType::float32 && type != DType::float64)) return nullptr;
  Slot& slot = slots[static_cast<int>(op)][type == DType::float64];
  std::call_once(slot.once, [&] {
    for (const MathEntry& entry : math_table()) {
      if (entry.op == op && entry.type == type) slot.function = entry.build();
    }
    internal_check(slot.function.result != kNoValue, "operation without an expansion");
  });
  return &slot.function;
}

namespace {

template <Op op, DType type>
void expanded_loop(std::int64_t n, const void* const* in, void* out) {
  evaluate(*expansion(op, type), n, in, out);
}

// A 16-bit float is computed by the float32 function, block by block.
template <Op op, DType type>
void half_loop(std::int64_t n, const void* const* in, void* out) {
  constexpr int kArity = info(op).arity;
  const ArrayLoop widen = cast_loop(type, DType::float32);
  const ArrayLoop narrow = cast_loop(DType::float32, type);
  std::array<std::array<float, kFunctionBlock>, kArity> wide;
  std::array<const void*, kArity> wide_in;
  for (std::int64_t begin = 0; begin < n; begin += kFunctionBlock) {
    const std::int64_t m = std::min(kFunctionBlock, n - begin);
    for (int k = 0; k < kArity; ++k) {
      const void* at = static_cast<const std::uint16_t*>(in[k]) + begin;
      widen(m, &at, wide[k].data());
      wide_in[k] = wide[k].data();
    }
    evaluate(*expansion(op, DType::float32), m, wide_in.data(), wide[0].data());
    narrow(m, wide_in.data(), static_cast<std::uint16_t*>(out) + begin);
  }
}

template <Op op>
ArrayLoop expansion_loop_of(DType type) {
  if constexpr (!has(op, kExpands)) {
    return nullptr;
  } else {
    switch (type) {
      case DType::float16:
        return half_loop<op, DType::float16>;
      case DType::bfloat16:
        return half_loop<op, DType::bfloat16>;
      case DType::float32:
        return expanded_loop<op, DType::float32>;
      case DType::float64:
        return expanded_loop<op, DType::float64>;
      default:
        return nullptr;
    }
  }
}

template <int... op>
constexpr std::array<ArrayLoop (*)(DType), kOpCount> expansion_table(
    std::integer_sequence<int, op...>) {
  return {expansion_loop_of<static_cast<Op>(op)>...};
}

}  // namespace

ArrayLoop expansion_loop(Op op, DType type) {
  constexpr auto kTable = expansion_table(std::make_integer_sequence<int, kOpCount>());
  const ArrayLoop loop = kTable[static_cast<int>(op)](type);
  internal_check(loop != nullptr, "operation has no expansion on this type");
  return loop;
}

}  // namespace kiln::ir
