// Comparisons, selections and conversions.

#include "tests/cudasim/exec/decoder.h"

namespace cudasim {
namespace {

struct CompareRow {
  std::string_view name;
  Compare compare;
};

// lo, ls, hi and hs are the unsigned names of lt, le, gt and ge.
constexpr CompareRow kCompares[] = {
    {"eq", Compare::kEq},   {"ne", Compare::kNe},   {"lt", Compare::kLt},   {"le", Compare::kLe},
    {"gt", Compare::kGt},   {"ge", Compare::kGe},   {"lo", Compare::kLt},   {"ls", Compare::kLe},
    {"hi", Compare::kGt},   {"hs", Compare::kGe},   {"equ", Compare::kEqu}, {"neu", Compare::kNeu},
    {"ltu", Compare::kLtu}, {"leu", Compare::kLeu}, {"gtu", Compare::kGtu}, {"geu", Compare::kGeu},
    {"num", Compare::kNum}, {"nan", Compare::kNan},
};

std::optional<Compare> take_compare(Suffixes& suffixes) {
  for (const CompareRow& row : kCompares) {
    if (suffixes.take(row.name)) return row.compare;
  }
  return std::nullopt;
}

// The constant that `set` gives for true.
U64 true_value(Type type) {
  switch (type) {
    case Type::kF32:
      return 0x3f800000u;
    case Type::kF16:
      return 0x3c00;
    case Type::kBf16:
      return 0x3f80;
    default:
      return 0xffffffffu;
  }
}

}  // namespace

void Decoder::testp() {
  expect_args(2, 2);
  const std::string_view what = suffixes_.empty() ? "" : suffixes_.first();
  suffixes_.take(what);
  const Type as = type();
  const Slot a = read(arg(1), as);
  emit_plain(testp_op(what, as), {write_predicate(arg(0)), a});
}

void Decoder::setp() {
  expect_args(3, 4);
  const auto compare = take_compare(suffixes_);
  if (!compare) fail("'setp' has no comparison");
  Combine combine = Combine::kNone;
  if (suffixes_.take("and")) combine = Combine::kAnd;
  if (suffixes_.take("or")) combine = Combine::kOr;
  if (suffixes_.take("xor")) combine = Combine::kXor;
  const bool flush = suffixes_.take("ftz");
  const Type as = type();
  const bool combined = combine != Combine::kNone;
  expect_args(combined ? 4 : 3, combined ? 4 : 3);
  Inst in = start();
  in.run = setp_op(*compare, as, flush);
  in.mode = static_cast<U8>(combine);
  in.a = read(arg(1), as);
  in.b = read(arg(2), as);
  if (combined) in.c = read_predicate(arg(3));
  const Operand& to = arg(0);
  if (to.kind == Operand::Kind::kPair) {
    in.d = write_predicate(to.parts[0]);
    in.e = write_predicate(to.parts[1]);
  } else {
    in.d = write_predicate(to);
  }
  emit(in);
}

void Decoder::set() {
  expect_args(3, 4);
  const auto compare = take_compare(suffixes_);
  if (!compare) fail("'set' has no comparison");
  Combine combine = Combine::kNone;
  if (suffixes_.take("and")) combine = Combine::kAnd;
  if (suffixes_.take("or")) combine = Combine::kOr;
  if (suffixes_.take("xor")) combine = Combine::kXor;
  const bool combined = combine != Combine::kNone;
  expect_args(combined ? 4 : 3, combined ? 4 : 3);
  const bool flush = suffixes_.take("ftz");
  const Type to = type();
  const Type as = type();
  Inst in;
  in.statement = statement_index_;
  in.run = setp_op(*compare, as, flush);
  if (in.run == nullptr) fail("unknown form '" + std::string(statement_->opcode) + "'");
  in.mode = static_cast<U8>(combine);
  in.a = read(arg(1), as);
  in.b = read(arg(2), as);
  if (combined) in.c = read_predicate(arg(3));
  in.d = temporary(0);
  code_.insts.push_back(in);
  const unsigned bytes = type_bytes(to);
  emit_plain(selp_op(to),
             {write(arg(0), to), constant(true_value(to), bytes), constant(0, bytes), in.d});
}

void Decoder::selp() {
  expect_args(4, 4);
  const Type as = type();
  const Slot a = read(arg(1), as);
  const Slot b = read(arg(2), as);
  const Slot c = read_predicate(arg(3));
  emit_plain(selp_op(as), {write(arg(0), as), a, b, c});
}

void Decoder::slct() {
  expect_args(4, 4);
  const bool flush = suffixes_.take("ftz");
  const Type as = type();
  const Type selector = type();
  if (selector != Type::kS32 && selector != Type::kF32) fail("'slct' selects by .s32 or .f32");
  const Slot a = read(arg(1), as);
  const Slot b = read(arg(2), as);
  const Slot c = read(arg(3), selector);
  emit_plain(slct_op(as, selector == Type::kF32, flush), {write(arg(0), as), a, b, c});
}

void Decoder::cvt() {
  FloatMode mode;
  bool integral = false;
  for (const auto& [name, way] : {std::pair{"rni", Rounding::kNearest},
                                  {"rzi", Rounding::kZero},
                                  {"rmi", Rounding::kDown},
                                  {"rpi", Rounding::kUp}}) {
    if (!suffixes_.take(name)) continue;
    mode.rounding = way;
    integral = true;
  }
  if (!integral) mode.rounding = rounding();
  mode.flush = suffixes_.take("ftz");
  mode.saturate = suffixes_.take("sat");
  const bool relu = suffixes_.take("relu");
  const Type to = type();
  const Type from = type();
  const bool pair = to == Type::kF16x2 || to == Type::kBf16x2;
  expect_args(pair ? 3 : 2, pair ? 3 : 2);
  Inst in = start();
  in.mode = static_cast<U8>(static_cast<U8>(mode.rounding) | (mode.flush ? 32 : 0) |
                            (mode.saturate || relu ? 64 : 0));
  if (pair) {
    if (from != Type::kF32 || mode.saturate)
      fail("unknown form '" + std::string(statement_->opcode) + "'");
    in.run = cvt_pair_op(to, mode, relu);
    in.a = read(arg(1), from);
    in.b = read(arg(2), from);
    in.d = write(arg(0), to);
    return emit(in);
  }
  if (relu) fail("unknown form '" + std::string(statement_->opcode) + "'");
  const bool floats = is_float(to) && is_float(from);
  if (floats && integral) in.mode |= 16;
  in.run = cvt_op(to, from, mode, floats && integral);
  in.a = read(arg(1), from, true);
  in.d = write(arg(0), to, true);
  emit(in);
}

}  // namespace cudasim
