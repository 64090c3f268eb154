// Identifiers of one text: each is given once, so that no declaration shadows another.
#pragma once
#include <set>
#include <string>
#include <string_view>

namespace kiln::codegen::cuda {

class Names {
 public:
  // `hint` made an identifier, with a number after it if it is taken or reserved.
  std::string unique(std::string_view hint);
  std::string temporary();  // t1, t2, ...

 private:
  std::set<std::string, std::less<>> taken_;
  int temporaries_ = 0;
};

}  // namespace kiln::codegen::cuda
