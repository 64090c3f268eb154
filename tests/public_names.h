// The functions that the public headers declare, read from the headers' text: tables that must have
// a row for each of them are compared with this, so that a new function turns them red.
//
// Names are as a caller says them, of members with the class: "sum", "operator+", "Array::item",
// "Array::Array", "Array::operator()". Left out: what is private or deleted, destructors, and
// functions that are defaulted.
#pragma once
#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace kiln_tests {

class HeaderReader {
 public:
  explicit HeaderReader(const std::string& text) { split(text); }
  // The names declared in namespace kiln.
  std::set<std::string> names() {
    while (at_ < tokens_.size()) declaration("", true);
    return names_;
  }

 private:
  static bool is_word(const std::string& token) {
    return !token.empty() &&
           (std::isalpha(static_cast<unsigned char>(token[0])) || token[0] == '_');
  }

  // Words and single characters; no comments, directives or literals.
  void split(const std::string& text) {
    for (std::size_t i = 0; i < text.size();) {
      const char c = text[i];
      if (text.compare(i, 2, "//") == 0 || (c == '#' && (i == 0 || text[i - 1] == '\n'))) {
        i = std::min(text.find('\n', i), text.size());
      } else if (text.compare(i, 2, "/*") == 0) {
        i = std::min(text.find("*/", i) + 2, text.size());
      } else if (c == '"' || (c == '\'' &&
                              (i == 0 || !std::isalnum(static_cast<unsigned char>(text[i - 1]))))) {
        for (++i; i < text.size() && text[i] != c; ++i) i += text[i] == '\\' ? 1 : 0;
        ++i;
        tokens_.push_back("0");
      } else if (std::isalnum(static_cast<unsigned char>(c)) || c == '_') {
        std::size_t end = i;
        while (end < text.size() &&
               (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '_'))
          ++end;
        tokens_.push_back(text.substr(i, end - i));
        i = end;
      } else {
        if (!std::isspace(static_cast<unsigned char>(c))) tokens_.emplace_back(1, c);
        ++i;
      }
    }
  }

  const std::string& peek(std::size_t ahead = 0) const {
    static const std::string kEnd;
    return at_ + ahead < tokens_.size() ? tokens_[at_ + ahead] : kEnd;
  }
  bool take(const char* token) {
    if (peek() != token) return false;
    ++at_;
    return true;
  }
  // From an opening bracket to behind the one that closes it.
  void skip_brackets(const std::string& open, const std::string& close) {
    int depth = 0;
    do {
      if (peek() == open) ++depth;
      if (peek() == close) --depth;
      ++at_;
    } while (depth > 0 && at_ < tokens_.size());
  }
  void skip_prefixes() {
    for (;;) {
      if (peek() == "template" && peek(1) == "<") {
        ++at_;
        skip_brackets("<", ">");
      } else if (peek() == "requires") {
        ++at_;
        if (peek() == "(") {
          skip_brackets("(", ")");
        } else {  // a concept of arguments
          while (is_word(peek()) || peek() == ":") ++at_;
          skip_brackets("<", ">");
        }
      } else if (peek() == "[" && peek(1) == "[") {
        skip_brackets("[", "]");
      } else {
        return;
      }
    }
  }

  void declaration(const std::string& scope, bool hidden) {
    skip_prefixes();
    if (take(";") || at_ >= tokens_.size()) return;
    if (peek() == "namespace" || (peek() == "inline" && peek(1) == "namespace")) {
      return name_space(hidden);
    }
    if (peek() == "static_assert" || peek() == "using" || peek() == "enum") {
      while (at_ < tokens_.size() && peek() != ";") {
        if (peek() == "{") {
          skip_brackets("{", "}");
        } else {
          ++at_;
        }
      }
      take(";");
      return;
    }
    if (peek() == "class" || peek() == "struct") return type(scope, hidden);
    member(scope, hidden);
  }

  // What is in other namespaces, or in the library's own, is hidden.
  void name_space(bool hidden) {
    bool own = hidden;
    for (; peek() != "{" && peek() != ";"; ++at_) {
      if (peek() == "kiln") own = false;
      if (peek() == "frontend" || peek() == "std") own = true;
    }
    if (take(";")) return;
    ++at_;
    while (at_ < tokens_.size() && !take("}")) declaration("", own);
  }

  void type(const std::string& scope, bool hidden) {
    bool shown = take("struct");
    if (!shown) take("class");
    while (peek() == "[") skip_brackets("[", "]");
    const std::string name = peek();
    while (peek() != "{" && peek() != ";" && at_ < tokens_.size()) ++at_;
    if (take(";")) return;
    ++at_;
    while (at_ < tokens_.size() && !take("}")) {
      if (peek(1) == ":" && (peek() == "public" || peek() == "private" || peek() == "protected")) {
        shown = peek() == "public";
        at_ += 2;
        continue;
      }
      skip_prefixes();
      const bool is_friend = take("friend");
      if (is_friend && (peek() == "class" || peek() == "struct")) {
        while (!take(";")) ++at_;
        continue;
      }
      // A friend is a function of the namespace, wherever it is declared.
      if (is_friend) {
        member("", hidden);
      } else {
        declaration(scope + name + "::", hidden || !shown);
      }
    }
    while (at_ < tokens_.size() && !take(";")) ++at_;
  }

  // A function, or a variable. `first`: its first token.
  void member(const std::string& scope, bool hidden) {
    const std::size_t first = at_;
    std::string name;
    bool list = false, dropped = false, value = false, function = false;
    while (at_ < tokens_.size()) {
      skip_prefixes();
      const std::string token = peek();
      if (token == ";") {
        ++at_;
        break;
      }
      if (token == "(" && !function && !value) {
        function = true;
        name = name_before(first, scope);
      }
      if (token == "(" || token == "[") {
        skip_brackets(token, token == "(" ? ")" : "]");
        continue;
      }
      if (token == "{") {
        const bool initialiser = !function || (list && is_word(tokens_[at_ - 1]));
        skip_brackets("{", "}");
        if (initialiser) continue;
        break;
      }
      if (token == ":" && peek(1) != ":" && tokens_[at_ - 1] == ")") list = true;
      if (token == "=" && (peek(1) == "delete" || peek(1) == "default")) dropped = true;
      const bool sign = at_ > 0 && (tokens_[at_ - 1] == "operator" ||
                                    (at_ > 1 && tokens_[at_ - 2] == "operator"));
      value = value || (token == "=" && !sign);
      ++at_;
    }
    if (!name.empty() && !dropped && !hidden) names_.insert(scope + name);
  }

  // What the parenthesis at at_ gives arguments to; nothing if that is no function.
  std::string name_before(std::size_t first, const std::string& scope) const {
    std::size_t from = at_;
    while (from > first && tokens_[from - 1] != "operator") --from;
    if (from > first) {  // operator+, operator bool; operator() has its own parenthesis here
      std::string sign;
      for (std::size_t i = from; i < at_; ++i)
        sign += (is_word(tokens_[i]) ? " " : "") + tokens_[i];
      return "operator" + (sign.empty() ? "()" : sign);
    }
    const std::string word = at_ > first ? tokens_[at_ - 1] : "";
    if (!is_word(word)) return "";
    const bool qualified = at_ > first + 2 && tokens_[at_ - 2] == ":";
    if (qualified || (at_ > first + 1 && tokens_[at_ - 2] == "~")) return "";
    const bool constructor = scope.size() > word.size() + 1 &&
                             scope.compare(scope.size() - word.size() - 2, word.size(), word) == 0;
    return at_ == first + 1 && !constructor ? "" : word;
  }

  std::vector<std::string> tokens_;
  std::size_t at_ = 0;
  std::set<std::string> names_;
};

// Of all public headers of the tree.
inline std::set<std::string> public_names() {
  std::set<std::string> names;
  const std::filesystem::path folder =
      std::filesystem::path(KILN_SOURCE_DIR) / "frontend/include/kiln";
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    std::ostringstream text;
    text << std::ifstream(file.path()).rdbuf();
    names.merge(HeaderReader(text.str()).names());
  }
  return names;
}

}  // namespace kiln_tests
