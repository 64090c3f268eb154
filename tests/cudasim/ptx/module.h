// A parsed PTX module: declarations, and function bodies as lists of statements whose names are
// resolved. Nothing here is executable yet; decode.h makes code of it.
//
// Lifetime: names are views into Module::source, which therefore never moves after parsing.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/cudasim/ptx/lexer.h"
#include "tests/cudasim/ptx/types.h"

namespace cudasim {

enum class Space : U8 { kGeneric, kGlobal, kConst, kShared, kLocal, kParam };

// One name for an address inside an initialiser: `.u64 table[2] = {f, g}`.
struct Relocation {
  U64 offset;
  std::string_view symbol;
  S64 addend;
};

struct Variable {
  std::string_view name;
  Space space = Space::kGlobal;
  Type type = Type::kB8;
  U64 bytes = 0;
  U32 align = 1;
  bool external = false;  // declared elsewhere, or the dynamic shared array
  U32 line = 0;
  std::vector<U8> initial;  // shorter than bytes: the rest is zero
  std::vector<Relocation> relocations;
};

struct Register {
  std::string name;
  Type type;
};

struct Operand {
  enum class Kind : U8 {
    kNone,
    kRegister,   // index into Function::registers
    kSpecial,    // index: SpecialRegister
    kInteger,    // value
    kFloat32,    // value: bits
    kFloat64,    // value: bits
    kLocalVar,   // index into Function::variables, offset
    kModuleVar,  // index into Module::variables, offset
    kName,       // a label, a function or a prototype: name
    kAddress,    // parts[0] + offset
    kVector,     // { parts }
    kGroup,      // ( parts )
    kPair,       // parts[0] | parts[1]
    kSink,       // _
  };
  Kind kind = Kind::kNone;
  bool negated = false;  // !p
  U32 index = 0;
  U64 value = 0;
  S64 offset = 0;
  std::string_view name;
  std::vector<Operand> parts;
};

struct Statement {
  std::string_view opcode;  // with all its suffixes
  U32 line = 0;
  U32 source_line = 0;  // of the CUDA file, 0 where unknown
  U32 source_file = 0;
  U32 scope = 0;  // where labels are looked up, see Function::scope_parents
  bool guarded = false;
  bool guard_negated = false;
  U32 guard = 0;  // a register
  std::vector<Operand> operands;
};

struct Label {
  std::string_view name;
  U32 scope;
  U32 statement;  // the index it stands before
};

struct Function {
  std::string_view name;
  bool entry = false;
  bool defined = false;
  U32 line = 0;
  std::vector<Variable> variables;  // parameters, then results, then what the body declares
  U32 parameter_count = 0;
  U32 result_count = 0;
  std::vector<Register> registers;
  std::vector<Statement> body;
  std::vector<Label> labels;
  std::vector<U32> scope_parents = {0};
  U32 max_threads[3] = {0, 0, 0};       // .maxntid, 0 where not given
  U32 required_threads[3] = {0, 0, 0};  // .reqntid
  U32 max_registers = 0;
};

struct Module {
  std::string source;
  U32 target = 0;   // sm_NN
  U32 version = 0;  // major * 10 + minor
  std::vector<Variable> variables;
  std::vector<Function> functions;
  std::vector<std::pair<U32, std::string>> files;  // .file number and path

  const Function* find_function(std::string_view name) const;
  // The text of a line, counted from 1, without leading blanks.
  std::string_view line_text(U32 line) const;
};

enum class SpecialRegister : U8 {
  kTidX,
  kTidY,
  kTidZ,
  kNtidX,
  kNtidY,
  kNtidZ,
  kCtaidX,
  kCtaidY,
  kCtaidZ,
  kNctaidX,
  kNctaidY,
  kNctaidZ,
  kLaneid,
  kWarpid,
  kNwarpid,
  kSmid,
  kNsmid,
  kGridid,
  kLanemaskEq,
  kLanemaskLt,
  kLanemaskLe,
  kLanemaskGt,
  kLanemaskGe,
  kClock,
  kClockHi,
  kClock64,
  kGlobaltimer,
  kGlobaltimerLo,
  kGlobaltimerHi,
  kDynamicSmemSize,
  kTotalSmemSize,
};

// Throws LoadError.
std::unique_ptr<Module> parse_module(std::string_view source);

}  // namespace cudasim
