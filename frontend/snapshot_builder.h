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
#include "ir/error.h"

namespace kiln::inline v0::frontend {

// A pending operation whose value may be stored by itself. Generators and views are cheaper made
// again.
bool computed_alone(const Node& node);

// One thread's workspace: kept between evaluations, so that a warm snapshot allocates nothing.
class Builder {
 public:
  bool run(std::span<Node* const> roots, Learning learning, Snapshot* result);
  std::vector<Node*> operations(std::span<Node* const> roots);

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
    std::uint8_t rank = 0;
    bool output = false;
    bool outside = false;  // operations outside consume an alias of it
    bool held = false;     // an Array holds an alias of it
    bool again = false;    // an earlier evaluation computed it without storing it
    bool taught = false;
  };

  struct View {  // the first of its kind, lists, shape and operand's axes
    const ListBox* lists = nullptr;
    const ShapeBox* shape = nullptr;
    Kind kind = Kind::slice;
    std::uint32_t from = 0, axes = 0, attribute = 0;
  };
  // And whether it was there.
  std::pair<View&, bool> view_of(const Node& node, std::uint32_t from);

  bool walk(std::span<Node* const> roots);
  bool enter(Node* node, std::uint64_t epoch, std::uint32_t edges);
  void leave(Node* node, std::uint32_t edges) {
    ir::internal_check(node->shape->size != 0, "snapshot: an operand without elements");
    node->id = static_cast<std::uint32_t>(order_.size());
    order_.push_back(node);
    Info& info = infos_.emplace_back();
    info.edges = edges;
    info.rank = static_cast<std::uint8_t>(node->shape->shape.extents().size());
  }
  Node* behind(Node* alias, std::uint64_t epoch);
  void settle_aliases();
  static bool needed_outside(const Node& node, const Info& info) {
    return node.uses > info.edges || info.outside || (node.hints & kMaterialize) != 0;
  }
  void add_results();
  void choose_store(Node* node, Info& info);
  void store(Node* node, Info& info, Place guess);
  // snapshot_learn.cpp
  void store_if_learnt(Node* node, Info& info);
  void learn();
  void learn_from(Node* again);
  bool cheap(Node* node);
  void emit();
  void remember_name(ir::NodeId id, const std::string* label);
  void emit(std::size_t index);
  void emit_leaf(Node* node, Info& info);
  void permute_back(Info& info);
  void emit_scalar(Node* node);
  ir::NodeId parameter(Node* scalar);
  // The graph's node of an operand; of a user's scalar a new one at each use.
  ir::NodeId id_of(Node* x) {
    return x->kind == Kind::scalar && !x->ready() ? parameter(x) : infos_[x->id].id;
  }
  void emit_map(Node* node);
  bool emit_alike(Node* node, Info& info);
  void emit_view(Node* node);  // and reductions: those of one attribute and axes are often alike
  void emit_single(Node* node);
  void emit_broadcast(Node* node);
  // The node's axes, by its kind's shape rule, and its attribute, the next one (snapshot_axes.cpp).
  class Variables;
  ir::Attribute& write_axes(Node* node);
  ir::Attribute& next_attribute(ir::NodeKind kind);
  void write_begins(Node* node, ir::SymList& begins);
  void mark_donations();
  void resolve_symbols();

  // The oldest of the lists in axes_ that operations have found to be one with this.
  std::uint32_t canonical(std::uint32_t axes) {
    if (axes >= lists_.size()) return axes;
    while (lists_[axes] != axes) axes = lists_[axes] = lists_[lists_[axes]];
    return axes;
  }
  void unite(std::uint32_t a, std::uint32_t b);
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
  static constexpr std::uint32_t kNoAxes = ~0u;
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
  std::vector<std::uint32_t> lists_;  // by first place in axes_, as far as needed: see canonical
  std::vector<ir::NodeId> operands_;
  std::vector<std::uint8_t> axes_in_memory_;  // of a value
  std::vector<Wide> wide_;  // by node of the graph, as far as needed: merged scalars have one
  Symbols symbols_;
  std::uint32_t attributes_ = 1;  // of the graph's, those in use
  NumberTable counts_, literals_, view_numbers_, fresh_places_;
  std::vector<View> views_;
  std::vector<ir::NodeId> scalar_nodes_;  // by scalar
  Node* current_ = nullptr;
  Learning learning_ = Learning::all;
  bool may_donate_ = false;  // some input is held by nothing but this snapshot's operations
};

}  // namespace kiln::inline v0::frontend
