// What nodes of a graph say beside their operands: one struct a shape of data. Each lists its
// fields once; text, hash, symbol visits and the keys of passes derive from that list.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "ir/size_expr.h"

namespace kiln::ir {

using SymList = std::vector<Sym>;
using AxisList = std::vector<std::uint8_t>;  // of axes, or of counts of axes
enum class RegionId : std::uint32_t {};      // an index into Graph::regions

struct None {
  static constexpr std::string_view kName = "";
  static void fields(auto&, auto&&) {}
  bool operator==(const None&) const = default;
};
struct Axes {
  AxisList axes;
  static constexpr std::string_view kName = "axes";
  static void fields(auto& self, auto&& visit) { visit(self.axes); }
  bool operator==(const Axes&) const = default;
};
// Consecutive runs of operand axes and of result axes that hold the same elements: run g takes
// `from[g]` operand axes and `to[g]` result axes; products of extents are equal.
struct Groups {
  AxisList from, to;
  static constexpr std::string_view kName = "groups";
  static void fields(auto& self, auto&& visit) { visit(self.from), visit(self.to); }
  bool operator==(const Groups&) const = default;
};
struct Slices {
  SymList begin, step;  // one an axis; a whole axis has kZero, kOne
  static constexpr std::string_view kName = "slices";
  static void fields(auto& self, auto&& visit) { visit(self.begin), visit(self.step); }
  bool operator==(const Slices&) const = default;
};
struct Pads {
  SymList low;  // elements before the operand (>= 0), one an axis; of a concat one an operand
  static constexpr std::string_view kName = "pads";
  static void fields(auto& self, auto&& visit) { visit(self.low); }
  bool operator==(const Pads&) const = default;
};
// `region` maps its inputs (the carried values first, then the loop's other operands) to its
// outputs (the next carried values). Runs `count` times. Region symbols are the enclosing graph's.
struct Loop {
  Sym count = 0;
  RegionId region{};
  static constexpr std::string_view kName = "loop";
  static void fields(auto& self, auto&& visit) { visit(self.count), visit(self.region); }
  bool operator==(const Loop&) const = default;
};
using Attribute = std::variant<None, Axes, Groups, Slices, Pads, Loop>;

// Calls visit(field) for each field of the attribute, in order.
template <class A, class Visit>
void each_field(A& attribute, Visit&& visit) {
  std::visit([&](auto& a) { std::remove_cvref_t<decltype(a)>::fields(a, visit); }, attribute);
}

// Calls visit(list) for each list of symbols, a single symbol being a list of one.
template <class A, class Visit>
void each_sym_list(A& attribute, Visit&& visit) {
  each_field(attribute, [&](auto& field) {
    using Field = std::remove_cvref_t<decltype(field)>;
    if constexpr (std::is_same_v<Field, SymList>) {
      visit(std::span(field));
    } else if constexpr (std::is_same_v<Field, Sym>) {
      visit(std::span(&field, 1));
    }
  });
}
template <class A, class Visit>
void each_sym(A& attribute, Visit&& visit) {
  each_sym_list(attribute, [&](auto list) {
    for (auto& sym : list) visit(sym);
  });
}

}  // namespace kiln::ir
