// What the runtime throws. The frontend translates these into the public error types, adding the
// user's line. Misuse of the runtime by its callers is ir::InternalError.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include "ir/graph.h"

namespace kiln::runtime {

// A device is missing, lost or refused something; or a kernel did not compile. The message says
// what was looked for and where, or carries the compiler's log with numbered source lines; the
// remedy what a user can do.
struct DeviceError : std::runtime_error {
  DeviceError(const std::string& message, std::string what_to_do)
      : std::runtime_error(message), remedy(std::move(what_to_do)) {}
  std::string remedy;
};

struct OutOfMemory : DeviceError {
  OutOfMemory(const std::string& device, std::int64_t asked_bytes, std::int64_t free_bytes,
              std::int64_t limit_bytes);
  std::int64_t asked = 0;
  std::int64_t free = 0;   // at most this much could have been given, cached blocks included
  std::int64_t limit = 0;  // of the device
  // Whose value the memory was for, as far as those who let the exception pass know: a node of the
  // graph that was planned, then words and the line that made it.
  static constexpr ir::NodeId kUnknown = ~ir::NodeId{0};
  ir::NodeId node = kUnknown;
  std::string array;
  ir::SourceLine made;
  bool interpreting = false;  // an interpretation, to which every value is one in memory
};

struct IoError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace kiln::runtime
