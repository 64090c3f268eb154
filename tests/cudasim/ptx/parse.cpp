#include <algorithm>
#include <bit>

#include "tests/cudasim/ptx/parser.h"

namespace cudasim {
namespace {

constexpr U64 kMaxVariableBytes = U64{1} << 32;
constexpr std::size_t kMaxInitializer = std::size_t{1} << 26;

}  // namespace

std::vector<std::string_view> split_dots(std::string_view word) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  while (begin <= word.size()) {
    const std::size_t end = std::min(word.find('.', begin), word.size());
    if (end > begin) parts.push_back(word.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

bool parse_space(std::string_view word, Space& space) {
  if (word == "global") {
    space = Space::kGlobal;
  } else if (word == "const") {
    space = Space::kConst;
  } else if (word == "shared") {
    space = Space::kShared;
  } else if (word == "local") {
    space = Space::kLocal;
  } else if (word == "param") {
    space = Space::kParam;
  } else {
    return false;
  }
  return true;
}

const Function* Module::find_function(std::string_view name) const {
  for (const Function& function : functions) {
    if (function.name == name) return &function;
  }
  return nullptr;
}

std::string_view Module::line_text(U32 line) const {
  std::string_view rest = source;
  for (U32 i = 1; i < line; ++i) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return {};
    rest.remove_prefix(end + 1);
  }
  rest = rest.substr(0, rest.find('\n'));
  const std::size_t first = rest.find_first_not_of(" \t\r");
  return first == std::string_view::npos ? std::string_view{} : rest.substr(first);
}

std::unique_ptr<Module> parse_module(std::string_view source) {
  auto module = std::make_unique<Module>();
  module->source = std::string(source);
  Parser(*module).run();
  return module;
}

const Token& Parser::peek(std::size_t ahead) const {
  return tokens_[std::min(pos_ + ahead, tokens_.size() - 1)];
}

const Token& Parser::take() {
  const Token& token = peek();
  if (pos_ + 1 < tokens_.size()) ++pos_;
  return token;
}

bool Parser::at_punct(char c) const {
  return peek().kind == Token::Kind::kPunct && peek().punct == c;
}

bool Parser::at_word(std::string_view text) const {
  return peek().kind == Token::Kind::kWord && peek().text == text;
}

bool Parser::take_punct(char c) {
  if (!at_punct(c)) return false;
  take();
  return true;
}

bool Parser::take_word(std::string_view text) {
  if (!at_word(text)) return false;
  take();
  return true;
}

void Parser::expect_punct(char c) {
  if (!take_punct(c)) fail(std::string("expected '") + c + "'");
}

std::string_view Parser::expect_word() {
  if (peek().kind != Token::Kind::kWord) fail("expected a name");
  return take().text;
}

U64 Parser::expect_integer() {
  if (peek().kind != Token::Kind::kInteger) fail("expected an integer");
  return take().value;
}

S64 Parser::signed_integer() {
  const bool minus = take_punct('-');
  const U64 value = expect_integer();
  return static_cast<S64>(minus ? U64{0} - value : value);
}

void Parser::fail(const std::string& message) const {
  const Token& token = peek();
  std::string text = message;
  if (token.kind == Token::Kind::kEnd) {
    text += ", found the end of the text";
  } else {
    text += ", found '" + std::string(token.text.substr(0, 60)) + "'";
  }
  throw LoadError{token.line, text};
}

void Parser::skip_line(U32 line) {
  while (peek().kind != Token::Kind::kEnd && peek().line == line) take();
}

void Parser::skip_braces() {
  expect_punct('{');
  for (U32 depth = 1; depth > 0;) {
    if (peek().kind == Token::Kind::kEnd) fail("expected '}'");
    if (at_punct('{')) ++depth;
    if (at_punct('}')) --depth;
    take();
  }
}

void Parser::run() {
  while (peek().kind != Token::Kind::kEnd) module_item();
  if (module_.version == 0) throw LoadError{1, "there is no .version directive"};
  if (module_.target == 0) throw LoadError{1, "there is no .target directive"};
}

void Parser::module_item() {
  const std::string_view word = peek().kind == Token::Kind::kWord ? peek().text : "";
  if (word == ".version" || word == ".target" || word == ".address_size") {
    take();
    header_directive(word);
  } else if (word == ".file") {
    file_directive();
  } else if (word == ".section") {
    take();
    expect_word();
    skip_braces();
  } else if (word == ".pragma") {
    while (!take_punct(';')) {
      if (peek().kind == Token::Kind::kEnd) fail("expected ';'");
      take();
    }
  } else if (!word.empty() && word.front() == '.') {
    linkage_item();
  } else if (!take_punct(';')) {
    fail("expected a directive");
  }
}

void Parser::header_directive(std::string_view word) {
  if (word == ".version") {
    if (peek().kind != Token::Kind::kFloat64) fail("expected a version such as 8.0");
    const double value = std::bit_cast<double>(take().value);
    if (!(value >= 1 && value < 100)) fail("the .version is not known");
    module_.version = static_cast<U32>(value * 10 + 0.5);
  } else if (word == ".target") {
    std::string_view name = expect_word();
    if (name.substr(0, 3) != "sm_") fail("expected a target such as sm_80");
    U32 number = 0;
    for (char c : name.substr(3)) {
      if (c < '0' || c > '9') break;
      number = number * 10 + static_cast<U32>(c - '0');
      if (number > 10000) fail("the target is not known");
    }
    if (number == 0) fail("the target is not known");
    module_.target = number;
    while (take_punct(',')) expect_word();
  } else if (expect_integer() != 64) {
    throw LoadError{peek().line, "only .address_size 64 is supported"};
  }
}

void Parser::file_directive() {
  const U32 line = take().line;
  const U64 number = expect_integer();
  if (peek().kind != Token::Kind::kString) fail("expected a file name");
  std::string_view path = take().text;
  module_.files.emplace_back(static_cast<U32>(number), path.substr(1, path.size() - 2));
  skip_line(line);
}

// [.extern|.visible|.weak|.common] then .func, .entry or a variable.
void Parser::linkage_item() {
  bool external = false;
  for (;;) {
    const Token& start = peek();
    if (start.kind != Token::Kind::kWord) fail("expected a declaration");
    std::vector<std::string_view> words = split_dots(take().text);
    while (!words.empty() && (words[0] == "extern" || words[0] == "visible" || words[0] == "weak" ||
                              words[0] == "common")) {
      external = external || words[0] == "extern";
      words.erase(words.begin());
    }
    if (words.empty()) continue;
    Space space{};
    if (words[0] == "func" || words[0] == "entry") {
      function(words[0] == "entry");
    } else if (parse_space(words[0], space) && space != Space::kParam && space != Space::kLocal) {
      words.erase(words.begin());
      module_variable(space, external, std::move(words));
    } else {
      throw LoadError{start.line, "unknown directive '" + std::string(start.text) + "'"};
    }
    return;
  }
}

void Parser::module_variable(Space space, bool external, std::vector<std::string_view> words) {
  Variable variable = variable_head(space, words);
  for (;;) {
    Variable one = variable;
    one.external = external;
    one.line = peek().line;
    one.name = expect_word();
    variable_tail(one);
    module_names_[one.name] = static_cast<U32>(module_.variables.size());
    module_.variables.push_back(std::move(one));
    if (!take_punct(',')) break;
  }
  expect_punct(';');
}

// `.align 4 .ptr .global .b8`: attributes in any order, then the type. `words` are directive parts
// already taken.
Variable Parser::variable_head(Space space, std::vector<std::string_view>& words) {
  Variable variable;
  variable.space = space;
  bool typed = false;
  bool pointer = false;
  std::size_t next = 0;
  for (;;) {
    if (next == words.size()) {
      if (peek().kind != Token::Kind::kWord || peek().text.front() != '.') break;
      words = split_dots(take().text);
      next = 0;
      continue;
    }
    const std::string_view word = words[next++];
    Space pointee{};
    if (word == "align") {
      const U64 align = expect_integer();
      if (align == 0 || align > 1024 || (align & (align - 1)) != 0) fail("bad alignment");
      if (!pointer) variable.align = static_cast<U32>(align);
    } else if (word == "ptr") {
      pointer = true;
    } else if (word == "managed" || (pointer && parse_space(word, pointee))) {
      continue;
    } else if (const auto type = parse_type(word); type && !typed) {
      variable.type = *type;
      variable.align = std::max(variable.align, type_bytes(*type));
      typed = true;
    } else {
      fail("unknown attribute ." + std::string(word));
    }
  }
  if (!typed || variable.type == Type::kPred) fail("a variable has no type");
  return variable;
}

void Parser::variable_tail(Variable& variable) {
  U64 count = 1;
  while (take_punct('[')) {
    if (take_punct(']')) {
      count = 0;
      continue;
    }
    const U64 extent = expect_integer();
    expect_punct(']');
    if (extent > kMaxVariableBytes || count * extent > kMaxVariableBytes) {
      fail("a variable is too large");
    }
    count *= extent;
  }
  variable.bytes = count * type_bytes(variable.type);
  if (variable.bytes > kMaxVariableBytes) fail("a variable is too large");
  if (take_punct('=')) initializer(variable);
}

void Parser::initializer(Variable& variable) {
  U64 offset = 0;
  if (!at_punct('{')) {
    initializer_item(variable, offset);
    return;
  }
  U32 depth = 0;
  do {
    if (take_punct('{')) {
      ++depth;
    } else if (take_punct('}')) {
      --depth;
      take_punct(',');
    } else {
      initializer_item(variable, offset);
      if (!at_punct('}')) expect_punct(',');
    }
  } while (depth > 0);
  if (variable.bytes == 0) variable.bytes = offset;
}

void Parser::initializer_item(Variable& variable, U64& offset) {
  const unsigned size = type_bytes(variable.type);
  if ((variable.bytes != 0 && offset + size > variable.bytes) || offset > kMaxInitializer) {
    fail("an initialiser is longer than its variable");
  }
  U64 value = 0;
  const bool generic = take_word("generic");
  if (generic) expect_punct('(');
  if (peek().kind == Token::Kind::kWord) {
    const std::string_view symbol = take().text;
    const S64 addend = take_punct('+') ? signed_integer() : 0;
    variable.relocations.push_back({offset, symbol, addend});
  } else {
    const bool minus = take_punct('-');
    const Token& token = take();
    if (token.kind != Token::Kind::kInteger && token.kind != Token::Kind::kFloat32 &&
        token.kind != Token::Kind::kFloat64) {
      throw LoadError{token.line, "an initialiser is not a number"};
    }
    value = minus ? U64{0} - token.value : token.value;
  }
  if (generic) expect_punct(')');
  variable.initial.resize(offset + size);
  for (unsigned i = 0; i < size; ++i)
    variable.initial[offset + i] = static_cast<U8>(value >> 8 * i);
  offset += size;
}

void Parser::function(bool entry) {
  Function function;
  function.entry = entry;
  function.line = peek().line;
  scopes_.clear();
  scopes_.push_back({0, {}, {}});
  std::vector<Variable> results;
  if (at_punct('(')) {
    parameter_list(function, true);
    results.swap(function.variables);
  }
  function.name = expect_word();
  if (at_punct('(')) parameter_list(function, false);
  function.parameter_count = static_cast<U32>(function.variables.size());
  function.result_count = static_cast<U32>(results.size());
  for (Variable& result : results) function.variables.push_back(std::move(result));
  for (U32 i = 0; i < function.variables.size(); ++i) {
    scopes_.back().variables[function.variables[i].name] = i;
  }
  function_attributes(function);
  if (at_punct('{')) {
    function.defined = true;
    body(function);
  } else {
    expect_punct(';');
  }
  for (Function& known : module_.functions) {
    if (known.name != function.name) continue;
    if (known.defined && function.defined) {
      throw LoadError{function.line,
                      "function " + std::string(function.name) + " is defined twice"};
    }
    if (function.defined) known = std::move(function);
    return;
  }
  module_.functions.push_back(std::move(function));
}

void Parser::parameter_list(Function& function, bool results) {
  expect_punct('(');
  if (take_punct(')')) return;
  do {
    const Token& token = peek();
    std::vector<std::string_view> words = split_dots(expect_word());
    if (words.empty() || (words[0] != "param" && words[0] != "reg")) {
      throw LoadError{token.line, "a parameter is not in .param space"};
    }
    words.erase(words.begin());
    Variable variable = variable_head(Space::kParam, words);
    variable.name = expect_word();
    variable.line = token.line;
    variable_tail(variable);
    function.variables.push_back(std::move(variable));
  } while (take_punct(','));
  expect_punct(')');
  if (results && function.variables.size() > 1) fail("a function has several results");
}

void Parser::function_attributes(Function& function) {
  while (peek().kind == Token::Kind::kWord && peek().text.front() == '.') {
    const std::string_view word = take().text;
    U32 values[3] = {1, 1, 1};
    U32 count = 0;
    while (peek().kind == Token::Kind::kInteger && count < 3) {
      values[count++] = static_cast<U32>(take().value);
      if (!take_punct(',')) break;
    }
    if (word == ".maxntid" || word == ".reqntid") {
      if (count == 0) fail("expected a block extent");
      std::copy_n(values, 3, word == ".maxntid" ? function.max_threads : function.required_threads);
    } else if (word == ".maxnreg") {
      function.max_registers = values[0];
    } else if (word == ".pragma") {
      take();
      expect_punct(';');
    } else if (word != ".minnctapersm" && word != ".maxnctapersm" && word != ".noreturn" &&
               word != ".maxclusterrank" && word != ".reqnctapercluster" &&
               word != ".explicitcluster" && word != ".blocksareclusters") {
      fail("unknown attribute " + std::string(word));
    }
  }
}

}  // namespace cudasim
