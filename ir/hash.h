// Mixing for the hash tables of a process, and a hash of text that is the same in every process.
// Keys on disk are hashed elsewhere.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kiln::ir {

constexpr std::uint64_t mix(std::uint64_t h, std::uint64_t v) {
  h = (h ^ v) * 0x9E3779B97F4A7C15u;
  return h ^ (h >> 29);
}

constexpr std::uint64_t hash_text(std::string_view text) {
  std::uint64_t h = text.size();
  for (std::size_t i = 0; i < text.size(); i += 8) {
    std::uint64_t word = 0;
    for (std::size_t j = i; j < i + 8 && j < text.size(); ++j)
      word = word << 8 | static_cast<unsigned char>(text[j]);
    h = mix(h, word);
  }
  return mix(mix(h, 0), 0);
}

}  // namespace kiln::ir
