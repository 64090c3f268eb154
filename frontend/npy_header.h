// The dictionary at the head of a .npy file, which is the text of a Python literal.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::inline v0::frontend {

struct NpyHeader {
  std::string descr;  // '<f4'
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
};

// Keys in any order, either quotation mark, any white space, a last comma or none. Gives what is
// wrong with the text, nothing if it is well-formed: each key once and no other, a shape of at most
// 32 extents and 2^59 elements.
std::string parse_npy_header(std::string_view text, NpyHeader* result);

}  // namespace kiln::inline v0::frontend
