#include <algorithm>

#include "tests/gpu/probe/probe.h"

namespace kiln::gpu {

std::string option(const Arguments& arguments, const std::string& name,
                   const std::string& otherwise) {
  const auto at = std::ranges::find(arguments, name);
  return at == arguments.end() || at + 1 == arguments.end() ? otherwise : *(at + 1);
}

bool has(const Arguments& arguments, const std::string& name) {
  return std::ranges::find(arguments, name) != arguments.end();
}

}  // namespace kiln::gpu
