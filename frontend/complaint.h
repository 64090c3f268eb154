// Composes error messages:
//
//   kiln: add: shapes (3, 4) and (5, 4) do not broadcast: axis 0 is 3 and 5
//     at heat.cpp:41
//     left: float32 (3, 4) "u", made at heat.cpp:12
//     right: ...
//     try: ...
#pragma once
#include <string>
#include <string_view>

#include "frontend/access.h"
#include "kiln/error.h"

namespace kiln::inline v0::frontend {

std::string to_text(Where where);         // heat.cpp:41
std::string to_text(const Shape& shape);  // (3, 4)
std::string describe(Node* node);         // float32 (3, 4) "u", made at heat.cpp:12
std::string describe(const Operand& operand);

class Advice;

class Complaint {
 public:
  enum class Line : std::uint8_t { outermost, given };  // that of the outermost line scope, if open
  Complaint(std::string_view function, std::string_view message, Where where,
            Line line = Line::outermost);
  Complaint& operand(std::string_view role, const Operand& operand);
  Complaint& operand(std::string_view role, const Array& array);
  Complaint& operand(std::string_view role, Node* node);
  Complaint& note(std::string_view role, std::string_view text);
  // "try: ...": the last line, without which nothing can be thrown.
  Advice advise(std::string_view what) const;

 private:
  std::string text_;
  Where where_;
};

// A complaint that says what to do.
class Advice {
 public:
  template <class E = UserError>
  [[noreturn]] void raise() const {
    E error(text_);
    error.where = where_;
    throw error;
  }
  const std::string& text() const { return text_; }
  Where where() const { return where_; }

 private:
  friend class Complaint;
  Advice(std::string text, Where where) : text_(std::move(text)), where_(where) {}
  std::string text_;
  Where where_;
};

}  // namespace kiln::inline v0::frontend
