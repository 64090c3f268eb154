#include <fmt/format.h>

#include "ir/graph_kinds.h"
#include "ir/nodes/arg_reduce.h"
#include "ir/nodes/broadcast.h"
#include "ir/nodes/buffer.h"
#include "ir/nodes/concat.h"
#include "ir/nodes/constant.h"
#include "ir/nodes/contract.h"
#include "ir/nodes/iota.h"
#include "ir/nodes/item.h"
#include "ir/nodes/loop.h"
#include "ir/nodes/map.h"
#include "ir/nodes/pad.h"
#include "ir/nodes/permute.h"
#include "ir/nodes/put.h"
#include "ir/nodes/reduce.h"
#include "ir/nodes/reshape.h"
#include "ir/nodes/scalar.h"
#include "ir/nodes/scan.h"
#include "ir/nodes/slice.h"
#include "ir/nodes/sort.h"
#include "ir/nodes/update.h"
#include "ir/strided.h"

namespace kiln::ir {

namespace {

template <NodeKind kind>
constexpr NodeRule rule_of() {
  using R = Rule<kind>;
  if constexpr (result_count(kind) == 1) {
    return {R::shape, R::check, R::interpret, R::infix, R::axes, nullptr};
  } else {
    return {R::shape, R::check, R::interpret, R::infix, R::axes, R::type};
  }
}

constexpr NodeRule kRules[] = {
#define KILN_NODE(name, operands, results, attribute, carries, role) rule_of<NodeKind::name>(),
#include "ir/nodes.def"
#undef KILN_NODE
};

}  // namespace

const NodeRule& rule(NodeKind kind) { return kRules[static_cast<int>(kind)]; }

DType result_type(const Graph& graph, NodeId n, std::size_t result) {
  const auto type = rule(graph.nodes[n].kind).type;
  return type == nullptr ? graph.nodes[n].dtype : type(graph, n, result);
}

namespace {
template <std::size_t... I>
Attribute attribute_at(std::size_t index, std::index_sequence<I...>) {
  Attribute result;
  ((I == index ? void(result.emplace<I>()) : void()), ...);
  return result;
}
}  // namespace

std::size_t attribute_index(NodeKind kind) { return info(kind).attribute.index; }

Attribute new_attribute(std::size_t index) {
  return attribute_at(index, std::make_index_sequence<std::variant_size_v<Attribute>>());
}

Window window_in(const GraphRun& run, const Slices& slices, std::span<const std::int64_t> extents,
                 std::span<const std::int64_t> whole) {
  const std::vector<std::int64_t> begin = run.values(slices.begin), step = run.values(slices.step),
                                  dense = dense_strides(whole);
  Window window{0, std::vector<std::int64_t>(extents.size())};
  if (element_count(extents) == 0) return window;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    const std::int64_t last = begin[i] + step[i] * (extents[i] - 1);
    if (begin[i] < 0 || begin[i] >= whole[i] || last < 0 || last >= whole[i]) {
      run.fail(fmt::format("axis {}: {} elements from {} by {} of {}", i, extents[i], begin[i],
                           step[i], whole[i]));
    }
    window.offset += begin[i] * dense[i];
    window.strides[i] = step[i] * dense[i];
  }
  return window;
}

}  // namespace kiln::ir
