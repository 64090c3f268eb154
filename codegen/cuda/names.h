// Identifiers of one text: none is given twice at a time, so that no declaration shadows another.
#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::codegen::cuda {

class Names {
 public:
  // `hint` made an identifier, with a number after it if it is taken or reserved.
  std::string unique(std::string_view hint);
  bool is_free(std::string_view name) const { return !taken_.contains(name); }
  std::string temporary();  // t1, t2, ...
  // Names given inside a scope may be given again after it.
  void open_scope();
  void close_scope();

 private:
  std::set<std::string, std::less<>> taken_;
  std::vector<std::vector<std::string>> scopes_;
  int temporaries_ = 0;
};

}  // namespace kiln::codegen::cuda
