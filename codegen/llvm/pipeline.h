// From a module to a file: the passes, and the target machines they run on.
#pragma once
#include <llvm/IR/Module.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>

#include "codegen/llvm.h"
#include "codegen/llvm/compat.h"

namespace kiln::codegen {

// The calling thread's machine for `target`: making one takes as long as compiling a small kernel,
// and one must not be used by two threads at once. Valid until the thread's next call.
llvm::TargetMachine& machine_for(const CpuTarget& target);

// Runs the passes over LLVM IR. `locals`: the kernel has local arrays, to be turned into registers.
void run_ir_passes(llvm::Module& module, llvm::TargetMachine& machine, bool locals);

// Runs them and code generation; appends the file to `out`.
void emit_file(llvm::Module& module, llvm::TargetMachine& machine, bool locals,
               compat::FileType file_type, llvm::raw_pwrite_stream& out);

}  // namespace kiln::codegen
