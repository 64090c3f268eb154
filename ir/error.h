// The two kinds of failure: the user's mistake and ours. The frontend's public error types derive
// from what is thrown here by translation at its border.
#pragma once
#include <stdexcept>
#include <string>

namespace kiln::ir {

// A bug of this library: a pass, a verifier, a parser of our own text. Carries where it happened.
struct InternalError : std::logic_error {
  InternalError(const std::string& what, const char* file, int line);
};

[[noreturn]] void internal_error(const std::string& what, const char* file = __builtin_FILE(),
                                 int line = __builtin_LINE());
inline void internal_check(bool ok, const char* what, const char* file = __builtin_FILE(),
                           int line = __builtin_LINE()) {
  if (!ok) internal_error(what, file, line);
}

}  // namespace kiln::ir
