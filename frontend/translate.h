// Failures of the layers below as the public error types, with the user's line.
#pragma once
#include <exception>

#include "kiln/types.h"

namespace kiln::inline v0::frontend {

[[noreturn]] void translate(std::exception_ptr error, Where where);

}  // namespace kiln::inline v0::frontend
