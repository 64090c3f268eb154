#include <bit>

#include "tests/cudasim/ptx/parser.h"

namespace cudasim {
namespace {

constexpr U32 kMaxRegisters = 1u << 20;
constexpr U32 kMaxNesting = 64;

struct SpecialRow {
  std::string_view name;
  SpecialRegister which;
};

constexpr SpecialRow kSpecials[] = {
    {"%tid.x", SpecialRegister::kTidX},
    {"%tid.y", SpecialRegister::kTidY},
    {"%tid.z", SpecialRegister::kTidZ},
    {"%ntid.x", SpecialRegister::kNtidX},
    {"%ntid.y", SpecialRegister::kNtidY},
    {"%ntid.z", SpecialRegister::kNtidZ},
    {"%ctaid.x", SpecialRegister::kCtaidX},
    {"%ctaid.y", SpecialRegister::kCtaidY},
    {"%ctaid.z", SpecialRegister::kCtaidZ},
    {"%nctaid.x", SpecialRegister::kNctaidX},
    {"%nctaid.y", SpecialRegister::kNctaidY},
    {"%nctaid.z", SpecialRegister::kNctaidZ},
    {"%laneid", SpecialRegister::kLaneid},
    {"%warpid", SpecialRegister::kWarpid},
    {"%nwarpid", SpecialRegister::kNwarpid},
    {"%smid", SpecialRegister::kSmid},
    {"%nsmid", SpecialRegister::kNsmid},
    {"%gridid", SpecialRegister::kGridid},
    {"%lanemask_eq", SpecialRegister::kLanemaskEq},
    {"%lanemask_lt", SpecialRegister::kLanemaskLt},
    {"%lanemask_le", SpecialRegister::kLanemaskLe},
    {"%lanemask_gt", SpecialRegister::kLanemaskGt},
    {"%lanemask_ge", SpecialRegister::kLanemaskGe},
    {"%clock", SpecialRegister::kClock},
    {"%clock_hi", SpecialRegister::kClockHi},
    {"%clock64", SpecialRegister::kClock64},
    {"%globaltimer", SpecialRegister::kGlobaltimer},
    {"%globaltimer_lo", SpecialRegister::kGlobaltimerLo},
    {"%globaltimer_hi", SpecialRegister::kGlobaltimerHi},
    {"%dynamic_smem_size", SpecialRegister::kDynamicSmemSize},
    {"%total_smem_size", SpecialRegister::kTotalSmemSize},
};

}  // namespace

void Parser::push_scope(Function& function) {
  const U32 id = static_cast<U32>(function.scope_parents.size());
  function.scope_parents.push_back(scopes_.back().id);
  scopes_.push_back({id, {}, {}});
}

void Parser::body(Function& function) {
  source_line_ = 0;
  source_file_ = 0;
  expect_punct('{');
  push_scope(function);
  const std::size_t outer = scopes_.size();
  for (;;) {
    if (take_punct('{')) {
      if (scopes_.size() - outer >= kMaxNesting) fail("scopes are nested too deeply");
      push_scope(function);
    } else if (at_punct('}')) {
      const bool last = scopes_.size() == outer;
      take();
      scopes_.pop_back();
      if (last) return;
    } else {
      body_item(function);
    }
  }
}

void Parser::body_item(Function& function) {
  if (take_punct(';')) return;
  if (at_punct('@')) return instruction(function);
  if (peek().kind != Token::Kind::kWord) fail("expected an instruction");
  if (peek().text.front() == '.') return directive(function);
  if (peek(1).kind == Token::Kind::kPunct && peek(1).punct == ':') {
    const std::string_view name = take().text;
    take();
    if (at_word(".callprototype")) return prototype();
    for (const Label& label : function.labels) {
      if (label.name == name && label.scope == scopes_.back().id) fail("a label is defined twice");
    }
    function.labels.push_back({name, scopes_.back().id, static_cast<U32>(function.body.size())});
    return;
  }
  instruction(function);
}

void Parser::directive(Function& function) {
  const Token& start = peek();
  std::vector<std::string_view> words = split_dots(start.text);
  if (words.empty()) fail("expected a directive");
  const std::string_view first = words[0];
  if (first == "loc") return loc_directive();
  take();
  Space space{};
  if (first == "reg") {
    words.erase(words.begin());
    register_declaration(function, std::move(words));
  } else if (parse_space(first, space)) {
    words.erase(words.begin());
    body_variable(function, space, std::move(words));
  } else if (first == "pragma") {
    if (peek().kind != Token::Kind::kString) fail("expected a string");
    take();
    expect_punct(';');
  } else {
    throw LoadError{start.line, "unknown directive '" + std::string(start.text) + "'"};
  }
}

void Parser::loc_directive() {
  const U32 line = take().line;
  source_file_ = static_cast<U32>(expect_integer());
  source_line_ = static_cast<U32>(expect_integer());
  skip_line(line);
}

void Parser::register_declaration(Function& function, std::vector<std::string_view> words) {
  while (words.empty()) words = split_dots(expect_word());
  if (words.size() != 1) fail("vector registers are not supported");
  const auto type = parse_type(words[0]);
  if (!type) fail("unknown register type ." + std::string(words[0]));
  do {
    const std::string name(expect_word());
    if (!take_punct('<')) {
      declare_register(function, name, *type);
      continue;
    }
    const U64 count = expect_integer();
    expect_punct('>');
    if (count > kMaxRegisters) fail("too many registers");
    for (U64 i = 0; i < count; ++i) declare_register(function, name + std::to_string(i), *type);
  } while (take_punct(','));
  expect_punct(';');
}

void Parser::declare_register(Function& function, const std::string& name, Type type) {
  if (function.registers.size() >= kMaxRegisters) fail("too many registers");
  scopes_.back().registers[name] = static_cast<U32>(function.registers.size());
  function.registers.push_back({name, type});
}

void Parser::body_variable(Function& function, Space space, std::vector<std::string_view> words) {
  const Variable head = variable_head(space, words);
  do {
    Variable variable = head;
    variable.line = peek().line;
    variable.name = expect_word();
    variable_tail(variable);
    if (space == Space::kGlobal || space == Space::kConst) {
      // A static of the function: it lives in the module, visible only in this scope.
      module_.variables.push_back(std::move(variable));
      scopes_.back().variables[module_.variables.back().name] =
          0x80000000u | static_cast<U32>(module_.variables.size() - 1);
    } else {
      scopes_.back().variables[variable.name] = static_cast<U32>(function.variables.size());
      function.variables.push_back(std::move(variable));
    }
  } while (take_punct(','));
  expect_punct(';');
}

// Call prototypes add nothing: the callee's own declaration says what is passed.
void Parser::prototype() {
  while (!take_punct(';')) {
    if (peek().kind == Token::Kind::kEnd) fail("expected ';'");
    take();
  }
}

void Parser::instruction(Function& function) {
  Statement statement;
  if (take_punct('@')) {
    statement.guarded = true;
    statement.guard_negated = take_punct('!');
    const Operand guard = primary(function);
    if (guard.kind != Operand::Kind::kRegister ||
        function.registers[guard.index].type != Type::kPred) {
      fail("a guard is not a predicate register");
    }
    statement.guard = guard.index;
  }
  statement.line = peek().line;
  statement.source_line = source_line_;
  statement.source_file = source_file_;
  statement.scope = scopes_.back().id;
  statement.opcode = expect_word();
  if (!at_punct(';')) {
    do {
      statement.operands.push_back(operand(function));
    } while (take_punct(','));
  }
  expect_punct(';');
  function.body.push_back(std::move(statement));
}

Operand Parser::operand(const Function& function) {
  Operand first = primary(function);
  if (!take_punct('|')) return first;
  Operand pair;
  pair.kind = Operand::Kind::kPair;
  pair.parts.push_back(std::move(first));
  pair.parts.push_back(primary(function));
  return pair;
}

Operand Parser::primary(const Function& function) {
  if (at_punct('[')) return address(function);
  if (at_punct('{')) return list(function, '}', Operand::Kind::kVector);
  if (at_punct('(')) return list(function, ')', Operand::Kind::kGroup);
  if (take_punct('!')) {
    Operand inner = primary(function);
    if (inner.kind != Operand::Kind::kRegister) fail("'!' stands before no predicate");
    inner.negated = true;
    return inner;
  }
  if (take_punct('-')) return immediate(true);
  if (peek().kind != Token::Kind::kWord) return immediate(false);
  const std::string_view word = take().text;
  Operand result = named(word);
  if (take_punct('+')) result.offset = signed_integer();
  return result;
}

Operand Parser::immediate(bool minus) {
  Operand result;
  const Token& token = take();
  result.value = token.value;
  switch (token.kind) {
    case Token::Kind::kInteger:
      result.kind = Operand::Kind::kInteger;
      if (minus) result.value = U64{0} - token.value;
      break;
    case Token::Kind::kFloat32:
      result.kind = Operand::Kind::kFloat32;
      if (minus) result.value ^= 0x80000000u;
      break;
    case Token::Kind::kFloat64:
      result.kind = Operand::Kind::kFloat64;
      if (minus) result.value ^= U64{1} << 63;
      break;
    default:
      throw LoadError{token.line,
                      "expected an operand, found '" + std::string(token.text.substr(0, 60)) + "'"};
  }
  return result;
}

Operand Parser::list(const Function& function, char close, Operand::Kind kind) {
  if (++nesting_ > kMaxNesting) fail("operands are nested too deeply");
  take();
  Operand result;
  result.kind = kind;
  if (!at_punct(close)) {
    do {
      result.parts.push_back(primary(function));
    } while (take_punct(','));
  }
  expect_punct(close);
  --nesting_;
  return result;
}

Operand Parser::address(const Function& function) {
  take();
  Operand result;
  result.kind = Operand::Kind::kAddress;
  if (at_punct('[') || at_punct('{') || at_punct('(') || at_punct('!')) fail("expected an address");
  Operand base = primary(function);
  result.offset = base.offset;
  base.offset = 0;
  result.parts.push_back(std::move(base));
  if (at_punct('-')) result.offset = signed_integer();
  expect_punct(']');
  return result;
}

Operand Parser::named(std::string_view word) {
  Operand result;
  result.name = word;
  if (word == "_") {
    result.kind = Operand::Kind::kSink;
    return result;
  }
  const std::string key(word);
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    if (const auto reg = scope->registers.find(key); reg != scope->registers.end()) {
      result.kind = Operand::Kind::kRegister;
      result.index = reg->second;
      return result;
    }
    if (const auto var = scope->variables.find(word); var != scope->variables.end()) {
      const bool in_module = (var->second & 0x80000000u) != 0;
      result.kind = in_module ? Operand::Kind::kModuleVar : Operand::Kind::kLocalVar;
      result.index = var->second & 0x7fffffffu;
      return result;
    }
  }
  if (const auto var = module_names_.find(word); var != module_names_.end()) {
    result.kind = Operand::Kind::kModuleVar;
    result.index = var->second;
    return result;
  }
  for (const SpecialRow& row : kSpecials) {
    if (row.name != word) continue;
    result.kind = Operand::Kind::kSpecial;
    result.index = static_cast<U32>(row.which);
    return result;
  }
  if (word == "WARP_SZ") {
    result.kind = Operand::Kind::kInteger;
    result.value = 32;
    return result;
  }
  if (word.front() == '%') fail("unknown register " + key);
  result.kind = Operand::Kind::kName;
  return result;
}

}  // namespace cudasim
