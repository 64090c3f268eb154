#include "ir/error.h"

namespace kiln::ir {

InternalError::InternalError(const std::string& what, const char* file, int line)
    : std::logic_error(what + " (" + file + ":" + std::to_string(line) + ")") {}

void internal_error(const std::string& what, const char* file, int line) {
  throw InternalError(what, file, line);
}

}  // namespace kiln::ir
