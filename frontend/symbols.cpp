#include "frontend/symbols.h"

#include <bit>
#include <climits>

#include "ir/mutant.h"

namespace kiln::inline v0::frontend {

void Symbols::clear() {
  vars_.clear();
  derived_.clear();
  integers_.clear();
  make({0, Class::any});
  make({1, Class::any});
}

Var Symbols::derived(std::uint64_t key, std::int64_t value) {
  if (value == 1) return kVarOne;
  const auto [var, fresh] = derived_.at(key);
  // Keys are hashes: a different value means that two of them met.
  if (fresh || vars_[find(var)].value != value) var = extent(value);
  return var;
}

Var Symbols::integer(Use use, std::int64_t value) {
  if (value == 0) return kVarZero;
  if (value == 1 && (use == Use::step || use == Use::stride)) return kVarOne;
  const std::uint64_t key =
      mix(static_cast<std::uint64_t>(use) + 1, static_cast<std::uint64_t>(value));
  const auto [var, fresh] = integers_.at(key);
  if (fresh || vars_[var].value != value) {
    Class cls = Class::any;
    if (use == Use::begin || use == Use::low) cls = Class::positive;
    if (use == Use::step) {
      cls = value == -1 ? Class::minus_one : value < 0 ? Class::negative : Class::natural;
    }
    var = make({value, cls});
  }
  return var;
}

namespace {

// What a vector asks for: 16 is a cache line of 4-byte elements, 4 of them a vector on CUDA.
std::int64_t multiple_of(std::int64_t value) {
  const std::int64_t step = mutant(ir::Mutant::symbol_class) ? 4 : 16;
  return value % step == 0 ? 16 : value % 4 == 0 ? 4 : 1;
}

}  // namespace

ir::SymInfo Symbols::info(const Entry& entry) {
  switch (entry.cls) {
    case Class::extent: {
      const auto low =
          static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(entry.value)));
      return {low, low > INT64_MAX / 2 ? INT64_MAX : 2 * low - 1,
              entry.innermost ? multiple_of(entry.value) : 1};
    }
    case Class::positive:
      return {1, INT64_MAX, 1};
    case Class::natural:
      return {2, INT64_MAX, 1};
    case Class::negative:
      return {INT64_MIN, -2, 1};
    case Class::minus_one:
      return {-1, -1, 1};
    default:
      return {INT64_MIN, INT64_MAX, 1};
  }
}

void Symbols::number(std::vector<ir::SymInfo>* infos, std::vector<std::int64_t>* values) {
  infos->assign({{0, 0, 1}, {1, 1, 1}});
  values->assign({0, 1});
  vars_[0].sym = ir::kZero;
  vars_[1].sym = ir::kOne;
  for (Var v = 2; v < vars_.size(); ++v) {
    if (vars_[v].parent != v) continue;
    vars_[v].sym = static_cast<ir::Sym>(infos->size());
    infos->push_back(info(vars_[v]));
    values->push_back(vars_[v].value);
  }
}

}  // namespace kiln::inline v0::frontend
