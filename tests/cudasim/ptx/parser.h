// The recursive-descent parser behind parse_module: parse.cpp has declarations, parse_body.cpp
// function bodies. Grammar and scopes are bounded, so hostile text costs time linear in its length.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tests/cudasim/ptx/module.h"

namespace cudasim {

class Parser {
 public:
  explicit Parser(Module& module) : module_(module), tokens_(tokenize(module.source)) {}
  void run();

 private:
  struct Scope {
    U32 id;
    std::unordered_map<std::string, U32> registers;
    std::unordered_map<std::string_view, U32> variables;
  };

  // Cursor.
  const Token& peek(std::size_t ahead = 0) const;
  const Token& take();
  bool at_punct(char c) const;
  bool at_word(std::string_view text) const;
  bool take_punct(char c);
  bool take_word(std::string_view text);
  void expect_punct(char c);
  std::string_view expect_word();
  U64 expect_integer();
  S64 signed_integer();
  [[noreturn]] void fail(const std::string& message) const;
  void skip_line(U32 line);
  void skip_braces();

  // Declarations (parse.cpp).
  void module_item();
  void header_directive(std::string_view word);
  void file_directive();
  void linkage_item();
  void function(bool entry);
  void function_attributes(Function& function);
  void parameter_list(Function& function, bool results);
  Variable variable_head(Space space, std::vector<std::string_view>& words);
  void variable_tail(Variable& variable);
  void initializer(Variable& variable);
  void initializer_item(Variable& variable, U64& offset);
  void module_variable(Space space, bool external, std::vector<std::string_view> words);

  // Bodies (parse_body.cpp).
  void body(Function& function);
  void body_item(Function& function);
  void directive(Function& function);
  void loc_directive();
  void register_declaration(Function& function, std::vector<std::string_view> words);
  void declare_register(Function& function, const std::string& name, Type type);
  void body_variable(Function& function, Space space, std::vector<std::string_view> words);
  void prototype();
  void instruction(Function& function);
  Operand operand(const Function& function);
  Operand primary(const Function& function);
  Operand address(const Function& function);
  Operand list(const Function& function, char close, Operand::Kind kind);
  Operand immediate(bool minus);
  Operand named(std::string_view word);
  void push_scope(Function& function);

  Module& module_;
  std::vector<Token> tokens_;
  std::size_t pos_ = 0;
  std::unordered_map<std::string_view, U32> module_names_;
  std::vector<Scope> scopes_;
  U32 source_line_ = 0;
  U32 source_file_ = 0;
  U32 nesting_ = 0;
};

// "a.b.c" or ".a.b" to its parts, without empty ones.
std::vector<std::string_view> split_dots(std::string_view word);

// The space a directive such as "shared" declares variables in; false for other words.
bool parse_space(std::string_view word, Space& space);

}  // namespace cudasim
