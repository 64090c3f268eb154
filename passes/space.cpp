#include "passes/space.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "ir/mutant.h"
#include "ir/traffic.h"
#include "passes/calls.h"
#include "passes/ways.h"

namespace kiln::passes {

using ir::NodeId;
using ir::NodeKind;
using ir::Sym;

namespace {

// A coordinate's coefficient in an offset; zero if it does not occur.
Monomial coefficient(const Affine& a, std::uint32_t coordinate) {
  for (const auto& term : a.terms) {
    if (term.coordinate == coordinate) return term.coefficient;
  }
  return {0, {}};
}

class Collapse {
 public:
  // What is done about an innermost run of few elements: it is merged, by index; or not where
  // accesses run along different axes, since schedules turn tiles rather than divide; or only where
  // dividing costs less than vectors that are not full.
  enum class Short : std::uint8_t { merge, turn, compare };
  Collapse(const ir::Graph& graph, const std::vector<Access>& accesses,
           const std::vector<Sym>& extents, Short rows, std::int64_t operations)
      : graph_(graph),
        extents_(extents),
        rows_(rows),
        operations_(static_cast<double>(operations)),
        apart_(extents.size(), false) {
    for (const Access& access : accesses) look_at(access);
  }

  std::vector<MergedAxis> run(std::size_t first, std::size_t last) const {
    std::vector<MergedAxis> axes;
    for (std::size_t c = first; c < last; ++c) {
      if (extents_[c] == ir::kOne) continue;
      const auto coordinate = static_cast<std::uint32_t>(c);
      const bool joins = !axes.empty() && mergeable(axes.back().coordinate, coordinate);
      if (!joins) axes.push_back({{}, coordinate, false, {}});
      axes.back().extents.push_back(extents_[c]);
      axes.back().coordinate = coordinate;
      axes.back().run.push_back(coordinate);
    }
    merge_short(axes);
    return axes;
  }

 private:
  void look_at(const Access& access) {
    for (const std::uint32_t c : access.guards) apart_[c] = true;
    for (const Affine& a : access.index) {
      for (const std::uint32_t c : a.divided) apart_[c] = true;
    }
    const ir::Node& leaf = graph_.nodes[access.leaf];
    if (leaf.kind == NodeKind::iota) {
      for (const auto& term : access.index[leaf.imm].terms) apart_[term.coordinate] = true;
    } else if (!is_number(leaf)) {
      offsets_.push_back(linear(graph_, access));
      guarded_.push_back(!access.guards.empty());
    }
  }

  // An innermost run of fewer elements than this does not fill vectors.
  static constexpr double kShort = 64;
  // One of fewer than this fills no tile either.
  static constexpr double kTile = 16;

  void merge_short(std::vector<MergedAxis>& axes) const {
    while (axes.size() > 1 && longest(axes.back()) < kShort && memory_order(axes)) {
      if (rows_ != Short::merge && longest(axes.back()) >= kTile && crossed(axes)) return;
      if (rows_ == Short::compare && !mutant(ir::Mutant::divided_rows) && !divide(axes)) return;
      MergedAxis inner = std::move(axes.back());
      axes.pop_back();
      MergedAxis& outer = axes.back();
      outer.by_index = true;
      outer.coordinate = inner.coordinate;
      outer.extents.insert(outer.extents.end(), inner.extents.begin(), inner.extents.end());
      outer.run.insert(outer.run.end(), inner.run.begin(), inner.run.end());
    }
  }

  // Whether walking the last two axes as one costs a processor less than walking the last one row
  // by row: in nanoseconds, as measured for float32 on AVX-512 (a row's masked vectors, and 3 for
  // the row; a gather with its division 0.6 an element, a guard twice that).
  bool divide(const std::vector<MergedAxis>& axes) const {
    constexpr double kLanes = 16, kRow = 3, kGather = 0.6, kOperation = 0.4;
    const double n = middle_size(graph_, axes.back().extents);
    const double vector = static_cast<double>(offsets_.size()) + kOperation * operations_;
    double gathers = 0;
    for (std::size_t i = 0; i < offsets_.size(); ++i) {
      const bool still =
          coefficient(offsets_[i], axes.back().run.front()).coefficient == 0 &&
          coefficient(offsets_[i], axes[axes.size() - 2].coordinate).coefficient == 0;
      if (still) continue;
      if (guarded_[i]) gathers += 2;
      if (!guarded_[i] && !in_memory_order(offsets_[i], axes)) gathers += 1;
    }
    return n * (kGather * gathers + vector / kLanes) < kRow + std::ceil(n / kLanes) * vector;
  }

  // Whether some access runs along another axis than the last, across which it moves.
  bool crossed(const std::vector<MergedAxis>& axes) const {
    return std::ranges::any_of(offsets_, [&](const Affine& offset) {
      const Monomial last = coefficient(offset, axes.back().coordinate);
      if (last.coefficient == 0 || last == Monomial{}) return false;
      return std::any_of(axes.begin(), axes.end() - 1, [&](const MergedAxis& axis) {
        return coefficient(offset, axis.coordinate) == Monomial{};
      });
    });
  }

  double longest(const MergedAxis& axis) const {
    double size = 1;
    for (const Sym s : axis.extents) size *= static_cast<double>(graph_.sym(s).hi);
    return size;
  }

  // Whether an access runs through the last two axes as one.
  bool in_memory_order(const Affine& offset, const std::vector<MergedAxis>& axes) const {
    const std::uint32_t b = axes.back().run.front();
    const Monomial inner = coefficient(offset, b);
    return inner.coefficient != 0 && coefficient(offset, axes[axes.size() - 2].coordinate) ==
                                         multiply(graph_, inner, extents_[b]);
  }
  // Whether some does, so that merging them gives vectors.
  bool memory_order(const std::vector<MergedAxis>& axes) const {
    return std::ranges::any_of(offsets_,
                               [&](const Affine& offset) { return in_memory_order(offset, axes); });
  }

  bool mergeable(std::uint32_t a, std::uint32_t b) const {
    if (apart_[a] || apart_[b]) return false;
    return std::ranges::all_of(offsets_, [&](const Affine& offset) {
      const Monomial inner = coefficient(offset, b);
      const Monomial wanted = inner.coefficient == 0 ? inner : multiply(graph_, inner, extents_[b]);
      return coefficient(offset, a) == wanted;
    });
  }

  const ir::Graph& graph_;
  const std::vector<Sym>& extents_;
  Short rows_;
  double operations_;  // of one point
  std::vector<bool> apart_;
  std::vector<Affine> offsets_;
  std::vector<bool> guarded_;  // by offset
};

// Notes what is computed; gives what is read.
std::vector<Access> compute(const ir::Graph& graph, const Unfolding& unfolded, Space& space) {
  std::vector<Access> accesses;
  space.operations.assign(space.coordinates + 1, 0);
  for (const Visit& visit : unfolded.visits) {
    const Context& context = unfolded.contexts[visit.context];
    const ir::Node& node = graph.nodes[visit.node];
    std::int64_t& operations = space.operations[depth(context.index)];
    if (visit.leaf) {
      accesses.push_back({visit.node, context.index, context.guards, false});
      if (is_divided(context)) operations += kGatherCost;
      continue;
    }
    space.inside.push_back(visit.node);
    operations += static_cast<std::int64_t>(op_cost(node));
    if (node.kind == NodeKind::reshape)
      operations += kDivisionCost * divided_axes(graph, visit.node);
  }
  std::ranges::sort(space.inside);
  space.inside.erase(std::unique(space.inside.begin(), space.inside.end()), space.inside.end());
  return accesses;
}

}  // namespace

Space space_of(const ir::Graph& graph, const ir::Caps& caps, const Partition& partition,
               const Cluster& cluster) {
  Space space;
  if (cluster.assembled) {
    for (const NodeId operand : graph.operands(cluster.outputs[0].node))
      space.reads.push_back({operand, {}, {}, false});
    return space;
  }
  if (cluster.call) {
    for (const CallOperand& read :
         call_operands(graph, caps, called(graph, cluster.outputs[0].node)))
      space.reads.push_back({read.node, {}, {}, false});
    return space;
  }
  std::vector<Sym> extents = cluster.outer;
  extents.insert(extents.end(), cluster.inner.begin(), cluster.inner.end());
  const std::size_t points = extents.size();
  extents.insert(extents.end(), cluster.nested.begin(), cluster.nested.end());
  space.coordinates = extents.size();
  std::vector<bool> leaf = partition.stored;
  std::vector<Root> roots;
  std::vector<NodeId> reduces = cluster.reduces;
  reduces.insert(reduces.end(), cluster.nested_reduces.begin(), cluster.nested_reduces.end());
  std::set<NodeId> own(reduces.begin(), reduces.end());
  for (const ClusterOutput& output : cluster.outputs) {
    if (per_row(graph.nodes[output.node])) continue;
    own.insert(output.node);
    if (graph.nodes[output.node].operand_count > 0) leaf[output.node] = false;
    roots.push_back({output.node, index_at(output.coordinates), true});
  }
  for (const NodeId r : reduces) {
    roots.push_back({graph.operand(r, 0), index_at(reduce_coordinates(graph, r)), false});
  }
  std::vector<Access> accesses = compute(graph, unfold(graph, roots, leaf), space);
  space.operations[points] += static_cast<std::int64_t>(cluster.reduces.size());
  space.operations.back() += static_cast<std::int64_t>(cluster.nested_reduces.size());
  for (const Access& access : accesses) {
    const ir::Node& node = graph.nodes[access.leaf];
    const bool computed = own.contains(access.leaf) && node.operand_count > 0;
    const bool literal = node.operand_count == 0 && !is_input(node);
    if (!computed && !literal) space.reads.push_back(access);
  }
  for (const ClusterOutput& output : cluster.outputs) {
    accesses.push_back(stored_access(graph, partition, output));
  }
  std::erase_if(accesses, [&](const Access& a) {
    // Results of this cluster's reductions live in registers, whatever their index.
    return per_row(graph.nodes[a.leaf]) && own.contains(a.leaf);
  });
  using Short = Collapse::Short;
  const Short rows = !cluster.reduces.empty()         ? Short::merge
                     : caps.target == ir::Target::cpu ? Short::compare
                                                      : Short::turn;
  std::int64_t operations = 0;
  for (const std::int64_t n : space.operations) operations += n;
  const Collapse collapse(graph, accesses, extents, rows, operations);
  space.outer = collapse.run(0, cluster.outer.size());
  space.inner = collapse.run(cluster.outer.size(), points);
  space.nested = collapse.run(points, extents.size());
  return space;
}

std::size_t walked_apart(const std::vector<MergedAxis>& axes) {
  std::size_t count = 0;
  for (const MergedAxis& axis : axes) count += axis.by_index ? axis.run.size() : 1;
  return count;
}

Stride stride_of(const ir::Graph& graph, const Access& access, std::uint32_t coordinate) {
  const Affine offset = linear(graph, access);
  if (std::ranges::find(offset.divided, coordinate) != offset.divided.end()) return Stride::other;
  const Monomial c = coefficient(offset, coordinate);
  if (c.coefficient == 0) return Stride::none;
  return c == Monomial{} ? Stride::unit : Stride::other;
}

namespace {

std::int64_t typical(const ir::Graph& graph, std::span<const Sym> factors) {
  double size = 1;
  for (const Sym s : factors) size *= std::max(1.0, std::round(middle(graph, s)));
  return static_cast<std::int64_t>(std::min(size, 1e18));
}

// The indices of the coordinates at a position along the axes; false beyond their end.
bool locate(const ir::Graph& graph, std::span<const MergedAxis> axes, std::int64_t position,
            std::map<std::uint32_t, std::int64_t>& index) {
  for (std::size_t a = axes.size(); a-- > 0;) {
    const MergedAxis& axis = axes[a];
    if (!axis.by_index) {
      const std::int64_t extent = typical(graph, axis.extents);
      index[axis.coordinate] = position % extent;
      position /= extent;
      continue;
    }
    for (std::size_t i = axis.run.size(); i-- > 0;) {
      const std::int64_t extent = typical(graph, {&axis.extents[i], 1});
      index[axis.run[i]] = position % extent;
      position /= extent;
    }
  }
  return position == 0;
}

}  // namespace

double delivered_bytes(const ir::Graph& graph, const Access& access,
                       std::span<const MergedAxis> axes, std::int64_t lanes) {
  const Affine offset = linear(graph, access);
  const auto bytes = static_cast<double>(ir::size_of(graph.nodes[access.leaf].dtype));
  const auto sector = static_cast<double>(ir::kSectorBytes);
  std::map<std::uint32_t, std::int64_t> index;
  std::set<double> sectors;
  double elements = 0;
  for (; elements < static_cast<double>(lanes); ++elements) {
    if (!locate(graph, axes, static_cast<std::int64_t>(elements), index)) break;
    const auto moves = [&](std::uint32_t c) { return index.contains(c); };
    if (std::ranges::any_of(offset.divided, moves)) return sector;
    double at = 0;
    for (const Affine::Term& term : offset.terms) {
      if (!moves(term.coordinate)) continue;
      at += static_cast<double>(term.coefficient.coefficient) *
            static_cast<double>(typical(graph, term.coefficient.factors)) *
            static_cast<double>(index[term.coordinate]);
    }
    sectors.insert(std::floor(at * bytes / sector));
  }
  return std::max(bytes, sector * static_cast<double>(sectors.size()) / std::max(elements, 1.0));
}

namespace {

// Whether a stride of 0 repeats the elements of an axis.
bool repeats(const ir::Graph& graph, NodeId leaf, std::size_t axis) {
  return is_strided_input(graph, leaf) &&
         graph.inputs[graph.nodes[leaf].attr].strides[axis] == ir::kZero;
}

// The extents of all of a leaf in memory.
std::vector<Sym> whole(const ir::Graph& graph, NodeId leaf) {
  std::vector<Sym> result;
  const auto shape = graph.shape(leaf);
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (!repeats(graph, leaf, axis)) result.push_back(shape[axis]);
  }
  return result;
}

// The extents of what an access reads of its leaf, where nothing else reads it. An index that was
// divided, or that sums coordinates, is taken to reach all of its axis.
std::vector<Sym> reach(const ir::Graph& graph, const Access& access,
                       const std::vector<Sym>& extents) {
  std::vector<Sym> result;
  std::set<std::uint32_t> walked;
  const auto shape = graph.shape(access.leaf);
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    const Affine& index = access.index[axis];
    if (index.divided.empty() && index.terms.empty()) continue;
    if (repeats(graph, access.leaf, axis)) continue;
    if (!index.divided.empty() || index.terms.size() > 1) {
      result.push_back(shape[axis]);
      continue;
    }
    const std::uint32_t c = index.terms[0].coordinate;
    if (!walked.insert(c).second) continue;  // a diagonal
    // Behind a pad or a concat a coordinate runs past both ends.
    const bool guarded = std::ranges::find(access.guards, c) != access.guards.end();
    result.push_back(guarded ? shape[axis] : extents[c]);
  }
  return result;
}

// Elements of operands that are repeated count once.
Traffic call_traffic(const ir::Graph& graph, const ir::Caps& caps, const Cluster& cluster) {
  const NodeId n = called(graph, cluster.outputs[0].node);
  Traffic t;
  const std::vector<CallOperand> operands = call_operands(graph, caps, n);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    std::vector<Sym> walked;
    const NodeId operand = graph.operand(n, static_cast<int>(i));
    const auto shape = graph.shape(operand);
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      if (operands[i].layout.strides[axis].coefficient != 0) walked.push_back(shape[axis]);
    }
    t.compulsory_read += ir::SizeExpr::product(ir::size_of(graph.nodes[operand].dtype), walked);
  }
  for (const ClusterOutput& output : cluster.outputs) {
    t.compulsory_written += ir::SizeExpr::product(ir::size_of(graph.nodes[output.node].dtype),
                                                  graph.shape(output.node));
  }
  t.operations = call_operations(graph, n);
  return t;
}

}  // namespace

Traffic traffic_of(const ir::Graph& graph, const ir::Caps& caps, const Cluster& cluster,
                   const Space& space) {
  if (cluster.assembled) return {};
  if (cluster.call) return call_traffic(graph, caps, cluster);
  Traffic t;
  std::vector<Sym> all = cluster.outer;
  all.insert(all.end(), cluster.inner.begin(), cluster.inner.end());
  all.insert(all.end(), cluster.nested.begin(), cluster.nested.end());
  std::map<NodeId, const Access*> leaves;  // read in several ways: null
  for (const Access& access : space.reads) {
    const auto [leaf, first] = leaves.emplace(access.leaf, &access);
    if (!first) leaf->second = nullptr;
  }
  for (const auto& [leaf, access] : leaves) {
    // Read in several ways, a buffer counts as a whole: how they overlap depends on run-time
    // offsets.
    t.compulsory_read +=
        ir::SizeExpr::product(ir::size_of(graph.nodes[leaf].dtype),
                              access != nullptr ? reach(graph, *access, all) : whole(graph, leaf));
  }
  for (const ClusterOutput& output : cluster.outputs) {
    t.compulsory_written += ir::SizeExpr::product(ir::size_of(graph.nodes[output.node].dtype),
                                                  graph.shape(output.node));
  }
  for (std::size_t d = 0; d < space.operations.size(); ++d) {
    if (space.operations[d] == 0) continue;
    t.operations += ir::SizeExpr::product(space.operations[d], std::span(all).first(d));
  }
  return t;
}

}  // namespace kiln::passes
