// What the tests of the public API share.
#pragma once
#include <gtest/gtest.h>
#include <kiln/kiln.h>

#include <cstdlib>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

namespace kiln_tests {

namespace kn = kiln;

// The device that the run is about (KILN_DEVICE, see .cmake/discover.cmake), else those that
// compute on every machine.
inline std::vector<kn::Device> tested_devices() {
  if (std::getenv("KILN_DEVICE") != nullptr) return {kn::default_device()};
  return {kn::cpu(), kn::interpreter()};
}

// The interpreter makes no plans and launches nothing: tests that count these are not about it.
inline bool interpreting() { return kn::default_device() == kn::interpreter(); }

// Runs a body on each of them; failures name the device.
template <class Body>
void on_each_device(Body body) {
  for (const kn::Device& device : tested_devices()) {
    SCOPED_TRACE(device.name());
    const kn::Scope scope({.device = device});
    body();
  }
}

// The elements as T, of whatever dtype; a failure where T does not hold one.
template <class T>
std::vector<T> values(const kn::Array& x) {
  if constexpr (!std::is_arithmetic_v<T>) {
    return x.to_vector<T>();
  } else {
    std::vector<T> result;
    const auto take = [&](const auto& wide) {
      for (const auto v : wide) {
        const T t = static_cast<T>(v);
        if (!std::is_floating_point_v<T>) {
          EXPECT_EQ(static_cast<std::decay_t<decltype(v)>>(t), v);
        }
        result.push_back(t);
      }
    };
    const std::string type(kn::name(x.dtype()));
    if (type.find("float") != std::string::npos) {
      take(x.to_vector<double>());
    } else if (x.dtype() == kn::uint64) {
      take(x.to_vector<std::uint64_t>());
    } else {
      take(x.to_vector<std::int64_t>());
    }
    return result;
  }
}

inline std::string text(const kn::Array& x) {
  std::ostringstream out;
  out << x;
  return out.str();
}

inline void expect_contains(const std::string& whole, const std::string& part) {
  EXPECT_NE(whole.find(part), std::string::npos) << "\"" << part << "\" is not in:\n" << whole;
}

// Every error says what to do, in its last line.
inline void expect_remedy(const std::string& message) {
  const std::size_t at = message.rfind("\n  try: ");
  ASSERT_NE(at, std::string::npos) << "nothing to try in:\n" << message;
  EXPECT_EQ(message.find('\n', at + 1), std::string::npos) << "lines behind the advice:\n"
                                                           << message;
  EXPECT_GT(message.size(), at + 12) << message;
}

// The message of the UserError (or E) that the body throws; its line in *line.
template <class E = kn::UserError, class Body>
std::string message_of(Body body, int* line = nullptr) {
  try {
    body();
  } catch (const E& error) {
    if (line != nullptr) *line = error.where.line;
    expect_remedy(error.what());
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "threw another error: " << error.what();
    return "";
  }
  ADD_FAILURE() << "did not throw";
  return "";
}

}  // namespace kiln_tests
