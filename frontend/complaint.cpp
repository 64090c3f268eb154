#include "frontend/complaint.h"

#include <fmt/format.h>

#include "ir/mutant.h"

namespace kiln::inline v0::frontend {

std::string to_text(Where where) { return ir::to_text(ir::SourceLine{where.file, where.line}); }

std::string to_text(const Shape& shape) {
  std::string text = "(";
  for (const std::int64_t n : shape) fmt::format_to(std::back_inserter(text), "{}, ", n);
  if (shape.ndim() > 0) text.resize(text.size() - 2);
  return text + ")";
}

std::string describe(Node* node) {
  std::string text = fmt::format("{} {}", name(node->dtype), to_text(node->shape->shape));
  if (node->label() != nullptr) text += fmt::format(" \"{}\"", *node->label());
  if (node->where.file != nullptr) text += ", made at " + to_text(node->where);
  return text;
}

std::string describe(const Operand& operand) {
  if (Access::is_array(operand)) return describe(Access::node(Access::array(operand)));
  switch (Access::kind(operand)) {
    case Access::ScalarKind::boolean:
      return Access::integer(operand) != 0 ? "the scalar true" : "the scalar false";
    case Access::ScalarKind::integer:
      return fmt::format("the scalar {}", Access::integer(operand));
    case Access::ScalarKind::natural:
      return fmt::format("the scalar {}", static_cast<std::uint64_t>(Access::integer(operand)));
    default:
      return fmt::format("the scalar {}", Access::floating(operand));
  }
}

Complaint::Complaint(std::string_view function, std::string_view message, Where where, Line line)
    : text_(fmt::format("kiln: {}: {}", function, message)),
      where_(line == Line::given || mutant(ir::Mutant::wrong_line) ? where : line_of(where)) {
  if (where_.file != nullptr) text_ += "\n  at " + to_text(where_);
}

Complaint& Complaint::operand(std::string_view role, const Operand& operand) {
  return note(role, describe(operand));
}

Complaint& Complaint::operand(std::string_view role, const Array& array) {
  return operand(role, Access::node(array));
}

Complaint& Complaint::operand(std::string_view role, Node* node) {
  return note(role, describe(node));
}

Complaint& Complaint::note(std::string_view role, std::string_view text) {
  text_ += fmt::format("\n  {}: {}", role, text);
  return *this;
}

Advice Complaint::advise(std::string_view what) const {
  return {fmt::format("{}\n  try: {}", text_, what), where_};
}

}  // namespace kiln::inline v0::frontend
