#include "frontend/npy_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "ir/graph.h"

namespace kiln::inline v0::frontend {

namespace {

constexpr std::int64_t kMostElements = std::int64_t{1} << 59;

class Parser {
 public:
  Parser(std::string_view text, NpyHeader* result) : rest_(text), result_(*result) {}
  std::string parse();

 private:
  void fail(std::string what) {
    if (wrong_.empty()) wrong_ = std::move(what);
  }
  bool failed() const { return !wrong_.empty(); }
  void skip() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n\f"), rest_.size())); }
  // The character that comes next, white space aside; 0 at the end.
  char next() {
    skip();
    return rest_.empty() ? '\0' : rest_[0];
  }
  bool take(char c) {
    if (next() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take(std::string_view word) {
    skip();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  std::string quoted(const char* what);
  void entry();
  void descr();
  void fortran_order();
  void shape();
  void extent();  // adds one to the shape if it is well-formed

  std::string_view rest_;
  NpyHeader& result_;
  std::string wrong_;
  bool has_descr_ = false, has_order_ = false, has_shape_ = false;
};

std::string Parser::quoted(const char* what) {
  const char mark = next();
  if (mark != '\'' && mark != '"') {
    fail(fmt::format("malformed header: {} is no string", what));
    return "";
  }
  const std::size_t end = rest_.find(mark, 1);
  if (end == std::string_view::npos) {
    fail(fmt::format("malformed header: {} does not end", what));
    return "";
  }
  std::string text(rest_.substr(1, end - 1));
  rest_.remove_prefix(end + 1);
  return text;
}

void Parser::descr() {
  const char open = next();
  if (open == '[' || open == '(') return fail("a structured dtype, which has no counterpart");
  result_.descr = quoted("'descr'");
}

void Parser::fortran_order() {
  if (take("True")) {
    result_.fortran_order = true;
  } else if (!take("False")) {
    fail("malformed header: 'fortran_order' is neither True nor False");
  }
}

void Parser::extent() {
  skip();
  std::int64_t n = 0;
  const char* const first = rest_.data();
  const auto [stop, error] = std::from_chars(first, first + rest_.size(), n);
  const bool zeros = stop - first > 1 && *first == '0';
  if (error != std::errc() || n < 0 || zeros) return;
  rest_.remove_prefix(static_cast<std::size_t>(stop - first));
  if (!rest_.empty() && rest_[0] == 'L') rest_.remove_prefix(1);  // as Python 2 wrote
  result_.shape.push_back(n);
}

void Parser::shape() {
  skip();
  const std::string_view start = rest_;
  const auto malformed = [&] {
    const std::size_t end = std::min(start.find(')'), start.size() - 1) + 1;
    fail(fmt::format("shape {} is malformed", start.substr(0, std::min<std::size_t>(end, 100))));
  };
  if (!take('(')) return fail("malformed header: 'shape' is no tuple");
  bool comma = true;
  while (!take(')')) {
    const std::size_t count = result_.shape.size();
    if (comma) extent();
    if (result_.shape.size() != count + 1) return malformed();
    comma = take(',');
  }
  if (result_.shape.size() == 1 && !comma) return malformed();  // a number in parentheses
  std::int64_t size = 1;
  for (const std::int64_t n : result_.shape) {
    if (n != 0 && size > kMostElements / n) return malformed();
    size *= std::max<std::int64_t>(n, 1);
  }
  if (result_.shape.size() > static_cast<std::size_t>(ir::kMaxRank))
    fail(fmt::format("{} axes; at most {} are possible", result_.shape.size(), ir::kMaxRank));
}

void Parser::entry() {
  const std::string key = quoted("a key");
  if (failed()) return;
  if (!take(':')) return fail(fmt::format("malformed header: '{}' has no value", key));
  const auto once = [&](bool& has) {
    if (has) fail(fmt::format("malformed header: '{}' stands there twice", key));
    has = true;
    return !failed();
  };
  if (key == "descr") {
    if (once(has_descr_)) descr();
  } else if (key == "fortran_order") {
    if (once(has_order_)) fortran_order();
  } else if (key == "shape") {
    if (once(has_shape_)) shape();
  } else {
    fail(fmt::format("malformed header: the key '{}' is not known", key));
  }
}

std::string Parser::parse() {
  if (!take('{')) return "malformed header: no dictionary";
  while (!failed() && !take('}')) {
    entry();
    if (failed() || take(',') || next() == '}') continue;
    fail("malformed header: the dictionary does not end");
  }
  skip();
  if (!failed() && !rest_.empty()) fail("malformed header: more behind the dictionary");
  if (!has_descr_) fail("malformed header: no 'descr'");
  if (!has_order_) fail("malformed header: no 'fortran_order'");
  if (!has_shape_) fail("malformed header: no 'shape'");
  return wrong_;
}

}  // namespace

std::string parse_npy_header(std::string_view text, NpyHeader* result) {
  return Parser(text, result).parse();
}

}  // namespace kiln::inline v0::frontend
