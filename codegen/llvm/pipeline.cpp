#include "codegen/llvm/pipeline.h"

#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/CodeGen/MachineModuleInfo.h>
#include <llvm/CodeGen/Passes.h>
#include <llvm/CodeGen/TargetPassConfig.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetOptions.h>
#include <llvm/Transforms/Scalar.h>

#include <memory>
#include <string>

#include "ir/error.h"

namespace kiln::codegen {
namespace {

// LLVM's registry of targets is process-wide; filled once, read-only afterwards.
void register_host() {
  static const bool done = [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    return true;
  }();
  (void)done;
}

std::unique_ptr<llvm::TargetMachine> make_machine(const CpuTarget& target) {
  register_host();
  const std::string triple = llvm::sys::getProcessTriple();
  std::string error;
  const llvm::Target* found = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!found) ir::internal_error("llvm: " + error);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  std::unique_ptr<llvm::TargetMachine> machine(
      found->createTargetMachine(triple, target.cpu, target.features, options, llvm::Reloc::PIC_,
                                 llvm::CodeModel::Small, compat::kOptimize));
  ir::internal_check(machine != nullptr, "llvm: no code generator for this machine");
  return machine;
}

// Without the target's cost model passes would ask a generic one, and split what the target can do.
void add_ir_passes(llvm::legacy::PassManager& passes, llvm::TargetMachine& machine, bool locals) {
  passes.add(llvm::createTargetTransformInfoWrapperPass(machine.getTargetIRAnalysis()));
  if (locals) passes.add(llvm::createSROAPass());
  passes.add(llvm::createEarlyCSEPass());
}

// Passes of code generation that find nothing in kernels: no debug information, exceptions, patch
// points or subregister lanes; one hot loop, whose branches are laid out by block placement.
void leave_out_passes(llvm::TargetPassConfig& config) {
  const void* const ids[] = {
      &llvm::DetectDeadLanesID,
      &llvm::EarlyIfConverterID,
      &llvm::EarlyTailDuplicateID,
      &llvm::FEntryInserterID,
      &llvm::FixupStatepointCallerSavedID,
      &llvm::FuncletLayoutID,
      &llvm::InitUndefID,
      &llvm::LiveDebugValuesID,
      &llvm::LiveRangeShrinkID,
      &llvm::LocalStackSlotAllocationID,
      &llvm::MachineCombinerID,
      &llvm::MachineLateInstrsCleanupID,
      &llvm::MachineSanitizerBinaryMetadataID,
      &llvm::OptimizePHIsID,
      &llvm::PatchableFunctionID,
      &llvm::PostRAMachineSinkingID,
      &llvm::PostRASchedulerID,
      &llvm::RemoveRedundantDebugValuesID,
      &llvm::RenameIndependentSubregsID,
      &llvm::ShrinkWrapID,
      &llvm::StackColoringID,
      &llvm::StackFrameLayoutAnalysisPassID,
      &llvm::StackMapLivenessID,
      &llvm::StackSlotColoringID,
      &llvm::TailDuplicateID,
      &llvm::XRayInstrumentationID,
  };
  for (const void* id : ids) config.disablePass(id);
}

}  // namespace

llvm::TargetMachine& machine_for(const CpuTarget& target) {
  struct Kept {
    CpuTarget target;
    std::unique_ptr<llvm::TargetMachine> machine;
  };
  thread_local Kept kept;
  if (!kept.machine || !(kept.target == target)) {
    kept.machine = make_machine(target);
    kept.target = target;
  }
  return *kept.machine;
}

void run_ir_passes(llvm::Module& module, llvm::TargetMachine& machine, bool locals) {
  llvm::legacy::PassManager passes;
  add_ir_passes(passes, machine, locals);
  passes.run(module);
}

// What TargetMachine::addPassesToEmitFile does, less the passes left out.
void emit_file(llvm::Module& module, llvm::TargetMachine& machine, bool locals,
               compat::FileType file_type, llvm::raw_pwrite_stream& out) {
  auto& generator = static_cast<compat::CodeGenMachine&>(machine);
  llvm::legacy::PassManager passes;
  add_ir_passes(passes, machine, locals);
  llvm::TargetPassConfig* config = generator.createPassConfig(passes);
  config->setDisableVerify(true);
  leave_out_passes(*config);
  passes.add(config);
  auto* info = new llvm::MachineModuleInfoWrapperPass(&generator);  // owned by `passes`
  passes.add(info);
  bool failed = config->addISelPasses();
  if (!failed) {
    config->addMachinePasses();
    config->setInitialized();
    failed = generator.addAsmPrinter(passes, out, nullptr, file_type, info->getMMI().getContext());
  }
  ir::internal_check(!failed, "llvm: the target emits no such file");
  passes.add(llvm::createFreeMachineFunctionPass());
  passes.run(module);
}

}  // namespace kiln::codegen
