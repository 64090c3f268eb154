// The host's features and the entry points of codegen/llvm.h.
#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "codegen/llvm.h"
#include "codegen/llvm/compat.h"
#include "codegen/llvm/emit.h"
#include "codegen/llvm/pipeline.h"
#include "ir/error.h"

namespace kiln::codegen {
namespace {

bool has_feature(const CpuTarget& target, std::string_view name) {
  const std::string wanted = "+" + std::string(name);
  const std::string list = "," + target.features + ",";
  return list.find("," + wanted + ",") != std::string::npos;
}

// Width and support follow from features, never from the processor's name: a virtual machine may
// report another model than it is.
void classify(CpuTarget& target, const llvm::Triple& triple) {
  if (triple.isAArch64()) {
    target.vector_bytes = 16;
    return;
  }
  if (triple.getArch() != llvm::Triple::x86_64) {
    target.unsupported = "generated code needs x86-64 or AArch64, this is " + triple.str();
    return;
  }
  for (const char* needed : {"avx2", "fma", "f16c", "bmi", "bmi2", "lzcnt", "popcnt"}) {
    if (!has_feature(target, needed)) {
      target.unsupported = std::string("generated code needs the processor feature ") + needed;
      return;
    }
  }
  bool wide = true;
  for (const char* needed : {"avx512f", "avx512bw", "avx512dq", "avx512vl"}) {
    wide = wide && has_feature(target, needed);
  }
  target.vector_bytes = wide ? 64 : 32;
}

std::string verification(const llvm::Module& module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (!llvm::verifyModule(module, &stream)) return {};
  stream.flush();
  return text.empty() ? "malformed module" : text;
}

bool has_locals(const ir::Kernel& kernel) {
  return std::any_of(kernel.memories.begin(), kernel.memories.end(),
                     [](const ir::Memory& m) { return m.space == ir::Space::local; });
}

struct Unit {
  std::unique_ptr<llvm::LLVMContext> context = std::make_unique<llvm::LLVMContext>();
  llvm::TargetMachine* machine = nullptr;
  std::unique_ptr<llvm::Module> module;
  bool locals = false;
};

Unit make_unit(const ir::Kernel& kernel, const CpuTarget& target, ir::Labels labels, bool verify) {
  Unit unit;
  unit.context->setDiscardValueNames(labels == ir::Labels::no);
  unit.machine = &machine_for(target);
  unit.locals = has_locals(kernel);
  unit.module = std::make_unique<llvm::Module>(labels == ir::Labels::no ? "kernel" : kernel.name,
                                               *unit.context);
  compat::set_triple(*unit.module, unit.machine->getTargetTriple());
  unit.module->setDataLayout(unit.machine->createDataLayout());
  KernelEmitter(kernel, *unit.machine, target.vector_bytes, *unit.module).run();
  if (verify) {
    const std::string wrong = verification(*unit.module);
    if (!wrong.empty()) ir::internal_error("llvm: kernel " + kernel.name + ": " + wrong);
  }
  return unit;
}

llvm::SmallVector<char, 0> file(Unit& unit, compat::FileType type) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  emit_file(*unit.module, *unit.machine, unit.locals, type, stream);
  return bytes;
}

#ifdef NDEBUG
constexpr bool kVerify = false;
#else
constexpr bool kVerify = true;
#endif

void require(const CpuTarget& target) {
  if (target.vector_bytes <= 0) ir::internal_error("llvm: " + target.unsupported);
}

}  // namespace

CpuTarget host_target() {
  CpuTarget target;
  target.cpu = llvm::sys::getHostCPUName().str();
  std::vector<std::string> features;
  for (const auto& feature : compat::host_features()) {
    features.push_back((feature.second ? "+" : "-") + feature.first().str());
  }
  std::sort(features.begin(), features.end());
  for (const std::string& feature : features) {
    target.features += (target.features.empty() ? "" : ",") + feature;
  }
  classify(target, llvm::Triple(llvm::sys::getProcessTriple()));
  return target;
}

std::string_view llvm_version() { return "llvm " LLVM_VERSION_STRING " kiln 1"; }

ir::KernelSource llvm_object(const ir::Kernel& kernel, const CpuTarget& target) {
  require(target);
  Unit unit = make_unit(kernel, target, ir::Labels::no, kVerify);
  const llvm::SmallVector<char, 0> bytes = file(unit, compat::kObjectFile);
  ir::KernelSource source;
  source.name = kEntrySymbol;
  source.object.resize(bytes.size());
  std::memcpy(source.object.data(), bytes.data(), bytes.size());
  return source;
}

std::string llvm_ir(const ir::Kernel& kernel, const CpuTarget& target) {
  require(target);
  Unit unit = make_unit(kernel, target, ir::Labels::yes, true);
  run_ir_passes(*unit.module, *unit.machine, unit.locals);
  std::string text;
  llvm::raw_string_ostream stream(text);
  unit.module->print(stream, nullptr);
  stream.flush();
  return text;
}

std::string assembly(const ir::Kernel& kernel, const CpuTarget& target) {
  require(target);
  Unit unit = make_unit(kernel, target, ir::Labels::yes, true);
  const llvm::SmallVector<char, 0> bytes = file(unit, compat::kAssemblyFile);
  return {bytes.begin(), bytes.end()};
}

}  // namespace kiln::codegen
