// Planted faults, with which `./dev mutate` tests the tests. A build with KILN_MUTANTS has all of
// mutants.def, and the environment variable KILN_MUTANT chooses one by its number; in every other
// build mutant() is false when it is compiled, and nothing is left of them.
#pragma once

namespace kiln::ir {

enum class Mutant : int {
  none = 0,
#define KILN_MUTANT(number, name, tests, fault) name = number,
#include "ir/mutants.def"
#undef KILN_MUTANT
};

#ifdef KILN_MUTANTS
extern const Mutant kChosenMutant;
inline bool mutant(Mutant m) { return m == kChosenMutant; }
#else
constexpr bool mutant(Mutant) { return false; }
#endif

}  // namespace kiln::ir
