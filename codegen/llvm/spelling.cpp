// How LLVM computes each scalar operation on values in registers: one row per op of ir/ops.def, a
// function for floats and one for integers and bool. A missing row does not compile.
#include <iterator>

#include "codegen/llvm/ops.h"

namespace kiln::codegen {

using ir::Op;
using llvm::Instruction;
using llvm::Intrinsic::ID;
using Predicate = llvm::CmpInst::Predicate;

struct OpEmitter::Spellings {
  using Values = llvm::ArrayRef<llvm::Value*>;

  template <Instruction::BinaryOps opcode>
  static llvm::Value* binary(OpEmitter& e, bool, Values x) {
    return e.b_.CreateBinOp(opcode, x[0], x[1]);
  }
  template <ID id>
  static llvm::Value* call(OpEmitter& e, bool, Values x) {
    return e.b_.CreateIntrinsic(id, {x[0]->getType()}, x);
  }
  template <ID signed_id, ID unsigned_id>
  static llvm::Value* call_by_sign(OpEmitter& e, bool is_signed, Values x) {
    return e.b_.CreateBinaryIntrinsic(is_signed ? signed_id : unsigned_id, x[0], x[1]);
  }
  // With a last argument that would leave a result undefined if it were true.
  template <ID id>
  static llvm::Value* call_defined(OpEmitter& e, bool, Values x) {
    return e.b_.CreateIntrinsic(id, {x[0]->getType()}, {x[0], e.b_.getFalse()});
  }
  template <Predicate predicate>
  static llvm::Value* compare_floats(OpEmitter& e, bool, Values x) {
    return e.b_.CreateFCmp(predicate, x[0], x[1]);
  }
  template <Predicate if_signed, Predicate if_unsigned = if_signed>
  static llvm::Value* compare_integers(OpEmitter& e, bool is_signed, Values x) {
    return e.b_.CreateICmp(is_signed ? if_signed : if_unsigned, x[0], x[1]);
  }
  template <bool kMaximum>
  static llvm::Value* extreme(OpEmitter& e, bool, Values x) {
    return e.extreme(kMaximum, x[0], x[1]);
  }
  template <bool kRemainder>
  static llvm::Value* divide(OpEmitter& e, bool is_signed, Values x) {
    return e.divide(kRemainder, is_signed, x[0], x[1]);
  }
  template <bool kLeft>
  static llvm::Value* shift(OpEmitter& e, bool is_signed, Values x) {
    return e.shift(kLeft, is_signed, x[0], x[1]);
  }
  static llvm::Value* high_product(OpEmitter& e, bool is_signed, Values x) {
    return e.high_product(is_signed, x[0], x[1]);
  }
  static llvm::Value* negate_float(OpEmitter& e, bool, Values x) { return e.b_.CreateFNeg(x[0]); }
  static llvm::Value* negate(OpEmitter& e, bool, Values x) { return e.b_.CreateNeg(x[0]); }
  static llvm::Value* invert(OpEmitter& e, bool, Values x) { return e.b_.CreateNot(x[0]); }
  static llvm::Value* absolute(OpEmitter& e, bool is_signed, Values x) {
    return is_signed ? call_defined<llvm::Intrinsic::abs>(e, is_signed, x) : x[0];
  }

  static constexpr Spelling kRows[] = {
      {Op::add, binary<Instruction::FAdd>, binary<Instruction::Add>},
      {Op::sub, binary<Instruction::FSub>, binary<Instruction::Sub>},
      {Op::mul, binary<Instruction::FMul>, binary<Instruction::Mul>},
      {Op::div, binary<Instruction::FDiv>, nullptr},
      {Op::idiv, nullptr, divide<false>},
      {Op::irem, nullptr, divide<true>},
      {Op::mul_hi, nullptr, high_product},
      {Op::neg, negate_float, negate},
      {Op::abs, call<llvm::Intrinsic::fabs>, absolute},
      {Op::min, extreme<false>, call_by_sign<llvm::Intrinsic::smin, llvm::Intrinsic::umin>},
      {Op::max, extreme<true>, call_by_sign<llvm::Intrinsic::smax, llvm::Intrinsic::umax>},
      {Op::fma, call<llvm::Intrinsic::fma>, nullptr},
      {Op::sqrt, call<llvm::Intrinsic::sqrt>, nullptr},
      {Op::floor, call<llvm::Intrinsic::floor>, nullptr},
      {Op::ceil, call<llvm::Intrinsic::ceil>, nullptr},
      {Op::trunc, call<llvm::Intrinsic::trunc>, nullptr},
      {Op::rint, call<llvm::Intrinsic::rint>, nullptr},
      {Op::and_, nullptr, binary<Instruction::And>},
      {Op::or_, nullptr, binary<Instruction::Or>},
      {Op::xor_, nullptr, binary<Instruction::Xor>},
      {Op::not_, nullptr, invert},
      {Op::shl, nullptr, shift<true>},
      {Op::shr, nullptr, shift<false>},
      {Op::clz, nullptr, call_defined<llvm::Intrinsic::ctlz>},
      {Op::ctz, nullptr, call_defined<llvm::Intrinsic::cttz>},
      {Op::popcount, nullptr, call<llvm::Intrinsic::ctpop>},
      {Op::eq, compare_floats<Predicate::FCMP_OEQ>, compare_integers<Predicate::ICMP_EQ>},
      {Op::ne, compare_floats<Predicate::FCMP_UNE>, compare_integers<Predicate::ICMP_NE>},
      {Op::lt, compare_floats<Predicate::FCMP_OLT>,
       compare_integers<Predicate::ICMP_SLT, Predicate::ICMP_ULT>},
      {Op::le, compare_floats<Predicate::FCMP_OLE>,
       compare_integers<Predicate::ICMP_SLE, Predicate::ICMP_ULE>},
      // Of several types: members of OpEmitter.
      {Op::select, nullptr, nullptr},
      {Op::cast, nullptr, nullptr},
      {Op::bitcast, nullptr, nullptr},
      // Functions of ir/math, inlined.
      {Op::exp, nullptr, nullptr},
      {Op::log, nullptr, nullptr},
      {Op::sin, nullptr, nullptr},
      {Op::cos, nullptr, nullptr},
      {Op::tanh, nullptr, nullptr},
      {Op::pow, nullptr, nullptr},
  };

  // Every op, in order, with a function for each class of type that its rule admits.
  static constexpr bool spell_every_op() {
    if (std::size(kRows) != static_cast<std::size_t>(ir::kOpCount)) return false;
    for (int i = 0; i < ir::kOpCount; ++i) {
      const Spelling& row = kRows[i];
      if (row.op != static_cast<Op>(i)) return false;
      const ir::OpRule rule = ir::info(row.op).rule;
      const bool of_several = rule == ir::OpRule::Choose || rule == ir::OpRule::Convert;
      const bool named = row.op == Op::select || row.op == Op::cast || row.op == Op::bitcast;
      if (of_several != named) return false;
      const bool here = !of_several && !ir::has(row.op, ir::kExpands);
      const bool floats = here && rule != ir::OpRule::Int && rule != ir::OpRule::Bits;
      const bool integers = here && rule != ir::OpRule::Float;
      if (floats != row.floating.given || integers != row.integer.given) return false;
    }
    return true;
  }
};

const OpEmitter::Spelling& OpEmitter::spelling(Op op) {
  static_assert(Spellings::spell_every_op(), "an op of ir/ops.def has no LLVM spelling");
  return Spellings::kRows[static_cast<int>(op)];
}

}  // namespace kiln::codegen
