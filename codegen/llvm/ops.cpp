#include "codegen/llvm/ops.h"

#include <llvm/IR/MDBuilder.h>

#include <bit>
#include <vector>

#include "codegen/llvm/compat.h"
#include "ir/error.h"
#include "ir/mutant.h"

namespace kiln::codegen {

using ir::DType;
using ir::Op;
using llvm::Intrinsic::ID;

int OpEmitter::lanes_of(const llvm::Value* value) {
  const auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(value->getType());
  return vector ? static_cast<int>(vector->getNumElements()) : 1;
}

llvm::Type* OpEmitter::type(DType dtype, int lanes) const {
  llvm::Type* scalar = nullptr;
  switch (dtype) {
    case DType::bool_:
      scalar = b_.getInt1Ty();
      break;
    case DType::float32:
      scalar = b_.getFloatTy();
      break;
    case DType::float64:
      scalar = b_.getDoubleTy();
      break;
    default:
      ir::internal_check(!ir::is_complex(dtype), "llvm: a complex value");
      scalar = b_.getIntNTy(static_cast<unsigned>(8 * ir::size_of(dtype)));
  }
  return lanes == 1 ? scalar : llvm::FixedVectorType::get(scalar, static_cast<unsigned>(lanes));
}

llvm::Type* OpEmitter::memory_type(DType dtype, int lanes) const {
  return type(ir::is_bool(dtype) ? DType::uint8 : dtype, lanes);
}

Element OpEmitter::from_memory(DType dtype, llvm::Value* stored) const {
  if (ir::is_bool(dtype)) return {b_.CreateICmpNE(stored, constant_like(stored, 0)), nullptr};
  return {stored, ir::is_half(dtype) ? widen(dtype, stored) : nullptr};
}

llvm::Value* OpEmitter::to_memory(DType dtype, const Element& e) const {
  if (!ir::is_bool(dtype)) return e.value;
  return b_.CreateZExt(e.value, memory_type(dtype, lanes_of(e.value)));
}

llvm::Value* OpEmitter::constant_like(const llvm::Value* model, std::uint64_t integer) const {
  return llvm::ConstantInt::get(model->getType(), integer);
}

Element OpEmitter::constant(DType dtype, std::uint64_t bits, int lanes) const {
  llvm::Type* t = type(dtype, lanes);
  if (dtype == DType::float32) {
    const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    return {llvm::ConstantFP::get(t, llvm::APFloat(x)), nullptr};
  }
  if (dtype == DType::float64) {
    return {llvm::ConstantFP::get(t, llvm::APFloat(std::bit_cast<double>(bits))), nullptr};
  }
  if (ir::is_bool(dtype)) return {llvm::ConstantInt::get(t, bits & 1), nullptr};
  const auto width = static_cast<unsigned>(8 * ir::size_of(dtype));
  llvm::Value* integer = llvm::ConstantInt::get(t, llvm::APInt(64, bits).trunc(width));
  if (!ir::is_half(dtype)) return {integer, nullptr};
  const auto half = static_cast<std::uint16_t>(bits);
  const float x = dtype == DType::float16 ? ir::half_to_float(half) : ir::bfloat_to_float(half);
  return {integer, llvm::ConstantFP::get(type(DType::float32, lanes), llvm::APFloat(x))};
}

Element OpEmitter::splat(const Element& scalar, int lanes) const {
  if (lanes == 1) return scalar;
  const auto n = static_cast<unsigned>(lanes);
  return {b_.CreateVectorSplat(n, scalar.value),
          scalar.wide ? b_.CreateVectorSplat(n, scalar.wide) : nullptr};
}

llvm::Value* OpEmitter::unary(ID id, llvm::Value* a) const {
  return b_.CreateUnaryIntrinsic(id, a);
}

Element OpEmitter::op(Op op, DType type, DType result, llvm::ArrayRef<Element> args) {
  const ir::OpInfo& row = ir::info(op);
  ir::internal_check(args.size() == row.arity, "llvm: an operation with missing operands");
  if (ir::has(op, ir::kExpands)) return expand(op, type, args);
  if (op == Op::cast) return cast(type, result, args[0]);
  if (op == Op::bitcast) return bitcast(type, result, args[0]);
  if (op == Op::select) return select(type, args[0].value, args[1], args[2]);
  if (ir::is_half(type) && (op == Op::neg || op == Op::abs)) return sign_of_half(op, args[0]);
  llvm::SmallVector<llvm::Value*, 3> x;
  for (const Element& arg : args) x.push_back(arg.wide ? arg.wide : arg.value);
  const Spelling::Make& make = ir::is_float(type) ? spelling(op).floating : spelling(op).integer;
  llvm::Value* value = make.function(*this, ir::is_signed_int(type), x);
  return ir::is_half(result) ? narrow(type, value) : Element{value, nullptr};
}

// x86's minps(a, b) is a < b ? a : b, hence b where a or b is NaN and where both are zeros. The two
// orders together hold what is wanted: or-ing them merges a NaN in and -0 wins; and-ing lets +0
// win, and loses NaN, which the mask puts back.
llvm::Value* OpEmitter::extreme(bool maximum, llvm::Value* a, llvm::Value* b) {
  if (!x86_) {
    return b_.CreateBinaryIntrinsic(maximum ? llvm::Intrinsic::maximum : llvm::Intrinsic::minimum,
                                    a, b);
  }
  const auto pick = [&](llvm::Value* x, llvm::Value* y) {
    llvm::Value* first = maximum ? b_.CreateFCmpOGT(x, y) : b_.CreateFCmpOLT(x, y);
    llvm::Value* picked = b_.CreateSelect(first, x, y);
    const bool is_float = a->getType()->getScalarType()->isFloatTy();
    return b_.CreateBitCast(picked, type(is_float ? DType::int32 : DType::int64, lanes_of(a)));
  };
  llvm::Value* ab = pick(a, b);
  llvm::Value* ba = pick(b, a);
  if (!maximum) return b_.CreateBitCast(b_.CreateOr(ab, ba), a->getType());
  llvm::Value* unordered = b_.CreateSExt(b_.CreateFCmpUNO(a, b), ab->getType());
  if (mutant(ir::Mutant::lost_nan)) return b_.CreateBitCast(b_.CreateAnd(ab, ba), a->getType());
  return b_.CreateBitCast(b_.CreateOr(b_.CreateAnd(ab, ba), unordered), a->getType());
}

// The sign bit only, NaN included.
Element OpEmitter::sign_of_half(Op op, const Element& a) {
  llvm::Value* bits = op == Op::neg ? b_.CreateXor(a.value, constant_like(a.value, 0x8000))
                                    : b_.CreateAnd(a.value, constant_like(a.value, 0x7fff));
  return {bits, spelling(op).floating.function(*this, false, {a.wide})};
}

// LLVM leaves x / 0 and the least integer / -1 undefined: both divide by 1 instead, which gives the
// wanted quotient and remainder of the second; those of the first are replaced by 0.
llvm::Value* OpEmitter::divide(bool remainder, bool is_signed, llvm::Value* a, llvm::Value* b) {
  llvm::Value* zero = constant_like(a, 0);
  llvm::Value* by_zero = b_.CreateICmpEQ(b, zero);
  llvm::Value* unsafe = by_zero;
  if (is_signed) {
    const unsigned width = a->getType()->getScalarSizeInBits();
    llvm::Value* least =
        llvm::ConstantInt::get(a->getType(), llvm::APInt::getSignedMinValue(width));
    llvm::Value* minus_one = llvm::Constant::getAllOnesValue(a->getType());
    unsafe = b_.CreateOr(by_zero,
                         b_.CreateAnd(b_.CreateICmpEQ(a, least), b_.CreateICmpEQ(b, minus_one)));
  }
  llvm::Value* safe = b_.CreateSelect(unsafe, constant_like(a, 1), b);
  llvm::Value* result = lanes_of(a) > 1 ? divide_lanes(remainder, is_signed, a, safe)
                                        : divide_plainly(remainder, is_signed, a, safe);
  return mutant(ir::Mutant::division_by_zero) ? result : b_.CreateSelect(by_zero, zero, result);
}

llvm::Value* OpEmitter::divide_plainly(bool remainder, bool is_signed, llvm::Value* a,
                                       llvm::Value* b) {
  if (remainder) return is_signed ? b_.CreateSRem(a, b) : b_.CreateURem(a, b);
  return is_signed ? b_.CreateSDiv(a, b) : b_.CreateUDiv(a, b);
}

// Processors divide vectors of floats, not of integers. Where |a| < 2^m, m digits or fewer, the
// quotient rounded to m digits, then truncated, is the exact one: what it lacks of a whole number
// is 1 / b or more, and its rounding error less than |a / b| 2^-m.
llvm::Value* OpEmitter::divide_lanes(bool remainder, bool is_signed, llvm::Value* a,
                                     llvm::Value* b) {
  const unsigned width = a->getType()->getScalarSizeInBits();
  const int lanes = lanes_of(a);
  if (width < 64) {
    llvm::Type* floats = type(width <= 16 ? DType::float32 : DType::float64, lanes);
    const auto wide = [&](llvm::Value* x) {
      return is_signed ? b_.CreateSIToFP(x, floats) : b_.CreateUIToFP(x, floats);
    };
    llvm::Value* real = b_.CreateFDiv(wide(a), wide(b));
    llvm::Value* q =
        is_signed ? b_.CreateFPToSI(real, a->getType()) : b_.CreateFPToUI(real, a->getType());
    return remainder ? b_.CreateSub(a, b_.CreateMul(q, b)) : q;
  }
  // |x| < 2^51 as a float64 and back: by its place among the digits of 1.5 * 2^52.
  constexpr std::uint64_t kBits = 0x4338000000000000;
  const std::uint64_t small_bound = std::uint64_t{1}
                                    << (mutant(ir::Mutant::rounded_quotient) ? 53 : 51);
  llvm::Type* floats = type(DType::float64, lanes);
  llvm::Value* middle = llvm::ConstantFP::get(floats, 0x1.8p52);
  const auto small = [&](llvm::Value* x) {
    llvm::Value* shifted = is_signed ? b_.CreateAdd(x, constant_like(x, small_bound)) : x;
    return b_.CreateICmpULT(shifted, constant_like(x, is_signed ? 2 * small_bound : small_bound));
  };
  const auto wide = [&](llvm::Value* x) {
    llvm::Value* placed = b_.CreateAdd(x, constant_like(x, kBits));
    return b_.CreateFSub(b_.CreateBitCast(placed, floats), middle);
  };
  const auto narrow = [&](llvm::Value* x) {
    llvm::Value* placed = b_.CreateBitCast(b_.CreateFAdd(x, middle), a->getType());
    return b_.CreateSub(placed, constant_like(a, kBits));
  };
  llvm::Value *x = wide(a), *y = wide(b);
  llvm::Value* whole = unary(llvm::Intrinsic::trunc, b_.CreateFDiv(x, y));
  if (remainder) {  // exact as well
    whole = b_.CreateIntrinsic(llvm::Intrinsic::fma, {floats}, {b_.CreateFNeg(whole), y, x});
  }
  llvm::Value* usual = narrow(whole);
  const Rare rare = begin_rare(b_.CreateNot(b_.CreateAnd(small(a), small(b))));
  llvm::Value* large = divide_plainly(remainder, is_signed, a, b);
  return end_rare(rare, {large, nullptr}, {usual, nullptr}).value;
}

llvm::Value* OpEmitter::high_product(bool is_signed, llvm::Value* a, llvm::Value* b) {
  llvm::Type* narrow = a->getType();
  const unsigned width = narrow->getScalarSizeInBits();
  llvm::Type* wide = narrow->getWithNewBitWidth(2 * width);
  const auto extend = [&](llvm::Value* x) {
    return is_signed ? b_.CreateSExt(x, wide) : b_.CreateZExt(x, wide);
  };
  llvm::Value* product = b_.CreateMul(extend(a), extend(b));
  return b_.CreateTrunc(b_.CreateLShr(product, llvm::ConstantInt::get(wide, width)), narrow);
}

// LLVM leaves shifts by the width or more undefined.
llvm::Value* OpEmitter::shift(bool left, bool is_signed, llvm::Value* a, llvm::Value* b) {
  const unsigned width = a->getType()->getScalarSizeInBits();
  llvm::Value* largest = constant_like(a, width - 1);
  if (!left && is_signed) {
    return b_.CreateAShr(a, b_.CreateBinaryIntrinsic(llvm::Intrinsic::umin, b, largest));
  }
  llvm::Value* inside = b_.CreateICmpULE(b, largest);
  llvm::Value* amount = b_.CreateAnd(b, largest);
  llvm::Value* moved = left ? b_.CreateShl(a, amount) : b_.CreateLShr(a, amount);
  return b_.CreateSelect(inside, moved, constant_like(a, 0));
}

Element OpEmitter::select(DType type, llvm::Value* condition, const Element& a,
                          const Element& b) const {
  if (ir::is_bool(type) && lanes_of(condition) > 1) {
    return {b_.CreateOr(b_.CreateAnd(condition, a.value),
                        b_.CreateAnd(b_.CreateNot(condition), b.value)),
            nullptr};
  }
  return {b_.CreateSelect(condition, a.value, b.value),
          a.wide ? b_.CreateSelect(condition, a.wide, b.wide) : nullptr};
}

namespace {

// Width of the elements whose comparison made the mask: that of the registers it lives in.
unsigned mask_bits(const llvm::Value* mask, int depth = 4) {
  constexpr unsigned kUsual = 32;
  const auto* instruction = llvm::dyn_cast<llvm::Instruction>(mask);
  if (!instruction || depth == 0) return kUsual;
  if (const auto* compare = llvm::dyn_cast<llvm::CmpInst>(instruction)) {
    return compare->getOperand(0)->getType()->getScalarSizeInBits();
  }
  const unsigned opcode = instruction->getOpcode();
  const bool logical = opcode == llvm::Instruction::And || opcode == llvm::Instruction::Or ||
                       opcode == llvm::Instruction::Xor;
  return logical ? mask_bits(instruction->getOperand(0), depth - 1) : kUsual;
}

}  // namespace

// Without mask registers the lanes are joined as they are, in whole registers, and tested once.
llvm::Value* OpEmitter::any(llvm::Value* mask) const {
  const int lanes = lanes_of(mask);
  if (lanes == 1) return mask;
  const unsigned width = mask_bits(mask);
  unsigned total = static_cast<unsigned>(lanes) * width;
  if (!x86_ || vector_bytes_ == 64 || total < 128 || !std::has_single_bit(total)) {
    return b_.CreateOrReduce(mask);
  }
  const auto vector = [&](unsigned element, unsigned bits) {
    return llvm::FixedVectorType::get(b_.getIntNTy(element), bits / element);
  };
  llvm::Value* joined = b_.CreateSExt(mask, vector(width, total));
  for (; total > 256; total /= 2) {
    llvm::SmallVector<int, 64> low, high;
    for (int i = 0; i < static_cast<int>(total / width / 2); ++i) low.push_back(i);
    for (const int i : low) high.push_back(i + static_cast<int>(low.size()));
    joined = b_.CreateOr(b_.CreateShuffleVector(joined, low), b_.CreateShuffleVector(joined, high));
  }
  const ID id =
      total == 256 ? llvm::Intrinsic::x86_avx2_pmovmskb : llvm::Intrinsic::x86_sse2_pmovmskb_128;
  llvm::Value* bytes = b_.CreateBitCast(joined, vector(8, total));
  return b_.CreateICmpNE(b_.CreateIntrinsic(id, {}, {bytes}), b_.getInt32(0));
}

OpEmitter::Rare OpEmitter::begin_rare(llvm::Value* condition) {
  llvm::LLVMContext& context = b_.getContext();
  llvm::Function* function = b_.GetInsertBlock()->getParent();
  auto* inside = llvm::BasicBlock::Create(context, "rare", function);
  auto* join = llvm::BasicBlock::Create(context, "join", function);
  Rare rare{condition, nullptr, join};
  llvm::Value* needed = any(condition);
  rare.from = b_.GetInsertBlock();
  b_.CreateCondBr(needed, inside, join, llvm::MDBuilder(context).createUnlikelyBranchWeights());
  b_.SetInsertPoint(inside);
  return rare;
}

Element OpEmitter::end_rare(const Rare& rare, const Element& inside, const Element& otherwise) {
  const auto choose = [&](llvm::Value* x, llvm::Value* y) {
    const bool distinct = x && x != y && rare.condition;
    return distinct ? b_.CreateSelect(rare.condition, x, y) : x;
  };
  const Element chosen{choose(inside.value, otherwise.value), choose(inside.wide, otherwise.wide)};
  llvm::BasicBlock* last = b_.GetInsertBlock();
  b_.CreateBr(rare.join);
  b_.SetInsertPoint(rare.join);
  const auto merge = [&](llvm::Value* x, llvm::Value* y) -> llvm::Value* {
    if (!x) return nullptr;
    llvm::PHINode* phi = b_.CreatePHI(x->getType(), 2);
    phi->addIncoming(y, rare.from);
    phi->addIncoming(x, last);
    return phi;
  };
  return {merge(chosen.value, otherwise.value), merge(chosen.wide, otherwise.wide)};
}

}  // namespace kiln::codegen
