#include "tests/cudasim/ptx/types.h"

#include <array>

namespace cudasim {
namespace {

struct TypeRow {
  std::string_view name;
  Type type;
  unsigned bytes;
};

constexpr std::array<TypeRow, 21> kTypes = {{
    {"pred", Type::kPred, 0},   {"b8", Type::kB8, 1},         {"b16", Type::kB16, 2},
    {"b32", Type::kB32, 4},     {"b64", Type::kB64, 8},       {"u8", Type::kU8, 1},
    {"u16", Type::kU16, 2},     {"u32", Type::kU32, 4},       {"u64", Type::kU64, 8},
    {"s8", Type::kS8, 1},       {"s16", Type::kS16, 2},       {"s32", Type::kS32, 4},
    {"s64", Type::kS64, 8},     {"f16", Type::kF16, 2},       {"bf16", Type::kBf16, 2},
    {"f16x2", Type::kF16x2, 4}, {"bf16x2", Type::kBf16x2, 4}, {"u16x2", Type::kU16x2, 4},
    {"s16x2", Type::kS16x2, 4}, {"f32", Type::kF32, 4},       {"f64", Type::kF64, 8},
}};

}  // namespace

std::optional<Type> parse_type(std::string_view name) {
  for (const TypeRow& row : kTypes) {
    if (row.name == name) return row.type;
  }
  return std::nullopt;
}

unsigned type_bytes(Type type) {
  for (const TypeRow& row : kTypes) {
    if (row.type == type) return row.bytes;
  }
  return 0;
}

bool is_signed(Type type) { return type >= Type::kS8 && type <= Type::kS64; }
bool is_unsigned(Type type) { return type >= Type::kU8 && type <= Type::kU64; }
bool is_bits(Type type) { return type >= Type::kB8 && type <= Type::kB64; }

bool is_float(Type type) {
  switch (type) {
    case Type::kF16:
    case Type::kBf16:
    case Type::kF16x2:
    case Type::kBf16x2:
    case Type::kF32:
    case Type::kF64:
      return true;
    default:
      return false;
  }
}

}  // namespace cudasim
