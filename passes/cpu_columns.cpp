// CPU columns: reductions whose reads run along a kept axis. A grid item is a strip of up to 16 KB
// of columns. It walks down the reduced axes, lane by lane of the canonical order: for each lane it
// goes along the strip once, adding the lane's rows (8 a chunk) in registers: few long streams,
// which prefetchers follow; the carry stack lies beside, a level as wide as the strip. Where rows
// are shorter than strips for all threads would be, chunks of whole rows are items of their own,
// so that a lane's rows go on where the lane before ended, and a second kernel combines their
// totals; that needs many rows, one phase and outputs of reductions only. Otherwise strips are
// narrower, down to 256 bytes. Floor: the input read once at memory bandwidth. Variants: none for
// lengths; widths of strips; split or not.
#include <algorithm>
#include <bit>

#include "passes/scene.h"

namespace kiln::passes {

using ir::kReduceChunk;
using ir::kReduceLanes;
using ir::Value;

namespace {

constexpr std::int64_t kNarrowStrip = 256, kWideStrip = 16384;  // bytes

// Strips of the columns and, if chunks are items of their own, chunks of the rows: a grid's items.
class Strips {
 public:
  Strips(Scene& s, std::int64_t width, bool chunks) : s_(s), b_(s.b), width_(width) {
    const std::vector<MergedAxis>& outer = s.context().space.outer;
    s.grid(outer, width);
    if (chunks) s.grid({flattened(s.context().space.inner)}, kReduceChunk);
    columns = s.length(outer.back());
    strips_ = b_.div(b_.add(columns, b_.index(width - 1)), b_.index(width));
    if (chunks) chunks_ = chunks_of(s);
  }

  static Value chunks_of(Scene& s) {
    const Value length = s.length(s.context().space.inner);
    return s.b.div(s.b.add(length, s.b.index(kReduceChunk - 1)), s.b.index(kReduceChunk));
  }

  // Neighbours in memory are neighbours in the grid: strips of a chunk, then chunks.
  void at(Value item) {
    const std::vector<MergedAxis>& outer = s_.context().space.outer;
    const Value strip = b_.rem(item, strips_);
    rest = b_.div(item, strips_);
    if (chunks_ != ir::kNoValue) {
      chunk = b_.rem(rest, chunks_);
      rest = b_.div(rest, chunks_);
    }
    s_.set_linear({outer.begin(), outer.end() - 1}, {rest, ir::kNoValue});
    begin = b_.mul(strip, b_.index(width_));
    end = b_.min(b_.add(begin, b_.index(width_)), columns);
  }

  Value columns = ir::kNoValue;
  Value rest = ir::kNoValue, begin = ir::kNoValue, end = ir::kNoValue, chunk = ir::kNoValue;

 private:
  Scene& s_;
  ir::KernelBuilder& b_;
  std::int64_t width_;
  Value strips_ = ir::kNoValue, chunks_ = ir::kNoValue;
};

// The reductions of a strip of many columns, one phase after another.
class WideStrip {
 public:
  WideStrip(Scene& scene, std::int64_t width, const Strips& strip, bool one_chunk = false)
      : s_(scene),
        b_(scene.b),
        axis_(scene.context().space.outer.back()),
        begin_(strip.begin),
        end_(strip.end) {
    const std::vector<MergedAxis>& inner = s_.context().space.inner;
    const std::int64_t longest = upper(s_.context().graph, inner);
    length_ = s_.length(inner);
    for (int phase = 0; phase < s_.phases(); ++phase) {
      for (const Reducer& r : s_.reducers(phase)) reductions_.emplace_back(phase, r);
    }
    for (Reduction& r : reductions_) {
      const std::string name = r.reducer.name();
      const int lanes = s_.e.lanes();
      r.sum.emplace(b_, r.reducer, ir::Space::local, lanes, name + "_acc");
      r.in_chunk.emplace(b_, r.reducer, lanes, kReduceLanes, name + "_lane", width);
      if (one_chunk) continue;
      r.chunks.emplace(b_, r.reducer, lanes, longest / kReduceChunk + 1, name + "_chunk", width);
      r.total.emplace(b_, r.reducer, ir::Space::local, width, name + "_total");
    }
  }

  void run() {
    for (int phase = 0; phase < s_.phases(); ++phase) reduce(phase);
    along(s_.phases(), [&](Value) { s_.store_outer_outputs(); });
    if (!s_.has_full_outputs()) return;
    const Value row = b_.begin_loop(b_.index(0), length_, b_.index(1));
    along(s_.phases(), [&](Value) {
      s_.set_linear(s_.context().space.inner, {row, ir::kNoValue});
      s_.store_full_outputs();
    });
    b_.end();
  }

  // Only the totals of the first phase over the chunk of rows from `first` on, the strip's first
  // one at `place`.
  void run_chunk(Value first, const Partials& partials, Value place) {
    const Value lanes = add_chunk(0, first);
    along(0, [&](Value at) {
      std::vector<Parts> totals;
      for (const Reduction& r : reductions_) totals.push_back(r.in_chunk->fold(b_, lanes, at));
      partials.store(b_.add(place, at), totals, s_.mask());
    });
  }

 private:
  struct Reduction {
    Reduction(int in_phase, const Reducer& r) : phase(in_phase), reducer(r) {}
    int phase;
    Reducer reducer;
    std::optional<PartsMemory> sum, total;
    std::optional<CarryStack> in_chunk, chunks;
  };

  // body(place in the strip) for vectors of columns; results of earlier phases are bound.
  template <class Body>
  void along(int phase, Body body) {
    s_.vector_loop(begin_, end_, [&](LaneIndex column) {
      s_.set(axis_, column);
      const Value at = b_.sub(column.base, begin_);
      for (const Reduction& r : reductions_) {
        if (r.phase < phase)
          s_.e.bind(r.reducer.node(), r.reducer.result(b_, r.total->load(b_, at, s_.e.lanes())));
      }
      body(at);
    });
  }

  template <class Body>
  void each(int phase, Body body) {
    for (const Reduction& r : reductions_) {
      if (r.phase == phase) body(r);
    }
  }

  void reduce(int phase) {
    const Value zero = b_.index(0), chunk = b_.index(kReduceChunk);
    const Value first = b_.begin_loop(zero, length_, chunk);
    const Value lanes = add_chunk(phase, first);
    const Value number = b_.div(first, chunk);
    along(phase, [&](Value at) {
      each(phase, [&](const Reduction& r) {
        r.chunks->push(b_, r.in_chunk->fold(b_, lanes, at), number, at);
      });
    });
    b_.end();
    const Value count = Strips::chunks_of(s_);
    along(phase, [&](Value at) {
      each(phase,
           [&](const Reduction& r) { r.total->store(b_, at, r.chunks->fold(b_, count, at)); });
    });
  }

  // The chunk of rows from `first` on goes into in_chunk; gives the number of its lanes.
  Value add_chunk(int phase, Value first) {
    const Value zero = b_.index(0), one = b_.index(1);
    const Value end = b_.min(b_.add(first, b_.index(kReduceChunk)), length_);
    const Value lanes = b_.min(b_.sub(end, first), b_.index(kReduceLanes));
    const Value lane = b_.begin_loop(zero, lanes, one);
    along(phase, [&](Value at) {
      add_rows(phase, b_.add(first, lane), end);
      each(phase, [&](const Reduction& r) {
        r.in_chunk->push(b_, r.sum->load(b_, zero, s_.e.lanes()), lane, at);
      });
    });
    b_.end();
    return lanes;
  }

  // One lane's rows of a chunk.
  void add_rows(int phase, Value begin, Value end) {
    const Value zero = b_.index(0);
    each(phase,
         [&](const Reduction& r) { r.sum->store(b_, zero, r.reducer.identity(b_, s_.e.lanes())); });
    const Value row = b_.begin_loop(begin, end, b_.index(kReduceLanes));
    s_.e.open_scope();
    s_.set_linear(s_.context().space.inner, {row, ir::kNoValue});
    each(phase, [&](const Reduction& r) {
      const Parts next = s_.element(r.reducer, row);
      r.sum->store(b_, zero, r.reducer.combine(b_, r.sum->load(b_, zero, s_.e.lanes()), next));
    });
    s_.e.close_scope();
    b_.end();
  }

  Scene& s_;
  ir::KernelBuilder& b_;
  const MergedAxis& axis_;
  Value begin_, end_, length_ = ir::kNoValue;
  std::vector<Reduction> reductions_;
};

// Columns of the widest strip whose carry stacks still leave room in the second cache.
std::int64_t widest_strip(const ClusterContext& c, bool one_chunk) {
  constexpr std::int64_t kStacks = 128 << 10;
  const std::int64_t longest = upper(c.graph, c.space.inner);
  const auto of_chunks = std::bit_width(static_cast<std::uint64_t>(longest / kReduceChunk + 1));
  const std::int64_t levels =
      std::bit_width(static_cast<std::uint64_t>(kReduceLanes)) + (one_chunk ? 0 : of_chunks + 1);
  std::int64_t bytes = 0;  // of a column's stacks
  for (std::size_t i = 0; i < c.cluster.reduces.size(); ++i) {
    const Reducer r(c.graph, c.cluster.reduces[i], i);
    for (std::size_t part = 0; part < r.part_count(); ++part) {
      bytes += levels * ir::size_of(r.type(part));
    }
  }
  const auto most = std::min(kWideStrip / widest(c), kStacks / std::max<std::int64_t>(bytes, 1));
  const auto columns = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(most)));
  return std::max<std::int64_t>({columns, kNarrowStrip / widest(c), cpu_lanes(c)});
}

// Columns of a strip where every thread is to have one.
std::int64_t shared_strip(const ClusterContext& c) {
  const std::int64_t most = widest_strip(c, false);
  const std::int64_t threads = std::max(1, c.caps.threads);
  const std::int64_t columns = std::min(lower(c.graph, c.space.outer), most * threads);
  const auto share = static_cast<std::uint64_t>(std::max<std::int64_t>(1, columns / threads));
  const auto width = static_cast<std::int64_t>(std::bit_floor(share));
  const std::int64_t narrow = std::max<std::int64_t>(kNarrowStrip / widest(c), cpu_lanes(c));
  return std::clamp(width, narrow, most);
}

// Totals of chunks lie as [chunk][column].
ScheduledKernel chunk_totals(const ClusterContext& c) {
  Scene s(c, Scene::Stage::part);
  s.e.set_lanes(cpu_lanes(c));
  const std::int64_t width = widest_strip(c, true);
  Strips strips(s, width, true);
  const Partials partials(s, Partials::written);
  const Value all = s.length(c.space.outer);
  strips.at(s.b.begin_grid());
  const Value place = s.b.add(s.b.mul(strips.chunk, all), s.b.mul(strips.rest, strips.columns));
  WideStrip(s, width, strips, true)
      .run_chunk(s.b.mul(strips.chunk, s.b.index(kReduceChunk)), partials,
                 s.b.add(place, strips.begin));
  s.b.end();
  return s.finish();
}

ScheduledKernel combined_totals(const ClusterContext& c) {
  Scene s(c);
  s.e.set_lanes(cpu_lanes(c));
  const int lanes = s.e.lanes();
  Strips strips(s, std::max<std::int64_t>(kNarrowStrip / widest(c), lanes), false);
  const Partials partials(s, Partials::read);
  const std::vector<Reducer> reducers = s.reducers(0);
  std::vector<CarryStack> stacks;
  for (const Reducer& r : reducers) {
    stacks.emplace_back(s.b, r, lanes, upper(c.graph, c.space.inner) / kReduceChunk + 1, r.name());
  }
  const Value all = s.length(c.space.outer), chunks = Strips::chunks_of(s);
  strips.at(s.b.begin_grid());
  s.vector_loop(strips.begin, strips.end, [&](LaneIndex column) {
    s.set(c.space.outer.back(), column);
    const Value place = s.b.add(s.b.mul(strips.rest, strips.columns), column.base);
    const Value chunk = s.b.begin_loop(s.b.index(0), chunks, s.b.index(1));
    for (std::size_t i = 0; i < reducers.size(); ++i) {
      const Value at = s.b.add(s.b.mul(chunk, all), place);
      stacks[i].push(s.b, partials.load(i, at, lanes, s.mask()), chunk);
    }
    s.b.end();
    for (std::size_t i = 0; i < reducers.size(); ++i) {
      s.e.bind(reducers[i].node(), reducers[i].result(s.b, stacks[i].fold(s.b, chunks)));
    }
    s.store_outer_outputs();
  });
  s.b.end();
  return s.finish();
}

}  // namespace

Scheduled cpu_columns(const ClusterContext& c) {
  Scene s(c);
  const std::int64_t width = shared_strip(c);
  s.e.set_lanes(cpu_lanes(c));
  Strips strips(s, width, false);
  strips.at(s.b.begin_grid());
  WideStrip(s, width, strips).run();
  s.b.end();
  Scheduled result;
  result.kernels.push_back(s.finish());
  result.name = "columns";
  result.reason = "reads run along a kept axis: strips of " + std::to_string(width) + " columns";
  return result;
}

bool cpu_columns_split(const ClusterContext& c) {
  constexpr double kChunks = 4 * kReduceChunk, kLeastBytes = 1 << 20;
  const auto width = static_cast<double>(widest(c));
  const double threads = c.caps.threads, rows = middle_size(c.graph, c.cluster.inner);
  const double bytes = middle_size(c.graph, c.cluster.outer) * width;  // of a row
  if (threads == 1 || rows < kChunks || rows * bytes < kLeastBytes) return false;
  const bool idle = bytes < static_cast<double>(kNarrowStrip) * threads;  // threads, with strips
  return idle || (bytes < static_cast<double>(kWideStrip) * threads && rows >= kChunks * threads);
}

Scheduled cpu_split_columns(const ClusterContext& c) {
  Scheduled result;
  result.kernels.push_back(chunk_totals(c));
  result.kernels.push_back(combined_totals(c));
  result.temporaries = split_temporaries(c, kReduceChunk);
  result.name = "split columns";
  result.reason = "rows too short to share among threads: chunks of " +
                  std::to_string(kReduceChunk) + " whole rows first, then their totals";
  return result;
}

}  // namespace kiln::passes
