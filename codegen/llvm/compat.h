// What differs between versions of LLVM, in one place. Written for 19; 18 to 20 are spelled out.
#pragma once
#include <llvm/Config/llvm-config.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/IntrinsicsX86.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/CodeGen.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/TargetParser/Triple.h>
#if LLVM_VERSION_MAJOR >= 20
#include <llvm/CodeGen/CodeGenTargetMachineImpl.h>
#endif

#include <string>

namespace kiln::codegen::compat {

#if LLVM_VERSION_MAJOR >= 18
using FileType = llvm::CodeGenFileType;
inline constexpr auto kObjectFile = llvm::CodeGenFileType::ObjectFile;
inline constexpr auto kAssemblyFile = llvm::CodeGenFileType::AssemblyFile;
inline constexpr auto kOptimize = llvm::CodeGenOptLevel::Default;
#else
using FileType = llvm::CodeGenFileType;
inline constexpr auto kObjectFile = llvm::CGFT_ObjectFile;
inline constexpr auto kAssemblyFile = llvm::CGFT_AssemblyFile;
inline constexpr auto kOptimize = llvm::CodeGenOpt::Default;
#endif

// The machines that generate code, as opposed to those that only describe a target.
#if LLVM_VERSION_MAJOR >= 20
using CodeGenMachine = llvm::CodeGenTargetMachineImpl;
#else
using CodeGenMachine = llvm::LLVMTargetMachine;
#endif

inline llvm::StringMap<bool> host_features() {
#if LLVM_VERSION_MAJOR >= 19
  return llvm::sys::getHostCPUFeatures();
#else
  llvm::StringMap<bool> features;
  llvm::sys::getHostCPUFeatures(features);
  return features;
#endif
}

inline llvm::Function* intrinsic(llvm::Module& module, llvm::Intrinsic::ID id,
                                 llvm::ArrayRef<llvm::Type*> types) {
#if LLVM_VERSION_MAJOR >= 20
  return llvm::Intrinsic::getOrInsertDeclaration(&module, id, types);
#else
  return llvm::Intrinsic::getDeclaration(&module, id, types);
#endif
}

inline void set_triple(llvm::Module& module, const llvm::Triple& triple) {
#if LLVM_VERSION_MAJOR >= 21
  module.setTargetTriple(triple);
#else
  module.setTargetTriple(triple.str());
#endif
}

}  // namespace kiln::codegen::compat
