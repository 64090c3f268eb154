// Expressions of kernels, in which values that other kernels made go by their names.
#pragma once
#include <string>
#include <vector>

#include "ir/graph.h"

namespace kiln::ir {

// What a stored value is called: the user's label, or v and the node's number.
std::string stored_name(const Graph& graph, NodeId node);
// As infix of graph.h; a node that is stored is written as its name, unless it is the root.
std::string infix(const Graph& graph, NodeId node, const std::vector<bool>& stored,
                  std::size_t limit = 200);

// An element's value: "0.1", "true", "-3".
std::string literal(DType type, std::uint64_t bits);

}  // namespace kiln::ir
