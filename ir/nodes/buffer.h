// An input: memory that the evaluation is given.
#pragma once
#include "ir/nodes/rules.h"
#include "ir/strided.h"

namespace kiln::ir {

template <>
struct Rule<NodeKind::buffer> {
  static void shape(Shapes& s) {
    for (std::size_t i = 0; i < s.result_rank(); ++i) s.put(s.free(i), {});
  }
  static bool check(const NodeCheck& c) {
    const Input& in = c.graph.inputs[c.node().attr];
    c.at(in.dtype == c.node().dtype, "not the input's type");
    return c.at(in.dense || in.strides.size() == c.node().rank,
                "the input's strides are not one an axis");
  }
  static void interpret(GraphRun& run) {
    const GraphRun::Extents shape = run.extents(), dense = dense_strides(shape);
    const GraphRun::Extents strides = run.input().dense ? dense : run.values(run.input().strides);
    copy_strided(shape, run.bytes(), run.input_data(), strides, run.allocate(), dense);
  }
  static void infix(InfixWriter& w, NodeId n, int) {
    w.write(w.label(n, "x" + std::to_string(w.node(n).attr)));
  }
  static AxisUses axes(const Graph&, NodeId, int) { return {}; }
};

}  // namespace kiln::ir
