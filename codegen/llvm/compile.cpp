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

Loops loops_of(const ir::Kernel& kernel) {
  int depth = 0;
  for (const ir::Inst& inst : kernel.insts) {
    if (inst.code == ir::Code::loop) ++depth;
    if (inst.code == ir::Code::end) {
      const ir::Inst& opener = kernel.insts[static_cast<std::size_t>(inst.imm)];
      if (opener.code == ir::Code::loop) --depth;
    }
    const bool on_indices = inst.dtype == kernel.index && inst.lanes == 1;
    if (inst.code == ir::Code::op && on_indices && depth > 0) return Loops::computed;
  }
  return Loops::plain;
}

struct Unit {
  std::unique_ptr<llvm::LLVMContext> context = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::Module> module;
  Generator* generator = nullptr;
  Loops loops = Loops::plain;
};

Unit make_unit(const ir::Kernel& kernel, const CpuTarget& target, ir::Labels labels, bool verify) {
  Unit unit;
  unit.context->setDiscardValueNames(labels == ir::Labels::no);
  unit.generator = &Generator::of_thread(target);
  unit.module = std::make_unique<llvm::Module>(labels == ir::Labels::no ? "kernel" : kernel.name,
                                               *unit.context);
  llvm::TargetMachine& machine = unit.generator->machine();
  compat::set_triple(*unit.module, machine.getTargetTriple());
  unit.module->setDataLayout(machine.createDataLayout());
  KernelEmitter(kernel, machine, target.vector_bytes, *unit.module).run();
  unit.loops = loops_of(kernel);
  if (verify) {
    const std::string wrong = verification(*unit.module);
    if (!wrong.empty()) ir::internal_error("llvm: kernel " + kernel.name + ": " + wrong);
  }
  return unit;
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

std::string_view llvm_version() { return "llvm " LLVM_VERSION_STRING " kiln 3"; }

ir::KernelSource llvm_object(const ir::Kernel& kernel, const CpuTarget& target) {
  require(target);
  Unit unit = make_unit(kernel, target, ir::Labels::no, kVerify);
  const llvm::ArrayRef<char> bytes = unit.generator->object(*unit.module, unit.loops);
  ir::KernelSource source;
  source.name = kEntrySymbol;
  source.object.resize(bytes.size());
  std::memcpy(source.object.data(), bytes.data(), bytes.size());
  return source;
}

std::string llvm_ir(const ir::Kernel& kernel, const CpuTarget& target) {
  require(target);
  Unit unit = make_unit(kernel, target, ir::Labels::yes, true);
  unit.generator->run_ir_passes(*unit.module);
  std::string text;
  llvm::raw_string_ostream stream(text);
  unit.module->print(stream, nullptr);
  stream.flush();
  return text;
}

std::string assembly(const ir::Kernel& kernel, const CpuTarget& target) {
  require(target);
  Unit unit = make_unit(kernel, target, ir::Labels::yes, true);
  return unit.generator->assembly(*unit.module, unit.loops);
}

}  // namespace kiln::codegen
