// CUDA rows: a row's reductions one phase after another, each a pass over the row, then the outputs
// over the whole row. Rows of one chunk take a warp each (eight rows a block), those that half a
// warp or less can hold the next power of two of threads, longer ones a block. Where every row is
// made of aligned vectors, a thread takes one at a time (cuda_team.h).
//
// Rows that fit into registers are read once: values that several phases use stay with the thread
// that reduces them (staging.h), whose elements are then counted at compile time; a block has as
// many warps as the longest row of the class has chunks. Other rows are streamed, again for each
// phase: by eight warps; where rows are longer than 32 chunks by 32 warps, whose loads are counted
// at compile time too, so that enough of them are under way. Floor: the row read once from memory,
// its later passes from the cache if streamed. Variants: warp or block a row; vector width; kept or
// streamed, and kept elements a thread; one step or several; 32- or 64-bit indices.
#include <algorithm>
#include <bit>

#include "passes/cuda_team.h"

namespace kiln::passes {

using ir::kReduceChunk;
using ir::Value;

namespace {

constexpr std::int64_t kWarp = TeamShape::kWarp;
constexpr std::int64_t kWarps = 8;
constexpr std::int64_t kThreads = kWarp * kWarps;

// How a row is worked on: by whom, and what is kept of it.
struct RowPlan {
  TeamShape shape;
  std::vector<Staged> kept;
};

// How many neighbouring elements a thread takes at once: 16 bytes of the widest ones, and not more
// than four, so that a warp has no more than a chunk's lanes.
std::int64_t vector_of(const ClusterContext& c) {
  if (c.space.inner.size() != 1) return 1;
  const MergedAxis& along = c.space.inner[0];
  std::int64_t bytes = 4;
  for (const Access& access : c.space.reads) {
    if (stride_of(c.graph, access, along.coordinate) == Stride::none) continue;
    bytes = std::max(bytes, ir::size_of(c.graph.nodes[access.leaf].dtype));
  }
  for (const ClusterOutput& output : c.cluster.outputs) {
    bytes = std::max(bytes, ir::size_of(c.graph.nodes[output.node].dtype));
  }
  const std::int64_t vector = aligned_lanes(c, along, 16 / bytes);
  return known_multiple(c.graph, along.extents) % vector == 0 ? vector : 1;
}

// Registers are free, so whatever costs anything to make again is kept; but 64 of a thread's are
// all there are in a block of 1024 threads, half of them for the row.
RowPlan plan_row(const ClusterContext& c) {
  constexpr std::int64_t kMostWarps = 32;
  RowPlan plan;
  const std::int64_t multiple = known_multiple(c.graph, flattened(c.space.inner).extents);
  plan.shape.longest = upper(c.graph, c.space.inner) / multiple * multiple;
  // Shorter rows have a thread an element.
  if (plan.shape.longest >= kWarp) plan.shape.vector = vector_of(c);
  const bool block = plan.shape.longest > kReduceChunk;
  const std::int64_t chunks = (plan.shape.longest + kReduceChunk - 1) / kReduceChunk;
  plan.shape.warps = block ? kWarps : 1;
  const std::int64_t vectors =
      std::max<std::int64_t>((plan.shape.longest + plan.shape.vector - 1) / plan.shape.vector, 1);
  if (vectors <= kWarp / 2 && !c.space.outer.empty()) {
    plan.shape.width =
        static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(vectors)));
  }
  if (chunks > kMostWarps) {
    plan.shape.warps = kMostWarps;
    plan.shape.fixed = true;
    return plan;
  }
  const auto warps = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(chunks)));
  const std::int64_t bytes = warps > 16 ? 4 : warps > 8 ? 8 : 12;
  plan.kept = staged_values(c, {1, 4, 16, bytes});
  if (plan.kept.empty()) {
    // A level of the carry stack more, and one kernel for all that eight warps stream.
    const bool several = plan.shape.longest > kWarps * kReduceChunk;
    if (several) plan.shape.longest = kMostWarps * kReduceChunk;
    return plan;
  }
  plan.shape.fixed = true;
  plan.shape.warps = warps;
  return plan;
}

// What a row's elements read that is the same all along it. Its loads stand before the row's own,
// so that all are waited for together. What only later phases need has come by then, so that one
// thread can ask for all: memory is asked once a row, not once a warp or thread.
class RowConstants {
 public:
  // `here` and `there`: any two positions of the row.
  RowConstants(Scene& scene, CudaTeam& team, const RowPlan& plan, Value here, Value there)
      : s_(scene), team_(team) {
    std::vector<Emitter::Read> known;
    for (int phase = 0; phase <= s_.phases(); ++phase) {
      for (Emitter::Read& read : s_.fixed_reads(s_.context().space.inner, phase, here, there)) {
        if (std::ranges::find(known, read) != known.end()) continue;
        known.push_back(read);
        if (phase == 0 || !worth_giving(plan.shape)) {
          s_.e.value(read.leaf, read.point);
        } else {
          Point mine = read.point;
          mine.uniform_mask = s_.b.logical_and(mine.uniform_mask, team_.asks());
          const std::size_t number = team_.give(s_.e.value(read.leaf, mine));
          later_.push_back({phase, std::move(read), number});
        }
      }
    }
  }

  // When a phase begins.
  void arrive(int phase) {
    for (const Later& l : later_) {
      if (l.phase == phase) s_.e.give(l.read.leaf, l.read.point, team_.got(l.number));
    }
  }

 private:
  struct Later {
    int phase;
    Emitter::Read read;
    std::size_t number;
  };
  // What it costs, about an element's work, is lost among a thread's elements.
  static bool worth_giving(const TeamShape& shape) {
    constexpr std::int64_t kElements = 8;
    return shape.width == kWarp && !shape.several_steps() &&
           shape.longest >= kElements * shape.warps * kWarp;
  }

  Scene& s_;
  CudaTeam& team_;
  std::vector<Later> later_;
};

// `thread`: of the block, or of the warp if not more works on a row. `valid`: whether there is a
// row; kNoValue: there is.
void whole_row(Scene& s, Value thread, const RowPlan& plan, Value valid = ir::kNoValue) {
  const ClusterContext& c = s.context();
  const bool part = plan.shape.width < kWarp;
  const Value me = part ? s.b.rem(thread, s.b.index(plan.shape.width)) : thread;
  Value length = s.length(c.space.inner);
  if (valid != ir::kNoValue) {
    length = s.b.op(ir::Op::select, s.b.dtype(length), {valid, length, s.b.index(0)});
  }
  CudaTeam team(s, thread, plan.shape);
  const bool vectors = plan.shape.vector > 1;
  const auto at = [&](Value position) {
    return LaneIndex{position, vectors ? s.b.index(1) : ir::kNoValue};
  };
  RowStore kept(s, plan.kept, plan.kept.empty() ? 0 : plan.shape.slots());
  const auto arrive_in = [&](int phase) {
    return [&, phase](Value position, Value slot) {
      s.set_linear(c.space.inner, at(position));
      kept.recall(phase, slot);
      kept.keep(phase, slot);
    };
  };
  RowConstants constants(s, team, plan, me, length);
  for (int phase = 0; phase < s.phases(); ++phase) {
    const std::vector<Reducer> reducers = s.reducers(phase);
    constants.arrive(phase);
    const std::vector<Parts> totals = team.reduce(
        reducers, s.b.index(0), length, arrive_in(phase), [&](std::size_t i, Value position) {
          return s.element(reducers[i], s.e.materialise(at(position)));
        });
    for (std::size_t i = 0; i < totals.size(); ++i) {
      s.e.bind(reducers[i].node(), reducers[i].result(s.b, totals[i]));
    }
  }
  if (s.has_outer_outputs()) {
    const Value first = s.b.op(ir::Op::eq, ir::DType::bool_, {me, s.b.index(0)});
    s.b.begin_if(s.b.logical_and(first, valid));
    s.e.open_scope();
    s.store_outer_outputs();
    s.e.close_scope();
    s.b.end();
  }
  if (!s.has_full_outputs()) return;
  constants.arrive(s.phases());
  const auto store = [&](Value position, Value slot) {
    arrive_in(s.phases())(position, slot);
    s.store_full_outputs(vectors ? std::uint8_t{ir::kAligned} : std::uint8_t{0});
  };
  if (!plan.kept.empty()) {
    team.visit(length, store);
    return;
  }
  const Value vector = s.b.index(plan.shape.vector);
  const Value step = s.b.index(plan.shape.warps * plan.shape.width * plan.shape.vector);
  const Value i = s.b.begin_loop(s.b.mul(me, vector), length, step);
  team.in_vectors([&] { store(i, ir::kNoValue); });
  s.b.end();
}

Value pieces_of(Scene& s, Value length) {
  return s.b.div(s.b.add(length, s.b.index(kSplitPiece - 1)), s.b.index(kSplitPiece));
}

ScheduledKernel split_first(const ClusterContext& c) {
  Scene s(c, Scene::Stage::part);
  s.grid(c.space.outer);
  s.grid({flattened(c.space.inner)}, kSplitPiece);
  const Partials partials(s, Partials::written);
  const Value length = s.length(c.space.inner);
  const Value block = s.b.begin_grid();
  const Value thread = s.b.begin_thread(kThreads);
  const Value pieces = pieces_of(s, length);
  s.set_linear(c.space.outer, {s.b.div(block, pieces), ir::kNoValue});
  const Value begin = s.b.mul(s.b.rem(block, pieces), s.b.index(kSplitPiece));
  const Value end = s.b.min(s.b.add(begin, s.b.index(kSplitPiece)), length);
  const std::vector<Reducer> reducers = s.reducers(0);
  const std::int64_t vector = vector_of(c);
  const auto at = [&](Value position) {
    return LaneIndex{position, vector > 1 ? s.b.index(1) : ir::kNoValue};
  };
  CudaTeam team(s, thread, {kWarps, kReduceChunk, kSplitPiece, false, kWarp, vector});
  const std::vector<Parts> totals = team.reduce(
      reducers, begin, end,
      [&](Value position, Value) { s.set_linear(c.space.inner, at(position)); },
      [&](std::size_t i, Value position) {
        return s.element(reducers[i], s.e.materialise(at(position)));
      });
  s.b.begin_if(s.b.op(ir::Op::eq, ir::DType::bool_, {thread, s.b.index(0)}));
  partials.store(block, totals);
  s.b.end();
  s.b.end();
  s.b.end();
  return s.finish();
}

ScheduledKernel split_second(const ClusterContext& c) {
  Scene s(c);
  s.grid(c.space.outer);
  const Partials partials(s, Partials::read);
  const Value length = s.length(c.space.inner);
  const Value block = s.b.begin_grid();
  const Value thread = s.b.begin_thread(kThreads);
  s.set_linear(c.space.outer, {block, ir::kNoValue});
  const Value pieces = pieces_of(s, length);
  const std::vector<Reducer> reducers = s.reducers(0);
  const CudaTeam::Element element = [&](std::size_t i, Value position) {
    return partials.load(i, s.b.add(s.b.mul(block, pieces), position));
  };
  const std::int64_t longest = upper(c.graph, c.space.inner) / kSplitPiece + 1;
  CudaTeam team(s, thread, {kWarps, kWarp, longest, false});
  const std::vector<Parts> totals =
      team.reduce(reducers, s.b.index(0), pieces, [](Value, Value) {}, element);
  for (std::size_t i = 0; i < totals.size(); ++i) {
    s.e.bind(reducers[i].node(), reducers[i].result(s.b, totals[i]));
  }
  s.b.begin_if(s.b.op(ir::Op::eq, ir::DType::bool_, {thread, s.b.index(0)}));
  s.store_outer_outputs();
  s.b.end();
  s.b.end();
  s.b.end();
  return s.finish();
}

}  // namespace

Scheduled cuda_rows(const ClusterContext& c) {
  const RowPlan plan = plan_row(c);
  const bool block_a_row = plan.shape.longest > kReduceChunk;
  const bool one_row = c.space.outer.empty();
  const std::int64_t threads = block_a_row ? plan.shape.warps * kWarp : one_row ? kWarp : kThreads;
  Scene s(c);
  if (block_a_row) {
    s.grid(c.space.outer);
  } else if (!one_row) {
    s.grid({flattened(c.space.outer)}, kThreads / plan.shape.width);
  }
  const Value block = s.b.begin_grid();
  const Value thread = s.b.begin_thread(threads);
  if (block_a_row || one_row) {
    s.set_linear(c.space.outer, {block, ir::kNoValue});
    whole_row(s, thread, plan);
  } else {
    const std::int64_t width = plan.shape.width;
    const Value rows = s.length(c.space.outer);
    const Value lane = s.b.rem(thread, s.b.index(kWarp));
    const Value row =
        s.b.add(s.b.mul(block, s.b.index(kThreads / width)), s.b.div(thread, s.b.index(width)));
    s.b.name(lane, "lane");
    s.b.name(row, "row");
    const Value valid = s.b.less(row, rows);
    if (width < kWarp) {
      // All threads of a warp take part in its shuffles; those without a row stay at the last one,
      // since what a row's elements share is loaded before it is known whether there are any.
      const Value last = s.b.sub(rows, s.b.index(1));
      s.set_linear(c.space.outer, {s.b.min(row, last), ir::kNoValue});
      whole_row(s, lane, plan, valid);
    } else {
      s.set_linear(c.space.outer, {row, ir::kNoValue});
      s.b.begin_if(valid);
      whole_row(s, lane, plan);
      s.b.end();
    }
  }
  s.b.end();
  s.b.end();
  Scheduled result;
  result.kernels.push_back(s.finish());
  result.step = plan.shape.warps * plan.shape.unit + kThreads;
  result.name = block_a_row                ? "rows, a block each"
                : plan.shape.width < kWarp ? "rows, several a warp"
                                           : "rows, a warp each";
  if (!plan.kept.empty()) result.name += ", kept in registers";
  result.reason = "reads run along the reduced axis, coalesced";
  if (plan.shape.vector > 1) {
    result.reason += ", " + std::to_string(plan.shape.vector) + " aligned elements at a time";
  }
  return result;
}

Scheduled cuda_split_rows(const ClusterContext& c) {
  Scheduled result;
  result.kernels.push_back(split_first(c));
  result.kernels.push_back(split_second(c));
  result.temporaries = split_temporaries(c);
  result.step = kSplitPiece + kWarps * kReduceChunk;
  result.name = "split rows";
  result.reason = "too few rows to fill the device: pieces of " + std::to_string(kSplitPiece) +
                  " elements first, then their results";
  return result;
}

}  // namespace kiln::passes
