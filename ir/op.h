// The scalar operations as an enum with their facts, generated from ops.def.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "ir/dtype.h"

namespace kiln::ir {

enum class Op : std::uint8_t {
#define KILN_OP(name, arity, rule, flags, infix) name,
#include "ir/ops.def"
#undef KILN_OP
};

enum class OpRule : std::uint8_t { Arith, Float, Int, Bits, Compare, Choose, Convert };
enum OpFlag : std::uint8_t { kCommutes = 1, kExpands = 2 };

struct OpInfo {
  std::string_view name;  // in IR text, without a trailing underscore
  std::string_view infix;
  std::uint8_t arity;
  OpRule rule;
  std::uint8_t flags;
};

inline constexpr OpInfo kOps[] = {
#define KILN_OP(name, arity, rule, flags, infix)                               \
  {std::string_view(#name).substr(                                             \
       0, std::string_view(#name).size() - (#name[sizeof(#name) - 2] == '_')), \
   infix, arity, OpRule::rule, flags},
#include "ir/ops.def"
#undef KILN_OP
};
inline constexpr int kMaxArity = 3;
static_assert([] {
  for (const OpInfo& op : kOps) {
    if (op.arity > kMaxArity) return false;
  }
  return true;
}());
inline constexpr int kOpCount = static_cast<int>(sizeof(kOps) / sizeof(kOps[0]));

constexpr const OpInfo& info(Op op) { return kOps[static_cast<int>(op)]; }
constexpr bool has(Op op, OpFlag flag) { return (info(op).flags & flag) != 0; }
std::optional<Op> op_from_name(std::string_view name);

// Whether `op` accepts these operand types and gives `result`; for Convert any (non-complex) pair,
// bitcast between types of one width. An empty string: accepted; else the reason in words.
std::string_view type_error(Op op, std::span<const DType> operands, DType result);

}  // namespace kiln::ir
