// A call of every public function that takes or gives arrays. every_function_tests.cpp compares the
// list with the public headers, and makes the calls on arrays without elements, on a lost device
// and in a forked child.
#pragma once
#include <span>
#include <string>

#include "tests/frontend/support.h"

namespace kiln_tests {

struct FunctionCall {
  const char* function;  // as public_names.h says it
  // What it says of float32 x of shape (0, 3): see said(). "*": whatever; "error: ...": the
  // beginning of a UserError's message.
  const char* of_none;
  std::string (*run)(const kn::Array& x);  // x of shape (n, 3)
};
std::span<const FunctionCall> every_function();

// Functions that meet no array: why there is no call of them.
struct LeftOut {
  const char* function;
  const char* reason;
};
std::span<const LeftOut> left_out();

// Dtype, shape and, if there are any, elements: "float32 (2) [1. 2.]".
std::string said(const kn::Array& x);

}  // namespace kiln_tests
