// PTX text to tokens. A word takes the dots of an opcode or a special register with it
// ("ld.global.nc.f32", "%tid.x", ".reg.b16"), because PTX puts no space inside them and some
// compilers leave out the space after a directive.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/cudasim/ptx/types.h"

namespace cudasim {

// A module that cannot be loaded: malformed text, an unknown opcode, a missing symbol.
struct LoadError {
  U32 line;
  std::string message;
};

struct Token {
  enum class Kind : U8 { kWord, kInteger, kFloat32, kFloat64, kString, kPunct, kEnd };
  Kind kind = Kind::kEnd;
  char punct = 0;         // kPunct: the character
  U32 line = 0;           // counted from 1
  U64 value = 0;          // kInteger: the value; floats: the bits
  std::string_view text;  // into the source
};

// The tokens of the source, ended by a kEnd token. Throws LoadError.
std::vector<Token> tokenize(std::string_view source);

}  // namespace cudasim
