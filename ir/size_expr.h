// A polynomial in run-time integers with integer coefficients: sizes, byte counts and grid extents
// that a plan states once and evaluates at every binding.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace kiln::ir {

// A run-time integer of a graph: an extent, a slice's begin or step, a stride, an offset. The index
// into Graph::syms, and into the values bound at evaluation.
using Sym = std::uint32_t;

struct SizeTerm {
  std::int64_t coefficient = 0;
  std::vector<Sym> factors;  // sorted
  std::int64_t divisor = 1;  // of the term's product, rounding down
  bool operator==(const SizeTerm&) const = default;
};

// sum of terms; no terms is 0. Values are assumed to fit 64 bits (the frontend checks sizes).
struct SizeExpr {
  std::vector<SizeTerm> terms;

  static SizeExpr constant(std::int64_t value);
  static SizeExpr product(std::int64_t coefficient, std::span<const Sym> factors,
                          std::int64_t divisor = 1);
  SizeExpr& operator+=(const SizeExpr& other);
  friend SizeExpr operator+(SizeExpr a, const SizeExpr& b) { return a += b; }
  std::int64_t evaluate(std::span<const std::int64_t> values) const;
  bool operator==(const SizeExpr&) const = default;
};

}  // namespace kiln::ir
