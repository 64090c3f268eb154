// Pending views of values in memory that need no computation: their elements lie there already.
#pragma once
#include <memory>

#include "frontend/trace.h"

namespace kiln::inline v0::frontend {

// The value of a chain of views over a value, sharing its storage; null if the node is something
// else, if a reshape would have to copy, or if the view covers less than half of the storage (which
// would then be kept for little). The trace's lock is held.
std::unique_ptr<Value> view_value(Node* node);

}  // namespace kiln::inline v0::frontend
