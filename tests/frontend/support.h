// What the tests of the public API share.
#pragma once
#include <gtest/gtest.h>
#include <kiln/kiln.h>

#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

namespace kiln_tests {

namespace kn = kiln;

// Runs a body on every device that computes here; failures name the device.
template <class Body>
void on_each_device(Body body) {
  for (const kn::Device& device : {kn::cpu(), kn::interpreter()}) {
    SCOPED_TRACE(device.name());
    const kn::Scope scope({.device = device});
    body();
  }
}

template <class T>
std::vector<T> values(const kn::Array& x) {
  return x.to_vector<T>();
}

inline std::string text(const kn::Array& x) {
  std::ostringstream out;
  out << x;
  return out.str();
}

// The message of the UserError (or E) that the body throws; its line in *line.
template <class E = kn::UserError, class Body>
std::string message_of(Body body, int* line = nullptr) {
  try {
    body();
  } catch (const E& error) {
    if (line != nullptr) *line = error.where.line;
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "threw another error: " << error.what();
    return "";
  }
  ADD_FAILURE() << "did not throw";
  return "";
}

inline void expect_contains(const std::string& whole, const std::string& part) {
  EXPECT_NE(whole.find(part), std::string::npos) << "\"" << part << "\" is not in:\n" << whole;
}

}  // namespace kiln_tests
