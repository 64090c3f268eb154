// What a kernel computes, in the words of its entry's name.
#pragma once
#include <string>

#include "ir/kernel.h"

namespace kiln::codegen::cuda {

// The first few distinct operations whose results are stored: "add_mul", "sum"; "copy" or "fill"
// where there is none. Valid in an identifier.
std::string operations(const ir::Kernel& kernel);

}  // namespace kiln::codegen::cuda
