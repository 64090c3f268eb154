// libFuzzer target: no text may crash the PTX front end or the decoder; a bad one is a LoadError.

#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

#include "tests/cudasim/exec/decode.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static cudasim::Memory memory(std::size_t{64} << 20);
  try {
    auto program =
        cudasim::load_program(std::string_view(reinterpret_cast<const char*>(data), size), memory);
    cudasim::unload_program(*program, memory);
  } catch (const cudasim::LoadError&) {
  }
  return 0;
}
