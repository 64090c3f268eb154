// CUDA pointwise: every output once a point; a block takes a piece of the last axis at one point of
// the others, a thread up to 16 bytes of it.
//
// Where every access is provably 16-byte aligned, a thread loads and stores vectors; else it takes
// one element, which is coalesced whatever the alignment. Floor: each input read once, each output
// written once. Variants: vector width, 32- or 64-bit indices.
#include <algorithm>

#include "passes/scene.h"

namespace kiln::passes {

using ir::Value;

namespace {

constexpr std::int64_t kThreads = 256;

bool divisible(const ir::Graph& graph, const Monomial& m, std::int64_t by) {
  std::int64_t known = std::abs(m.coefficient);
  for (const ir::Sym s : m.factors) known *= graph.sym(s).multiple;
  return known % by == 0;
}

// Whether `lanes` consecutive elements along `last`, from a multiple of lanes on, are one aligned
// vector (or, where the access does not move along it, one element).
bool aligned(const ClusterContext& c, const Access& access, const MergedAxis& last,
             std::int64_t lanes) {
  const ir::Node& leaf = c.graph.nodes[access.leaf];
  const Affine offset = linear(c.graph, access);
  const Stride stride = stride_of(c.graph, access, last.coordinate);
  if (stride == Stride::none) return true;
  if (stride == Stride::other || !offset.offset.empty() || !offset.divided.empty()) return false;
  if (!access.guards.empty()) return false;
  if (!access.output && leaf.kind == ir::NodeKind::buffer && !c.graph.inputs[leaf.attr].aligned) {
    return false;
  }
  return std::ranges::all_of(offset.terms, [&](const Affine::Term& term) {
    // The other coordinates of a merged run stay 0.
    const bool in_run = std::ranges::find(last.run, term.coordinate) != last.run.end();
    return term.coordinate == last.coordinate || (in_run && !last.by_index) ||
           divisible(c.graph, term.coefficient, lanes);
  });
}

std::int64_t vector_lanes(const ClusterContext& c) {
  const std::int64_t lanes = 16 / widest(c);
  if (lanes < 2) return 1;
  const MergedAxis& last = c.space.outer.back();
  bool all = std::ranges::all_of(
      c.space.reads, [&](const Access& access) { return aligned(c, access, last, lanes); });
  for (const ClusterOutput& output : c.cluster.outputs) {
    all = all && aligned(c, {output.node, index_at(output.coordinates), {}, true}, last, lanes);
  }
  return all ? lanes : 1;
}

void elements(Scene& s, const MergedAxis& last, Value first, Value extent, std::int64_t lanes) {
  if (lanes == 1) {
    s.b.begin_if(s.b.less(first, extent));
    s.set_uniform(last, first);
    s.store_outer_outputs();
    s.b.end();
    return;
  }
  const Value end = s.b.add(first, s.b.index(lanes));
  s.b.begin_if(s.b.op(ir::Op::le, ir::DType::bool_, {end, extent}));
  s.e.open_scope();
  s.e.set_lanes(static_cast<int>(lanes));
  s.e.assume_aligned(true);
  s.set(last, {first, s.b.index(1)});
  s.store_outer_outputs(ir::kAligned);
  s.e.set_lanes(1);
  s.e.assume_aligned(false);
  s.e.close_scope();
  s.b.begin_else();
  const Value i = s.b.begin_short_loop(first, extent, s.b.index(1));
  s.e.open_scope();
  s.set_uniform(last, i);
  s.store_outer_outputs();
  s.e.close_scope();
  s.b.end();
  s.b.end();
}

}  // namespace

Scheduled cuda_pointwise(const ClusterContext& c) {
  Scene s(c);
  Scheduled result;
  result.name = "pointwise";
  if (c.space.outer.empty()) {
    s.b.begin_grid();
    s.store_outer_outputs();
    s.b.end();
    result.reason = "one element";
    result.kernels.push_back(s.finish());
    return result;
  }
  const std::int64_t lanes = vector_lanes(c);
  const std::int64_t piece = kThreads * lanes;
  s.grid(c.space.outer, piece);
  const MergedAxis& last = c.space.outer.back();
  const Value extent = s.length(last);
  Value block = s.b.begin_grid();
  const Value thread = s.b.begin_thread(kThreads);
  if (c.space.outer.size() > 1) {
    const Value pieces = s.b.div(s.b.add(extent, s.b.index(piece - 1)), s.b.index(piece));
    const std::vector<MergedAxis> rest(c.space.outer.begin(), c.space.outer.end() - 1);
    s.set_linear(rest, {s.b.div(block, pieces), ir::kNoValue});
    block = s.b.rem(block, pieces);
  }
  const Value first = s.b.add(s.b.mul(block, s.b.index(piece)), s.b.mul(thread, s.b.index(lanes)));
  elements(s, last, first, extent, lanes);
  s.b.end();
  s.b.end();
  result.kernels.push_back(s.finish());
  result.reason = lanes > 1
                      ? "all accesses aligned: " + std::to_string(lanes) + " elements a thread"
                      : "one element a thread, coalesced";
  return result;
}

}  // namespace kiln::passes
