// How CUDA C writes types, literals and each scalar operation. One row per op of ir/ops.def, one
// word per class of operand; a missing row does not compile.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "ir/dtype.h"
#include "ir/op.h"

namespace kiln::codegen::cuda {

// C++ precedences, loosest first.
enum Precedence : std::uint8_t {
  kConditional,
  kLogicalOr,
  kLogicalAnd,
  kBitOr,
  kBitXor,
  kBitAnd,
  kEquality,
  kRelational,
  kShift,
  kAdditive,
  kMultiplicative,
  kUnary,
  kPrimary,
};

struct Text {
  std::string text;
  Precedence precedence = kPrimary;
};
// In parentheses if it binds more loosely than `least`.
std::string within(const Text& text, Precedence least);
Text infix(const Text& a, std::string_view symbol, Precedence precedence, const Text& b);
Text prefix(std::string_view symbol, const Text& a);
Text call(std::string_view function, std::initializer_list<std::string_view> arguments);

enum class Form : std::uint8_t {
  none,         // the op's rule excludes the class
  infix,        // a + b. On signed integers by a wrapping function, unless it cannot overflow
  prefix,       // -a
  division,     // a / b of integers, where zero and overflow have a stated result
  shift,        // a << b, where every amount has a stated result
  call,         // a function of the prelude, overloaded by type
  math,         // fmaf for float, fma for double
  builtin,      // the same name for every type: min
  conditional,  // a ? b : c
  cast,
  bitcast,
  expansion,  // kiln_exp: the function of ir/math
};
struct Word {
  Form form = Form::none;
  std::string_view text;
  Precedence precedence = kPrimary;
};
struct Spelling {
  ir::Op op;
  Word floating, integer, boolean;
};

namespace detail {
constexpr Word both(std::string_view s, Precedence p) { return {Form::infix, s, p}; }
constexpr Word plus = both("+", kAdditive), minus = both("-", kAdditive);
constexpr Word times = both("*", kMultiplicative), over = both("/", kMultiplicative);
constexpr Word expands = {Form::expansion, "kiln_", kPrimary};
constexpr Word all(Form form) { return {form, "", kPrimary}; }
constexpr Word fn(std::string_view s) { return {Form::call, s, kPrimary}; }
constexpr Word math(std::string_view s) { return {Form::math, s, kPrimary}; }
constexpr Word builtin(std::string_view s) { return {Form::builtin, s, kPrimary}; }
constexpr Word pre(std::string_view s) { return {Form::prefix, s, kUnary}; }
}  // namespace detail

inline constexpr Spelling kSpellings[] = {
    {ir::Op::add, detail::plus, detail::plus, {}},
    {ir::Op::sub, detail::minus, detail::minus, {}},
    {ir::Op::mul, detail::times, detail::times, {}},
    {ir::Op::div, detail::over, {}, {}},
    {ir::Op::idiv, {}, {Form::division, "/", kMultiplicative}, {}},
    {ir::Op::irem, {}, {Form::division, "%", kMultiplicative}, {}},
    {ir::Op::mul_hi, {}, detail::fn("multiply_high"), {}},
    {ir::Op::neg, detail::pre("-"), detail::pre("-"), {}},
    {ir::Op::abs, detail::math("fabs"), detail::fn("absolute"), {}},
    {ir::Op::min, detail::fn("minimum"), detail::builtin("min"), {}},
    {ir::Op::max, detail::fn("maximum"), detail::builtin("max"), {}},
    {ir::Op::fma, detail::math("fma"), {}, {}},
    {ir::Op::sqrt, detail::math("sqrt"), {}, {}},
    {ir::Op::floor, detail::math("floor"), {}, {}},
    {ir::Op::ceil, detail::math("ceil"), {}, {}},
    {ir::Op::trunc, detail::math("trunc"), {}, {}},
    {ir::Op::rint, detail::math("rint"), {}, {}},
    {ir::Op::and_, {}, detail::both("&", kBitAnd), detail::both("&&", kLogicalAnd)},
    {ir::Op::or_, {}, detail::both("|", kBitOr), detail::both("||", kLogicalOr)},
    {ir::Op::xor_, {}, detail::both("^", kBitXor), detail::both("!=", kEquality)},
    {ir::Op::not_, {}, detail::pre("~"), detail::pre("!")},
    {ir::Op::shl, {}, {Form::shift, "<<", kShift}, {}},
    {ir::Op::shr, {}, {Form::shift, ">>", kShift}, {}},
    {ir::Op::clz, {}, detail::fn("leading_zeros"), {}},
    {ir::Op::ctz, {}, detail::fn("trailing_zeros"), {}},
    {ir::Op::popcount, {}, detail::fn("bit_count"), {}},
    {ir::Op::eq, detail::both("==", kEquality), detail::both("==", kEquality),
     detail::both("==", kEquality)},
    {ir::Op::ne, detail::both("!=", kEquality), detail::both("!=", kEquality),
     detail::both("!=", kEquality)},
    {ir::Op::lt, detail::both("<", kRelational), detail::both("<", kRelational),
     detail::both("<", kRelational)},
    {ir::Op::le, detail::both("<=", kRelational), detail::both("<=", kRelational),
     detail::both("<=", kRelational)},
    {ir::Op::select, detail::all(Form::conditional), detail::all(Form::conditional),
     detail::all(Form::conditional)},
    {ir::Op::cast, detail::all(Form::cast), detail::all(Form::cast), detail::all(Form::cast)},
    {ir::Op::bitcast, detail::all(Form::bitcast), detail::all(Form::bitcast), {}},
    {ir::Op::exp, detail::expands, {}, {}},
    {ir::Op::log, detail::expands, {}, {}},
    {ir::Op::sin, detail::expands, {}, {}},
    {ir::Op::cos, detail::expands, {}, {}},
    {ir::Op::tanh, detail::expands, {}, {}},
    {ir::Op::pow, detail::expands, {}, {}},
};

// Every op, in order, with a word for each class of type that its rule admits.
constexpr bool spells_every_op() {
  if (std::size(kSpellings) != static_cast<std::size_t>(ir::kOpCount)) return false;
  for (int i = 0; i < ir::kOpCount; ++i) {
    const Spelling& row = kSpellings[i];
    if (row.op != static_cast<ir::Op>(i)) return false;
    const ir::OpRule rule = ir::kOps[i].rule;
    const bool any =
        rule == ir::OpRule::Compare || rule == ir::OpRule::Choose || rule == ir::OpRule::Convert;
    const bool floats = any || rule == ir::OpRule::Arith || rule == ir::OpRule::Float;
    const bool ints = any || (rule != ir::OpRule::Float);
    const bool bools = rule == ir::OpRule::Bits || (any && row.op != ir::Op::bitcast);
    if (floats != (row.floating.form != Form::none)) return false;
    if (ints != (row.integer.form != Form::none)) return false;
    if (bools != (row.boolean.form != Form::none)) return false;
  }
  return true;
}
static_assert(spells_every_op(), "an op of ir/ops.def has no CUDA spelling");

constexpr const Word& word(ir::Op op, ir::DType type) {
  const Spelling& row = kSpellings[static_cast<int>(op)];
  return ir::is_float(type) ? row.floating : ir::is_bool(type) ? row.boolean : row.integer;
}

// The type of an element in memory: "half", "unsigned char". 16-bit floats live in structs.
std::string_view stored_type(ir::DType type);
// The type of a value in an expression: 16-bit floats are held as float, exactly.
std::string_view value_type(ir::DType type);
std::string_view unsigned_type(ir::DType type);  // of the same width as an integer type

// `exact`: the literal has the type itself, as an argument of an overloaded function needs it; else
// a plain one that converts without change.
Text literal(ir::DType type, std::uint64_t bits, bool exact);
std::int64_t integer_value(ir::DType type, std::uint64_t bits);

}  // namespace kiln::codegen::cuda
