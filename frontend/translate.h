// Failures of the layers below as the public error types, with the user's line.
#pragma once
#include <string_view>
#include <utility>

#include "kiln/types.h"

namespace kiln::inline v0::frontend {

// Of the exception that is being handled. What std throws, out of memory aside, is left as it is.
[[noreturn]] void translate(std::string_view function, Where where);

// What a public function does with devices, files and plans.
template <class Body>
decltype(auto) translated(std::string_view function, Where where, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (...) {
    translate(function, where);
  }
}

}  // namespace kiln::inline v0::frontend
