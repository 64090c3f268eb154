// Private to ir/nodes: what the files of the kinds share. Each defines Rule<its kind>, with the
// functions of NodeRule; rules.cpp, which includes them all, does not compile where one is missing.
#pragma once
#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/nodes/check.h"
#include "ir/nodes/infix_writer.h"
#include "ir/nodes/rule.h"
#include "ir/nodes/run.h"
#include "ir/nodes/shape.h"

namespace kiln::ir {

template <NodeKind kind>
struct Rule;

// Where a window of these extents lies in a dense array, in elements.
struct Window {
  std::int64_t offset = 0;
  std::vector<std::int64_t> strides;
};
Window window_in(const GraphRun& run, const Slices& slices, std::span<const std::int64_t> extents,
                 std::span<const std::int64_t> whole);

}  // namespace kiln::ir
