// Outputs in other axes than they are computed in.
#pragma once
#include "ir/graph.h"

namespace kiln::passes {

// Before: a canonical graph. After: an output that is a reshape of a reduction's or a product's
// result is that result. An output is dense memory, of which a reshape is the same memory: whoever
// asked knows the shape. So a product of many rows writes where it is wanted, and reductions give
// one kernel whether they keep their axes or not. Others are reshaped where they are computed.
ir::Graph bare_outputs(const ir::Graph& graph);

}  // namespace kiln::passes
