// CPU rows: one grid item a row; the row's reductions one phase after another, each a pass over the
// row with vectors along it. Outputs over the whole row that need no result of the last phase are
// stored along with it, the others by a pass after it.
//
// Canonical order (ir/NUMERICS.md): within a chunk of 1024 elements, element i belongs to lane i
// mod 128. A chunk is read from front to back, since prefetchers follow nothing else: the 128
// accumulators lie in memory, 16 vectors apart in time, so that a store has long reached its next
// load. Then the tree over 128 lanes; chunk results go through a carry stack. Padding with the
// identity keeps bits. A row of up to a few thousand elements stays in L1/L2 between phases, so
// memory is read once: floor as for pointwise. Values dear to compute that several phases use are
// kept in an array (staging.h). Variants: rows within one vector, within 32 or 64 elements,
// within one chunk, up to 64 chunks, longer; the array's size; non-temporal stores.
#include <bit>

#include "passes/scene.h"
#include "passes/staging.h"

namespace kiln::passes {

using ir::kReduceChunk;
using ir::kReduceLanes;
using ir::Value;

namespace {

// At most so many chunks, rounded up to a power of 64, so that classes of lengths share kernels.
std::int64_t most_chunks(std::int64_t longest) {
  std::int64_t most = 64;
  while (most < longest / kReduceChunk + 1) most *= 64;
  return most;
}

// Lanes of the canonical order that elements of a row can reach; the others hold the identity, and
// the tree over them all is the tree over these.
std::int64_t lanes_of(std::int64_t longest) {
  const auto reached = std::bit_ceil(static_cast<std::uint64_t>(longest));
  return std::min<std::int64_t>(kReduceLanes, static_cast<std::int64_t>(reached));
}

// At most so many bytes of a row are kept: they share the cache with what is read again.
constexpr std::int64_t kKeptBytes = 256 << 10;

RowStore row_store(Scene& s, const std::vector<int>& stored_in) {
  const ClusterContext& c = s.context();
  const std::int64_t lanes = cpu_lanes(c);
  const std::int64_t longest = upper(c.graph, c.space.inner);
  StagingPrices prices = kCpuStaging;
  if (longest == 0 || longest > kKeptBytes) return {s, {}, 0};
  prices.bytes = std::min(prices.bytes, kKeptBytes / std::max<std::int64_t>(longest, 1));
  return {s, staged_values(c, prices, stored_in), (longest + lanes - 1) / lanes * lanes};
}

std::uint8_t row_flags(const ClusterContext& c) {
  std::vector<MergedAxis> axes = c.space.outer;
  axes.push_back(flattened(c.space.inner));
  return streaming_flags(c, axes);
}

// What passes over a row leave in memory: values for later ones, and the outputs over the whole
// row.
class RowResults {
 public:
  explicit RowResults(Scene& s)
      : s_(s),
        stored_in_(passes_of_outputs(s.context())),
        kept_(row_store(s, stored_in_)),
        flags_(row_flags(s.context())) {}

  // At the scene's current element, inside the scope that computes it.
  void leave(int pass, Value position) {
    kept_.recall(pass, position);
    kept_.keep(pass, position);
    for (std::size_t i = 0; i < stored_in_.size(); ++i) {
      const ClusterOutput& output = s_.context().cluster.outputs[i];
      if (stored_in_[i] != pass || !s_.is_full(output)) continue;
      s_.store(output, s_.masked() ? std::uint8_t{0} : flags_);
    }
  }

  bool any_in(int pass) const {
    for (std::size_t i = 0; i < stored_in_.size(); ++i) {
      if (stored_in_[i] == pass && s_.is_full(s_.context().cluster.outputs[i])) return true;
    }
    return false;
  }

 private:
  Scene& s_;
  std::vector<int> stored_in_;
  RowStore kept_;
  std::uint8_t flags_;
};

// Hardware reads ahead within a page and a stream; loops that leave it waiting say what comes next.
// The first phase waits for memory, the second does not: where there is a second, it brings the
// next row near, else a phase what it reads soon itself. Only what rows of their own are read from.
Emitter::ReadAhead read_ahead(Scene& s, int phase) {
  constexpr std::int64_t kSoon = 1024;  // bytes
  constexpr std::int64_t kCachedRow = 128
                                      << 10;  // bytes of a row that still has room beside the next
  const ClusterContext& c = s.context();
  const bool next_row = s.phases() > 1 && !c.space.outer.empty() &&
                        upper(c.graph, c.space.inner) * widest(c) <= kCachedRow;
  if (next_row ? phase != 1 : phase > 0) return {};
  Emitter::ReadAhead ahead;
  ahead.nodes.assign(c.graph.nodes.size(), false);
  for (const Access& access : c.space.reads) {
    const bool own = !c.space.outer.empty() &&
                     stride_of(c.graph, access, c.space.outer.back().coordinate) != Stride::none;
    if (own || c.space.outer.empty()) ahead.nodes[access.leaf] = true;
  }
  if (next_row) ahead.elements = s.length(c.space.inner);
  ahead.bytes = kSoon;
  return ahead;
}

class RowPhase {
 public:
  // `row`: what phase `phase` leaves; null: nothing.
  RowPhase(Scene& scene, int phase, RowResults* row)
      : s_(scene),
        b_(scene.b),
        inner_(scene.context().space.inner),
        reducers_(scene.reducers(phase)),
        phase_(phase),
        row_(row) {
    const std::int64_t lanes = s_.e.lanes();
    const std::int64_t longest = upper(s_.context().graph, inner_);
    for (const Reducer& r : reducers_) {
      const bool ordered = r.ordered() && longest > lanes;
      chunked_ = chunked_ || (ordered && longest > kReduceChunk);
      const std::int64_t width = ordered ? lanes_of(longest) : lanes;
      Running& running = running_.emplace_back(
          Running{width, {b_, r, ir::Space::local, width, r.name() + "_lanes"}, std::nullopt});
      if (ordered && longest > kReduceChunk) {
        running.stack.emplace(b_, r, 1, most_chunks(longest), r.name());
      }
    }
  }

  // Reduces positions [begin, end) of the row (begin a multiple of the chunk) and gives the
  // results.
  std::vector<Parts> reduce(Value begin, Value end) {
    s_.e.read_ahead(read_ahead(s_, phase_));
    clear(false);
    if (chunked_) {
      const Value first = b_.begin_loop(begin, end, b_.index(kReduceChunk));
      clear(true);
      run(first, b_.min(b_.sub(end, first), b_.index(kReduceChunk)));
      const Value already = b_.div(b_.sub(first, begin), b_.index(kReduceChunk));
      for (std::size_t i = 0; i < running_.size(); ++i) {
        if (running_[i].stack) running_[i].stack->push(b_, across_lanes(i), already);
      }
      b_.end();
    } else {
      run(begin, b_.sub(end, begin));
    }
    const Value chunks =
        b_.div(b_.add(b_.sub(end, begin), b_.index(kReduceChunk - 1)), b_.index(kReduceChunk));
    std::vector<Parts> totals;
    for (std::size_t i = 0; i < running_.size(); ++i) {
      totals.push_back(running_[i].stack ? running_[i].stack->fold(b_, chunks) : across_lanes(i));
    }
    s_.e.read_ahead({});
    return totals;
  }

  const std::vector<Reducer>& reducers() const { return reducers_; }

 private:
  // What is so far of a reduction: its lanes, of the chunk if it goes by chunks.
  struct Running {
    std::int64_t width;
    PartsMemory lanes;
    std::optional<CarryStack> stack;
  };

  // Sets lanes to the identity: of those that go by chunks, or of the others.
  void clear(bool by_chunk) {
    const Value vector = b_.index(s_.e.lanes());
    for (std::size_t i = 0; i < running_.size(); ++i) {
      const Running& r = running_[i];
      if (r.stack.has_value() != by_chunk) continue;
      const bool one = r.width == s_.e.lanes();
      const Value at = one ? b_.index(0) : b_.begin_loop(b_.index(0), b_.index(r.width), vector);
      r.lanes.store(b_, at, reducers_[i].identity(b_, s_.e.lanes()));
      if (!one) b_.end();
    }
  }

  // Vectors that lie wholly inside, then at most one that does not.
  void run(Value first, Value length) {
    const Value vector = b_.index(s_.e.lanes());
    const Value whole = b_.mul(b_.div(length, vector), vector);
    add(first, b_.begin_loop(b_.index(0), whole, vector), ir::kNoValue);
    b_.end();
    b_.begin_if(b_.less(whole, length));
    const Value mask = b_.op(ir::Op::lt, ir::DType::bool_,
                             {b_.lane(b_.kernel().index, s_.e.lanes()), b_.sub(length, whole)});
    add(first, whole, mask);
    b_.end();
  }

  // Adds the vector at this offset of the chunk to its lanes.
  void add(Value first, Value offset, Value mask) {
    s_.e.open_scope();
    s_.mask(mask);
    const LaneIndex at{b_.add(first, offset), b_.index(1)};
    s_.set_linear(inner_, at);
    if (row_ != nullptr) row_->leave(phase_, at.base);
    const Value position = s_.e.materialise(at);
    for (std::size_t i = 0; i < running_.size(); ++i) {
      const Running& r = running_[i];
      const Value lane = r.width == s_.e.lanes() ? b_.index(0)
                                                 : b_.op(ir::Op::and_, b_.dtype(offset),
                                                         {offset, b_.index(r.width - 1)});
      const Parts next = reducers_[i].keep(b_, mask, s_.element(reducers_[i], position));
      const Parts sum = r.lanes.load(b_, lane, s_.e.lanes());
      r.lanes.store(b_, lane, reducers_[i].combine(b_, sum, next));
    }
    s_.mask(ir::kNoValue);
    s_.e.close_scope();
  }

  Parts across_lanes(std::size_t i) {
    const Running& r = running_[i];
    return reducers_[i].across_lanes(b_, r.lanes.load(b_, b_.index(0), static_cast<int>(r.width)));
  }

  Scene& s_;
  ir::KernelBuilder& b_;
  const std::vector<MergedAxis>& inner_;
  std::vector<Reducer> reducers_;
  int phase_;
  RowResults* row_;
  bool chunked_ = false;
  std::vector<Running> running_;
};

// The pass after all phases.
void store_row(Scene& s, RowResults& row, Value length) {
  const ClusterContext& c = s.context();
  s.e.set_lanes(cpu_lanes(c));
  s.vector_loop(s.b.index(0), length, [&](LaneIndex i) {
    s.set_linear(c.space.inner, i);
    row.leave(s.phases(), i.base);
  });
}

}  // namespace

Scheduled cpu_rows(const ClusterContext& c) {
  Scene s(c);
  s.e.set_lanes(cpu_lanes(c));
  s.grid(c.space.outer);
  const Value length = s.length(c.space.inner);
  const Value item = s.b.begin_grid();
  s.set_linear(c.space.outer, {item, ir::kNoValue});
  RowResults results(s);
  for (int phase = 0; phase < s.phases(); ++phase) {
    RowPhase row(s, phase, &results);
    const std::vector<Parts> totals = row.reduce(s.b.index(0), length);
    for (std::size_t i = 0; i < totals.size(); ++i) {
      s.e.bind(row.reducers()[i].node(), row.reducers()[i].result(s.b, totals[i]));
    }
  }
  s.e.set_lanes(1);
  s.store_outer_outputs();
  if (results.any_in(s.phases())) store_row(s, results, length);
  s.b.end();
  Scheduled result;
  result.kernels.push_back(s.finish());
  result.name = "rows";
  result.reason = "reads run along the reduced axis: one row at a time, vectors along it";
  return result;
}

namespace {

// First stage: a grid item reduces one piece of one row to a partial result.
ScheduledKernel split_first(const ClusterContext& c) {
  Scene s(c, Scene::Stage::part);
  s.e.set_lanes(cpu_lanes(c));
  s.grid(c.space.outer);
  s.grid({flattened(c.space.inner)}, kSplitPiece);
  const Value length = s.length(c.space.inner);
  const Value pieces = s.b.div(s.b.add(length, s.b.index(kSplitPiece - 1)), s.b.index(kSplitPiece));
  const Partials partials(s, Partials::written);
  const Value item = s.b.begin_grid();
  s.set_linear(c.space.outer, {s.b.div(item, pieces), ir::kNoValue});
  const Value begin = s.b.mul(s.b.rem(item, pieces), s.b.index(kSplitPiece));
  const Value end = s.b.min(s.b.add(begin, s.b.index(kSplitPiece)), length);
  RowPhase phase(s, 0, nullptr);
  const std::vector<Parts> totals = phase.reduce(begin, end);
  partials.store(item, totals);
  s.b.end();
  return s.finish();
}

// Second stage: a row's partial results are combined by the same tree; then the epilogue.
ScheduledKernel split_second(const ClusterContext& c) {
  Scene s(c);
  s.grid(c.space.outer);
  const Value length = s.length(c.space.inner);
  const Value pieces = s.b.div(s.b.add(length, s.b.index(kSplitPiece - 1)), s.b.index(kSplitPiece));
  const std::vector<Reducer> reducers = s.reducers(0);
  const std::int64_t longest = upper(c.graph, c.space.inner) / kSplitPiece + 1;
  const Partials partials(s, Partials::read);
  std::vector<CarryStack> stacks;
  for (const Reducer& r : reducers) stacks.emplace_back(s.b, r, 1, longest, r.name());
  const Value item = s.b.begin_grid();
  s.set_linear(c.space.outer, {item, ir::kNoValue});
  const Value piece = s.b.begin_loop(s.b.index(0), pieces, s.b.index(1));
  for (std::size_t i = 0; i < reducers.size(); ++i) {
    stacks[i].push(s.b, partials.load(i, s.b.add(s.b.mul(item, pieces), piece)), piece);
  }
  s.b.end();
  for (std::size_t i = 0; i < reducers.size(); ++i) {
    s.e.bind(reducers[i].node(), reducers[i].result(s.b, stacks[i].fold(s.b, pieces)));
  }
  s.store_outer_outputs();
  s.b.end();
  return s.finish();
}

}  // namespace

Scheduled cpu_split_rows(const ClusterContext& c) {
  Scheduled result;
  result.kernels.push_back(split_first(c));
  result.kernels.push_back(split_second(c));
  result.temporaries = split_temporaries(c);
  result.name = "split rows";
  result.reason = "too few rows to keep every thread busy: pieces of " +
                  std::to_string(kSplitPiece) + " elements first, then their results";
  return result;
}

}  // namespace kiln::passes
