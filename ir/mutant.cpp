#include "ir/mutant.h"

#ifdef KILN_MUTANTS
#include <cstdlib>

namespace kiln::ir {
namespace {

Mutant chosen() {
  const char* const number = std::getenv("KILN_MUTANT");
  return number != nullptr ? static_cast<Mutant>(std::atoi(number)) : Mutant::none;
}

}  // namespace

const Mutant kChosenMutant = chosen();

}  // namespace kiln::ir
#endif
