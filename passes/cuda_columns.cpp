// CUDA columns: reductions whose reads run along a kept axis. A block takes a strip of 32 columns,
// its eight warps the rows: a warp's load is 32 consecutive columns of a row, coalesced.
//
// Canonical order (ir/NUMERICS.md): of the 128 lanes of a chunk, warp w has lanes 16 w .. 16 w +
// 15, so each thread has sixteen accumulators and as many loads under way; their tree is the
// thread's own, the warps' results meet in shared memory, chunk totals go through a carry stack
// that every thread keeps. Where strips are too few to fill the device, chunks are blocks of their
// own, and a second kernel combines their totals, a thread a column. Floor: the input read once.
// Variants: one chunk or several; split or not; 32- or 64-bit indices.
#include <algorithm>
#include <cmath>

#include "passes/scene.h"

namespace kiln::passes {

using ir::kReduceChunk;
using ir::kReduceLanes;
using ir::Op;
using ir::Value;

namespace {

constexpr std::int64_t kColumns = 32, kWarps = 8, kThreads = kColumns * kWarps;
constexpr std::int64_t kLanesAWarp = kReduceLanes / kWarps;
constexpr std::int64_t kFarthest = kReduceChunk + kThreads;

// A block at its strip of columns.
class Strip {
 public:
  // `block`: which strip, over all outer axes.
  Strip(Scene& scene, Value block, Value thread)
      : s_(scene),
        b_(scene.b),
        lane_(b_.rem(thread, b_.index(kColumns))),
        warp_(b_.div(thread, b_.index(kColumns))),
        length_(s_.length(s_.context().space.inner)) {
    b_.name(lane_, "lane");
    b_.name(warp_, "warp");
    const std::vector<MergedAxis>& outer = s_.context().space.outer;
    const Value columns = s_.length(outer.back());
    const Value strips = strips_of(s_, columns);
    const std::vector<MergedAxis> rest(outer.begin(), outer.end() - 1);
    s_.set_linear(rest, {b_.div(block, strips), ir::kNoValue});
    const Value column = b_.add(b_.mul(b_.rem(block, strips), b_.index(kColumns)), lane_);
    b_.name(column, "column");
    s_.set(outer.back(), {column, ir::kNoValue});
    inside_ = b_.less(column, columns);
    b_.name(inside_, "inside");
  }

  static Value strips_of(Scene& s, Value columns) {
    return s.b.div(s.b.add(columns, s.b.index(kColumns - 1)), s.b.index(kColumns));
  }

  Value inside() const { return inside_; }
  Value warp() const { return warp_; }
  Value length() const { return length_; }

  // Totals of the chunk of rows from `first` on, for every thread.
  std::vector<Parts> chunk(const std::vector<Reducer>& reducers, Value first) {
    const Value end = b_.min(b_.add(first, b_.index(kReduceChunk)), length_);
    std::vector<PartsMemory> sums, meeting;
    for (const Reducer& r : reducers) {
      sums.emplace_back(b_, r, ir::Space::local, accumulators(r), r.name() + "_acc");
      meeting.emplace_back(b_, r, ir::Space::shared, kThreads, r.name() + "_warp");
    }
    const auto each_lane = [&](const auto& body) {
      const Value i = b_.begin_loop(b_.index(0), b_.index(kLanesAWarp), b_.index(1), true);
      s_.e.open_scope();
      body(i);
      s_.e.close_scope();
      b_.end();
    };
    for (std::size_t r = 0; r < reducers.size(); ++r) {
      if (!reducers[r].ordered()) sums[r].store(b_, b_.index(0), reducers[r].identity(b_, 1));
    }
    if (std::ranges::any_of(reducers, &Reducer::ordered)) {
      each_lane([&](Value i) {
        for (std::size_t r = 0; r < reducers.size(); ++r) {
          if (reducers[r].ordered()) sums[r].store(b_, i, reducers[r].identity(b_, 1));
        }
      });
    }
    const Value mine = b_.add(first, b_.mul(warp_, b_.index(kLanesAWarp)));
    const Value base = b_.begin_loop(mine, end, b_.index(kReduceLanes));
    each_lane([&](Value i) {
      const Value row = b_.add(base, i);
      b_.begin_if(b_.logical_and(b_.less(row, end), inside_));
      s_.e.open_scope();
      s_.set_linear(s_.context().space.inner, {row, ir::kNoValue});
      for (std::size_t r = 0; r < reducers.size(); ++r) {
        const Parts next = s_.element(reducers[r], row);
        const Value at = reducers[r].ordered() ? i : b_.index(0);
        sums[r].store(b_, at, reducers[r].combine(b_, sums[r].load(b_, at, 1), next));
      }
      s_.e.close_scope();
      b_.end();
    });
    b_.end();
    return meet(reducers, sums, meeting);
  }

  std::vector<Parts> whole(const std::vector<Reducer>& reducers) {
    const Value zero = b_.index(0), chunk_rows = b_.index(kReduceChunk);
    const std::int64_t longest = upper(s_.context().graph, s_.context().space.inner);
    if (longest <= kReduceChunk) return chunk(reducers, zero);
    std::vector<CarryStack> stacks;
    for (const Reducer& r : reducers) {
      stacks.emplace_back(b_, r, 1, longest / kReduceChunk + 1, r.name());
    }
    const Value first = b_.begin_loop(zero, length_, chunk_rows);
    const std::vector<Parts> totals = chunk(reducers, first);
    for (std::size_t r = 0; r < reducers.size(); ++r) {
      stacks[r].push(b_, totals[r], b_.div(first, chunk_rows));
    }
    b_.end();
    const Value chunks = b_.div(b_.add(length_, b_.index(kReduceChunk - 1)), chunk_rows);
    std::vector<Parts> results;
    for (const CarryStack& stack : stacks) results.push_back(stack.fold(b_, chunks));
    return results;
  }

  void store_outputs() {
    if (s_.has_outer_outputs()) {
      const Value first_warp = b_.op(Op::eq, ir::DType::bool_, {warp_, b_.index(0)});
      b_.begin_if(b_.logical_and(first_warp, inside_));
      s_.e.open_scope();
      s_.store_outer_outputs();
      s_.e.close_scope();
      b_.end();
    }
    if (!s_.has_full_outputs()) return;
    b_.begin_if(inside_);
    const Value row = b_.begin_loop(warp_, length_, b_.index(kWarps));
    s_.e.open_scope();
    s_.set_linear(s_.context().space.inner, {row, ir::kNoValue});
    s_.store_full_outputs();
    s_.e.close_scope();
    b_.end();
    b_.end();
  }

 private:
  // A thread's lanes; where the order is free, one for all.
  static std::int64_t accumulators(const Reducer& r) { return r.ordered() ? kLanesAWarp : 1; }

  std::vector<Parts> meet(const std::vector<Reducer>& reducers,
                          const std::vector<PartsMemory>& sums,
                          const std::vector<PartsMemory>& meeting) {
    const Value place = b_.add(b_.mul(warp_, b_.index(kColumns)), lane_);
    for (std::size_t r = 0; r < reducers.size(); ++r) {
      std::vector<Parts> lanes;
      for (std::int64_t i = 0; i < accumulators(reducers[r]); ++i) {
        lanes.push_back(sums[r].load(b_, b_.index(i), 1));
      }
      meeting[r].store(b_, place, reducers[r].tree(b_, std::move(lanes)));
    }
    b_.barrier();
    std::vector<Parts> totals;
    for (std::size_t r = 0; r < reducers.size(); ++r) {
      std::vector<Parts> warps;
      for (std::int64_t w = 0; w < kWarps; ++w) {
        warps.push_back(meeting[r].load(b_, b_.add(b_.index(w * kColumns), lane_), 1));
      }
      totals.push_back(reducers[r].tree(b_, std::move(warps)));
    }
    b_.barrier();
    return totals;
  }

  Scene& s_;
  ir::KernelBuilder& b_;
  Value lane_, warp_, length_, inside_ = ir::kNoValue;
};

// Totals of chunks lie as [chunk][column].
ScheduledKernel chunk_totals(const ClusterContext& c) {
  Scene s(c, Scene::Stage::part);
  s.grid(c.space.outer, kColumns);
  s.grid({flattened(c.space.inner)}, kReduceChunk);
  const Partials partials(s, Partials::written);
  const Value all = s.length(c.space.outer);
  const Value block = s.b.begin_grid();
  const Value thread = s.b.begin_thread(kThreads);
  const Value length = s.length(c.space.inner);
  const Value chunk_rows = s.b.index(kReduceChunk);
  const Value chunks = s.b.div(s.b.add(length, s.b.index(kReduceChunk - 1)), chunk_rows);
  const Value chunk = s.b.rem(block, chunks);
  const Value strip_number = s.b.div(block, chunks);
  Strip strip(s, strip_number, thread);
  const std::vector<Parts> totals = strip.chunk(s.reducers(0), s.b.mul(chunk, chunk_rows));
  const Value columns = s.length(c.space.outer.back());
  const Value strips = Strip::strips_of(s, columns);
  const Value column = s.b.add(s.b.mul(s.b.rem(strip_number, strips), s.b.index(kColumns)),
                               s.b.rem(thread, s.b.index(kColumns)));
  const Value place = s.b.add(s.b.mul(s.b.div(strip_number, strips), columns), column);
  const Value first_warp = s.b.op(Op::eq, ir::DType::bool_, {strip.warp(), s.b.index(0)});
  s.b.begin_if(s.b.logical_and(first_warp, strip.inside()));
  partials.store(s.b.add(s.b.mul(chunk, all), place), totals);
  s.b.end();
  s.b.end();
  s.b.end();
  return s.finish();
}

ScheduledKernel combined_totals(const ClusterContext& c) {
  Scene s(c);
  s.grid({flattened(c.space.outer)}, kThreads);
  const Partials partials(s, Partials::read);
  const Value all = s.length(c.space.outer);
  const Value length = s.length(c.space.inner);
  const Value block = s.b.begin_grid();
  const Value thread = s.b.begin_thread(kThreads);
  const Value column = s.b.add(s.b.mul(block, s.b.index(kThreads)), thread);
  s.b.name(column, "column");
  s.b.begin_if(s.b.less(column, all));
  s.set_linear(c.space.outer, {column, ir::kNoValue});
  const Value chunks =
      s.b.div(s.b.add(length, s.b.index(kReduceChunk - 1)), s.b.index(kReduceChunk));
  const std::vector<Reducer> reducers = s.reducers(0);
  std::vector<CarryStack> stacks;
  for (const Reducer& r : reducers) {
    stacks.emplace_back(s.b, r, 1, upper(c.graph, c.space.inner) / kReduceChunk + 1, r.name());
  }
  const Value chunk = s.b.begin_loop(s.b.index(0), chunks, s.b.index(1));
  for (std::size_t r = 0; r < reducers.size(); ++r) {
    stacks[r].push(s.b, partials.load(r, s.b.add(s.b.mul(chunk, all), column)), chunk);
  }
  s.b.end();
  for (std::size_t r = 0; r < reducers.size(); ++r) {
    s.e.bind(reducers[r].node(), reducers[r].result(s.b, stacks[r].fold(s.b, chunks)));
  }
  s.store_outer_outputs();
  s.b.end();
  s.b.end();
  s.b.end();
  return s.finish();
}

}  // namespace

Scheduled cuda_columns(const ClusterContext& c) {
  Scene s(c);
  s.grid(c.space.outer, kColumns);
  const Value block = s.b.begin_grid();
  const Value thread = s.b.begin_thread(kThreads);
  Strip strip(s, block, thread);
  for (int phase = 0; phase < s.phases(); ++phase) {
    const std::vector<Reducer> reducers = s.reducers(phase);
    const std::vector<Parts> totals = strip.whole(reducers);
    for (std::size_t r = 0; r < reducers.size(); ++r) {
      s.e.bind(reducers[r].node(), reducers[r].result(s.b, totals[r]));
    }
  }
  strip.store_outputs();
  s.b.end();
  s.b.end();
  Scheduled result;
  result.kernels.push_back(s.finish());
  result.step = kFarthest;
  result.name = "columns";
  result.reason = "reads run along a kept axis: a block a strip of 32 columns, coalesced";
  return result;
}

bool cuda_columns_split(const ClusterContext& c) {
  constexpr std::int64_t kManyRows = 4 * kReduceChunk;
  double strips = 1;
  for (const MergedAxis& axis : c.space.outer) {
    double extent = 1;
    for (const ir::Sym s : axis.extents) extent *= middle(c.graph, s);
    strips *= &axis == &c.space.outer.back() ? std::ceil(extent / kColumns) : extent;
  }
  return strips < c.caps.multiprocessors && middle_size(c.graph, c.cluster.inner) >= kManyRows;
}

Scheduled cuda_split_columns(const ClusterContext& c) {
  Scheduled result;
  result.kernels.push_back(chunk_totals(c));
  result.kernels.push_back(combined_totals(c));
  result.temporaries = split_temporaries(c, kReduceChunk);
  result.step = kFarthest;
  result.name = "split columns";
  result.reason = "too few columns to fill the device: chunks of " + std::to_string(kReduceChunk) +
                  " rows first, then their totals";
  return result;
}

}  // namespace kiln::passes
