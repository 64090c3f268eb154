// Object-file bytes of one CPU kernel -> a function of this process. With KILN_LLVM only.
//
// The bytes may come from a cache: whatever they are, the outcome is a callable entry or an
// InternalError. (Damage inside the machine code itself cannot be seen here: whoever stores objects
// keeps a checksum.) Memory is written before it is made executable, never both at once.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "ir/kernel.h"

namespace kiln::runtime {

// Owns the code. Movable; the entry is valid as long as it lives.
class LinkedObject {
 public:
  using Entry = void (*)(const ir::KernelArg* args, std::int64_t begin, std::int64_t end);
  struct Memory;  // the mapped code

  LinkedObject();
  LinkedObject(std::unique_ptr<Memory> memory, Entry function);
  LinkedObject(LinkedObject&&) noexcept;
  LinkedObject& operator=(LinkedObject&&) noexcept;
  ~LinkedObject();

  Entry entry() const { return entry_; }  // null only of a default-made object

 private:
  std::unique_ptr<Memory> memory_;
  Entry entry_ = nullptr;
};

// Maps the object and finds `kiln_kernel`. The object may refer to memcpy, memmove and memset, and to
// nothing else outside itself. Thread-safe.
LinkedObject link(std::span<const std::byte> object);

}  // namespace kiln::runtime
