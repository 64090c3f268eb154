// Mixing for the hash tables of a process; keys that outlive it are hashed elsewhere.
#pragma once
#include <cstdint>

namespace kiln::ir {

constexpr std::uint64_t mix(std::uint64_t h, std::uint64_t v) {
  h = (h ^ v) * 0x9E3779B97F4A7C15u;
  return h ^ (h >> 29);
}

}  // namespace kiln::ir
