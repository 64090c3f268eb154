#include "codegen/cuda/spelling.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cmath>

#include "ir/error.h"

namespace kiln::codegen::cuda {

using ir::DType;

std::string within(const Text& text, Precedence least) {
  return text.precedence < least ? '(' + text.text + ')' : text.text;
}

namespace {

// What an operand must bind like. Arithmetic and comparisons follow the language; other mixtures
// are written with the parentheses that readers expect.
Precedence operand_least(Precedence own, const Text& operand, bool left) {
  switch (own) {
    case kMultiplicative:
    case kAdditive:
      return left ? own : static_cast<Precedence>(own + 1);
    case kRelational:
    case kEquality:
      return kAdditive;
    case kLogicalAnd:
    case kLogicalOr:
      return left && operand.precedence == own ? own : kEquality;
    default:
      return left && operand.precedence == own && own != kShift ? own : kUnary;
  }
}

}  // namespace

Text infix(const Text& a, std::string_view symbol, Precedence precedence, const Text& b) {
  const std::string left = within(a, operand_least(precedence, a, true));
  std::string right = within(b, operand_least(precedence, b, false));
  if (symbol == "+" && right.starts_with('-') && b.precedence == kUnary) {
    return {fmt::format("{} - {}", left, right.substr(1)), precedence};  // x + -c is x - c
  }
  return {fmt::format("{} {} {}", left, symbol, right), precedence};
}

Text prefix(std::string_view symbol, const Text& a) {
  std::string operand = within(a, kUnary);
  if (operand.starts_with(symbol)) operand = '(' + operand + ')';
  return {fmt::format("{}{}", symbol, operand), kUnary};
}

Text call(std::string_view function, std::initializer_list<std::string_view> arguments) {
  return {fmt::format("{}({})", function, fmt::join(arguments, ", ")), kPrimary};
}

std::string_view stored_type(DType type) {
  if (type == DType::float16) return "half";
  if (type == DType::bfloat16) return "bfloat16";
  return value_type(type);
}

std::string_view value_type(DType type) {
  switch (type) {
    case DType::bool_:
      return "bool";
    case DType::int8:
      return "signed char";
    case DType::int16:
      return "short";
    case DType::int32:
      return "int";
    case DType::int64:
      return "long long";
    case DType::uint8:
      return "unsigned char";
    case DType::uint16:
      return "unsigned short";
    case DType::uint32:
      return "unsigned";
    case DType::uint64:
      return "unsigned long long";
    case DType::float16:
    case DType::bfloat16:
    case DType::float32:
      return "float";
    case DType::float64:
      return "double";
    case DType::complex64:
    case DType::complex128:
      break;
  }
  ir::internal_error("no CUDA type for a complex dtype");
}

std::string_view unsigned_type(DType type) {
  switch (ir::size_of(type)) {
    case 1:
      return "unsigned char";
    case 2:
      return "unsigned short";
    case 4:
      return "unsigned";
    default:
      return "unsigned long long";
  }
}

std::int64_t integer_value(DType type, std::uint64_t bits) {
  const int shift = 64 - 8 * static_cast<int>(ir::size_of(type));
  if (!ir::is_signed_int(type)) return static_cast<std::int64_t>(bits << shift >> shift);
  return static_cast<std::int64_t>(bits << shift) >> shift;
}

namespace {

// The shortest decimal that reads back as the same bits.
template <class F>
Text finite_literal(F x, std::string_view suffix) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), x).ptr;
  std::string text(buffer, end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return {text + std::string(suffix), std::signbit(x) ? kUnary : kPrimary};
}

Text float_literal(float x) {
  if (std::isfinite(x)) return finite_literal(x, "f");
  const Precedence sign = std::signbit(x) ? kUnary : kPrimary;
  if (std::isinf(x)) return {std::signbit(x) ? "-infinity_f32()" : "infinity_f32()", sign};
  if (std::bit_cast<std::uint32_t>(x) == 0x7FC00000u) return {"nan_f32()", kPrimary};
  return {fmt::format("__uint_as_float({:#x}u)", std::bit_cast<std::uint32_t>(x)), kPrimary};
}

Text double_literal(double x) {
  if (std::isfinite(x)) return finite_literal(x, "");
  const Precedence sign = std::signbit(x) ? kUnary : kPrimary;
  if (std::isinf(x)) return {std::signbit(x) ? "-infinity_f64()" : "infinity_f64()", sign};
  if (std::bit_cast<std::uint64_t>(x) == 0x7FF8000000000000u) return {"nan_f64()", kPrimary};
  return {fmt::format("__longlong_as_double({:#x}ll)", std::bit_cast<std::uint64_t>(x)), kPrimary};
}

Text int_literal(DType type, std::int64_t value, bool exact) {
  const Precedence sign = value < 0 ? kUnary : kPrimary;
  switch (type) {
    case DType::int32:
      if (value == INT32_MIN) return {"-2147483647 - 1", kAdditive};
      return {std::to_string(value), sign};
    case DType::int64:
      if (value == INT64_MIN) return {"-9223372036854775807ll - 1", kAdditive};
      if (exact || value != static_cast<std::int32_t>(value)) {
        return {fmt::format("{}ll", value), sign};
      }
      return {std::to_string(value), sign};
    case DType::uint32:
      return {fmt::format("{}u", static_cast<std::uint32_t>(value)), kPrimary};
    case DType::uint64:
      return {fmt::format("{}ull", static_cast<std::uint64_t>(value)), kPrimary};
    default:
      if (!exact) return {std::to_string(value), sign};
      return {fmt::format("({}){}", value_type(type), value), kUnary};
  }
}

}  // namespace

Text literal(DType type, std::uint64_t bits, bool exact) {
  switch (type) {
    case DType::bool_:
      return {bits != 0 ? "true" : "false", kPrimary};
    case DType::float16:
      return float_literal(ir::half_to_float(static_cast<std::uint16_t>(bits)));
    case DType::bfloat16:
      return float_literal(ir::bfloat_to_float(static_cast<std::uint16_t>(bits)));
    case DType::float32:
      return float_literal(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    case DType::float64:
      return double_literal(std::bit_cast<double>(bits));
    default:
      return int_literal(type, integer_value(type, bits), exact);
  }
}

}  // namespace kiln::codegen::cuda
