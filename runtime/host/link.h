// Object-file bytes of one CPU kernel -> a function of this process: a small linker for the
// relocatable ELF files that codegen makes (x86-64 and AArch64), without any library.
//
// The bytes may come from a cache: whatever they are, the outcome is a callable entry or an
// InternalError. (Damage inside the machine code itself cannot be seen here: whoever stores objects
// keeps a checksum.) Memory is written before it is made executable, never both at once.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "ir/kernel.h"

namespace kiln::runtime {

struct UnmapPages {
  std::size_t size = 0;
  void operator()(std::byte* pages) const;
};

// Owns the code. Movable; the entry is valid as long as it lives.
class LinkedObject {
 public:
  using Entry = void (*)(const ir::KernelArg* args, std::int64_t begin, std::int64_t end);
  using Memory = std::unique_ptr<std::byte, UnmapPages>;

  LinkedObject() = default;
  LinkedObject(Memory memory, Entry function) : memory_(std::move(memory)), entry_(function) {}

  Entry entry() const { return memory_ ? entry_ : nullptr; }  // null: default-made or moved from

 private:
  Memory memory_;
  Entry entry_ = nullptr;
};

// Maps the object and finds `kiln_kernel`. The object may refer to memcpy, memmove and memset, and
// to nothing else outside itself. Thread-safe.
LinkedObject link(std::span<const std::byte> object);

}  // namespace kiln::runtime
