// Private to the snapshot: its builder.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "frontend/access.h"
#include "frontend/number_table.h"
#include "frontend/snapshot.h"
#include "frontend/symbols.h"

namespace kiln::inline v0::frontend {

// One thread's workspace: kept between evaluations, so that a warm snapshot allocates nothing.
class Builder {
 public:
  bool run(std::span<Node* const> roots, bool evaluated, Snapshot* result);

 private:
  struct Frame {
    Node* node;
    std::uint32_t next, edges;
  };
  struct Info {               // of a node in order_
    std::uint32_t axes = 0;   // first of its variables in axes_
    ir::NodeId id = 0;        // in the graph
    std::uint32_t edges = 0;  // consumers within the snapshot
    std::uint32_t dying = 0;  // of those, ones that will let go of it
    const std::string* label = nullptr;
    bool output = false;
    bool outside = false;  // operations outside consume an alias of it
  };

  bool walk(std::span<Node* const> roots);
  bool enter(Node* node, std::uint64_t epoch, std::uint32_t edges);
  void leave(Node* node, std::uint32_t edges);
  Node* behind(Node* alias, std::uint64_t epoch);
  void settle_aliases();
  void choose_store(Node* node, Info& info);
  bool cheap(Node* node);
  void emit(bool evaluated);
  void remember_name(ir::NodeId id, const std::string* label);
  void emit(std::size_t index);
  void emit_leaf(Node* node, Info& info);
  void emit_scalar(Node* node);
  void emit_map(Node* node);
  bool emit_alike(Node* node);
  void emit_reshape(Node* node);
  void emit_windows(Node* node);  // slice, pad
  void emit_concat(Node* node);
  void emit_contract(Node* node);
  void mark_donations();
  void resolve_symbols();

  std::span<const Var> axes_of(Node* node) const {
    return {axes_.data() + infos_[node->id].axes, node->shape->shape.extents().size()};
  }
  // The operand's graph node, broadcast to the axes at `axes` if it has others.
  ir::NodeId operand(Node* node, std::uint32_t axes, std::size_t rank);
  // The first of the result's axes: those of an operand that has them all, or new ones.
  std::uint32_t common_axes(Node* node, std::size_t rank);
  // A node of the graph with the current node's op, dtype and size.
  ir::NodeId append(ir::NodeKind kind, std::span<const ir::NodeId> operands, std::uint32_t axes,
                    std::size_t rank);
  ir::Node& push(ir::NodeKind kind, std::uint32_t axes, std::size_t rank);  // without its operands
  // The next node's attribute: one of an earlier snapshot, whose lists keep their memory. `attach`
  // gives it to the node appended last.
  template <class A>
  A& attribute();
  void attach();
  Node* input(Node* node, std::uint32_t i) const { return root_of(node->operands()[i]); }

  struct Wide {  // the latest broadcast of a node of the graph for an elementwise operation
    std::uint32_t axes = 0;
    ir::NodeId id = 0;  // 0: none
  };

  Snapshot* out_ = nullptr;
  std::vector<Frame> stack_;
  std::vector<Node*> order_, aliases_;
  std::vector<Info> infos_;
  std::vector<Var> axes_;
  std::vector<ir::NodeId> operands_;
  std::vector<Wide> wide_;  // by node of the graph, as far as needed: merged scalars have one
  Symbols symbols_;
  std::uint32_t attributes_ = 1;  // of the graph's, those in use
  NumberTable user_scalars_, counts_, literals_;
  std::vector<ir::NodeId> scalar_nodes_;  // by scalar
  Node* current_ = nullptr;
  bool may_donate_ = false;  // some input is held by nothing but this snapshot's operations
};

}  // namespace kiln::inline v0::frontend
