// Private to ir: reading and writing the line-oriented text of both IRs.
//
// A line is words separated by blanks; ( ) [ ] / : = @ are words of their own; "..." is one word
// with the escapes \" \\ \n \xHH; a semicolon starts a comment that runs to the end of the line.
#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::ir {

class TextReader {
 public:
  explicit TextReader(std::string_view text) : rest_(text) {}

  // Goes to the next line that is not blank; the words of the one before must have been used up.
  // False at the end of the text.
  bool next_line();
  bool at_end_of_line() const { return position_ == words_.size(); }
  std::string_view peek() const {
    return at_end_of_line() ? std::string_view() : words_[position_];
  }
  std::string_view word();                 // fails at the end of the line
  bool accept(std::string_view expected);  // takes the word if it is this one
  void expect(std::string_view expected);
  std::int64_t integer();
  std::uint64_t bits();  // 0x...
  // A number behind a one-character prefix: s12, %3, #-1.
  std::int64_t prefixed(char prefix);
  // One that T holds: another is a mistake of the text, not a number modulo 2^32.
  template <class T>
  T number(char prefix) {
    return in_range<T>(prefixed(prefix), std::string(1, prefix));
  }
  template <class T>
  T count() {
    return in_range<T>(integer(), "");
  }
  bool peek_prefixed(char prefix) const;
  bool peek_quoted() const { return !peek().empty() && peek().front() == '"'; }
  std::string quoted();
  [[noreturn]] void fail(std::string_view what) const;  // InternalError with the line's number

 private:
  template <class T>
  T in_range(std::int64_t value, const std::string& prefix) {
    if (value < 0 || static_cast<std::uint64_t>(value) > std::numeric_limits<T>::max()) {
      fail(prefix + std::to_string(value) + " is out of range");
    }
    return static_cast<T>(value);
  }
  void split(std::string_view line);
  std::string_view rest_;
  std::vector<std::string_view> words_;
  std::size_t position_ = 0;
  int line_number_ = 0;
};

std::string quote(std::string_view text);

}  // namespace kiln::ir
