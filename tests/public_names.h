// The functions that the public headers declare: tables that must have a row for each of them are
// compared with this, so that a new function turns them red. tests/tools/public_functions.py reads
// the headers and writes this function when the tests are built.
//
// Names are as a caller says them, of members with the class: "sum", "operator+", "Array::item",
// "Array::Array", "Array::operator()". Left out: what is private or deleted, destructors, and
// functions that are defaulted.
#pragma once
#include <set>
#include <string>

namespace kiln_tests {

std::set<std::string> public_names();

}  // namespace kiln_tests
