#include "tests/cudasim/ptx/lexer.h"

#include <bit>
#include <cctype>
#include <charconv>
#include <cstdlib>

namespace cudasim {
namespace {

bool starts_word(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' || c == '%' ||
         c == '.';
}

bool continues_word(char c) {
  return starts_word(c) || std::isdigit(static_cast<unsigned char>(c)) != 0;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  std::vector<Token> run() {
    std::vector<Token> tokens;
    tokens.reserve(source_.size() / 4 + 1);
    for (;;) {
      skip_blank();
      if (at_end()) break;
      tokens.push_back(next());
    }
    Token end;
    end.line = line_;
    tokens.push_back(end);
    return tokens;
  }

 private:
  bool at_end() const { return pos_ >= source_.size(); }
  char peek(std::size_t ahead = 0) const {
    return pos_ + ahead < source_.size() ? source_[pos_ + ahead] : '\0';
  }

  void skip_blank() {
    while (!at_end()) {
      const char c = peek();
      if (c == '\n') {
        ++line_;
        ++pos_;
      } else if (c == ' ' || c == '\t' || c == '\r' || c == '\0') {
        ++pos_;
      } else if (c == '/' && peek(1) == '/') {
        while (!at_end() && peek() != '\n') ++pos_;
      } else if (c == '/' && peek(1) == '*') {
        skip_block_comment();
      } else {
        return;
      }
    }
  }

  void skip_block_comment() {
    const U32 start = line_;
    pos_ += 2;
    while (!(peek() == '*' && peek(1) == '/')) {
      if (at_end()) throw LoadError{start, "a comment is not closed"};
      if (peek() == '\n') ++line_;
      ++pos_;
    }
    pos_ += 2;
  }

  Token next() {
    const char c = peek();
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
    if (starts_word(c)) return word();
    if (c == '"') return string();
    Token token = make(Token::Kind::kPunct, pos_ + 1);
    token.punct = c;
    return token;
  }

  Token make(Token::Kind kind, std::size_t end) {
    Token token;
    token.kind = kind;
    token.line = line_;
    token.text = source_.substr(pos_, end - pos_);
    pos_ = end;
    return token;
  }

  Token word() {
    std::size_t end = pos_ + 1;
    bool dotted = source_[pos_] == '.';
    while (end < source_.size()) {
      if (continues_word(source_[end])) {
        dotted = dotted || source_[end] == '.';
        ++end;
      } else if (dotted && source_.substr(end, 2) == "::") {
        end += 2;
      } else {
        break;
      }
    }
    return make(Token::Kind::kWord, end);
  }

  Token string() {
    std::size_t end = pos_ + 1;
    while (end < source_.size() && source_[end] != '"') {
      if (source_[end] == '\n') throw LoadError{line_, "a string is not closed"};
      end += source_[end] == '\\' ? 2 : 1;
    }
    if (end >= source_.size()) throw LoadError{line_, "a string is not closed"};
    return make(Token::Kind::kString, end + 1);
  }

  Token number() {
    if (peek() == '0' && (peek(1) == 'f' || peek(1) == 'F') && is_hex(peek(2))) {
      return hex_float(Token::Kind::kFloat32, 8);
    }
    if (peek() == '0' && (peek(1) == 'd' || peek(1) == 'D') && is_hex(peek(2))) {
      return hex_float(Token::Kind::kFloat64, 16);
    }
    if (is_decimal_float()) return decimal_float();
    int base = 10;
    std::size_t begin = pos_;
    if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X')) {
      base = 16;
      begin += 2;
    } else if (peek() == '0' && (peek(1) == 'b' || peek(1) == 'B')) {
      base = 2;
      begin += 2;
    } else if (peek() == '0' && is_digit(peek(1))) {
      base = 8;
      begin += 1;
    }
    U64 value = 0;
    const char* last = source_.data() + source_.size();
    const auto result = std::from_chars(source_.data() + begin, last, value, base);
    if (result.ec != std::errc{}) throw LoadError{line_, "a number is malformed or too large"};
    std::size_t end = static_cast<std::size_t>(result.ptr - source_.data());
    if (end < source_.size() && source_[end] == 'U') ++end;
    if (end < source_.size() && continues_word(source_[end])) {
      throw LoadError{line_, "a number is followed by a letter"};
    }
    Token token = make(Token::Kind::kInteger, end);
    token.value = value;
    return token;
  }

  bool is_decimal_float() const {
    std::size_t end = pos_;
    while (end < source_.size() && is_digit(source_[end])) ++end;
    if (end >= source_.size()) return false;
    return source_[end] == '.' || source_[end] == 'e' || source_[end] == 'E';
  }

  Token hex_float(Token::Kind kind, std::size_t digits) {
    U64 value = 0;
    const char* first = source_.data() + pos_ + 2;
    std::size_t count = 0;
    while (count < digits && is_hex(peek(2 + count))) ++count;
    if (count != digits) throw LoadError{line_, "a hexadecimal float has too few digits"};
    std::from_chars(first, first + digits, value, 16);
    Token token = make(kind, pos_ + 2 + digits);
    token.value = value;
    return token;
  }

  Token decimal_float() {
    const std::string digits(source_.substr(pos_, 64));
    char* end = nullptr;
    const double value = std::strtod(digits.c_str(), &end);
    if (end == digits.c_str()) throw LoadError{line_, "a number is malformed"};
    const auto length = static_cast<std::size_t>(end - digits.c_str());
    Token token = make(Token::Kind::kFloat64, pos_ + length);
    token.value = std::bit_cast<U64>(value);
    return token;
  }

  std::string_view source_;
  std::size_t pos_ = 0;
  U32 line_ = 1;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) { return Lexer(source).run(); }

}  // namespace cudasim
