// A literal number.
#pragma once
#include <cstring>
#include "ir/infix.h"
#include "ir/nodes/rules.h"

namespace kiln::ir {

template <>
struct Rule<NodeKind::constant> {
  static void shape(Shapes&) {}  // has no axes
  static bool check(const NodeCheck& c) {
    const Node& n = c.node();
    c.at(size_of(n.dtype) >= 8 || n.imm >> (8 * size_of(n.dtype)) == 0,
         "bits beyond the type's width");
    c.at(!is_bool(n.dtype) || n.imm <= 1, "a bool is 0 or 1");
    return c.at(n.rank == 0, "a constant has no axes");
  }
  static void interpret(GraphRun& run) { write_bits(run, run.node().imm); }
  static void write_bits(GraphRun& run, std::uint64_t bits) {
    std::memcpy(run.allocate(), &bits, static_cast<std::size_t>(run.bytes()));
  }
  static void infix(InfixWriter& w, NodeId n, int) {
    w.write(w.label(n, literal(w.node(n).dtype, w.node(n).imm)));
  }
  static AxisUses axes(const Graph&, NodeId, int) { return {}; }
};

}  // namespace kiln::ir
