// The root of the project's sources: KILN_SOURCE, on a machine that did not build the tests.
#pragma once
#include <cstdlib>
#include <string>

namespace kiln::testing {

inline std::string source_folder() {
  const char* const given = std::getenv("KILN_SOURCE");
  return given != nullptr ? given : KILN_SOURCE_DIR;
}

}  // namespace kiln::testing
