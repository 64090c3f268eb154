#include "ir/dtype.h"

#include "ir/half.h"

namespace kiln::ir {

std::optional<DType> dtype_from_brief(std::string_view text) {
  for (int i = 0; i < kDTypeCount; ++i) {
    if (kDTypes[i].brief == text) return static_cast<DType>(i);
  }
  return std::nullopt;
}

std::uint16_t float_to_half(float x) { return inline_float_to_half(x); }
float half_to_float(std::uint16_t h) { return inline_half_to_float(h); }
std::uint16_t double_to_half(double x) { return inline_double_to_half(x); }
std::uint16_t float_to_bfloat(float x) { return inline_float_to_bfloat(x); }
std::uint16_t double_to_bfloat(double x) { return inline_double_to_bfloat(x); }

}  // namespace kiln::ir
