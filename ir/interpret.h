// The interpreter of graphs for those who look on: at the memory that it takes, and at each value.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "ir/graph.h"

namespace kiln::ir {

// What is called during an interpretation; what is empty is not. Within a loop's region, memory
// is reported as the loop's, and values are not reported.
struct Watch {
  // Before memory is taken for a node: the bytes that are then held, inputs and what the caller
  // keeps aside. It may throw, which ends the interpretation.
  std::function<void(NodeId node, std::int64_t held)> memory;
  // When a node has its value: its first result and its operands', dense and row-major. It may
  // throw.
  std::function<void(NodeId node, const std::byte* result, std::span<const std::byte* const>)>
      value;
};
std::vector<std::vector<std::byte>> interpret(const Graph& graph, const Bindings& bindings,
                                              std::span<const ArrayView> inputs,
                                              const Watch& watch);

}  // namespace kiln::ir
