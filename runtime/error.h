// What the runtime throws. The frontend translates these into the public error types, adding the
// user's line. Misuse of the runtime by its callers is ir::InternalError.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>

namespace kiln::runtime {

// A device is missing, lost or refused something; or a kernel did not compile. The message says
// what was looked for and where, or carries the compiler's log with numbered source lines.
struct DeviceError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct OutOfMemory : DeviceError {
  OutOfMemory(const std::string& device, std::int64_t asked_bytes, std::int64_t free_bytes);
  std::int64_t asked = 0;
  std::int64_t free = 0;  // at most this much could have been given, cached blocks included
};

struct IoError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace kiln::runtime
