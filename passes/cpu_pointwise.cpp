// CPU pointwise: every output once a point, vectors along the last axis.
//
// A grid item is one piece of kPiece elements of the last axis at one point of the others. Floor:
// each input read once, each output written once, at memory bandwidth. Non-temporal stores are used
// where an output cannot stay in the cache (from kStreamBytes on) and every vector is aligned,
// since all axes merged into one or rows are whole cache lines; nothing here reads an output.
// Variants: non-temporal or not.
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

}  // namespace

Scheduled cpu_pointwise(const ClusterContext& c) {
  if (c.space.outer.empty()) return scalar_kernel(c);
  Scene s(c);
  const std::uint8_t flags = streaming_flags(c, c.space.outer);
  s.e.set_lanes(cpu_lanes(c));
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
  s.vector_loop(begin, end, [&](LaneIndex i) {
    s.set(last, i);
    const bool tail = s.masked();
    s.store_outer_outputs(tail ? std::uint8_t{0} : flags);
  });
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
