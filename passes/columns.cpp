// Columns: reductions whose reads run along a kept axis. A strip of columns walks down the reduced axes,
// lane by lane of the canonical order, totals going through a carry stack. Floor: the input read once
// at memory bandwidth.
//
// CPU: a grid item is a strip 256 bytes wide, so that a cache line is read by one item only.
// CUDA: a thread is a strip of one column, so that a warp reads consecutive columns.
// Variants: none for lengths.
#include "passes/scene.h"

namespace kiln::passes {

using ir::kReduceChunk;
using ir::kReduceLanes;
using ir::Value;

namespace {

constexpr std::int64_t kStripBytes = 256;

// One phase of reductions for the current strip.
class ColumnPhase {
 public:
  ColumnPhase(Scene& scene, std::vector<Reducer> reducers)
      : s_(scene), b_(scene.b), reducers_(std::move(reducers)) {
    const std::int64_t longest = upper(s_.context().graph, s_.context().space.inner);
    for (const Reducer& r : reducers_) {
      const std::string name = r.name();
      sums_.emplace_back(b_, r, ir::Space::local, s_.e.lanes(), name + "_acc");
      in_chunk_.emplace_back(b_, r, s_.e.lanes(), kReduceLanes, name + "_lane");
      chunks_.emplace_back(b_, r, s_.e.lanes(), longest / kReduceChunk + 1, name + "_chunk");
    }
  }

  void reduce(Value length) {
    const Value zero = b_.index(0);
    const Value one = b_.index(1);
    const Value chunk = b_.index(kReduceChunk);
    const Value first = b_.begin_loop(zero, length, chunk);
    const Value end = b_.min(b_.add(first, chunk), length);
    const Value lanes = b_.min(b_.sub(end, first), b_.index(kReduceLanes));
    const Value lane = b_.begin_loop(zero, lanes, one);
    lane_total(b_.add(first, lane), end);
    for (std::size_t i = 0; i < reducers_.size(); ++i) {
      in_chunk_[i].push(b_, sums_[i].load(b_, zero, s_.e.lanes()), lane);
    }
    b_.end();
    for (std::size_t i = 0; i < reducers_.size(); ++i) {
      chunks_[i].push(b_, in_chunk_[i].fold(b_, lanes), b_.div(first, chunk));
    }
    b_.end();
    const Value count = b_.div(b_.add(length, b_.index(kReduceChunk - 1)), chunk);
    for (std::size_t i = 0; i < reducers_.size(); ++i) {
      s_.e.bind(reducers_[i].node(), reducers_[i].result(chunks_[i].fold(b_, count)));
    }
  }

 private:
  void lane_total(Value begin, Value end) {
    const Value zero = b_.index(0);
    for (std::size_t i = 0; i < reducers_.size(); ++i) {
      sums_[i].store(b_, zero, reducers_[i].identity(b_, s_.e.lanes()));
    }
    const Value row = b_.begin_loop(begin, end, b_.index(kReduceLanes));
    s_.e.open_scope();
    s_.set_linear(s_.context().space.inner, {row, ir::kNoValue});
    for (std::size_t i = 0; i < reducers_.size(); ++i) {
      const Parts next = s_.element(reducers_[i], row);
      const Parts sum = sums_[i].load(b_, zero, s_.e.lanes());
      sums_[i].store(b_, zero, reducers_[i].combine(b_, sum, next));
    }
    s_.e.close_scope();
    b_.end();
  }

  Scene& s_;
  ir::KernelBuilder& b_;
  std::vector<Reducer> reducers_;
  std::vector<PartsMemory> sums_;
  std::vector<CarryStack> in_chunk_, chunks_;
};

void strip(Scene& s, const MergedAxis& axis, LaneIndex column, Value length) {
  s.set(axis, column);
  for (int phase = 0; phase < s.phases(); ++phase) {
    ColumnPhase(s, s.reducers(phase)).reduce(length);
  }
  s.store_outer_outputs();
  if (!s.has_full_outputs()) return;
  const Value row = s.b.begin_loop(s.b.index(0), length, s.b.index(1));
  s.e.open_scope();
  s.set_linear(s.context().space.inner, {row, ir::kNoValue});
  s.store_full_outputs();
  s.e.close_scope();
  s.b.end();
}

}  // namespace

Scheduled cpu_columns(const ClusterContext& c) {
  Scene s(c);
  const std::int64_t lanes = std::max<std::int64_t>(kStripBytes / widest(c), cpu_lanes(c));
  s.e.set_lanes(static_cast<int>(lanes));
  s.grid(c.space.outer, lanes);
  const MergedAxis& last = c.space.outer.back();
  const Value columns = s.length(last);
  const Value length = s.length(c.space.inner);
  const Value strips = s.b.div(s.b.add(columns, s.b.index(lanes - 1)), s.b.index(lanes));
  const Value item = s.b.begin_grid();
  const std::vector<MergedAxis> rest(c.space.outer.begin(), c.space.outer.end() - 1);
  s.set_linear(rest, {s.b.div(item, strips), ir::kNoValue});
  const Value begin = s.b.mul(s.b.rem(item, strips), s.b.index(lanes));
  const Value end = s.b.min(s.b.add(begin, s.b.index(lanes)), columns);
  s.vector_loop(begin, end, [&](LaneIndex column) { strip(s, last, column, length); });
  s.b.end();
  Scheduled result;
  result.kernels.push_back(s.finish());
  result.name = "columns";
  result.reason = "reads run along a kept axis: strips of " + std::to_string(lanes) + " columns";
  return result;
}

Scheduled cuda_columns(const ClusterContext& c) {
  constexpr std::int64_t kThreads = 256;
  Scene s(c);
  s.grid(c.space.outer, kThreads);
  const MergedAxis& last = c.space.outer.back();
  const Value columns = s.length(last);
  const Value length = s.length(c.space.inner);
  const Value strips = s.b.div(s.b.add(columns, s.b.index(kThreads - 1)), s.b.index(kThreads));
  const Value block = s.b.begin_grid();
  const Value thread = s.b.begin_thread(kThreads);
  const std::vector<MergedAxis> rest(c.space.outer.begin(), c.space.outer.end() - 1);
  s.set_linear(rest, {s.b.div(block, strips), ir::kNoValue});
  const Value column = s.b.add(s.b.mul(s.b.rem(block, strips), s.b.index(kThreads)), thread);
  s.b.begin_if(s.b.less(column, columns));
  strip(s, last, {column, ir::kNoValue}, length);
  s.b.end();
  s.b.end();
  s.b.end();
  Scheduled result;
  result.kernels.push_back(s.finish());
  result.name = "columns";
  result.reason = "reads run along a kept axis: a thread a column, coalesced";
  return result;
}

}  // namespace kiln::passes
