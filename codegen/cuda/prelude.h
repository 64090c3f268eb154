// The small device functions that a kernel's text calls, gathered while its body is written and
// printed before it: each once, those it calls first, and none that the final text does not name.
#pragma once
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/kernel.h"

namespace kiln::codegen::cuda {

class Prelude {
 public:
  Prelude();
  // Expansions of `op` for `type` are called rather than inlined. Before the first of them.
  void call(ir::Op op, ir::DType type) { called_.emplace(op, type); }
  void declare(ir::DType stored);  // the type that it has in memory, where C has none
  // Each gives the name to call. Functions are overloaded by type.
  std::string_view vector();                                // vec<T, N>
  std::string_view load_vector();                           // load<N>(pointer)
  std::string_view store_vector();                          // store(pointer, value)
  std::string_view rearrange(ir::Code code);                // join, even, odd, any
  std::string_view to_float(ir::DType half);                // of a 16-bit float in memory
  std::string_view from_float(ir::DType half);              // to_half, to_bfloat16
  std::string_view round(ir::DType half);                   // round_to_half, round_to_bfloat16
  std::string_view narrow();                                // double to float, rounding to odd
  std::string_view saturate(ir::DType from, ir::DType to);  // to_int32(float)
  std::string_view wrap(ir::Op op, ir::DType type);         // add, sub, mul, neg of signed integers
  std::string_view function(ir::Op op, ir::DType type);     // Form::call, division, shift
  std::string expansion(ir::Op op, ir::DType type);         // kiln_exp

  // The definitions that `body` needs, directly or through others, each followed by an empty line.
  std::string text(std::string_view body) const;

 private:
  void constants();  // what literals name
  struct Definition {
    std::string name, text;
  };
  std::string_view add(std::string_view name, std::string_view overload, std::string text);
  std::vector<Definition> definitions_;  // in order: a definition calls earlier ones only
  std::set<std::string, std::less<>> known_;
  std::set<std::pair<ir::Op, ir::DType>> called_;
};

// Names that a variable must not take: functions of the prelude and of the language, keywords.
bool is_reserved(std::string_view name);
bool is_reserved_prefix(std::string_view name);  // no name that begins so is given

}  // namespace kiln::codegen::cuda
