// Element types: the one list, their sizes and classes, and conversions of the 16-bit floats.
//
// bool is stored as one byte holding 0 or 1. Complex types are reserved: they have names and sizes,
// and no operation accepts them.
#pragma once
#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>

namespace kiln::ir {

enum class DType : std::uint8_t {
  bool_,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64,
  float16,
  bfloat16,
  float32,
  float64,
  complex64,
  complex128,
};
inline constexpr int kDTypeCount = 15;

enum class DTypeClass : std::uint8_t { boolean, signed_int, unsigned_int, floating, complex };

struct DTypeInfo {
  std::string_view name;   // as printed for users: "float32"
  std::string_view brief;  // as printed in IR text: "f32"
  std::uint8_t bytes;
  DTypeClass cls;
};

inline constexpr DTypeInfo kDTypes[kDTypeCount] = {
    {"bool", "b1", 1, DTypeClass::boolean},          {"int8", "i8", 1, DTypeClass::signed_int},
    {"int16", "i16", 2, DTypeClass::signed_int},     {"int32", "i32", 4, DTypeClass::signed_int},
    {"int64", "i64", 8, DTypeClass::signed_int},     {"uint8", "u8", 1, DTypeClass::unsigned_int},
    {"uint16", "u16", 2, DTypeClass::unsigned_int},  {"uint32", "u32", 4, DTypeClass::unsigned_int},
    {"uint64", "u64", 8, DTypeClass::unsigned_int},  {"float16", "f16", 2, DTypeClass::floating},
    {"bfloat16", "bf16", 2, DTypeClass::floating},   {"float32", "f32", 4, DTypeClass::floating},
    {"float64", "f64", 8, DTypeClass::floating},     {"complex64", "c64", 8, DTypeClass::complex},
    {"complex128", "c128", 16, DTypeClass::complex},
};

constexpr const DTypeInfo& info(DType t) { return kDTypes[static_cast<int>(t)]; }
constexpr std::string_view name(DType t) { return info(t).name; }
constexpr std::string_view brief(DType t) { return info(t).brief; }
constexpr std::int64_t size_of(DType t) { return info(t).bytes; }
constexpr bool is_bool(DType t) { return t == DType::bool_; }
constexpr bool is_signed_int(DType t) { return info(t).cls == DTypeClass::signed_int; }
constexpr bool is_unsigned_int(DType t) { return info(t).cls == DTypeClass::unsigned_int; }
constexpr bool is_int(DType t) { return is_signed_int(t) || is_unsigned_int(t); }
constexpr bool is_float(DType t) { return info(t).cls == DTypeClass::floating; }
constexpr bool is_complex(DType t) { return info(t).cls == DTypeClass::complex; }
// 16-bit floats are computed in float32 and rounded once per operation.
constexpr bool is_half(DType t) { return t == DType::float16 || t == DType::bfloat16; }

std::optional<DType> dtype_from_brief(std::string_view brief);

// Round to nearest even; NaN becomes the canonical quiet NaN.
std::uint16_t float_to_half(float x);
float half_to_float(std::uint16_t h);
std::uint16_t double_to_half(double x);  // one rounding
std::uint16_t float_to_bfloat(float x);
std::uint16_t double_to_bfloat(double x);  // one rounding
constexpr float bfloat_to_float(std::uint16_t h) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(h) << 16);
}

}  // namespace kiln::ir
