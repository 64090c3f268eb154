// Outputs in other axes than they are computed in.
#pragma once
#include "ir/graph.h"

namespace kiln::passes {

// Before: a canonical graph. After: an output that is a reshape of a call's result is that result.
// An output is dense memory, of which a reshape is the same memory: whoever asked knows the shape.
// So a product of many rows is written where it is wanted. What kernels compute is reshaped there.
ir::Graph bare_outputs(const ir::Graph& graph);

}  // namespace kiln::passes
