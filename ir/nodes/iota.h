// The index along an axis.
#pragma once
#include "ir/nodes/rules.h"
#include "ir/scalar_loops.h"
#include "ir/strided.h"

namespace kiln::ir {

template <>
struct Rule<NodeKind::iota> {
  static void shape(Shapes& s) {
    for (std::size_t i = 0; i < s.result_rank(); ++i) s.put(s.free(i), {});
  }
  static bool check(const NodeCheck& c) {
    c.at(is_int(c.node().dtype), "an index is an integer");
    return c.at(c.node().imm < c.node().rank, "no such axis");
  }
  static void interpret(GraphRun& run) {
    const GraphRun::Extents shape = run.extents(), strides = dense_strides(shape);
    const std::size_t axis = run.node().imm;
    const std::int64_t count = element_count(shape), scratch = count * size_of(DType::int64);
    run.take(scratch);
    std::vector<std::int64_t> index(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < index.size(); ++i)
      index[i] = static_cast<std::int64_t>(i) / strides[axis] % shape[axis];
    const void* in = index.data();
    cast_loop(DType::int64, run.node().dtype)(count, &in, run.allocate());
    run.give_back(scratch);
  }
  static void infix(InfixWriter& w, NodeId n, int) {
    w.write("index(" + std::to_string(w.node(n).imm) + ")");
  }
  static AxisUses axes(const Graph&, NodeId, int) { return {}; }
};

}  // namespace kiln::ir
