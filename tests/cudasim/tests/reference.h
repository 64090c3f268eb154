// What PTX instructions should give, computed in another way than the simulator does: numbers in
// 113-bit floats or 128-bit integers, rounded once at the end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cudasim_tests {

__extension__ using Quad = __float128;
__extension__ using Int128 = __int128;
using Bits = std::uint64_t;

enum class Round { kNearest, kZero, kDown, kUp };

// Types by their PTX names.
unsigned size_of(std::string_view type);  // bytes, 0 for pred and unknown names
bool is_float_type(std::string_view type);
bool is_signed_type(std::string_view type);

bool is_nan(Bits bits, std::string_view type);
Bits canonical_nan(std::string_view type);
Quad decode(Bits bits, std::string_view type);  // no NaN
Int128 decode_int(Bits bits, std::string_view type);
// Rounds to the type.
Bits encode(Quad value, std::string_view type, Round round);
Bits encode_int(Int128 value, std::string_view type);
Bits flush(Bits bits, std::string_view type);  // subnormals to zero
Quad round_to_integer(Quad value, Round round);
// Operations whose inexact results carry an odd last bit, so that encode rounds them right.
Quad add_odd(Quad a, Quad b);
Quad divide_odd(Quad a, Quad b);

// Values worth trying: zeros, subnormals, limits, halves, infinities, NaN, and some in between.
const std::vector<Bits>& edge_values(std::string_view type);

// The opcode form's parts: "cvt.rn.f32.f64" to {"cvt", "rn", "f32", "f64"}.
std::vector<std::string> split_form(const std::string& form);

// The result of an arithmetic form for operand bits. `known` is false for opcodes that are none.
struct Reference {
  bool known = false;
  std::vector<std::string> operands;  // types; "pred" for predicates
  std::string result;
  double tolerance = 0;  // relative, for approximate units
};
Reference describe_form(const std::string& form);
Bits evaluate_form(const std::string& form, const std::vector<Bits>& operands);

}  // namespace cudasim_tests
