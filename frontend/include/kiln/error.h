// What is thrown. what() holds the message, the user's line, the operands' dtypes, shapes, names
// and the lines that made them, and at the end what to do ("try: ...").
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "kiln/types.h"

#pragma GCC visibility push(default)
namespace kiln {
inline namespace v0 {

struct Error : std::runtime_error {
  using runtime_error::runtime_error;
  Where where{};  // the user's line; file is null where there is none
};
// A mistake in the call: shapes, dtypes, axes, indices, values that do not fit.
struct UserError : Error {
  using Error::Error;
};
// A copy between host and device in a scope with Transfers::forbid.
struct TransferForbidden : UserError {
  using UserError::UserError;
};
// An operation made a NaN in a scope with Nan::trap; `where` is its line.
struct NanTrapped : UserError {
  using UserError::UserError;
  std::vector<std::int64_t> index;  // of the first such element of the operation's result
};
// A file that cannot be read or written, or is malformed.
struct IoError : Error {
  using Error::Error;
};
// A device is missing, lost or refused something; a kernel did not compile.
struct DeviceError : Error {
  using Error::Error;
};
// `where` is the evaluation's line, or the call's.
struct OutOfMemory : DeviceError {
  using DeviceError::DeviceError;
  std::int64_t asked = 0, free = 0;  // bytes
  std::int64_t limit = 0;            // of the device: bytes that arrays may take at once
  std::string array;  // what the memory was for: a label, else an expression; "" if not known
  Where made{};       // the line that made the array
};
// A bug of this library; `reproducer` is the path of a text file that repeats it, if one was
// written.
struct InternalError : Error {
  using Error::Error;
  std::string reproducer;
};

}  // namespace v0
}  // namespace kiln
#pragma GCC visibility pop
