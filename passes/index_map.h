// What a view does to an index, written once for every kind of index: symbolic ones (access.h),
// which passes decide by, and values of a kernel under construction (emit.h).
//
// An algebra A has an index type A::Index and
//   Index zero();                       Index add(Index, Index);
//   Index add(Index, Sym);  Index sub(Index, Sym);  Index mul(Index, Sym);
//   Index div(Index, Sym);  Index rem(Index, Sym);  of a non-negative index by an extent
#pragma once
#include <vector>

#include "ir/error.h"
#include "ir/graph.h"
#include "ir/mutant.h"

namespace kiln::passes {

// row-major linear index of `indices` over `extents`
template <class A>
typename A::Index linear_index(A& algebra, std::span<const ir::Sym> extents,
                               std::span<const typename A::Index> indices) {
  typename A::Index sum = algebra.zero();
  for (std::size_t i = 0; i < extents.size(); ++i) {
    sum = i == 0 ? indices[0] : algebra.add(algebra.mul(sum, extents[i]), indices[i]);
  }
  return sum;
}

// the inverse of linear_index
template <class A>
std::vector<typename A::Index> split_index(A& algebra, std::span<const ir::Sym> extents,
                                           typename A::Index linear) {
  std::vector<typename A::Index> result(extents.size(), algebra.zero());
  for (std::size_t i = extents.size(); i-- > 0;) {
    result[i] = i == 0 ? linear : algebra.rem(linear, extents[i]);
    if (i > 0) linear = algebra.div(linear, extents[i]);
  }
  return result;
}

template <class A>
std::vector<typename A::Index> reshape_index(const ir::Graph& graph, ir::NodeId node,
                                             std::span<const typename A::Index> index, A& algebra) {
  using Index = typename A::Index;
  const ir::Groups& groups = graph.attribute<ir::Groups>(node);
  const auto from = graph.shape(graph.operand(node, 0));
  const auto to = graph.shape(node);
  std::vector<Index> result(from.size(), algebra.zero());
  std::size_t f = 0;
  std::size_t t = 0;
  for (std::size_t g = 0; g < groups.from.size(); ++g) {
    // Axes of extent 1 have index 0 and take no part.
    std::vector<ir::Sym> from_extents;
    std::vector<ir::Sym> to_extents;
    std::vector<std::size_t> from_axes;
    std::vector<Index> indices;
    for (const std::size_t end = f + groups.from[g]; f < end; ++f) {
      if (from[f] == ir::kOne) continue;
      from_extents.push_back(from[f]);
      from_axes.push_back(f);
    }
    for (const std::size_t end = t + groups.to[g]; t < end; ++t) {
      if (to[t] == ir::kOne) continue;
      to_extents.push_back(to[t]);
      indices.push_back(index[t]);
    }
    if (from_extents != to_extents) {
      const Index linear = linear_index<A>(algebra, to_extents, indices);
      indices = split_index<A>(algebra, from_extents, linear);
    }
    for (std::size_t i = 0; i < from_axes.size(); ++i) result[from_axes[i]] = indices[i];
  }
  return result;
}

// Where an element of a window lies: begin + step * index (ir::Slices of the node).
template <class A>
std::vector<typename A::Index> window_index(const ir::Graph& graph, ir::NodeId node,
                                            std::span<const typename A::Index> index, A& algebra) {
  std::vector<typename A::Index> result(index.size(), algebra.zero());
  const ir::Slices& slices = graph.attribute<ir::Slices>(node);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const ir::Sym begin = slices.begin[mutant(ir::Mutant::slice_begin) ? 0 : i];
    result[i] = algebra.add(algebra.mul(index[i], slices.step[i]), begin);
  }
  return result;
}

// The index in the value of an update of unit steps, for one of its result (maybe out of range).
template <class A>
std::vector<typename A::Index> updated_index(const ir::Graph& graph, ir::NodeId node,
                                             std::span<const typename A::Index> index, A& algebra) {
  std::vector<typename A::Index> result(index.size(), algebra.zero());
  const ir::Slices& slices = graph.attribute<ir::Slices>(node);
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = algebra.sub(index[i], slices.begin[i]);
  }
  return result;
}

// The operand's index that a broadcast, permute, reshape or slice reads for `index` of its result.
// A pad's operand index is taken too (it may be out of range: the caller masks).
template <class A>
std::vector<typename A::Index> operand_index(const ir::Graph& graph, ir::NodeId node,
                                             std::span<const typename A::Index> index, A& algebra) {
  using Index = typename A::Index;
  const ir::NodeId operand = graph.operand(node, 0);
  std::vector<Index> result(graph.nodes[operand].rank, algebra.zero());
  switch (graph.nodes[node].kind) {
    case ir::NodeKind::broadcast: {
      const auto shape = graph.shape(operand);
      const std::size_t skip = index.size() - shape.size();
      for (std::size_t i = 0; i < shape.size(); ++i) {
        if (shape[i] == ir::kOne) continue;
        result[i] = index[mutant(ir::Mutant::broadcast_axis) ? i : i + skip];
      }
      return result;
    }
    case ir::NodeKind::permute: {
      const auto& axes = graph.attribute<ir::Axes>(node).axes;
      for (std::size_t i = 0; i < axes.size(); ++i) {
        result[axes[i]] = index[mutant(ir::Mutant::permuted_axes) ? axes[i] : i];
      }
      return result;
    }
    case ir::NodeKind::reshape:
      return reshape_index<A>(graph, node, index, algebra);
    case ir::NodeKind::slice:
      return window_index<A>(graph, node, index, algebra);
    case ir::NodeKind::put:
      return {index.begin(), index.end()};
    case ir::NodeKind::pad: {
      const ir::Pads& pads = graph.attribute<ir::Pads>(node);
      for (std::size_t i = 0; i < result.size(); ++i) {
        result[i] = algebra.sub(index[i], pads.low[i]);
      }
      return result;
    }
    case ir::NodeKind::buffer:
    case ir::NodeKind::constant:
    case ir::NodeKind::scalar:
    case ir::NodeKind::iota:
    case ir::NodeKind::map:
    case ir::NodeKind::concat:
    case ir::NodeKind::update:
    case ir::NodeKind::reduce:
    case ir::NodeKind::arg_reduce:
    case ir::NodeKind::contract:
    case ir::NodeKind::scan:
    case ir::NodeKind::sort:
    case ir::NodeKind::loop:
    case ir::NodeKind::item:
      break;
  }
  ir::internal_error("index: a kind that is no view");
}

}  // namespace kiln::passes
