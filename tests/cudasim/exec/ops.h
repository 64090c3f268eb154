// The instruction handlers, found by operation and type. A null handler means that PTX has no such
// form; the decoder makes a load error of it.
#pragma once

#include "tests/cudasim/exec/machine.h"

namespace cudasim {

enum class Rounding : U8 { kNone, kNearest, kZero, kDown, kUp };

struct FloatMode {
  Rounding rounding = Rounding::kNone;
  bool flush = false;     // .ftz
  bool saturate = false;  // .sat: to [0, 1]
  bool nan = false;       // .NaN of min and max
};

enum class IntOp : U8 {
  kAdd,
  kAddSat,
  kSub,
  kSubSat,
  kMulLo,
  kMulHi,
  kMulWide,
  kMadLo,
  kMadHi,
  kMadWide,
  kSad,
  kDiv,
  kRem,
  kAbs,
  kNeg,
  kMin,
  kMax,
};

enum class BitOp : U8 {
  kAnd,
  kOr,
  kXor,
  kNot,
  kCnot,
  kShl,
  kShr,
  kBfe,
  kBfi,
  kBfind,
  kBfindShift,
  kBrev,
  kClz,
  kPopc,
};

enum class FloatOp : U8 {
  kAdd,
  kSub,
  kMul,
  kFma,
  kDiv,
  kDivApprox,
  kMin,
  kMax,
  kAbs,
  kNeg,
  kCopysign,
  kSqrt,
  kRcp,
  kSqrtApprox,
  kRcpApprox,
  kRsqrtApprox,
  kSin,
  kCos,
  kLg2,
  kEx2,
  kTanh,
};

enum class Compare : U8 {
  kEq,
  kNe,
  kLt,
  kLe,
  kGt,
  kGe,
  kEqu,
  kNeu,
  kLtu,
  kLeu,
  kGtu,
  kGeu,
  kNum,
  kNan,
};

enum class Combine : U8 { kNone, kAnd, kOr, kXor };

Handler int_op(IntOp op, Type type);
// add, sub, mad.lo and mad.hi with the condition code; `in` and `out` say which way it flows.
Handler carry_op(IntOp op, Type type, bool in, bool out);
Handler bit_op(BitOp op, Type type);
Handler predicate_op(BitOp op);
Handler packed_int_op(IntOp op, Type type);  // u16x2, s16x2
Handler shf_op(bool left, bool wrap);
Handler lop3_op();
Handler prmt_op(std::string_view mode);
Handler dp4a_op(bool a_signed, bool b_signed);
Handler dp2a_op(bool a_signed, bool b_signed, bool high);

Handler float_op(FloatOp op, Type type, const FloatMode& mode);
Handler half_op(FloatOp op, Type type, const FloatMode& mode);  // f16, bf16 and pairs
Handler testp_op(std::string_view what, Type type);

Handler setp_op(Compare compare, Type type, bool flush);
Handler selp_op(Type type);
Handler slct_op(Type type, bool float_selector, bool flush);

// Conversions; `integral` is the rounding of .rni and its kin between floats.
Handler cvt_op(Type to, Type from, const FloatMode& mode, bool integral);
Handler cvt_pair_op(Type to, const FloatMode& mode, bool relu);  // cvt.rn.f16x2.f32 d, hi, lo

Handler mov_op(unsigned bytes);  // 0: predicate
Handler special_op(SpecialRegister which, unsigned bytes);
// Between register widths, with or without sign extension.
Handler resize_op(unsigned to, unsigned from, bool sign);
Handler pack_op(unsigned to, unsigned parts);  // in.aux: slots of the parts
Handler unpack_op(unsigned from, unsigned parts);

// Half floats as numbers.
float half_to_float(U16 bits);
float bf16_to_float(U16 bits);
U16 half_from_double(double value, Rounding rounding);
U16 bf16_from_double(double value, Rounding rounding);

}  // namespace cudasim
