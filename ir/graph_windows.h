// Private to ir: what the verifier finds about the windows that puts are stored into.
#pragma once
#include <functional>
#include <string_view>

#include "ir/graph.h"

namespace kiln::ir {

// Says what is wrong, of a graph whose nodes are each right by themselves.
void check_windows(const Graph& graph, const std::function<void(NodeId, std::string_view)>& say);

}  // namespace kiln::ir
