// CPU columns: reductions whose reads run along a kept axis. A grid item is a strip of up to 4 KB.
// It walks down the reduced axes, lane by lane of the canonical order: for each lane it goes along
// the strip once, adding the lane's rows (8 a chunk) in registers: few long streams, which
// prefetchers follow; the carry stack lies beside, a level as wide as the strip. Strips are
// narrower, down to 256 bytes, where there would be fewer than threads. Floor: the input read once
// at memory bandwidth. Variants: none for lengths; widths of strips.
#include <bit>

#include "passes/scene.h"

namespace kiln::passes {

using ir::kReduceChunk;
using ir::kReduceLanes;
using ir::Value;

namespace {

constexpr std::int64_t kNarrowStrip = 256, kWideStrip = 4096;  // bytes

// The reductions of a strip of many columns, one phase after another.
class WideStrip {
 public:
  WideStrip(Scene& scene, std::int64_t width, Value begin, Value end)
      : s_(scene),
        b_(scene.b),
        axis_(scene.context().space.outer.back()),
        begin_(begin),
        end_(end) {
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
    const Value zero = b_.index(0), one = b_.index(1), chunk = b_.index(kReduceChunk);
    const Value first = b_.begin_loop(zero, length_, chunk);
    const Value end = b_.min(b_.add(first, chunk), length_);
    const Value lanes = b_.min(b_.sub(end, first), b_.index(kReduceLanes));
    const Value lane = b_.begin_loop(zero, lanes, one);
    along(phase, [&](Value at) {
      add_rows(phase, b_.add(first, lane), end);
      each(phase, [&](const Reduction& r) {
        r.in_chunk->push(b_, r.sum->load(b_, zero, s_.e.lanes()), lane, at);
      });
    });
    b_.end();
    const Value number = b_.div(first, chunk);
    along(phase, [&](Value at) {
      each(phase, [&](const Reduction& r) {
        r.chunks->push(b_, r.in_chunk->fold(b_, lanes, at), number, at);
      });
    });
    b_.end();
    const Value count = b_.div(b_.add(length_, b_.index(kReduceChunk - 1)), chunk);
    along(phase, [&](Value at) {
      each(phase,
           [&](const Reduction& r) { r.total->store(b_, at, r.chunks->fold(b_, count, at)); });
    });
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

// Columns of a strip.
std::int64_t strip_width(const ClusterContext& c) {
  const std::int64_t width = widest(c);
  const std::int64_t columns = std::min(lower(c.graph, c.space.outer), kWideStrip * c.caps.threads);
  const std::int64_t share =
      std::max<std::int64_t>(1, columns * width / std::max(1, c.caps.threads));
  const auto bytes = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(share)));
  return std::max<std::int64_t>(std::clamp(bytes, kNarrowStrip, kWideStrip) / width, cpu_lanes(c));
}

}  // namespace

Scheduled cpu_columns(const ClusterContext& c) {
  Scene s(c);
  const std::int64_t width = strip_width(c);
  s.e.set_lanes(cpu_lanes(c));
  s.grid(c.space.outer, width);
  const MergedAxis& last = c.space.outer.back();
  const Value columns = s.length(last);
  const Value strips = s.b.div(s.b.add(columns, s.b.index(width - 1)), s.b.index(width));
  const Value item = s.b.begin_grid();
  const std::vector<MergedAxis> rest(c.space.outer.begin(), c.space.outer.end() - 1);
  s.set_linear(rest, {s.b.div(item, strips), ir::kNoValue});
  const Value begin = s.b.mul(s.b.rem(item, strips), s.b.index(width));
  const Value end = s.b.min(s.b.add(begin, s.b.index(width)), columns);
  WideStrip(s, width, begin, end).run();
  s.b.end();
  Scheduled result;
  result.kernels.push_back(s.finish());
  result.name = "columns";
  result.reason = "reads run along a kept axis: strips of " + std::to_string(width) + " columns";
  return result;
}

}  // namespace kiln::passes
