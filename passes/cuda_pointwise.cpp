// CUDA pointwise: every output once a point; a block takes a piece of the last axis at one point of
// the others, a thread up to 16 bytes of it.
//
// Where every access is provably 16-byte aligned, a thread loads and stores vectors; else it takes
// one element, which is coalesced whatever the alignment. What is the same all along the last axis
// (totals of reductions) is loaded once a thread; where that is much beside what a thread streams,
// a thread takes several such steps, a block's width apart. Floor: each input read once, each
// output written once. Variants: vector width, steps a thread, 32- or 64-bit indices.
#include <algorithm>
#include <numeric>

#include "passes/scene.h"

namespace kiln::passes {

using ir::Value;

namespace {

constexpr std::int64_t kThreads = 256;

// Steps of a thread: so many that what it loads for all of them is a sixteenth of what streams, as
// long as registers hold the vectors under way, every multiprocessor has a block, and pieces of the
// last axis that are not whole are few.
std::int64_t steps_of(const ClusterContext& c, std::int64_t lanes) {
  constexpr std::int64_t kMostSteps = 4, kMostBytes = 64, kShare = 16, kPieces = 8;
  constexpr std::int64_t kMostOperations = 64;  // beside more of them a load counts little
  const MergedAxis& last = c.space.outer.back();
  std::int64_t fixed = 0, read = 0, written = 0;
  for (const Access& access : c.space.reads) {
    const bool moves = std::ranges::any_of(last.run, [&](std::uint32_t coordinate) {
      return stride_of(c.graph, access, coordinate) != Stride::none;
    });
    const std::int64_t bytes = ir::size_of(c.graph.nodes[access.leaf].dtype);
    (moves ? read : fixed) += moves ? bytes * lanes : bytes;
  }
  for (const ClusterOutput& output : c.cluster.outputs) {
    written += ir::size_of(c.graph.nodes[output.node].dtype) * lanes;
  }
  const std::int64_t blocks = lower(c.graph, c.space.outer) / (kThreads * lanes);
  const std::int64_t pieces = lower(c.graph, {last}) / (kThreads * lanes);
  const auto& counts = c.space.operations;
  const std::int64_t operations = std::reduce(counts.begin(), counts.end(), std::int64_t{0});
  if (operations > kMostOperations) return 1;
  std::int64_t steps = 1;
  while (steps < kMostSteps && fixed * kShare > steps * (read + written) &&
         2 * steps * read <= kMostBytes && blocks >= 2 * steps * c.caps.multiprocessors &&
         (c.space.outer.size() == 1 || pieces >= 2 * steps * kPieces)) {
    steps *= 2;
  }
  return steps;
}

void vector(Scene& s, const MergedAxis& last, Value first, std::int64_t lanes) {
  s.e.open_scope();
  s.e.set_lanes(static_cast<int>(lanes));
  s.e.assume_aligned(true);
  s.set(last, {first, s.b.index(1)});
  s.store_outer_outputs(ir::kAligned);
  s.e.set_lanes(1);
  s.e.assume_aligned(false);
  s.e.close_scope();
}

void one_by_one(Scene& s, const MergedAxis& last, Value first, Value extent, std::int64_t step) {
  const Value i = s.b.begin_short_loop(first, extent, s.b.index(step));
  s.e.open_scope();
  s.set_uniform(last, i);
  s.store_outer_outputs();
  s.e.close_scope();
  s.b.end();
}

// A piece of `steps` vectors (or elements) a thread, from `begin` on: a block's threads take
// consecutive ones in each step. The last piece goes one by one.
void stretch(Scene& s, const MergedAxis& last, Value begin, Value thread, Value extent,
             std::int64_t lanes, std::int64_t steps) {
  const std::int64_t piece = kThreads * lanes * steps;
  s.b.begin_if(s.b.op(ir::Op::le, ir::DType::bool_, {s.b.index(piece), s.b.sub(extent, begin)}));
  s.e.open_scope();
  const Value first = s.b.add(begin, s.b.mul(thread, s.b.index(lanes)));
  const Value step = s.b.begin_loop(s.b.index(0), s.b.index(steps), s.b.index(1), true);
  const Value at = s.b.add(first, s.b.mul(step, s.b.index(kThreads * lanes)));
  if (lanes > 1) {
    vector(s, last, at, lanes);
  } else {
    s.e.open_scope();
    s.set_uniform(last, at);
    s.store_outer_outputs();
    s.e.close_scope();
  }
  s.b.end();
  s.e.close_scope();
  s.b.begin_else();
  one_by_one(s, last, s.b.add(begin, thread), extent, kThreads);
  s.b.end();
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
  vector(s, last, first, lanes);
  s.b.begin_else();
  one_by_one(s, last, first, extent, 1);
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
  const std::int64_t lanes = aligned_lanes(c, c.space.outer.back(), 16 / widest(c));
  const std::int64_t steps = steps_of(c, lanes);
  const std::int64_t piece = kThreads * lanes * steps;
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
  const Value begin = s.b.mul(block, s.b.index(piece));
  if (steps > 1) {
    stretch(s, last, begin, thread, extent, lanes, steps);
  } else {
    elements(s, last, s.b.add(begin, s.b.mul(thread, s.b.index(lanes))), extent, lanes);
  }
  s.b.end();
  s.b.end();
  result.kernels.push_back(s.finish());
  result.step = piece;
  result.reason = lanes > 1
                      ? "all accesses aligned: " + std::to_string(lanes) + " elements a thread"
                      : "one element a thread, coalesced";
  if (steps > 1) {
    result.reason += ", " + std::to_string(steps) + " times for what is loaded once a thread";
  }
  return result;
}

}  // namespace kiln::passes
