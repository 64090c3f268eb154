// From parsed PTX to executable code: every statement becomes one instruction, with small helper
// instructions before and after it where an operand is an address, a special register, a negated
// predicate or a register wider than the instruction's type.
#pragma once

#include <memory>
#include <string_view>

#include "tests/cudasim/exec/machine.h"

namespace cudasim {

// Parses, places the module's variables in memory, decodes. Throws LoadError; memory is then as
// before.
std::unique_ptr<Program> load_program(std::string_view source, Memory& memory);
void unload_program(Program& program, Memory& memory);

// Kernel parameters as they are laid out in Launch::parameters.
struct ParameterInfo {
  U32 offset;
  U32 bytes;
};
std::vector<ParameterInfo> kernel_parameters(const Code& code);

}  // namespace cudasim
