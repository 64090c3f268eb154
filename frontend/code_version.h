// A hash of the sources of ir and codegen, taken when building: part of every kernel's key in the
// cache, so that a library never runs a kernel that another version of its code generation made.
#pragma once
#include <string_view>

namespace kiln::inline v0::frontend {

std::string_view code_version();

}  // namespace kiln::inline v0::frontend
