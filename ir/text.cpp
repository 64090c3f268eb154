#include "ir/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "ir/error.h"
#include "ir/mutant.h"

namespace kiln::ir {
namespace {

constexpr std::string_view kSingles = "()[]/:=@";
constexpr std::string_view kBlanks = " \t\r";

}  // namespace

void TextReader::fail(std::string_view what) const {
  internal_error(fmt::format("line {}: {}", line_number_, what));
}

void TextReader::split(std::string_view line) {
  words_.clear();
  position_ = 0;
  std::size_t i = 0;
  while (i < line.size() && line[i] != ';') {
    if (kBlanks.find(line[i]) != std::string_view::npos) {
      ++i;
      continue;
    }
    std::size_t end = i + 1;
    if (line[i] == '"') {
      while (end < line.size() && line[end] != '"') end += line[end] == '\\' ? 2 : 1;
      if (end >= line.size()) fail("string without an end");
      ++end;
    } else if (kSingles.find(line[i]) == std::string_view::npos) {
      const auto stops = [](char c) {
        return c == ';' || c == '"' || kSingles.find(c) != std::string_view::npos ||
               kBlanks.find(c) != std::string_view::npos;
      };
      while (end < line.size() && !stops(line[end])) ++end;
    }
    words_.push_back(line.substr(i, end - i));
    i = end;
  }
}

bool TextReader::next_line() {
  if (!at_end_of_line()) fail(fmt::format("unexpected '{}'", peek()));
  while (!rest_.empty()) {
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++line_number_;
    split(line);
    if (!words_.empty()) return true;
  }
  return false;
}

std::string_view TextReader::word() {
  if (at_end_of_line()) fail("the line ends too early");
  return words_[position_++];
}

bool TextReader::accept(std::string_view expected) {
  if (at_end_of_line() || peek() != expected) return false;
  ++position_;
  return true;
}

void TextReader::expect(std::string_view expected) {
  if (!accept(expected)) fail(fmt::format("expected '{}', found '{}'", expected, peek()));
}

namespace {

template <class T>
bool parse_number(std::string_view text, int base, T& value) {
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value, base);
  return !text.empty() && result.ec == std::errc() && result.ptr == end;
}

}  // namespace

std::int64_t TextReader::integer() {
  std::int64_t value = 0;
  const std::string_view text = word();
  if (!parse_number(text, 10, value)) fail(fmt::format("'{}' is not an integer", text));
  return value;
}

std::uint64_t TextReader::bits() {
  std::uint64_t value = 0;
  const std::string_view text = word();
  if (text.substr(0, 2) != "0x" || !parse_number(text.substr(2), 16, value)) {
    fail(fmt::format("'{}' is not a hexadecimal number", text));
  }
  return value;
}

bool TextReader::peek_prefixed(char prefix) const {
  const std::string_view text = peek();
  return text.size() > 1 && text[0] == prefix &&
         (text[1] == '-' || (text[1] >= '0' && text[1] <= '9'));
}

std::int64_t TextReader::prefixed(char prefix) {
  std::int64_t value = 0;
  const std::string_view text = word();
  if (text[0] != prefix || !parse_number(text.substr(1), 10, value)) {
    fail(fmt::format("expected {}<number>, found '{}'", prefix, text));
  }
  return value;
}

std::string TextReader::quoted() {
  if (!peek_quoted()) fail(fmt::format("expected a string, found '{}'", peek()));
  std::string_view text = word();
  text = text.substr(1, text.size() - 2);
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      result += text[i];
      continue;
    }
    const char escape = text[++i];
    unsigned code = 0;
    if (escape == 'n') {
      result += '\n';
    } else if (escape == 'x' && i + 2 < text.size() &&
               parse_number(text.substr(i + 1, 2), 16, code)) {
      result += static_cast<char>(code);
      i += 2;
    } else if (escape == '"' || escape == '\\') {
      result += escape;
    } else {
      fail("unknown escape in a string");
    }
  }
  return result;
}

std::string quote(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const unsigned code = static_cast<unsigned char>(c);
    if ((c == '"' && !mutant(Mutant::text_escape)) || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (code < 0x20 || code == 0x7f) {
      result += fmt::format("\\x{:02x}", code);
    } else {
      result += c;
    }
  }
  return result += '"';
}

}  // namespace kiln::ir
