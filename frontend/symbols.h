// The run-time integers of a snapshot while it is built: variables, some of which turn out to be
// one.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "frontend/number_table.h"
#include "ir/graph.h"
#include "ir/hash.h"

namespace kiln::inline v0::frontend {

using ir::mix;

using Var = std::uint32_t;
inline constexpr Var kVarZero = 0;  // the constants, like ir::kZero and ir::kOne
inline constexpr Var kVarOne = 1;

class Symbols {
 public:
  enum class Use : std::uint8_t { begin, step, low, stride };

  void clear();
  // A new extent; 1 is the constant.
  Var extent(std::int64_t value) {
    return value == 1 ? kVarOne : make({value, value >= 2 ? Class::extent : Class::any});
  }
  // The extent that an operation computes from others, named by `key`: the same each time.
  Var derived(std::uint64_t key, std::int64_t value);
  // One variable for each use and value.
  Var integer(Use use, std::int64_t value);
  Var find(Var v) {
    while (vars_[v].parent != v) v = vars_[v].parent = vars_[vars_[v].parent].parent;
    return v;
  }
  void unite(Var a, Var b) {  // the older one stays
    a = find(a), b = find(b);
    if (a == b) return;
    if (a > b) std::swap(a, b);
    vars_[b].parent = a;
    vars_[a].innermost = vars_[a].innermost || vars_[b].innermost;
  }
  std::int64_t value(Var v) { return vars_[find(v)].value; }
  void mark_innermost(Var v) { vars_[find(v)].innermost = true; }
  // Numbers what is left; sym gives the number.
  void number(std::vector<ir::SymInfo>* infos, std::vector<std::int64_t>* values);
  ir::Sym sym(Var v) { return vars_[find(v)].sym; }

 private:
  enum class Class : std::uint8_t { extent, positive, natural, negative, minus_one, any };
  struct Entry {
    std::int64_t value = 0;
    Class cls = Class::any;
    bool innermost = false;
    Var parent = 0;
    ir::Sym sym = 0;
  };
  Var make(Entry entry) {
    entry.parent = static_cast<Var>(vars_.size());
    vars_.push_back(entry);
    return entry.parent;
  }
  static ir::SymInfo info(const Entry& entry);
  std::vector<Entry> vars_;
  NumberTable derived_, integers_;
};

}  // namespace kiln::inline v0::frontend
