// The scalar types of PTX and what is asked of them. A type says how many bits an instruction
// works on and how it reads them; the register that holds the value may be wider.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace cudasim {

using U8 = std::uint8_t;
using U16 = std::uint16_t;
using U32 = std::uint32_t;
using U64 = std::uint64_t;
using S8 = std::int8_t;
using S16 = std::int16_t;
using S32 = std::int32_t;
using S64 = std::int64_t;

enum class Type : U8 {
  kPred,
  kB8,
  kB16,
  kB32,
  kB64,
  kU8,
  kU16,
  kU32,
  kU64,
  kS8,
  kS16,
  kS32,
  kS64,
  kF16,
  kBf16,
  kF16x2,
  kBf16x2,
  kU16x2,
  kS16x2,
  kF32,
  kF64,
};

// The type a suffix such as "u32" or "bf16x2" names; nothing for any other word.
std::optional<Type> parse_type(std::string_view name);

// Bytes of a value in memory; a predicate has none and gives 0.
unsigned type_bytes(Type type);

bool is_signed(Type type);    // s8 to s64
bool is_unsigned(Type type);  // u8 to u64
bool is_bits(Type type);      // b8 to b64
bool is_float(Type type);     // f16, bf16, f32, f64 and the packed halves

// A register holds 8-bit values in 16 bits, so that every lane array has an even stride.
inline unsigned register_bytes(unsigned bytes) { return bytes == 1 ? 2 : bytes; }

}  // namespace cudasim
