// Loading a module: places for its variables, code for its functions.

#include <algorithm>

#include "tests/cudasim/exec/decode.h"
#include "tests/cudasim/exec/decoder.h"

namespace cudasim {
namespace {

U64 align_up(U64 value, U64 unit) { return (value + unit - 1) / unit * unit; }

U64 place(const Variable& variable, U64& end) {
  const U64 at = align_up(end, variable.align);
  end = at + variable.bytes;
  if (end > 0x7fffffff) throw LoadError{variable.line, "the variables of a function are too large"};
  return at;
}

bool uses_module_shared(const Module& module, const Operand& operand) {
  if (operand.kind == Operand::Kind::kModuleVar) {
    const Variable& variable = module.variables[operand.index];
    return variable.space == Space::kShared && !variable.external;
  }
  return std::any_of(operand.parts.begin(), operand.parts.end(),
                     [&](const Operand& part) { return uses_module_shared(module, part); });
}

// A kernel that calls may reach any function's use of the module's shared variables.
bool may_use_module_shared(const Module& module, const Function& function) {
  for (const Statement& statement : function.body) {
    if (statement.opcode.substr(0, 4) == "call") return true;
    for (const Operand& operand : statement.operands) {
      if (uses_module_shared(module, operand)) return true;
    }
  }
  return false;
}

// Shared variables of the module and of its device functions first, a kernel's own behind them.
U64 lay_out_shared(const Module& module, Layout& layout) {
  U64 end = 0;
  for (std::size_t i = 0; i < module.variables.size(); ++i) {
    const Variable& variable = module.variables[i];
    layout.module_offsets.push_back(0);
    if (variable.space != Space::kShared || variable.external) continue;
    layout.module_offsets[i] = place(variable, end);
  }
  for (std::size_t f = 0; f < module.functions.size(); ++f) {
    const Function& function = module.functions[f];
    for (std::size_t i = 0; i < function.variables.size() && !function.entry; ++i) {
      if (function.variables[i].space != Space::kShared) continue;
      layout.function_offsets[f][i] = place(function.variables[i], end);
    }
  }
  return end;
}

void lay_out_function(const Function& function, U64 shared_start, std::vector<U64>& offsets,
                      Code& code) {
  U64 local = 0;
  U64 parameters = 0;
  U64 launch = 0;
  U64 shared = shared_start;
  for (std::size_t i = 0; i < function.variables.size(); ++i) {
    const Variable& variable = function.variables[i];
    const bool kernel_parameter = function.entry && i < function.parameter_count;
    if (variable.space == Space::kLocal) {
      offsets[i] = place(variable, local);
    } else if (variable.space == Space::kParam) {
      offsets[i] = place(variable, kernel_parameter ? launch : parameters);
    } else if (variable.space == Space::kShared && function.entry) {
      offsets[i] = place(variable, shared);
    }
  }
  code.local_bytes = static_cast<U32>(align_up(local, 16));
  code.parameter_bytes = static_cast<U32>(align_up(parameters, 16));
  code.launch_bytes = static_cast<U32>(launch);
  code.static_shared = static_cast<U32>(shared);
  code.parameter_offsets.assign(offsets.begin(), offsets.end());
}

void write_initial(const Program& program, const Layout& layout, std::size_t index) {
  const Variable& variable = program.module->variables[index];
  U8* data = reinterpret_cast<U8*>(program.addresses[index]);
  std::memset(data, 0, variable.bytes);
  if (!variable.initial.empty())
    std::memcpy(data, variable.initial.data(), variable.initial.size());
  for (const Relocation& relocation : variable.relocations) {
    U64 value = 0;
    const auto function = layout.functions.find(relocation.symbol);
    if (function != layout.functions.end()) {
      value = kFunctionTag | (function->second + 1);
    } else {
      const auto& variables = program.module->variables;
      const auto found = std::find_if(variables.begin(), variables.end(), [&](const Variable& v) {
        return v.name == relocation.symbol;
      });
      if (found == variables.end()) {
        throw LoadError{variable.line, "unknown symbol " + std::string(relocation.symbol)};
      }
      value = program.addresses[static_cast<std::size_t>(found - variables.begin())];
    }
    value += static_cast<U64>(relocation.addend);
    std::memcpy(data + relocation.offset, &value, std::min(8u, type_bytes(variable.type)));
  }
}

void place_variables(Program& program, Memory& memory) {
  for (const Variable& variable : program.module->variables) {
    program.addresses.push_back(0);
    if (variable.space != Space::kGlobal && variable.space != Space::kConst) continue;
    if (variable.external) {
      throw LoadError{variable.line,
                      "external variable " + std::string(variable.name) + " is defined nowhere"};
    }
    const U64 address = memory.allocate(variable.bytes, AllocationKind::kModule);
    if (address == 0) throw LoadError{variable.line, "no memory for the module's variables"};
    program.addresses.back() = address;
    memory.mark_initialised(address, variable.bytes);
  }
}

void decode_functions(Program& program, Layout& layout) {
  const Module& module = *program.module;
  program.codes.resize(module.functions.size());
  for (U32 i = 0; i < module.functions.size(); ++i) {
    layout.functions[module.functions[i].name] = i;
    layout.function_offsets.emplace_back(module.functions[i].variables.size(), 0);
  }
  const U64 module_shared = lay_out_shared(module, layout);
  for (std::size_t i = 0; i < module.functions.size(); ++i) {
    const Function& function = module.functions[i];
    program.codes[i].function = &function;
    const bool behind = function.entry && may_use_module_shared(module, function);
    lay_out_function(function, behind ? module_shared : 0, layout.function_offsets[i],
                     program.codes[i]);
  }
  for (U32 i = 0; i < module.functions.size(); ++i) {
    Code& code = program.codes[i];
    if (module.functions[i].defined) {
      Decoder(program, layout, i, code).run();
    } else if (module.functions[i].name == "vprintf") {
      code.builtin = Builtin::kPrintf;
    } else if (module.functions[i].name == "__assertfail") {
      code.builtin = Builtin::kAssertFail;
    }
    program.has_atomics = program.has_atomics || code.has_atomics;
    program.narrow_shared = program.narrow_shared || code.narrow_shared;
  }
}

}  // namespace

int Program::find_entry(std::string_view name) const {
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const Function& function = *codes[i].function;
    if (function.entry && function.defined && function.name == name) return static_cast<int>(i);
  }
  return -1;
}

std::vector<ParameterInfo> kernel_parameters(const Code& code) {
  std::vector<ParameterInfo> result;
  for (U32 i = 0; i < code.function->parameter_count; ++i) {
    result.push_back(
        {code.parameter_offsets[i], static_cast<U32>(code.function->variables[i].bytes)});
  }
  return result;
}

std::unique_ptr<Program> load_program(std::string_view source, Memory& memory) {
  auto program = std::make_unique<Program>();
  program->module = parse_module(source);
  try {
    place_variables(*program, memory);
    Layout layout;
    decode_functions(*program, layout);
    for (std::size_t i = 0; i < program->addresses.size(); ++i) {
      if (program->addresses[i] != 0) write_initial(*program, layout, i);
    }
  } catch (...) {
    unload_program(*program, memory);
    throw;
  }
  return program;
}

void unload_program(Program& program, Memory& memory) {
  for (U64& address : program.addresses) {
    if (address != 0) memory.release(address);
    address = 0;
  }
}

}  // namespace cudasim
