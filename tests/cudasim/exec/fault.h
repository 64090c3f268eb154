// What ends a launch early. A Fault is thrown by an instruction, and by nothing outside a launch.
#pragma once

#include <string>

#include "tests/cudasim/ptx/types.h"

namespace cudasim {

enum class FaultKind : U8 {
  kIllegalAddress,
  kMisaligned,
  kLaunchFailure,  // races, deadlocks, bad lanes, a trap, a spent budget
  kIllegalInstruction,
  kAssert,
  kStackOverflow,
};

struct Fault {
  FaultKind kind;
  std::string what;
  int lane = -1;  // -1: the warp as a whole
};

}  // namespace cudasim
