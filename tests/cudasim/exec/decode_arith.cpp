// Integer, bit and float arithmetic.

#include "tests/cudasim/exec/decoder.h"

namespace cudasim {
namespace {

bool is_packed_int(Type type) { return type == Type::kU16x2 || type == Type::kS16x2; }

bool is_half(Type type) {
  return type == Type::kF16 || type == Type::kBf16 || type == Type::kF16x2 || type == Type::kBf16x2;
}

Type wide_type(Type type) {
  switch (type) {
    case Type::kU16:
      return Type::kU32;
    case Type::kS16:
      return Type::kS32;
    case Type::kU32:
      return Type::kU64;
    default:
      return Type::kS64;
  }
}

}  // namespace

void Decoder::float_arithmetic(FloatOp op, Type as, unsigned operands) {
  expect_args(operands + 1, operands + 1);
  const FloatMode mode = float_mode();
  Inst in = start();
  in.run = is_half(as) ? half_op(op, as, mode) : float_op(op, as, mode);
  in.mode = static_cast<U8>(mode.rounding);
  Slot* const fields[] = {&in.a, &in.b, &in.c};
  for (unsigned i = 0; i < operands; ++i) *fields[i] = read(arg(i + 1), as);
  in.d = write(arg(0), as);
  emit(in);
}

void Decoder::add_sub() {
  const Type as = type();
  const bool add = opcode_ == "add";
  if (is_float(as)) return float_arithmetic(add ? FloatOp::kAdd : FloatOp::kSub, as, 2);
  expect_args(3, 3);
  if (suffixes_.take("cc")) return carry_arithmetic(add ? IntOp::kAdd : IntOp::kSub, false);
  const bool saturating = suffixes_.take("sat");
  IntOp op = add ? IntOp::kAdd : IntOp::kSub;
  if (saturating) op = add ? IntOp::kAddSat : IntOp::kSubSat;
  const Handler handler = is_packed_int(as) ? packed_int_op(op, as) : int_op(op, as);
  const Slot a = read(arg(1), as);
  const Slot b = read(arg(2), as);
  emit_plain(handler, {write(arg(0), as), a, b});
  // The type was taken before the carry suffix: add.cc.u32 comes here with its type known.
}

void Decoder::addc() {
  expect_args(3, 3);
  carry_arithmetic(IntOp::kAdd, true);
}

void Decoder::subc() {
  expect_args(3, 3);
  carry_arithmetic(IntOp::kSub, true);
}

void Decoder::mul() {
  const bool low = suffixes_.take("lo");
  const bool high = suffixes_.take("hi");
  const bool wide = suffixes_.take("wide");
  const Type as = type();
  if (is_float(as)) {
    if (low || high || wide) fail("unknown form '" + std::string(statement_->opcode) + "'");
    return float_arithmetic(FloatOp::kMul, as, 2);
  }
  expect_args(3, 3);
  if (low + high + wide != 1) fail("an integer product is one of .lo, .hi and .wide");
  const IntOp op = low ? IntOp::kMulLo : high ? IntOp::kMulHi : IntOp::kMulWide;
  const Slot a = read(arg(1), as);
  const Slot b = read(arg(2), as);
  emit_plain(int_op(op, as), {write(arg(0), wide ? wide_type(as) : as), a, b});
}

void Decoder::mad() { mad_forms(false); }
void Decoder::madc() { mad_forms(true); }

void Decoder::mad_forms(bool carry_in) {
  expect_args(4, 4);
  const bool low = suffixes_.take("lo");
  const bool high = suffixes_.take("hi");
  const bool wide = suffixes_.take("wide");
  const bool carry_out = suffixes_.take("cc");
  const Type as = type();
  if (is_float(as)) {
    if (low || high || wide || carry_in || carry_out) fail("a float product has no halves");
    return float_arithmetic(FloatOp::kFma, as, 3);
  }
  if (low + high + wide != 1) fail("an integer product is one of .lo, .hi and .wide");
  const IntOp op = low ? IntOp::kMadLo : high ? IntOp::kMadHi : IntOp::kMadWide;
  const bool carry = carry_in || carry_out;
  const Type sum = wide ? wide_type(as) : as;
  const Slot a = read(arg(1), as);
  const Slot b = read(arg(2), as);
  const Slot c = read(arg(3), sum);
  emit_plain(carry ? carry_op(op, as, carry_in, carry_out) : int_op(op, as),
             {write(arg(0), sum), a, b, c});
}

void Decoder::fma() { float_arithmetic(FloatOp::kFma, type(), 3); }

void Decoder::div() {
  const bool approximate = suffixes_.take("approx") || suffixes_.take("full");
  const Type as = type();
  if (is_float(as)) {
    return float_arithmetic(approximate ? FloatOp::kDivApprox : FloatOp::kDiv, as, 2);
  }
  expect_args(3, 3);
  const Slot a = read(arg(1), as);
  const Slot b = read(arg(2), as);
  emit_plain(approximate ? nullptr : int_op(IntOp::kDiv, as), {write(arg(0), as), a, b});
}

void Decoder::rem() {
  expect_args(3, 3);
  const Type as = type();
  const Slot a = read(arg(1), as);
  const Slot b = read(arg(2), as);
  emit_plain(int_op(IntOp::kRem, as), {write(arg(0), as), a, b});
}

void Decoder::min_max() {
  const Type as = type();
  const bool min = opcode_ == "min";
  if (is_float(as)) return float_arithmetic(min ? FloatOp::kMin : FloatOp::kMax, as, 2);
  expect_args(3, 3);
  const IntOp op = min ? IntOp::kMin : IntOp::kMax;
  const Slot a = read(arg(1), as);
  const Slot b = read(arg(2), as);
  emit_plain(is_packed_int(as) ? packed_int_op(op, as) : int_op(op, as), {write(arg(0), as), a, b});
}

void Decoder::abs_neg() {
  const Type as = type();
  const bool abs = opcode_ == "abs";
  if (is_float(as)) return float_arithmetic(abs ? FloatOp::kAbs : FloatOp::kNeg, as, 1);
  expect_args(2, 2);
  const Slot a = read(arg(1), as);
  emit_plain(int_op(abs ? IntOp::kAbs : IntOp::kNeg, as), {write(arg(0), as), a});
}

void Decoder::copysign() { float_arithmetic(FloatOp::kCopysign, type(), 2); }

void Decoder::sqrt_rcp() {
  const bool approximate = suffixes_.take("approx");
  const Type as = type();
  FloatOp op = opcode_ == "sqrt" ? FloatOp::kSqrt : FloatOp::kRcp;
  if (approximate) op = opcode_ == "sqrt" ? FloatOp::kSqrtApprox : FloatOp::kRcpApprox;
  float_arithmetic(op, as, 1);
}

void Decoder::approximate() {
  if (!suffixes_.take("approx")) fail("'" + std::string(opcode_) + "' is .approx only");
  const Type as = type();
  FloatOp op = FloatOp::kTanh;
  if (opcode_ == "ex2") op = FloatOp::kEx2;
  if (opcode_ == "lg2") op = FloatOp::kLg2;
  if (opcode_ == "sin") op = FloatOp::kSin;
  if (opcode_ == "cos") op = FloatOp::kCos;
  if (opcode_ == "rsqrt") op = FloatOp::kRsqrtApprox;
  float_arithmetic(op, as, 1);
}

void Decoder::sad() {
  expect_args(4, 4);
  const Type as = type();
  const Slot a = read(arg(1), as);
  const Slot b = read(arg(2), as);
  const Slot c = read(arg(3), as);
  emit_plain(int_op(IntOp::kSad, as), {write(arg(0), as), a, b, c});
}

void Decoder::logic() {
  const Type as = type();
  const bool single = opcode_ == "not" || opcode_ == "cnot";
  expect_args(single ? 2 : 3, single ? 2 : 3);
  BitOp op = BitOp::kAnd;
  if (opcode_ == "or") op = BitOp::kOr;
  if (opcode_ == "xor") op = BitOp::kXor;
  if (opcode_ == "not") op = BitOp::kNot;
  if (opcode_ == "cnot") op = BitOp::kCnot;
  if (as == Type::kPred) {
    const Slot a = read_predicate(arg(1));
    const Slot b = single ? kNoSlot : read_predicate(arg(2));
    return emit_plain(predicate_op(op), {write_predicate(arg(0)), a, b});
  }
  if (!is_bits(as)) fail("'" + std::string(opcode_) + "' works on .b types");
  const Slot a = read(arg(1), as);
  const Slot b = single ? kNoSlot : read(arg(2), as);
  emit_plain(bit_op(op, as), {write(arg(0), as), a, b});
}

void Decoder::shift() {
  expect_args(3, 3);
  const Type as = type();
  const bool left = opcode_ == "shl";
  if (left && !is_bits(as)) fail("'shl' works on .b types");
  const Slot a = read(arg(1), as);
  const Slot b = read(arg(2), Type::kU32);
  emit_plain(bit_op(left ? BitOp::kShl : BitOp::kShr, as), {write(arg(0), as), a, b});
}

void Decoder::shf() {
  expect_args(4, 4);
  const bool left = suffixes_.take("l");
  if (!left && !suffixes_.take("r")) fail("'shf' is .l or .r");
  const bool wrap = suffixes_.take("wrap");
  if (!wrap && !suffixes_.take("clamp")) fail("'shf' is .wrap or .clamp");
  const Type as = type();
  const Slot a = read(arg(1), as);
  const Slot b = read(arg(2), as);
  const Slot c = read(arg(3), Type::kU32);
  emit_plain(as == Type::kB32 ? shf_op(left, wrap) : nullptr, {write(arg(0), as), a, b, c});
}

void Decoder::lop3() {
  expect_args(5, 5);
  const Type as = type();
  if (as != Type::kB32 || arg(4).kind != Operand::Kind::kInteger) fail("bad operands of 'lop3'");
  Inst in = start();
  in.run = lop3_op();
  in.a = read(arg(1), as);
  in.b = read(arg(2), as);
  in.c = read(arg(3), as);
  in.aux = static_cast<U32>(arg(4).value & 0xff);
  in.d = write(arg(0), as);
  emit(in);
}

void Decoder::bit_count() {
  expect_args(2, 2);
  const Type as = type();
  if (!is_bits(as)) fail("'" + std::string(opcode_) + "' works on .b types");
  BitOp op = BitOp::kPopc;
  if (opcode_ == "clz") op = BitOp::kClz;
  if (opcode_ == "brev") op = BitOp::kBrev;
  const Slot a = read(arg(1), as);
  emit_plain(bit_op(op, as), {write(arg(0), op == BitOp::kBrev ? as : Type::kU32), a});
}

void Decoder::bfe() {
  expect_args(4, 4);
  const Type as = type();
  const Slot a = read(arg(1), as);
  const Slot b = read(arg(2), Type::kU32);
  const Slot c = read(arg(3), Type::kU32);
  emit_plain(bit_op(BitOp::kBfe, as), {write(arg(0), as), a, b, c});
}

void Decoder::bfi() {
  expect_args(5, 5);
  const Type as = type();
  const Slot a = read(arg(1), as);
  const Slot b = read(arg(2), as);
  const Slot c = read(arg(3), Type::kU32);
  const Slot e = read(arg(4), Type::kU32);
  emit_plain(bit_op(BitOp::kBfi, as), {write(arg(0), as), a, b, c, e});
}

void Decoder::bfind() {
  expect_args(2, 2);
  const bool amount = suffixes_.take("shiftamt");
  const Type as = type();
  const Slot a = read(arg(1), as);
  emit_plain(bit_op(amount ? BitOp::kBfindShift : BitOp::kBfind, as),
             {write(arg(0), Type::kU32), a});
}

void Decoder::prmt() {
  expect_args(4, 4);
  const Type as = type();
  std::string_view mode;
  for (const std::string_view name : {"f4e", "b4e", "rc8", "ecl", "ecr", "rc16"}) {
    if (suffixes_.take(name)) mode = name;
  }
  const Slot a = read(arg(1), as);
  const Slot b = read(arg(2), as);
  const Slot c = read(arg(3), Type::kU32);
  emit_plain(as == Type::kB32 ? prmt_op(mode) : nullptr, {write(arg(0), as), a, b, c});
}

void Decoder::dp4a() {
  expect_args(4, 4);
  const Type a_type = type();
  const Type b_type = type();
  const Slot a = read(arg(1), Type::kB32);
  const Slot b = read(arg(2), Type::kB32);
  const Slot c = read(arg(3), Type::kB32);
  const bool fits = type_bytes(a_type) == 4 && type_bytes(b_type) == 4;
  emit_plain(fits ? dp4a_op(is_signed(a_type), is_signed(b_type)) : nullptr,
             {write(arg(0), Type::kB32), a, b, c});
}

void Decoder::dp2a() {
  expect_args(4, 4);
  const bool high = suffixes_.take("hi");
  if (!high && !suffixes_.take("lo")) fail("'dp2a' is .lo or .hi");
  const Type a_type = type();
  const Type b_type = type();
  const Slot a = read(arg(1), Type::kB32);
  const Slot b = read(arg(2), Type::kB32);
  const Slot c = read(arg(3), Type::kB32);
  const bool fits = type_bytes(a_type) == 4 && type_bytes(b_type) == 4;
  emit_plain(fits ? dp2a_op(is_signed(a_type), is_signed(b_type), high) : nullptr,
             {write(arg(0), Type::kB32), a, b, c});
}

// add.cc and its kin: the type may have been taken already, then the suffixes are all carry's.
void Decoder::carry_arithmetic(IntOp op, bool in) {
  const bool out = suffixes_.take("cc") || !in;
  Type as = Type::kU32;
  if (const auto found = suffixes_.type()) {
    as = *found;
  } else {
    const std::string_view last = statement_->opcode.substr(statement_->opcode.rfind('.') + 1);
    if (const auto named = parse_type(last)) as = *named;
  }
  const Slot a = read(arg(1), as);
  const Slot b = read(arg(2), as);
  emit_plain(carry_op(op, as, in, out), {write(arg(0), as), a, b});
}

}  // namespace cudasim
