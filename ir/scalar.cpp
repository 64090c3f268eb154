#include "ir/scalar.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "ir/error.h"
#include "ir/fp_state.h"
#include "ir/scalar_loops.h"

namespace kiln::ir {

void evaluate(Op op, DType type, DType result, std::int64_t n, const void* const* in, void* out) {
  const FloatState state;
  loop_of(op, type, result)(n, in, out);
}

std::uint64_t evaluate_bits(Op op, DType type, DType result, std::span<const std::uint64_t> in) {
  static_assert(std::endian::native == std::endian::little);
  const void* pointers[3] = {};
  internal_check(in.size() == info(op).arity, "wrong number of operands");
  for (std::size_t i = 0; i < in.size(); ++i) pointers[i] = &in[i];
  std::uint64_t out = 0;
  evaluate(op, type, result, 1, pointers, &out);
  return out;
}

std::uint64_t bits_of(DType type, double value) {
  const FloatState state;
  const std::uint64_t exact = std::bit_cast<std::uint64_t>(is_int(type) ? std::rint(value) : value);
  return evaluate_bits(Op::cast, DType::float64, type, {&exact, 1});
}

std::uint64_t bits_of_int(DType type, std::int64_t value) {
  const std::uint64_t bits = static_cast<std::uint64_t>(value);
  return evaluate_bits(Op::cast, DType::int64, type, {&bits, 1});
}

double to_double(DType type, std::uint64_t bits) {
  return std::bit_cast<double>(evaluate_bits(Op::cast, type, DType::float64, {&bits, 1}));
}

}  // namespace kiln::ir
