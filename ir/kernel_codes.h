// Private to ir: the facts of each instruction code, shared by print, parse, verify and interpret.
#pragma once
#include <iterator>

#include "ir/kernel.h"

namespace kiln::ir {

// How Inst::imm is written.
enum class ImmKind : std::uint8_t {
  number,  // #5, left out when 0
  bits,    // 0x3f800000
  param,   // p2
  memory,  // m1
  opener,  // left out when it is the innermost open scope, else #5
};

struct CodeInfo {
  std::string_view name;
  ImmKind imm;
  std::uint8_t least_args, most_args;
  bool value;  // the instruction gives a value
  bool pure;   // depends on operands alone: allowed in a rare region
};

inline constexpr CodeInfo kCodes[] = {
    {"constant", ImmKind::bits, 0, 0, true, true},
    {"param", ImmKind::param, 0, 0, true, true},
    {"op", ImmKind::number, 1, 3, true, true},  // written by the operation's name
    {"load", ImmKind::memory, 1, 3, true, false},
    {"store", ImmKind::memory, 2, 3, false, false},
    {"grid", ImmKind::number, 0, 0, true, false},
    {"thread", ImmKind::number, 0, 0, true, false},
    {"loop", ImmKind::number, 3, 3, true, false},
    {"if", ImmKind::number, 1, 1, false, false},
    {"else", ImmKind::opener, 0, 0, false, false},
    {"end", ImmKind::opener, 0, 0, false, false},
    {"rare", ImmKind::number, 1, 1, false, true},
    {"end_rare", ImmKind::number, 3, 3, true, true},
    {"splat", ImmKind::number, 1, 1, true, true},
    {"lane", ImmKind::number, 0, 0, true, true},
    {"extract", ImmKind::number, 1, 1, true, true},
    {"join", ImmKind::number, 2, 2, true, true},
    {"even", ImmKind::number, 1, 1, true, true},
    {"odd", ImmKind::number, 1, 1, true, true},
    {"barrier", ImmKind::number, 0, 0, false, false},
    {"shuffle", ImmKind::number, 2, 2, true, false},
    {"any", ImmKind::number, 1, 1, true, true},
    {"prefetch", ImmKind::memory, 1, 1, false, false},
};
static_assert(std::size(kCodes) == static_cast<std::size_t>(Code::prefetch) + 1);

constexpr const CodeInfo& info(Code code) { return kCodes[static_cast<int>(code)]; }
constexpr bool opens_scope(Code code) {
  return code == Code::grid || code == Code::thread || code == Code::loop || code == Code::if_;
}
constexpr bool closes_scope(Code code) { return code == Code::end || code == Code::end_rare; }
// Whether the depth of the text falls before, and rises after, an instruction.
constexpr bool dedents(Code code) {
  return code == Code::end || code == Code::else_ || code == Code::end_rare;
}
constexpr bool indents(Code code) {
  return opens_scope(code) || code == Code::else_ || code == Code::rare;
}

inline constexpr std::string_view kTargetNames[] = {"cpu", "cuda"};
inline constexpr std::string_view kParamKindNames[] = {"buffer", "integer", "scalar"};
inline constexpr std::string_view kSpaceNames[] = {"global", "local", "shared"};
struct FlagName {
  std::uint8_t flag;
  std::string_view name;
};
inline constexpr FlagName kFlagNames[] = {{kAligned, "aligned"}, {kNonTemporal, "nontemporal"}};

// Operands in use: those before the last that is not kNoValue.
inline int arg_count(const Inst& inst) {
  int count = static_cast<int>(inst.args.size());
  while (count > 0 && inst.args[static_cast<std::size_t>(count) - 1] == kNoValue) --count;
  return count;
}

}  // namespace kiln::ir
