// Conversions between element types.
#include <bit>
#include <cmath>

#include "codegen/llvm/ops.h"
#include "ir/error.h"
#include "ir/mutant.h"
#include "ir/scalar.h"

namespace kiln::codegen {

using ir::DType;

llvm::Value* OpEmitter::widen(DType half, llvm::Value* bits) const {
  const int lanes = lanes_of(bits);
  llvm::Type* single = type(DType::float32, lanes);
  if (half == DType::float16) {
    llvm::Type* h = single->getWithNewType(b_.getHalfTy());
    return b_.CreateFPExt(b_.CreateBitCast(bits, h), single);
  }
  llvm::Value* word = b_.CreateZExt(bits, type(DType::uint32, lanes));
  return b_.CreateBitCast(b_.CreateShl(word, constant_like(word, 16)), single);
}

Element OpEmitter::narrow(DType half, llvm::Value* x) const {
  const int lanes = lanes_of(x);
  llvm::Type* bits_type = type(half, lanes);
  if (half == DType::float16) {
    llvm::Type* h = x->getType()->getWithNewType(b_.getHalfTy());
    llvm::Value* bits = b_.CreateBitCast(b_.CreateFPTrunc(x, h), bits_type);
    return {bits, widen(half, bits)};
  }
  llvm::Value* word = b_.CreateBitCast(x, type(DType::uint32, lanes));
  llvm::Value* last =
      b_.CreateAnd(b_.CreateLShr(word, constant_like(word, 16)), constant_like(word, 1));
  llvm::Value* rounded = b_.CreateAdd(b_.CreateAdd(word, constant_like(word, 0x7fff)), last);
  llvm::Value* nan = b_.CreateFCmpUNO(x, x);
  llvm::Value* finite = b_.CreateSelect(nan, constant_like(word, 0x7fc00000), rounded);
  llvm::Value* bits = b_.CreateTrunc(b_.CreateLShr(finite, constant_like(word, 16)), bits_type);
  llvm::Value* exact = b_.CreateAnd(finite, constant_like(word, 0xffff0000));
  return {bits, b_.CreateBitCast(exact, x->getType())};
}

// The float32 toward zero with its last bit set if anything was cut off: rounding that to fewer
// than 23 bits gives what one rounding of x gives.
llvm::Value* OpEmitter::round_to_odd(llvm::Value* x) {
  const int lanes = lanes_of(x);
  llvm::Type* word_type = type(DType::uint32, lanes);
  llvm::Value* nearest = b_.CreateFPTrunc(x, type(DType::float32, lanes));
  llvm::Value* back = b_.CreateFPExt(nearest, x->getType());
  llvm::Value* larger =
      b_.CreateFCmpOGT(unary(llvm::Intrinsic::fabs, back), unary(llvm::Intrinsic::fabs, x));
  llvm::Value* inexact = b_.CreateFCmpONE(back, x);
  llvm::Value* word = b_.CreateBitCast(nearest, word_type);
  llvm::Value* below = b_.CreateSub(word, b_.CreateZExt(larger, word_type));
  llvm::Value* odd = b_.CreateOr(below, b_.CreateZExt(inexact, word_type));
  return b_.CreateBitCast(odd, nearest->getType());
}

// Toward zero, saturating, NaN to 0. LLVM's own saturating conversion is taken lane by lane on x86.
llvm::Value* OpEmitter::saturate(DType to, llvm::Value* x) {
  const int lanes = lanes_of(x);
  const bool is_signed = ir::is_signed_int(to);
  llvm::Type* result = type(to, lanes);
  if (!x86_) {
    return b_.CreateIntrinsic(is_signed ? llvm::Intrinsic::fptosi_sat : llvm::Intrinsic::fptoui_sat,
                              {result, x->getType()}, {x});
  }
  const int width = static_cast<int>(8 * ir::size_of(to));
  const int digits = x->getType()->getScalarType()->isFloatTy() ? 24 : 53;
  const int magnitude = is_signed ? width - 1 : width;
  const double least = is_signed ? -std::ldexp(1.0, magnitude) : 0.0;
  const double low = least + (mutant(ir::Mutant::saturation) ? 1 : 0);
  const double end = std::ldexp(1.0, magnitude);
  // The largest value that x's type has below `end`; with `end` representable results are cut
  // there.
  const bool exact = magnitude <= digits;
  const double high = exact ? end - 1 : end - std::ldexp(1.0, magnitude - digits);
  const auto number = [&](double v) { return llvm::ConstantFP::get(x->getType(), v); };

  llvm::Value* inside = b_.CreateSelect(b_.CreateFCmpOLT(x, number(high)), x, number(high));
  inside = b_.CreateSelect(b_.CreateFCmpOGT(inside, number(low)), inside, number(low));
  llvm::Value* value = nullptr;
  if (width < 32) {
    llvm::Value* word = b_.CreateFPToSI(inside, type(DType::int32, lanes));
    value = b_.CreateTrunc(word, result);
  } else {
    value = is_signed ? b_.CreateFPToSI(inside, result) : b_.CreateFPToUI(inside, result);
  }
  if (!exact) {
    const auto bits = static_cast<unsigned>(width);
    llvm::Value* most = llvm::ConstantInt::get(
        result, is_signed ? llvm::APInt::getSignedMaxValue(bits) : llvm::APInt::getMaxValue(bits));
    value = b_.CreateSelect(b_.CreateFCmpOGE(x, number(end)), most, value);
  }
  return b_.CreateSelect(b_.CreateFCmpORD(x, x), value, constant_like(value, 0));
}

Element OpEmitter::cast(DType from, DType to, const Element& a) {
  const int lanes = lanes_of(a.value);
  if (from == to) return a;
  if (ir::is_bool(from)) {
    return select(to, a.value, constant(to, ir::bits_of(to, 1), lanes), constant(to, 0, lanes));
  }
  llvm::Value* x = a.wide ? a.wide : a.value;
  if (ir::is_bool(to)) {
    llvm::Value* zero = llvm::Constant::getNullValue(x->getType());
    return {ir::is_float(from) ? b_.CreateFCmpUNE(x, zero) : b_.CreateICmpNE(x, zero), nullptr};
  }
  if (ir::is_half(to)) {
    if (from == DType::float64) return narrow(to, round_to_odd(x));
    llvm::Type* single = type(DType::float32, lanes);
    if (ir::is_int(from)) {
      x = ir::is_signed_int(from) ? b_.CreateSIToFP(x, single) : b_.CreateUIToFP(x, single);
    }
    return narrow(to, x);
  }
  llvm::Type* result = type(to, lanes);
  if (ir::is_float(from)) {
    return {ir::is_float(to) ? b_.CreateFPCast(x, result) : saturate(to, x), nullptr};
  }
  if (ir::is_float(to)) {
    return {ir::is_signed_int(from) ? b_.CreateSIToFP(x, result) : b_.CreateUIToFP(x, result),
            nullptr};
  }
  return {b_.CreateIntCast(x, result, ir::is_signed_int(from)), nullptr};
}

Element OpEmitter::bitcast(DType from, DType to, const Element& a) {
  ir::internal_check(ir::size_of(from) == ir::size_of(to), "llvm: bitcast between widths");
  llvm::Value* bits = b_.CreateBitCast(a.value, type(to, lanes_of(a.value)));
  if (from == to) return a;
  return {bits, ir::is_half(to) ? widen(to, bits) : nullptr};
}

}  // namespace kiln::codegen
