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
#include <llvm/Transforms/Utils.h>

#include <algorithm>
#include <string>

#include "ir/error.h"
#include "ir/per_thread.h"

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
void add_ir_passes(llvm::legacy::PassManagerBase& passes, llvm::TargetMachine& machine) {
  passes.add(llvm::createTargetTransformInfoWrapperPass(machine.getTargetIRAnalysis()));
  passes.add(llvm::createSROAPass());
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

llvm::AnalysisID id_of(llvm::Pass* made) { return std::unique_ptr<llvm::Pass>(made)->getPassID(); }

// Lets passes through to `to`, less those of strength reduction: passes over LLVM IR are added as
// objects, which TargetPassConfig cannot be told to leave out.
class WithoutStrengthReduction final : public llvm::legacy::PassManagerBase {
 public:
  explicit WithoutStrengthReduction(llvm::legacy::PassManagerBase& to) : to_(to) {}
  void add(llvm::Pass* pass) override {
    std::unique_ptr<llvm::Pass> owned(pass);
    const llvm::AnalysisID id = pass->getPassID();
    if (std::find(std::begin(ids_), std::end(ids_), id) == std::end(ids_)) to_.add(owned.release());
  }

 private:
  llvm::legacy::PassManagerBase& to_;
  llvm::AnalysisID ids_[2] = {id_of(llvm::createLoopStrengthReducePass()),
                              id_of(llvm::createCanonicalizeFreezeInLoopsPass())};
};

}  // namespace

// What TargetMachine::addPassesToEmitFile adds, less the passes left out.
struct Generator::Emission {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream{bytes};
  llvm::legacy::PassManager passes;  // writes to `stream`

  Emission(compat::CodeGenMachine& machine, Loops loops, compat::FileType file_type) {
    add_ir_passes(passes, machine);
    WithoutStrengthReduction filter(passes);
    llvm::legacy::PassManagerBase& all = passes;
    llvm::TargetPassConfig* config = machine.createPassConfig(loops == Loops::plain ? filter : all);
    config->setDisableVerify(true);
    leave_out_passes(*config);
    passes.add(config);
    auto* info = new llvm::MachineModuleInfoWrapperPass(&machine);  // owned by `passes`
    passes.add(info);
    bool failed = config->addISelPasses();
    if (!failed) {
      config->addMachinePasses();
      config->setInitialized();
      failed =
          machine.addAsmPrinter(passes, stream, nullptr, file_type, info->getMMI().getContext());
    }
    ir::internal_check(!failed, "llvm: the target emits no such file");
    passes.add(llvm::createFreeMachineFunctionPass());
  }

  llvm::ArrayRef<char> run(llvm::Module& module) {
    bytes.clear();
    passes.run(module);
    return bytes;
  }
};

Generator::Generator(const CpuTarget& target) : target_(target), machine_(make_machine(target)) {}
Generator::~Generator() = default;

Generator& Generator::of_thread(const CpuTarget& target) {
  std::unique_ptr<Generator>& kept = ir::per_thread<std::unique_ptr<Generator>>();
  if (!kept || !(kept->target_ == target)) kept = std::make_unique<Generator>(target);
  return *kept;
}

void Generator::run_ir_passes(llvm::Module& module) {
  llvm::legacy::PassManager passes;
  add_ir_passes(passes, *machine_);
  passes.run(module);
}

llvm::ArrayRef<char> Generator::object(llvm::Module& module, Loops loops) {
  std::unique_ptr<Emission>& emission = objects_[static_cast<std::size_t>(loops)];
  if (!emission) {
    emission = std::make_unique<Emission>(static_cast<compat::CodeGenMachine&>(*machine_), loops,
                                          compat::kObjectFile);
  }
  return emission->run(module);
}

std::string Generator::assembly(llvm::Module& module, Loops loops) {
  Emission emission(static_cast<compat::CodeGenMachine&>(*machine_), loops, compat::kAssemblyFile);
  const llvm::ArrayRef<char> text = emission.run(module);
  return {text.begin(), text.end()};
}

}  // namespace kiln::codegen
