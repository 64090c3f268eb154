// NumPy's file format.
#pragma once
#include <string>

#include "kiln/array.h"

#pragma GCC visibility push(default)
namespace kiln {
inline namespace v0 {

// A .npy file, versions 1 to 3, either byte order, C or Fortran order. IoError names the file and
// what is wrong with it: missing, truncated, malformed, or of a dtype without a counterpart.
[[nodiscard]] Array load(const std::string& path, Where where = Where::here());
// Evaluates x and writes it; bfloat16 has no .npy counterpart (UserError).
void save(const std::string& path, const Array& x, Where where = Where::here());

}  // namespace v0
}  // namespace kiln
#pragma GCC visibility pop
