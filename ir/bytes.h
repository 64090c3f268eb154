// Copies of a number of bytes that is known at run time only. An array without elements has no
// memory, and the C functions may not be given a null pointer even for no bytes.
#pragma once
#include <cstdint>
#include <cstring>

namespace kiln::ir {

inline void copy_bytes(void* to, const void* from, std::int64_t bytes) {
  if (bytes > 0) std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

// The two may overlap.
inline void move_bytes(void* to, const void* from, std::int64_t bytes) {
  if (bytes > 0) std::memmove(to, from, static_cast<std::size_t>(bytes));
}

inline void zero_bytes(void* to, std::int64_t bytes) {
  if (bytes > 0) std::memset(to, 0, static_cast<std::size_t>(bytes));
}

}  // namespace kiln::ir
