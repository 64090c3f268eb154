// Where tests of random programs begin: KILN_SEED, or 1.
#pragma once
#include <cstdint>
#include <cstdlib>

namespace kiln::testing {

inline std::uint64_t first_seed() {
  const char* const given = std::getenv("KILN_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
}

}  // namespace kiln::testing
