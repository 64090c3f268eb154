// CPU short rows: a grid item is a strip of as many rows as a vector has lanes; each phase runs
// over the strip's rows, and the next one begins when all have their results.
//
// Of a row by itself the tree over its lanes is half the work, and a chain of instructions that
// wait for each other. Here each vector of a row goes down a few levels of the tree and leaves what
// is left of it in memory, side by side with the other rows'; then one tree of whole registers
// gives the results of all rows, one a lane, and rows wait for nobody. Lanes of the canonical order
// (ir/NUMERICS.md) hold one element or none here, none being the identity. What is stored once a
// row is computed in vectors of rows. The strip stays in L1 between phases: floor as for rows.
// Variants: rows within one, two or four vectors; non-temporal stores.
#include <algorithm>
#include <bit>

#include "passes/scene.h"
#include "passes/staging.h"

namespace kiln::passes {

using ir::Value;

namespace {

constexpr std::int64_t kLongest = 64;    // elements of a row
constexpr std::int64_t kTreeLanes = 64;  // partial results of a strip; more only lengthen the code
constexpr int kMostRows = 16;            // of a strip

int strip_rows(const ClusterContext& c) { return std::min(cpu_lanes(c), kMostRows); }

class Strip {
 public:
  // Rows [first, end) of `axis`, at most `rows` of them.
  Strip(Scene& scene, int rows, const MergedAxis& axis, Value first, Value end, std::uint8_t flags)
      : s_(scene),
        b_(scene.b),
        rows_(rows),
        axis_(axis),
        first_(first),
        end_(end),
        flags_(flags),
        inner_(scene.context().space.inner),
        length_(scene.length(inner_)),
        lanes_(scene.e.lanes()),
        vectors_(vectors(upper(scene.context().graph, inner_))),
        kept_(scene, staged_values(scene.context(), kCpuStaging), rows * vectors_ * lanes_) {
    const std::int64_t room = std::max<std::int64_t>(kTreeLanes / (rows_ * vectors_), 1);
    left_ = static_cast<int>(std::min<std::int64_t>(lanes_, room));
    for (int phase = 0; phase < s_.phases(); ++phase) {
      for (const Reducer& r : s_.reducers(phase)) {
        reductions_.push_back({phase,
                               r,
                               {b_, r, ir::Space::local, partials(), r.name() + "_parts"},
                               {b_, r, ir::Space::local, rows_, r.name() + "_totals"}});
      }
    }
  }

  void run() {
    for (int phase = 0; phase < s_.phases(); ++phase) reduce(phase);
    const int phases = s_.phases();
    if (s_.has_outer_outputs()) store_results();
    if (!s_.has_full_outputs()) return;
    each_row(phases, [&](Value slot) {
      s_.vector_loop(b_.index(0), length_, [&](LaneIndex i) {
        s_.set_linear(inner_, i);
        kept_.recall(phases, b_.add(slot, i.base));
        s_.store_full_outputs(s_.masked() ? std::uint8_t{0} : flags_);
      });
    });
  }

 private:
  struct Reduction {
    int phase;
    Reducer reducer;
    PartsMemory parts, totals;  // what is left of each vector of each row; the rows' results
  };

  // A power of two, so that a row's partial results are a whole subtree.
  std::int64_t vectors(std::int64_t longest) const {
    const auto reached = std::bit_ceil(static_cast<std::uint64_t>(longest));
    return std::max<std::int64_t>(static_cast<std::int64_t>(reached) / lanes_, 1);
  }
  std::int64_t partials() const { return rows_ * vectors_ * left_; }

  // Results of the phases before, of this row or of the vector of rows that begins with it.
  void bind(int phase, Value row, int lanes) {
    for (const Reduction& r : reductions_) {
      if (r.phase >= phase) continue;
      s_.e.bind(r.reducer.node(), r.reducer.result(b_, r.totals.load(b_, row, lanes)));
    }
  }

  // body(first slot of the row's kept values), one row after another.
  template <class Body>
  void each_row(int phase, Body body) {
    const Value row = b_.begin_loop(first_, end_, b_.index(1));
    s_.e.open_scope();
    s_.set_uniform(axis_, row);
    row_ = b_.sub(row, first_);
    bind(phase, row_, 1);
    body(b_.mul(row_, b_.index(vectors_ * lanes_)));
    s_.e.close_scope();
    b_.end();
  }

  // Always masked: code once, for a store a strip.
  void store_results() {
    s_.e.set_lanes(rows_);
    s_.e.open_scope();
    const Value count = b_.op(ir::Op::cast, ir::DType::int32, {b_.sub(end_, first_)});
    s_.mask(b_.op(ir::Op::lt, ir::DType::bool_, {b_.lane(ir::DType::int32, rows_), count}));
    s_.set(axis_, {first_, b_.index(1)});
    bind(s_.phases(), b_.index(0), rows_);
    s_.store_outer_outputs();
    s_.mask(ir::kNoValue);
    s_.e.close_scope();
    s_.e.set_lanes(lanes_);
  }

  void reduce(int phase) {
    std::vector<const Reduction*> now;
    for (const Reduction& r : reductions_) {
      if (r.phase == phase) now.push_back(&r);
    }
    const Value zero = b_.index(0);
    const int wide = static_cast<int>(std::min<std::int64_t>(lanes_, partials()));
    const Value at = b_.begin_loop(zero, b_.index(partials()), b_.index(wide));
    for (const Reduction* r : now) r->parts.store(b_, at, r->reducer.identity(b_, wide));
    b_.end();
    each_row(phase, [&](Value slot) {
      s_.vector_loop(zero, length_, [&](LaneIndex i) {
        s_.set_linear(inner_, i);
        const Value place = b_.add(slot, i.base);
        kept_.recall(phase, place);
        kept_.keep(phase, place);
        const Value part = b_.div(place, b_.index(lanes_ / left_));
        for (const Reduction* r : now) {
          const Parts next = r->reducer.keep(b_, s_.mask(), s_.element(r->reducer, i.base));
          r->parts.store(b_, part, r->reducer.across_lanes(b_, next, left_));
        }
      });
    });
    for (const Reduction* r : now) {
      const Parts all = r->parts.load(b_, zero, static_cast<int>(partials()));
      r->totals.store(b_, zero, r->reducer.across_lanes(b_, all, rows_));
    }
  }

  Scene& s_;
  ir::KernelBuilder& b_;
  const int rows_;
  const MergedAxis& axis_;
  const Value first_, end_;
  const std::uint8_t flags_;
  const std::vector<MergedAxis>& inner_;
  const Value length_;
  const int lanes_;
  const std::int64_t vectors_;
  RowStore kept_;
  int left_ = 1;  // partial results of a vector
  Value row_ = ir::kNoValue;
  std::vector<Reduction> reductions_;
};

}  // namespace

bool cpu_rows_are_short(const ClusterContext& c) {
  if (c.space.outer.empty() || upper(c.graph, c.space.inner) > kLongest) return false;
  // Rows enough that strips are full, and reductions of one part, whose tree is short code.
  if (lower(c.graph, {c.space.outer.back()}) < 4 * kMostRows) return false;
  return std::ranges::none_of(c.cluster.reduces, [&](ir::NodeId n) {
    return c.graph.nodes[n].kind == ir::NodeKind::arg_reduce;
  });
}

Scheduled cpu_short_rows(const ClusterContext& c) {
  Scene s(c);
  s.e.set_lanes(cpu_lanes(c));
  const int rows = strip_rows(c);
  s.grid(c.space.outer, rows);
  const MergedAxis& last = c.space.outer.back();
  const Value extent = s.length(last);
  const Value strips = s.b.div(s.b.add(extent, s.b.index(rows - 1)), s.b.index(rows));
  std::vector<MergedAxis> axes = c.space.outer;
  axes.push_back(flattened(c.space.inner));
  const std::uint8_t flags = streaming_flags(c, axes);
  const Value item = s.b.begin_grid();
  const std::vector<MergedAxis> rest(c.space.outer.begin(), c.space.outer.end() - 1);
  s.set_linear(rest, {s.b.div(item, strips), ir::kNoValue});
  const Value first = s.b.mul(s.b.rem(item, strips), s.b.index(rows));
  const Value end = s.b.min(s.b.add(first, s.b.index(rows)), extent);
  Strip(s, rows, last, first, end, flags).run();
  s.b.end();
  Scheduled result;
  result.kernels.push_back(s.finish());
  result.name = "short rows";
  result.reason = "reads run along the reduced axis, which is short: " + std::to_string(rows) +
                  " rows at a time, their results in the lanes of a vector";
  return result;
}

}  // namespace kiln::passes
