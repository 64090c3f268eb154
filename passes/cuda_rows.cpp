// CUDA rows: a row's reductions one phase after another, each a pass over the row, then the outputs
// over the whole row. Rows of one chunk take a warp each (eight rows a block), longer ones a block.
//
// Canonical order (ir/NUMERICS.md): a warp reduces a chunk of 1024 elements. Its 128 lanes are four
// groups of 32; thread t holds lane t of each group, so that every load is coalesced at any
// alignment. Shuffles build the tree within a group, then the four groups are combined. Eight
// warps' chunks meet in shared memory and form an aligned subtree; subtrees go through a carry
// stack that every thread keeps. Floor: the row read once from memory, its later passes from the
// cache. Variants: warp or block a row; one step or several; 32- or 64-bit indices.
#include <functional>

#include "passes/scene.h"

namespace kiln::passes {

using ir::kReduceChunk;
using ir::kReduceLanes;
using ir::Value;

namespace {

constexpr std::int64_t kWarp = 32;
constexpr std::int64_t kWarps = 8;
constexpr std::int64_t kThreads = kWarp * kWarps;

// Parts of element `position` of reduction number i.
using Element = std::function<Parts(std::size_t i, Value position)>;

// Reduces a range of positions by a warp or by a block; every thread gets the results.
class Cooperative {
 public:
  // `thread`: within the block, or within the warp if a warp works alone.
  // `unit`: positions that one warp takes at a time: a chunk in canonical order, or kWarp values
  // that are combined by the plain tree. `longest`: upper bound of the range's length.
  Cooperative(Scene& scene, std::vector<Reducer> reducers, Element element, Value thread,
              std::int64_t unit, std::int64_t longest, bool block)
      : b_(scene.b),
        e_(scene.e),
        reducers_(std::move(reducers)),
        element_(std::move(element)),
        lane_(block ? b_.rem(thread, b_.index(kWarp)) : thread),
        warp_(b_.div(thread, b_.index(kWarp))),
        unit_(unit),
        groups_(unit == kWarp || longest <= kWarp ? 1 : kReduceLanes / kWarp),
        block_(block),
        stacked_(block && longest > kWarps * unit) {
    if (block) {
      b_.name(lane_, "lane");
      b_.name(warp_, "warp");
    }
    for (const Reducer& r : reducers_) {
      const std::string name = r.name();
      sums_.emplace_back(b_, r, ir::Space::local, groups_, name + "_acc");
      if (block_) meeting_.emplace_back(b_, r, ir::Space::shared, kWarps, name + "_warp");
      if (stacked_) stacks_.emplace_back(b_, r, 1, longest / (kWarps * unit) + 1, name);
    }
  }

  std::vector<Parts> reduce(Value begin, Value end) {
    if (!block_) return warp_total(begin, end);
    if (!stacked_) return block_total(begin, end);
    const Value step = b_.index(kWarps * unit_);
    const Value first = b_.begin_loop(begin, end, step);
    const std::vector<Parts> totals = block_total(first, end);
    for (std::size_t i = 0; i < reducers_.size(); ++i) {
      stacks_[i].push(b_, totals[i], b_.div(b_.sub(first, begin), step));
    }
    b_.end();
    const Value steps = b_.div(b_.add(b_.sub(end, begin), b_.index(kWarps * unit_ - 1)), step);
    std::vector<Parts> results;
    for (const CarryStack& stack : stacks_) results.push_back(stack.fold(b_, steps));
    return results;
  }

 private:
  // The block's warps take consecutive units from `first` on; what is beyond `end` is the identity.
  std::vector<Parts> block_total(Value first, Value end) {
    const Value mine = b_.add(first, b_.mul(warp_, b_.index(unit_)));
    const std::vector<Parts> totals = warp_total(mine, end);
    b_.begin_if(b_.op(ir::Op::eq, ir::DType::bool_, {lane_, b_.index(0)}));
    for (std::size_t i = 0; i < reducers_.size(); ++i) meeting_[i].store(b_, warp_, totals[i]);
    b_.end();
    b_.barrier();
    std::vector<Parts> results;
    for (std::size_t i = 0; i < reducers_.size(); ++i) {
      std::vector<Parts> level;
      for (std::int64_t w = 0; w < kWarps; ++w)
        level.push_back(meeting_[i].load(b_, b_.index(w), 1));
      results.push_back(tree(reducers_[i], level));
    }
    b_.barrier();
    return results;
  }

  Parts tree(const Reducer& r, std::vector<Parts> level) {
    while (level.size() > 1) {
      std::vector<Parts> next;
      for (std::size_t i = 0; i < level.size(); i += 2) {
        next.push_back(r.combine(b_, level[i], level[i + 1]));
      }
      level = std::move(next);
    }
    return level[0];
  }

  std::vector<Parts> warp_total(Value first, Value end) {
    const Value zero = b_.index(0);
    const Value one = b_.index(1);
    const Value group = groups_ == 1 ? zero : b_.begin_loop(zero, b_.index(groups_), one, true);
    for (std::size_t i = 0; i < reducers_.size(); ++i) {
      sums_[i].store(b_, group, reducers_[i].identity(b_, 1));
    }
    const Value start = b_.add(b_.add(first, b_.mul(group, b_.index(kWarp))), lane_);
    const Value stop = b_.min(b_.add(first, b_.index(unit_)), end);
    const Value position = b_.begin_loop(start, stop, b_.index(kReduceLanes));
    e_.open_scope();
    for (std::size_t i = 0; i < reducers_.size(); ++i) {
      const Parts next = element_(i, position);
      sums_[i].store(b_, group, reducers_[i].combine(b_, sums_[i].load(b_, group, 1), next));
    }
    e_.close_scope();
    b_.end();
    across_warp(group);
    if (groups_ > 1) b_.end();
    std::vector<Parts> results;
    for (std::size_t i = 0; i < reducers_.size(); ++i) {
      std::vector<Parts> level;
      for (std::int64_t g = 0; g < groups_; ++g) level.push_back(sums_[i].load(b_, b_.index(g), 1));
      results.push_back(tree(reducers_[i], level));
    }
    return results;
  }

  // The tree of adjacent pairs over the warp's threads. Both of a pair compute the same: combining
  // commutes.
  void across_warp(Value group) {
    const Value level = b_.begin_loop(b_.index(0), b_.index(5), b_.index(1), true);
    const Value distance = b_.op(ir::Op::shl, b_.dtype(lane_), {b_.index(1), level});
    const Value other = b_.op(ir::Op::xor_, b_.dtype(lane_), {lane_, distance});
    const Value source = b_.op(ir::Op::cast, ir::DType::int32, {other});
    for (std::size_t i = 0; i < reducers_.size(); ++i) {
      const Parts mine = sums_[i].load(b_, group, 1);
      Parts received;
      for (const Value part : mine) received.push_back(b_.shuffle(part, source));
      sums_[i].store(b_, group, reducers_[i].combine(b_, mine, received));
    }
    b_.end();
  }

  ir::KernelBuilder& b_;
  Emitter& e_;
  std::vector<Reducer> reducers_;
  Element element_;
  Value lane_, warp_;
  std::int64_t unit_, groups_;
  bool block_, stacked_;
  std::vector<PartsMemory> sums_, meeting_;
  std::vector<CarryStack> stacks_;
};

// `me` of `team_size` threads of a block or of a warp.
void whole_row(Scene& s, Value me, std::int64_t team_size, bool block) {
  const ClusterContext& c = s.context();
  const Value length = s.length(c.space.inner);
  for (int phase = 0; phase < s.phases(); ++phase) {
    const std::vector<Reducer> reducers = s.reducers(phase);
    const Element element = [&](std::size_t i, Value position) {
      s.set_linear(c.space.inner, {position, ir::kNoValue});
      return s.element(reducers[i], position);
    };
    Cooperative team(s, reducers, element, me, kReduceChunk, upper(c.graph, c.space.inner), block);
    const std::vector<Parts> totals = team.reduce(s.b.index(0), length);
    for (std::size_t i = 0; i < totals.size(); ++i) {
      s.e.bind(reducers[i].node(), reducers[i].result(s.b, totals[i]));
    }
  }
  if (s.has_outer_outputs()) {
    s.b.begin_if(s.b.op(ir::Op::eq, ir::DType::bool_, {me, s.b.index(0)}));
    s.e.open_scope();
    s.store_outer_outputs();
    s.e.close_scope();
    s.b.end();
  }
  if (!s.has_full_outputs()) return;
  const Value i = s.b.begin_loop(me, length, s.b.index(team_size));
  s.e.open_scope();
  s.set_linear(c.space.inner, {i, ir::kNoValue});
  s.store_full_outputs();
  s.e.close_scope();
  s.b.end();
}

// Partial results of a split reduction, part by part.
std::vector<std::vector<std::uint32_t>> partials(Scene& s, bool constant) {
  std::vector<std::vector<std::uint32_t>> memories;
  std::uint32_t number = 0;
  for (const Reducer& r : s.reducers(0)) {
    memories.emplace_back();
    for (std::size_t part = 0; part < r.part_count(); ++part, ++number) {
      memories.back().push_back(
          s.e.temporary(r.type(part), "part" + std::to_string(number), number, constant));
    }
  }
  return memories;
}

Value pieces_of(Scene& s, Value length) {
  return s.b.div(s.b.add(length, s.b.index(kSplitPiece - 1)), s.b.index(kSplitPiece));
}

ScheduledKernel split_first(const ClusterContext& c) {
  Scene s(c, "_part");
  s.grid(c.space.outer);
  s.grid({flattened(c.space.inner)}, kSplitPiece);
  const auto memories = partials(s, false);
  const Value length = s.length(c.space.inner);
  const Value block = s.b.begin_grid();
  const Value thread = s.b.begin_thread(kThreads);
  const Value pieces = pieces_of(s, length);
  s.set_linear(c.space.outer, {s.b.div(block, pieces), ir::kNoValue});
  const Value begin = s.b.mul(s.b.rem(block, pieces), s.b.index(kSplitPiece));
  const Value end = s.b.min(s.b.add(begin, s.b.index(kSplitPiece)), length);
  const std::vector<Reducer> reducers = s.reducers(0);
  const Element element = [&](std::size_t i, Value position) {
    s.set_linear(c.space.inner, {position, ir::kNoValue});
    return s.element(reducers[i], position);
  };
  Cooperative team(s, reducers, element, thread, kReduceChunk, kSplitPiece, true);
  const std::vector<Parts> totals = team.reduce(begin, end);
  s.b.begin_if(s.b.op(ir::Op::eq, ir::DType::bool_, {thread, s.b.index(0)}));
  for (std::size_t i = 0; i < totals.size(); ++i) {
    for (std::size_t part = 0; part < totals[i].size(); ++part) {
      s.b.store(memories[i][part], block, totals[i][part]);
    }
  }
  s.b.end();
  s.b.end();
  s.b.end();
  return s.finish();
}

ScheduledKernel split_second(const ClusterContext& c) {
  Scene s(c);
  s.grid(c.space.outer);
  const auto memories = partials(s, true);
  const Value length = s.length(c.space.inner);
  const Value block = s.b.begin_grid();
  const Value thread = s.b.begin_thread(kThreads);
  s.set_linear(c.space.outer, {block, ir::kNoValue});
  const Value pieces = pieces_of(s, length);
  const std::vector<Reducer> reducers = s.reducers(0);
  const Element element = [&](std::size_t i, Value position) {
    Parts parts;
    for (const std::uint32_t memory : memories[i]) {
      parts.push_back(s.b.load(memory, s.b.add(s.b.mul(block, pieces), position)));
    }
    return parts;
  };
  const std::int64_t longest = upper(c.graph, c.space.inner) / kSplitPiece + 1;
  Cooperative team(s, reducers, element, thread, kWarp, longest, true);
  const std::vector<Parts> totals = team.reduce(s.b.index(0), pieces);
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
  const bool block_a_row = upper(c.graph, c.space.inner) > kReduceChunk;
  const bool one_row = c.space.outer.empty();
  const std::int64_t threads = one_row && !block_a_row ? kWarp : kThreads;
  Scene s(c);
  if (block_a_row) {
    s.grid(c.space.outer);
  } else if (!one_row) {
    s.grid({flattened(c.space.outer)}, kWarps);
  }
  const Value block = s.b.begin_grid();
  const Value thread = s.b.begin_thread(threads);
  if (block_a_row || one_row) {
    s.set_linear(c.space.outer, {block, ir::kNoValue});
    whole_row(s, thread, threads, block_a_row);
  } else {
    const Value rows = s.length(c.space.outer);
    const Value lane = s.b.rem(thread, s.b.index(kWarp));
    const Value warp = s.b.div(thread, s.b.index(kWarp));
    const Value row = s.b.add(s.b.mul(block, s.b.index(kWarps)), warp);
    s.b.name(lane, "lane");
    s.b.name(row, "row");
    s.b.begin_if(s.b.less(row, rows));
    s.set_linear(c.space.outer, {row, ir::kNoValue});
    whole_row(s, lane, kWarp, false);
    s.b.end();
  }
  s.b.end();
  s.b.end();
  Scheduled result;
  result.kernels.push_back(s.finish());
  result.name = block_a_row ? "rows, a block each" : "rows, a warp each";
  result.reason = "reads run along the reduced axis, coalesced";
  return result;
}

Scheduled cuda_split_rows(const ClusterContext& c) {
  Scheduled result;
  result.kernels.push_back(split_first(c));
  result.kernels.push_back(split_second(c));
  result.temporaries = split_temporaries(c);
  result.name = "split rows";
  result.reason = "too few rows to fill the device: pieces of " + std::to_string(kSplitPiece) +
                  " elements first, then their results";
  return result;
}

}  // namespace kiln::passes
