#include "ir/op.h"

namespace kiln::ir {

std::optional<Op> op_from_name(std::string_view name) {
  for (int i = 0; i < kOpCount; ++i) {
    if (kOps[i].name == name) return static_cast<Op>(i);
  }
  return std::nullopt;
}

namespace {

bool all_are(std::span<const DType> types, DType t) {
  for (DType x : types) {
    if (x != t) return false;
  }
  return true;
}

// For the rules whose operands have one type T, of a given class, and whose result is T.
std::string_view uniform_error(std::span<const DType> operands, DType result, bool class_ok,
                               std::string_view class_error) {
  if (!all_are(operands, operands[0])) return "operands differ in type";
  if (!class_ok) return class_error;
  return result == operands[0] ? "" : "the result's type is not the operands'";
}

std::string_view compare_error(std::span<const DType> operands, DType result) {
  if (!all_are(operands, operands[0])) return "operands differ in type";
  return result == DType::bool_ ? "" : "the result of a comparison is bool";
}

std::string_view choose_error(std::span<const DType> operands, DType result) {
  if (operands[0] != DType::bool_) return "the condition is not bool";
  return operands[1] == operands[2] && operands[1] == result ? "" : "the values differ in type";
}

std::string_view convert_error(Op op, DType from, DType to) {
  if (op != Op::bitcast) return "";
  if (is_bool(from) || is_bool(to)) return "bool has no bits to reinterpret";
  return size_of(from) == size_of(to) ? "" : "bitcast between types of different width";
}

}  // namespace

std::string_view type_error(Op op, std::span<const DType> operands, DType result) {
  const OpInfo& row = info(op);
  if (operands.size() != row.arity) return "wrong number of operands";
  if (is_complex(result)) return "complex types are not supported";
  for (DType t : operands) {
    if (is_complex(t)) return "complex types are not supported";
  }
  const DType t = operands[0];
  switch (row.rule) {
    case OpRule::Arith:
      return uniform_error(operands, result, is_int(t) || is_float(t), "operands must be numbers");
    case OpRule::Float:
      return uniform_error(operands, result, is_float(t), "operands must be floats");
    case OpRule::Int:
      return uniform_error(operands, result, is_int(t), "operands must be integers");
    case OpRule::Bits:
      return uniform_error(operands, result, is_int(t) || is_bool(t),
                           "operands must be integers or bool");
    case OpRule::Compare:
      return compare_error(operands, result);
    case OpRule::Choose:
      return choose_error(operands, result);
    case OpRule::Convert:
      return convert_error(op, t, result);
  }
  return "unknown rule";
}

}  // namespace kiln::ir
