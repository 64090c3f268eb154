#include "runtime/host/link.h"

#include <llvm/ExecutionEngine/JITLink/JITLink.h>
#include <llvm/ExecutionEngine/JITLink/JITLinkMemoryManager.h>
#include <llvm/Support/MemoryBuffer.h>

#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "ir/error.h"

namespace kiln::runtime {

namespace jitlink = llvm::jitlink;
using Address = llvm::orc::ExecutorAddr;

struct LinkedObject::Memory {
  jitlink::InProcessMemoryManager* manager = nullptr;
  jitlink::JITLinkMemoryManager::FinalizedAlloc code;

  ~Memory() {
    if (code) llvm::consumeError(manager->deallocate(std::move(code)));
  }
};

LinkedObject::LinkedObject() = default;
LinkedObject::LinkedObject(std::unique_ptr<Memory> memory, Entry function)
    : memory_(std::move(memory)), entry_(function) {}
LinkedObject::LinkedObject(LinkedObject&&) noexcept = default;
LinkedObject& LinkedObject::operator=(LinkedObject&&) noexcept = default;
LinkedObject::~LinkedObject() = default;

namespace {

constexpr const char* kEntry = "kiln_kernel";

// Maps and unmaps pages; its state is guarded by a lock of its own.
jitlink::InProcessMemoryManager& memory_manager() {
  static const auto manager = [] {
    auto made = jitlink::InProcessMemoryManager::Create();
    if (!made) ir::internal_error("link: " + llvm::toString(made.takeError()));
    // Never destroyed: kernels may be released during the end of the process.
    return made->release();
  }();
  return *manager;
}

// What code generation may call: LLVM expands large copies and fills to these.
std::optional<Address> external(llvm::StringRef name) {
  if (name == "memcpy") return Address::fromPtr(&std::memcpy);
  if (name == "memmove") return Address::fromPtr(&std::memmove);
  if (name == "memset") return Address::fromPtr(&std::memset);
  return std::nullopt;
}

struct Outcome {
  std::optional<std::string> error;
  Address entry;
  jitlink::JITLinkMemoryManager::FinalizedAlloc code;
};

// JITLink trusts the places that relocations name; bytes from a disk deserve a check.
llvm::Error check_edges(jitlink::LinkGraph& graph) {
  constexpr std::size_t kWidestPatch = 8;
  for (const jitlink::Block* block : graph.blocks()) {
    for (const jitlink::Edge& edge : block->edges()) {
      if (edge.getKind() < jitlink::Edge::FirstRelocation) continue;
      const bool narrow = block->getSize() >= 4 && edge.getOffset() + 4 == block->getSize();
      if (block->isZeroFill() || (!narrow && edge.getOffset() + kWidestPatch > block->getSize())) {
        return llvm::make_error<jitlink::JITLinkError>("a relocation outside its section");
      }
    }
  }
  return llvm::Error::success();
}

class Context : public jitlink::JITLinkContext {
 public:
  explicit Context(Outcome& outcome) : JITLinkContext(nullptr), outcome_(outcome) {}

  jitlink::JITLinkMemoryManager& getMemoryManager() override { return memory_manager(); }

  void notifyFailed(llvm::Error error) override { outcome_.error = llvm::toString(std::move(error)); }

  void lookup(const LookupMap& symbols,
              std::unique_ptr<jitlink::JITLinkAsyncLookupContinuation> next) override {
    jitlink::AsyncLookupResult found;
    for (const auto& [name, flags] : symbols) {
      const std::optional<Address> address = external(name);
      if (!address) {
        next->run(llvm::make_error<jitlink::JITLinkError>("refers to " + name.str()));
        return;
      }
      found[name] = {*address, llvm::JITSymbolFlags::Exported};
    }
    next->run(std::move(found));
  }

  llvm::Error notifyResolved(jitlink::LinkGraph& graph) override {
    for (const jitlink::Symbol* symbol : graph.defined_symbols()) {
      if (symbol->hasName() && symbol->getName() == kEntry && symbol->isCallable()) {
        outcome_.entry = symbol->getAddress();
        return llvm::Error::success();
      }
    }
    return llvm::make_error<jitlink::JITLinkError>(std::string("defines no function ") + kEntry);
  }

  void notifyFinalized(jitlink::JITLinkMemoryManager::FinalizedAlloc code) override {
    outcome_.code = std::move(code);
  }

  llvm::Error modifyPassConfig(jitlink::LinkGraph&, jitlink::PassConfiguration& passes) override {
    passes.PrePrunePasses.insert(passes.PrePrunePasses.begin(), check_edges);
    return llvm::Error::success();
  }

 private:
  Outcome& outcome_;
};

}  // namespace

LinkedObject link(std::span<const std::byte> object) {
  const llvm::StringRef bytes(reinterpret_cast<const char*>(object.data()), object.size());
  auto graph = jitlink::createLinkGraphFromObject(llvm::MemoryBufferRef(bytes, "kernel"));
  if (!graph) ir::internal_error("link: not an object file: " + llvm::toString(graph.takeError()));
  Outcome outcome;
  jitlink::link(std::move(*graph), std::make_unique<Context>(outcome));
  auto memory = std::make_unique<LinkedObject::Memory>();
  memory->manager = &memory_manager();
  memory->code = std::move(outcome.code);
  if (outcome.error) ir::internal_error("link: the object " + *outcome.error);
  return {std::move(memory), outcome.entry.toPtr<LinkedObject::Entry>()};
}

}  // namespace kiln::runtime
