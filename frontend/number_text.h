// Numbers as NumPy prints them.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "ir/dtype.h"

namespace kiln::inline v0::frontend {

// The elements of an array that are shown together, each padded to one width: floats aligned at the
// point with as many digits as tell them apart (8 after the point at most), all in exponential form
// if some are very large or small.
std::vector<std::string> aligned_texts(ir::DType dtype, const std::byte* data, std::size_t count);
// A number alone.
std::string number_text(ir::DType dtype, const std::byte* data);

}  // namespace kiln::inline v0::frontend
