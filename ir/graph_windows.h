// Private to ir: what the verifier finds about updates, puts and the begins of joins.
#pragma once
#include <functional>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace kiln::ir {

// Says what is wrong with nodes whose tables can be read (`sound`); symbols are the root's.
void check_windows(const Graph& graph, const Graph& root, const std::vector<bool>& sound,
                   const std::function<void(NodeId, std::string_view)>& say);

}  // namespace kiln::ir
