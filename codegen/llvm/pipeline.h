// From a module to a file: the passes, and the target machines they run on.
#pragma once
#include <llvm/ADT/ArrayRef.h>
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include <memory>
#include <vector>

#include "codegen/llvm.h"
#include "codegen/llvm/compat.h"

namespace kiln::codegen {

// Whether loops compute with their indices. Strength reduction is for those; where all accesses
// are at the loop's variable it finds nothing, for a quarter of the time of code generation.
enum class Loops : bool { plain, computed };

// Code generation for one target, used by one thread at a time. Machine and passes are made once
// (as long as compiling a small kernel, and a sixth of it) and run on one module after another;
// modules may be of different contexts, and an object's bytes do not depend on those before it.
class Generator {
 public:
  explicit Generator(const CpuTarget& target);
  ~Generator();
  // The calling thread's, valid until the thread's next call with another target.
  static Generator& of_thread(const CpuTarget& target);

  llvm::TargetMachine& machine() { return *machine_; }
  // Runs the passes over LLVM IR that stand before code generation.
  void run_ir_passes(llvm::Module& module);
  // Runs them and code generation; valid until the next call. The module is used up.
  llvm::ArrayRef<char> object(llvm::Module& module, Loops loops);
  std::string assembly(llvm::Module& module, Loops loops);

 private:
  struct Emission;
  CpuTarget target_;
  std::unique_ptr<llvm::TargetMachine> machine_;
  std::unique_ptr<Emission> objects_[2];  // by Loops; they hold the machine
};

}  // namespace kiln::codegen
