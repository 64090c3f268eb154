#include "codegen/cuda/names.h"

#include "codegen/cuda/prelude.h"

namespace kiln::codegen::cuda {

namespace {

std::string identifier(std::string_view hint) {
  std::string name;
  for (const char c : hint) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    const bool digit = c >= '0' && c <= '9';
    if (digit && name.empty()) name += '_';
    name += letter || digit ? c : '_';
  }
  if (name.empty()) return "value";
  return is_reserved_prefix(name) ? "x_" + name : name;
}

}  // namespace

std::string Names::unique(std::string_view hint) {
  const std::string base = identifier(hint);
  std::string name = base;
  for (int i = 2; is_reserved(name) || taken_.contains(name); ++i) {
    name = base + '_' + std::to_string(i);
  }
  taken_.insert(name);
  if (!scopes_.empty()) scopes_.back().push_back(name);
  return name;
}

void Names::open_scope() { scopes_.emplace_back(); }

void Names::close_scope() {
  for (const std::string& name : scopes_.back()) taken_.erase(name);
  scopes_.pop_back();
}

std::string Names::temporary() {
  for (;;) {
    std::string name = 't' + std::to_string(++temporaries_);
    if (taken_.insert(name).second) return name;
  }
}

}  // namespace kiln::codegen::cuda
