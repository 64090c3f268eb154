#include "ir/error.h"
#include "ir/function.h"
#include "ir/scalar.h"

namespace kiln::ir {

DType Val::type() const { return builder->function_.insts[id].dtype; }

FunctionBuilder::FunctionBuilder(std::string name, std::initializer_list<DType> params,
                                 DType result) {
  function_.name = std::move(name);
  function_.params = params;
  function_.result_type = result;
  for (std::size_t i = 0; i < function_.params.size(); ++i) {
    Inst inst;
    inst.code = Code::param;
    inst.dtype = function_.params[i];
    inst.imm = static_cast<std::int64_t>(i);
    function_.insts.push_back(inst);
  }
}

Val FunctionBuilder::param(int index) {
  internal_check(index >= 0 && static_cast<std::size_t>(index) < function_.params.size(),
                 "no such parameter");
  return {this, static_cast<Value>(index)};
}

Val FunctionBuilder::constant(DType type, double value) {
  return constant_bits(type, bits_of(type, value));
}
Val FunctionBuilder::constant_int(DType type, std::int64_t value) {
  return constant_bits(type, bits_of_int(type, value));
}

Val FunctionBuilder::constant_bits(DType type, std::uint64_t bits) {
  // An equal constant of an open scope serves again. Walking back over a closed rare region skips
  // it.
  int closed = 0;
  for (std::size_t i = function_.insts.size(); i-- > 0;) {
    const Inst& inst = function_.insts[i];
    if (inst.code == Code::end_rare) ++closed;
    if (inst.code == Code::rare && closed > 0) --closed;
    if (closed == 0 && inst.code == Code::constant && inst.dtype == type &&
        inst.imm == static_cast<std::int64_t>(bits)) {
      return {this, static_cast<Value>(i)};
    }
  }
  Inst inst;
  inst.code = Code::constant;
  inst.dtype = type;
  inst.imm = static_cast<std::int64_t>(bits);
  function_.insts.push_back(inst);
  return {this, static_cast<Value>(function_.insts.size() - 1)};
}

Val FunctionBuilder::emit(Op op, DType result, std::span<const Val> operands) {
  Inst inst;
  inst.code = Code::op;
  inst.op = op;
  inst.dtype = result;
  std::vector<DType> types;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    internal_check(operands[i].builder == this, "operand of another function");
    types.push_back(operands[i].type());
    inst.args[i] = operands[i].id;
  }
  const std::string_view error = type_error(op, types, result);
  if (!error.empty()) {
    internal_error(function_.name + ": " + std::string(info(op).name) + ": " + std::string(error));
  }
  function_.insts.push_back(inst);
  return {this, static_cast<Value>(function_.insts.size() - 1)};
}

Value FunctionBuilder::begin_rare(Val cond) {
  internal_check(cond.type() == DType::bool_, "the condition of a rare region is not bool");
  Inst inst;
  inst.code = Code::rare;
  inst.args[0] = cond.id;
  function_.insts.push_back(inst);
  return static_cast<Value>(function_.insts.size() - 1);
}

Val FunctionBuilder::end_rare(Value begin, Val inside, Val otherwise) {
  internal_check(inside.type() == otherwise.type(), "the values of a rare region differ in type");
  internal_check(otherwise.id < begin, "the common value of a rare region is computed inside it");
  Inst inst;
  inst.code = Code::end_rare;
  inst.dtype = inside.type();
  inst.args = {begin, inside.id, otherwise.id, kNoValue};
  function_.insts.push_back(inst);
  return {this, static_cast<Value>(function_.insts.size() - 1)};
}

Function FunctionBuilder::finish(Val result) {
  internal_check(result.type() == function_.result_type, "the result has another type");
  function_.result = result.id;
  return std::move(function_);
}

namespace {

Val emit(Op op, DType result, std::initializer_list<Val> operands) {
  const Val* first = operands.begin();
  return first->builder->emit(op, result, {first, operands.size()});
}
Val same(Op op, Val a) { return emit(op, a.type(), {a}); }
Val same(Op op, Val a, Val b) { return emit(op, a.type(), {a, b}); }
Val test(Op op, Val a, Val b) { return emit(op, DType::bool_, {a, b}); }

}  // namespace

Val like(Val model, double value) {
  // A negative number stands for its bits where the type is unsigned.
  const bool wraps = is_int(model.type()) && value < 0 && value >= -0x1p63;
  return wraps ? model.builder->constant_int(model.type(), static_cast<std::int64_t>(value))
               : model.builder->constant(model.type(), value);
}

Val operator+(Val a, Val b) { return same(Op::add, a, b); }
Val operator-(Val a, Val b) { return same(Op::sub, a, b); }
Val operator*(Val a, Val b) { return same(Op::mul, a, b); }
Val operator/(Val a, Val b) { return same(Op::div, a, b); }
Val operator&(Val a, Val b) { return same(Op::and_, a, b); }
Val operator|(Val a, Val b) { return same(Op::or_, a, b); }
Val operator^(Val a, Val b) { return same(Op::xor_, a, b); }
Val operator<<(Val a, Val b) { return same(Op::shl, a, b); }
Val operator>>(Val a, Val b) { return same(Op::shr, a, b); }
Val operator<(Val a, Val b) { return test(Op::lt, a, b); }
Val operator<=(Val a, Val b) { return test(Op::le, a, b); }
Val operator>(Val a, Val b) { return test(Op::lt, b, a); }
Val operator>=(Val a, Val b) { return test(Op::le, b, a); }
Val operator==(Val a, Val b) { return test(Op::eq, a, b); }
Val operator!=(Val a, Val b) { return test(Op::ne, a, b); }
Val operator-(Val a) { return same(Op::neg, a); }
Val operator~(Val a) { return same(Op::not_, a); }
Val fma(Val a, Val b, Val c) { return emit(Op::fma, a.type(), {a, b, c}); }
Val abs(Val a) { return same(Op::abs, a); }
Val sqrt(Val a) { return same(Op::sqrt, a); }
Val min(Val a, Val b) { return same(Op::min, a, b); }
Val max(Val a, Val b) { return same(Op::max, a, b); }
Val floor(Val a) { return same(Op::floor, a); }
Val trunc(Val a) { return same(Op::trunc, a); }
Val rint(Val a) { return same(Op::rint, a); }
Val mul_hi(Val a, Val b) { return same(Op::mul_hi, a, b); }
Val clz(Val a) { return same(Op::clz, a); }
Val select(Val cond, Val a, Val b) { return emit(Op::select, a.type(), {cond, a, b}); }
Val cast(DType type, Val a) { return emit(Op::cast, type, {a}); }
Val bitcast(DType type, Val a) { return emit(Op::bitcast, type, {a}); }

}  // namespace kiln::ir
