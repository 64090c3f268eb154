// Calls of a graph (ir/call.h): what they read and where, decided when planning by what the target
// takes (ir::Caps).
//
// Between what lies in memory and a call stand views; as long as they say where the elements lie,
// nothing is moved. An operand that the target does not take as it lies is copied: stored dense, by
// a cluster of its own. Then nothing is refused; without a library there are no calls of it
// (products.h).
#pragma once
#include <vector>

#include "ir/plan.h"
#include "passes/access.h"

namespace kiln::passes {

// How a node's elements lie in the memory of another (or its own): of the first element, and from
// an element to the next along each axis (0: along axes of extent 1 and repeated ones).
struct Layout {
  ir::SizeExpr offset;
  std::vector<Monomial> strides;
  // Strides are positive, and of two axes one steps over the other's whole length.
  bool ordered = true;
};
// Dense, or as the input lies.
Layout layout_in_memory(const ir::Graph& graph, ir::NodeId n);
// Of a view, from its operand's; false: its elements do not lie at strides.
bool view_layout(const ir::Graph& graph, ir::NodeId view, Layout* layout);

struct CallOperand {
  ir::NodeId node = 0;  // what is read
  Layout layout;        // of the operand, in the memory of `node`
  bool copied = false;  // node is an input, but its copy is read
};
std::vector<CallOperand> call_operands(const ir::Graph& graph, const ir::Caps& caps,
                                       ir::NodeId call);
// The call that makes a value of memory: itself, or what it is a result of.
ir::NodeId called(const ir::Graph& graph, ir::NodeId made);
// About how many operations of float32 it is.
ir::SizeExpr call_operations(const ir::Graph& graph, ir::NodeId call);
// Bytes of memory that the call works in beside its arrays, where its results are these.
ir::SizeExpr call_workspace(const ir::Graph& graph, const ir::Caps& caps, ir::NodeId call,
                            std::span<const std::uint32_t> results);
// Calls and what they read are in memory.
void store_calls(const ir::Graph& graph, const ir::Caps& caps, std::vector<bool>* stored);

// The call of a node, its arrays in these buffers: operands, then results (CallArray::kNobody for
// those that nobody wants).
ir::Call call_of(const ir::Graph& graph, ir::NodeId n, std::span<const CallOperand> operands,
                 std::span<const std::uint32_t> buffers);

}  // namespace kiln::passes
