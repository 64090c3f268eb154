#include "codegen/cuda/expressions.h"

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/mutant.h"

namespace kiln::codegen::cuda {

using ir::DType;
using ir::Op;

Expression rounded(DType type, const Text& raw, Prelude& prelude) {
  if (!ir::is_half(type)) return {raw, ""};
  return {call(prelude.round(type), {raw.text}), call(prelude.from_float(type), {raw.text}).text};
}

Expression expression(DType type, Text value, Prelude& prelude) {
  std::string stored;
  if (ir::is_half(type)) stored = call(prelude.from_float(type), {value.text}).text;
  return {std::move(value), std::move(stored)};
}

Expression from_stored(DType type, const Text& stored, Prelude& prelude) {
  if (!ir::is_half(type)) return {stored, ""};
  return {call(prelude.to_float(type), {stored.text}), stored.text};
}

namespace {

bool is_small_int(DType t) { return ir::is_int(t) && ir::size_of(t) < 4; }

Text c_cast(DType to, const Text& a) { return prefix(fmt::format("({})", value_type(to)), a); }

// Integer arithmetic of the language on narrow types is int's.
Text to_own_width(DType type, Text text) {
  const bool narrow = is_small_int(type) && !mutant(ir::Mutant::own_width);
  return narrow ? c_cast(type, text) : text;
}

class Speller {
 public:
  Speller(Op op, DType type, DType result, std::span<const Operand> operands, bool is_index,
          Prelude& prelude)
      : op_(op),
        type_(type),
        result_(result),
        operands_(operands),
        is_index_(is_index),
        prelude_(prelude),
        word_(word(op, type)) {}

  Expression spell() {
    switch (word_.form) {
      case Form::infix:
        return infix_op();
      case Form::prefix:
        return prefix_op();
      case Form::division:
        return exact(division());
      case Form::shift:
        return exact(shift());
      case Form::call:
        return exact(calling(prelude_.function(op_, computed())));
      case Form::math:
        return math();
      case Form::builtin:
        return exact(to_own_width(type_, calling(word_.text)));
      case Form::conditional:
        return exact({fmt::format("{} ? {} : {}", within(a().exact, kLogicalOr),
                                  within(operands_[1].exact, kLogicalOr),
                                  within(operands_[2].exact, kConditional)),
                      kConditional});
      case Form::cast:
        return cast();
      case Form::bitcast:
        return bitcast();
      case Form::expansion:
        return rounded(result_, calling(prelude_.expansion(op_, computed())), prelude_);
      case Form::none:
        break;
    }
    ir::internal_error("an op on a type that its rule excludes");
  }

 private:
  const Operand& a() const { return operands_[0]; }
  const Operand& b() const { return operands_[1]; }
  DType computed() const { return ir::is_half(type_) ? DType::float32 : type_; }
  Expression exact(Text text) { return expression(result_, std::move(text), prelude_); }

  Text calling(std::string_view function) const {
    std::string text = fmt::format("{}(", function);
    for (std::size_t i = 0; i < operands_.size(); ++i) {
      text += (i == 0 ? "" : ", ") + operands_[i].exact.text;
    }
    return {text + ')', kPrimary};
  }
  // Unsigned literals keep their type, so that no expression turns signed.
  const Text& plain(const Operand& o) const {
    return ir::is_unsigned_int(type_) && !is_small_int(type_) ? o.exact : o.plain;
  }
  Text plain_infix() const {
    const bool swapped = mutant(ir::Mutant::swapped_operands) && op_ == Op::sub;
    const Operand &left = swapped ? b() : a(), &right = swapped ? a() : b();
    return infix(plain(left), word_.text, word_.precedence, plain(right));
  }

  bool is_arithmetic() const { return ir::info(op_).rule == ir::OpRule::Arith; }
  bool may_overflow() const {
    return is_arithmetic() && ir::is_signed_int(type_) && !is_small_int(type_) && !is_index_;
  }

  Expression infix_op() {
    if (ir::info(op_).rule == ir::OpRule::Compare || ir::is_bool(type_)) return {plain_infix(), ""};
    if (ir::is_float(type_)) return rounded(result_, plain_infix(), prelude_);
    if (may_overflow()) return {calling(prelude_.wrap(op_, type_)), ""};
    if (op_ == Op::mul && type_ == DType::uint16) {  // 65535 * 65535 overflows int
      const Text wide = prefix("(unsigned)", a().plain);
      return {c_cast(type_, infix(wide, "*", kMultiplicative, b().plain)), ""};
    }
    return {to_own_width(type_, plain_infix()), ""};
  }

  Expression prefix_op() {
    if (may_overflow()) return {calling(prelude_.wrap(op_, type_)), ""};
    Text text = prefix(word_.text, plain(a()));
    return exact(ir::is_int(type_) ? to_own_width(type_, std::move(text)) : std::move(text));
  }

  Text division() {
    const bool safe =
        is_index_ ||
        (b().constant && (b().integer > 0 || !ir::is_signed_int(type_)) && b().integer != 0);
    if (!safe) return calling(prelude_.function(op_, type_));
    return to_own_width(type_, plain_infix());
  }

  Text shift() {
    const std::int64_t width = 8 * ir::size_of(type_);
    if (!b().constant || b().integer < 0 || b().integer >= width) {
      return calling(prelude_.function(op_, type_));
    }
    const Text amount{std::to_string(b().integer), kPrimary};
    return to_own_width(type_, infix(a().exact, word_.text, kShift, amount));
  }

  Expression math() {
    Text text = calling(fmt::format("{}{}", word_.text, type_ == DType::float64 ? "" : "f"));
    // The others give a value that the 16-bit float has too.
    const bool rounds = op_ == Op::sqrt || op_ == Op::fma;
    return rounds ? rounded(result_, text, prelude_) : exact(std::move(text));
  }

  Expression cast() {
    if (type_ == result_) return exact(a().exact);
    if (ir::is_bool(result_)) {
      const std::string_view zero = ir::is_int(type_)         ? "0"
                                    : type_ == DType::float64 ? "0.0"
                                                              : "0.0f";
      return exact(infix(a().plain, "!=", kEquality, {std::string(zero), kPrimary}));
    }
    if (ir::is_half(result_)) return cast_to_half();
    if (ir::is_float(type_) && ir::is_int(result_)) {
      return exact(call(prelude_.saturate(computed(), result_), {a().exact.text}));
    }
    if (ir::is_half(type_) && result_ == DType::float32) return exact(a().exact);
    return exact(c_cast(result_, a().exact));
  }

  Expression cast_to_half() {
    if (type_ == DType::float64) {
      return rounded(result_, call(prelude_.narrow(), {a().exact.text}), prelude_);
    }
    if (ir::is_float(type_)) return rounded(result_, a().exact, prelude_);
    const Text value = c_cast(DType::float32, a().exact);
    return ir::is_bool(type_) ? exact(value) : rounded(result_, value, prelude_);
  }

  Expression bitcast() {
    if (type_ == result_) return exact(a().exact);
    if (ir::is_half(type_) || ir::is_half(result_)) return bitcast_16();
    if (ir::is_int(type_) && ir::is_int(result_)) return exact(c_cast(result_, a().exact));
    const std::string_view x = a().exact.text;
    if (type_ == DType::float32) {
      return exact(call(result_ == DType::int32 ? "__float_as_int" : "__float_as_uint", {x}));
    }
    if (result_ == DType::float32) {
      return exact(call(type_ == DType::int32 ? "__int_as_float" : "__uint_as_float", {x}));
    }
    if (type_ == DType::float64) {
      Text bits = call("__double_as_longlong", {x});
      return exact(result_ == DType::int64 ? bits : c_cast(result_, bits));
    }
    const Text bits = type_ == DType::int64 ? a().exact : c_cast(DType::int64, a().exact);
    return exact(call("__longlong_as_double", {bits.text}));
  }

  Expression bitcast_16() {
    Text bits = a().exact;
    if (ir::is_half(type_)) bits = {a().stored + ".bits", kPrimary};
    if (!ir::is_half(result_)) {
      return exact(result_ == DType::uint16 ? bits : c_cast(result_, bits));
    }
    if (type_ == DType::int16) bits = c_cast(DType::uint16, bits);
    return from_stored(
        result_, {fmt::format("{}{{{}}}", stored_type(result_), bits.text), kPrimary}, prelude_);
  }

  Op op_;
  DType type_, result_;
  std::span<const Operand> operands_;
  bool is_index_;
  Prelude& prelude_;
  const Word& word_;
};

}  // namespace

Expression spell_op(Op op, DType type, DType result, std::span<const Operand> operands,
                    bool is_index, Prelude& prelude) {
  return Speller(op, type, result, operands, is_index, prelude).spell();
}

}  // namespace kiln::codegen::cuda
