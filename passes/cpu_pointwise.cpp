// CPU pointwise: every output once a point, vectors along the last axis.
//
// A grid item is one piece of kPiece elements of the last axis at one point of the others. Floor:
// each input read once, each output written once, at memory bandwidth. Non-temporal stores are used
// where an output cannot stay in the cache (streaming_flags) and every vector is aligned,
// since all axes merged into one or rows are whole cache lines; nothing is read after it was
// written. Variants: non-temporal or not; walked in stretches between edges or not.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "ir/mutant.h"
#include "passes/scene.h"

namespace kiln::passes {

using ir::Value;

namespace {

constexpr std::int64_t kPiece = 16384;
Scheduled scalar_kernel(const ClusterContext& c) {
  Scene s(c);
  s.b.begin_grid();
  s.store_outer_outputs();
  s.b.end();
  Scheduled result;
  result.kernels.push_back(s.finish());
  result.name = "single";
  result.reason = "one element";
  return result;
}

// Edges of pads and joins along the last axis. Each would cost a mask in every vector; so the axis
// is walked in stretches between them.
std::vector<std::vector<Monomial>> edges_of(const ClusterContext& c) {
  constexpr std::int64_t kShortAxis = 512;  // shorter ones have more edge than stretch
  constexpr std::size_t kMostEdges = 12;
  const MergedAxis& last = c.space.outer.back();
  if (last.run.size() != 1 || c.graph.sym(last.extents[0]).lo < kShortAxis) return {};
  std::vector<bool> leaf = c.partition.stored;
  std::vector<Root> roots;
  for (const ClusterOutput& output : c.cluster.outputs) {
    if (c.graph.nodes[output.node].operand_count > 0) leaf[output.node] = false;
    roots.push_back({output.node, index_at(output.coordinates), true});
  }
  auto found = edges(c.graph, unfold(c.graph, roots, leaf), last.coordinate);
  return found.size() > kMostEdges ? decltype(found){} : found;
}

// A stretch of the last axis without edges inside: whole vectors that begin at multiples of the
// lanes, as aligned stores need, and masked ones before and after them.
void stretch(Scene& s, Value begin, Value end, std::uint8_t flags) {
  ir::KernelBuilder& b = s.b;
  const MergedAxis& last = s.context().space.outer.back();
  const Value lanes = b.index(s.e.lanes());
  const auto up = [&](Value v) {
    return b.mul(b.div(b.add(v, b.index(s.e.lanes() - 1)), lanes), lanes);
  };
  const Value head = b.min(up(begin), end);
  const Value tail = b.add(head, b.mul(b.div(b.sub(end, head), lanes), lanes));
  const auto body = [&](Value at, std::uint8_t with) {
    s.e.open_scope();
    LaneIndex index{at, b.index(1)};
    index.origin = begin;
    s.set(last, index);
    s.store_outer_outputs(with);
    s.e.close_scope();
  };
  const Value i = b.begin_loop(head, tail, lanes);
  body(i, flags);
  b.end();
  const Value end_of = b.begin_loop(b.index(0), b.index(2), b.index(1));
  const Value first = b.op(ir::Op::eq, ir::DType::bool_, {end_of, b.index(0)});
  const auto either = [&](Value x, Value y) {
    return b.op(ir::Op::select, b.dtype(x), {first, x, y});
  };
  const Value from = either(begin, tail);
  const Value left = b.sub(either(head, end), from);
  b.begin_if(b.less(b.index(0), left));
  const Value inside =
      b.op(ir::Op::lt, ir::DType::bool_, {b.lane(b.kernel().index, s.e.lanes()), left});
  s.mask(mutant(ir::Mutant::tail_mask) ? ir::kNoValue : inside);
  body(from, 0);
  s.mask(ir::kNoValue);
  b.end();
  b.end();
}

void stretches(Scene& s, const std::vector<std::vector<Monomial>>& edges, Value begin, Value end,
               std::uint8_t flags) {
  ir::KernelBuilder& b = s.b;
  std::vector<Value> at;
  for (const std::vector<Monomial>& edge : edges) at.push_back(s.e.sum(edge));
  const std::uint32_t place = b.local(b.kernel().index, 1, "stretch");
  b.store(place, b.index(0), begin);
  b.begin_loop(b.index(0), b.index(static_cast<std::int64_t>(edges.size()) + 1), b.index(1));
  const Value from = b.load(place, b.index(0));
  Value to = end;
  for (const Value edge : at) {
    const Value inside = b.logical_and(b.less(from, edge), b.less(edge, to));
    to = b.op(ir::Op::select, b.dtype(to), {inside, edge, to});
  }
  b.store(place, b.index(0), to);
  stretch(s, from, to, flags);
  b.end();
}

// A processor overlaps rounds of a loop as far as its window of some 250 instructions reaches: with
// one register a vector, bodies up to this many operations keep its units busy.
constexpr std::size_t kOverlapped = 24;
// Of 16 registers, four a vector are there for this many values (and a constant) at once.
constexpr std::size_t kNarrow = 3;

// The most values that are alive at once, computed in the order of the graph.
std::size_t alive_at_once(const ClusterContext& c) {
  std::vector<ir::NodeId> order = c.space.inside;
  std::ranges::sort(order);
  std::unordered_map<ir::NodeId, std::size_t> last_use;
  for (const Access& read : c.space.reads) last_use[read.leaf] = 0;
  for (const ir::NodeId n : order) last_use[n] = 0;
  for (std::size_t i = 0; i < order.size(); ++i)
    for (const ir::NodeId input : c.graph.operands(order[i]))
      if (const auto it = last_use.find(input); it != last_use.end()) it->second = i;
  std::unordered_set<ir::NodeId> alive;
  std::size_t most = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto inputs = c.graph.operands(order[i]);
    for (const ir::NodeId input : inputs)
      if (last_use.contains(input)) alive.insert(input);
    most = std::max(most, alive.size());
    for (const ir::NodeId input : inputs)
      if (last_use.contains(input) && last_use[input] == i) alive.erase(input);
    alive.insert(order[i]);
  }
  return most;
}

// Lanes of a vector, as registers full of the widest dtype: two hide the latency of functions of
// ir/math and let narrow elements beside wide ones fill a register. Else one is as fast and takes a
// third less to compile, as long as rounds overlap; four interleave the rounds of a long chain.
int lanes(const ClusterContext& c) {
  const std::int64_t width = widest(c);
  const auto is_as_wide = [&](ir::NodeId n) {
    return ir::size_of(c.graph.nodes[n].dtype) == width;
  };
  const bool even =
      std::ranges::all_of(c.space.reads, [&](const Access& a) { return is_as_wide(a.leaf); }) &&
      std::ranges::all_of(c.cluster.outputs,
                          [&](const ClusterOutput& o) { return is_as_wide(o.node); }) &&
      std::ranges::none_of(c.space.inside, [&](ir::NodeId n) {
        const ir::Node& node = c.graph.nodes[n];
        return is_map(node) && ir::has(node.op, ir::kExpands);
      });
  if (!even) return cpu_lanes(c);
  if (c.space.inside.size() <= kOverlapped) return std::max(cpu_lanes(c) / 2, 4);
  return alive_at_once(c) <= kNarrow ? std::min<int>(2 * cpu_lanes(c), ir::kReduceLanes)
                                     : cpu_lanes(c);
}

}  // namespace

Scheduled cpu_pointwise(const ClusterContext& c) {
  if (c.space.outer.empty()) return scalar_kernel(c);
  Scene s(c);
  const std::uint8_t flags = streaming_flags(c, c.space.outer);
  s.e.set_lanes(lanes(c));
  s.grid(c.space.outer, kPiece);
  const MergedAxis& last = c.space.outer.back();
  const Value extent = s.length(last);
  const Value pieces = s.b.div(s.b.add(extent, s.b.index(kPiece - 1)), s.b.index(kPiece));
  Value item = s.b.begin_grid();
  Value piece = item;
  if (c.space.outer.size() > 1) {
    piece = s.b.rem(item, pieces);
    item = s.b.div(item, pieces);
    const std::vector<MergedAxis> rest(c.space.outer.begin(), c.space.outer.end() - 1);
    s.set_linear(rest, {item, ir::kNoValue});
  }
  const Value begin = s.b.mul(piece, s.b.index(kPiece));
  const Value end = s.b.min(s.b.add(begin, s.b.index(kPiece)), extent);
  if (const auto edges = edges_of(c); !edges.empty()) {
    stretches(s, edges, begin, end, flags);
  } else {
    s.vector_loop(begin, end, [&](LaneIndex i) {
      s.set(last, i);
      s.store_outer_outputs(s.masked() ? std::uint8_t{0} : flags);
    });
  }
  s.b.end();
  Scheduled result;
  result.kernels.push_back(s.finish());
  result.name = "pointwise";
  result.reason =
      flags ? "outputs exceed the cache and their vectors are aligned: non-temporal stores"
            : "no reduction: one pass over the points";
  return result;
}

}  // namespace kiln::passes
