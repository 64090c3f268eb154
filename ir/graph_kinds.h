// Private to ir: the facts of each node kind, shared by print, parse, verify and interpret.
#pragma once
#include <iterator>

#include "ir/graph.h"

namespace kiln::ir {

inline constexpr int kAnyCount = -1;

// The alternatives of Attribute, in its order.
enum class AttributeKind : std::uint8_t { none, axes, groups, slices, pads, loop };
inline constexpr std::string_view kAttributeNames[] = {"",       "axes", "groups",
                                                       "slices", "pads", "loop"};
static_assert(std::size(kAttributeNames) == std::variant_size_v<Attribute>);

struct KindInfo {
  std::string_view name;
  int operands;  // kAnyCount: see verify
  AttributeKind attribute;
  bool has_op;  // the text names Node::op
};

inline constexpr KindInfo kKinds[] = {
    {"buffer", 0, AttributeKind::none, false},  // Node::attr is the input's index
    {"constant", 0, AttributeKind::none, false},
    {"scalar", 0, AttributeKind::none, false},
    {"iota", 0, AttributeKind::none, false},
    {"map", kAnyCount, AttributeKind::none, true},  // written by the operation's name
    {"broadcast", 1, AttributeKind::none, false},
    {"permute", 1, AttributeKind::axes, false},
    {"reshape", 1, AttributeKind::groups, false},
    {"slice", 1, AttributeKind::slices, false},
    {"pad", 2, AttributeKind::pads, false},
    {"concat", kAnyCount, AttributeKind::none, false},  // or pads
    {"update", 2, AttributeKind::slices, false},
    {"put", 1, AttributeKind::slices, false},
    {"reduce", 1, AttributeKind::axes, true},
    {"arg_reduce", 1, AttributeKind::axes, true},
    {"contract", 2, AttributeKind::none, false},
    {"loop", kAnyCount, AttributeKind::loop, false},
    {"item", 1, AttributeKind::none, false},
};
static_assert(std::size(kKinds) == static_cast<std::size_t>(NodeKind::item) + 1);

inline constexpr std::string_view kHintNames[] = {"no_fuse", "must_fuse"};  // by HintKind

constexpr const KindInfo& info(NodeKind kind) { return kKinds[static_cast<int>(kind)]; }

}  // namespace kiln::ir
