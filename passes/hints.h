// The user's wishes about fusion (ir::Hint): what fusion starts from, and whether it kept them.
#pragma once
#include <stdexcept>
#include <string>

#include "passes/cluster.h"

namespace kiln::passes {

// A wish that cannot be kept. The frontend makes a UserError of it.
struct HintError : std::runtime_error {
  HintError(const std::string& what, std::string made, std::string used)
      : std::runtime_error(what), made_at(std::move(made)), used_at(std::move(used)) {}
  std::string made_at, used_at;  // the user's lines, empty if not known
};

// no_fuse: stored, and cut from its consumers. must_fuse: Partition::together, which no decision
// about price may store; views of it too.
void apply_hints(const ir::Graph& graph, Partition& partition);

// After find_boundaries. Throws HintError, with the reason, if a must_fuse value is a boundary.
void check_hints(const ir::Graph& graph, const Partition& partition);

}  // namespace kiln::passes
