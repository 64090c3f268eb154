#include "ir/math/math.h"

#include "ir/math/build.h"

namespace kiln::ir {

std::span<const MathEntry> math_table() {
  using enum DType;
  static constexpr MathEntry kEntries[] = {
      {Op::exp, float32, math::exp_f32},   {Op::exp, float64, math::exp_f64},
      {Op::log, float32, math::log_f32},   {Op::log, float64, math::log_f64},
      {Op::sin, float32, math::sin_f32},   {Op::sin, float64, math::sin_f64},
      {Op::cos, float32, math::cos_f32},   {Op::cos, float64, math::cos_f64},
      {Op::tanh, float32, math::tanh_f32}, {Op::tanh, float64, math::tanh_f64},
      {Op::pow, float32, math::pow_f32},   {Op::pow, float64, math::pow_f64},
  };
  return kEntries;
}

}  // namespace kiln::ir
