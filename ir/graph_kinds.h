// Private to ir: the facts of each kind of node, from nodes.def.
#pragma once
#include <array>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "ir/graph.h"

namespace kiln::ir {

// The place of an attribute among the alternatives of Attribute.
template <class A, std::size_t I = 0>
constexpr std::size_t attribute_index() {
  if constexpr (std::is_same_v<std::variant_alternative_t<I, Attribute>, A>) {
    return I;
  } else {
    return attribute_index<A, I + 1>();
  }
}
template <std::size_t... I>
constexpr auto attribute_names(std::index_sequence<I...>) {
  return std::array{std::variant_alternative_t<I, Attribute>::kName...};
}
inline constexpr auto kAttributeNames =
    attribute_names(std::make_index_sequence<std::variant_size_v<Attribute>>());

// In nodes.def: None, or this one.
template <class A>
struct Maybe {};
struct AttributeRule {
  std::size_t index = 0;  // of Attribute's alternatives
  bool may_lack = false;
};
template <class A>
constexpr AttributeRule attribute_rule(A*) {
  return {attribute_index<A>(), false};
}
template <class A>
constexpr AttributeRule attribute_rule(Maybe<A>*) {
  return {attribute_index<A>(), true};
}

enum class Carries : std::uint8_t { nothing, op, bits, number };

struct KindInfo {
  std::string_view name;
  int operands;
  AttributeRule attribute;
  Carries carries;
};

inline constexpr KindInfo kKinds[] = {
#define KILN_NODE(name, operands, results, attribute, carries, role) \
  {#name, operands, attribute_rule(static_cast<attribute*>(nullptr)), Carries::carries},
#include "ir/nodes.def"
#undef KILN_NODE
};

inline constexpr std::string_view kHintNames[] = {"no_fuse", "must_fuse"};  // by HintKind

constexpr const KindInfo& info(NodeKind kind) { return kKinds[static_cast<int>(kind)]; }

}  // namespace kiln::ir
