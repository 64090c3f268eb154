// Kernel IR to native code by LLVM: explicit vectors, no optimisation pipeline beyond common
// subexpressions, object-file bytes that runtime links and caches. Pure: no device, no file, no
// state of ours; any number of threads may compile at once.
//
//   void kiln_kernel(const ir::KernelArg* args, int64_t begin, int64_t end)
//
// runs the grid items begin..end. args are in the order of Kernel::params. Pointers of different
// params never overlap where one of them is written, and what a kernel only reads is not written
// while it runs. The caller's floating-point state must round to nearest and keep denormals.
//
// The bits are those of ir::interpret (sign and payload of NaN aside): no fast-math flag, no
// contraction, transcendentals only from ir::expansion.
#pragma once
#include <string>
#include <string_view>

#include "ir/kernel.h"
#include "ir/plan.h"

namespace kiln::codegen {

inline constexpr std::string_view kEntrySymbol = "kiln_kernel";

struct CpuTarget {
  std::string cpu;       // LLVM's name: tuning; what may be executed is said by `features`
  std::string features;  // "+avx2,+fma,-avx512f": every feature LLVM knows of this architecture
  int vector_bytes =
      0;  // of a vector register; 0: no code can be made for this machine, because...
  std::string unsupported;  // ... of this
  bool operator==(const CpuTarget&) const = default;
};

// The machine this runs on, by its feature bits. Generated code needs AVX2, FMA and F16C on x86-64,
// or AArch64.
CpuTarget host_target();

// Version of LLVM and everything else besides kernel and target that decides the bytes: part of
// keys.
std::string_view llvm_version();

// Object-file bytes with the one global symbol kEntrySymbol. Throws ir::InternalError on an
// instruction that only CUDA has, on a malformed kernel, and on an unsupported target.
ir::KernelSource llvm_object(const ir::Kernel& kernel, const CpuTarget& target);

// For inspection: the module as it enters code generation, and the assembly. Names of values are
// the kernel's hints. Always checked by LLVM's verifier.
std::string llvm_ir(const ir::Kernel& kernel, const CpuTarget& target);
std::string assembly(const ir::Kernel& kernel, const CpuTarget& target);

}  // namespace kiln::codegen
