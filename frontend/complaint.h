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

class Complaint {
 public:
  // The line reported is that of the outermost line scope, if one is open.
  Complaint(std::string_view function, std::string_view message, Where where);
  Complaint& operand(std::string_view role, const Operand& operand);
  Complaint& operand(std::string_view role, const Array& array);
  Complaint& operand(std::string_view role, Node* node);
  Complaint& advise(std::string_view what);  // "try: ..."
  // The exception is built here and thrown by the caller.
  template <class E = UserError>
  [[noreturn]] void raise() const {
    E error(text_);
    error.where = where_;
    throw error;
  }
  const std::string& text() const { return text_; }
  Where where() const { return where_; }

 private:
  std::string text_;
  Where where_;
};

}  // namespace kiln::inline v0::frontend
