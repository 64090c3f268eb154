#include "ir/size_expr.h"

#include <algorithm>

namespace kiln::ir {

SizeExpr SizeExpr::constant(std::int64_t value) { return product(value, {}); }

// Symbols 0 and 1 are the constants 0 and 1 (ir/graph.h), so they need not appear as factors.
SizeExpr SizeExpr::product(std::int64_t coefficient, std::span<const Sym> factors,
                           std::int64_t divisor) {
  SizeExpr result;
  SizeTerm term{coefficient, {}, divisor};
  for (const Sym factor : factors) {
    if (factor == 0) return result;
    if (factor != 1) term.factors.push_back(factor);
  }
  if (coefficient == 0) return result;
  std::sort(term.factors.begin(), term.factors.end());
  result.terms.push_back(std::move(term));
  return result;
}

SizeExpr& SizeExpr::operator+=(const SizeExpr& other) {
  for (const SizeTerm& term : other.terms) {
    const auto same = std::find_if(terms.begin(), terms.end(), [&](const SizeTerm& mine) {
      return mine.factors == term.factors && mine.divisor == term.divisor;
    });
    if (same == terms.end()) {
      terms.push_back(term);
    } else if ((same->coefficient += term.coefficient) == 0) {
      terms.erase(same);
    }
  }
  return *this;
}

std::int64_t SizeExpr::evaluate(std::span<const std::int64_t> values) const {
  std::int64_t sum = 0;
  for (const SizeTerm& term : terms) {
    std::int64_t product = term.coefficient;
    for (const Sym factor : term.factors) product *= values[factor];
    sum += product / term.divisor;
  }
  return sum;
}

}  // namespace kiln::ir
