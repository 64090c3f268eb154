// What a kind of node is, beyond its row in nodes.def: one struct of functions, which
// ir/nodes/<kind>.h defines.
#pragma once
#include <cstdint>
#include <vector>

#include "ir/graph.h"
#include "ir/nodes/shape.h"

namespace kiln::ir {

class GraphRun;
class InfixWriter;
struct NodeCheck;

// What becomes of an operand's axis in the result.
struct AxisUse {
  enum class How : std::uint8_t {
    kept,      // an element of the result at i along axis `at` is made of elements at i
    windowed,  // at another index, which depends on that along `at` alone
    spread,    // of extent 1: all along `at` are made of it
    mixed,     // together with neighbouring axes it becomes one or several others
    folded,    // an element of the result is made of all along it
  };
  How how = How::kept;
  std::uint8_t at = 0;
  bool operator==(const AxisUse&) const = default;
};
using AxisUses = std::vector<AxisUse>;
// Axes that are axes of the result, from this one on.
inline AxisUses kept_axes(std::size_t rank, std::size_t first = 0) {
  AxisUses uses(rank);
  for (std::size_t i = 0; i < rank; ++i) uses[i].at = static_cast<std::uint8_t>(first + i);
  return uses;
}

struct NodeRule {
  void (*shape)(Shapes& shapes);          // what its shape has to do with its operands'
  bool (*check)(const NodeCheck& check);  // types, fields; whether shape may be asked
  void (*interpret)(GraphRun& run);       // its meaning
  void (*infix)(InfixWriter& writer, NodeId node, int least);  // how explain writes it
  AxisUses (*axes)(const Graph& graph, NodeId node, int operand);
  // Of a result of a kind that has several; else null.
  DType (*type)(const Graph& graph, NodeId node, std::size_t result);
};
const NodeRule& rule(NodeKind kind);
std::size_t attribute_index(NodeKind kind);  // of Attribute's alternatives, the kind's
Attribute new_attribute(std::size_t index);  // an empty one

}  // namespace kiln::ir
