// CUDA tiled: a block of 16 x 16 threads makes a tile of results, each thread up to 4 x 4 of them,
// 16 apart, so that stores are coalesced. A stage of reduced positions of the tile's rows and
// columns is copied into shared memory, coalesced whichever way it lies; its lines are padded by
// one element, so that neither copying nor reading has bank conflicts.
//
// Canonical order (ir/NUMERICS.md): up to 128 positions each are a lane of their own: eight at a
// time are combined by an unrolled tree, the eights by a binary counter of pending sums whose
// levels are registers. In longer rows a unit is one lane of a chunk: up to eight elements, 128
// apart, added in order; chunks go through a carry stack.
// Where the results are themselves reduced along the columns (nested), a block has all tiles of its
// rows and threads keep a partial result a row.
// Floor: the expression's operations and one to combine per (row, column, position), over the rate;
// a thread's shared loads feed its 4 x 4 results. Variants: reduced extents up to 128, up to 1024,
// longer; results a thread; 32- or 64-bit indices.
#include <algorithm>
#include <bit>

#include "passes/cuda_panels.h"

namespace kiln::passes {

using ir::kNoValue;
using ir::kReduceChunk;
using ir::kReduceLanes;
using ir::Op;
using ir::Value;

namespace {

constexpr std::int64_t kSide = CudaTileSizes::kSide, kThreads = CudaTileSizes::kThreads;

class CudaTile {
 public:
  CudaTile(Scene& scene, const Tile& tile, const CudaTileSizes& sizes, Value thread)
      : s_(scene),
        b_(scene.b),
        e_(scene.e),
        point_(scene, tile),
        tile_(tile),
        reducers_(point_.reducers()),
        sizes_(sizes),
        thread_(thread) {
    for (const Reducer& r : reducers_) {
      const std::string name = r.name();
      sums_.emplace_back(b_, r, ir::Space::local, results(), name + "_sum");
      pending_.emplace_back(b_, r, ir::Space::local, sizes_.levels * results(), name + "_pending");
      if (sizes_.chunked) {
        stacks_.emplace_back(b_, r, 1, sizes_.longest / kReduceChunk + 1, name, results());
      }
    }
    if (s_.context().cluster.nested.empty()) return;
    over_columns_ = s_.reducers(0);
    for (const Reducer& r : over_columns_) {
      best_.emplace_back(b_, r, ir::Space::local, sizes_.rows, r.name());
    }
  }

  // The tile at (first_row, first_column); with nested reductions all tiles of its rows.
  void run(Value first_row, Value first_column) {
    first_row_ = first_row, first_column_ = first_column;
    rows_ = s_.length(tile_.row), all_columns_ = s_.length(tile_.column);
    length_ = s_.length(tile_.inner);
    side_x_ = b_.rem(thread_, b_.index(kSide)), side_y_ = b_.div(thread_, b_.index(kSide));
    b_.name(side_x_, "x");
    b_.name(side_y_, "y");
    panels_.emplace(point_, sizes_, corner(), thread_, side_x_, side_y_);
    if (over_columns_.empty()) {
      results_of_tile();
      store_results();
      return;
    }
    each_row([&](Value r) {
      const Value first = b_.op(Op::cast, ir::DType::int64, {side_x_});
      for (std::size_t i = 0; i < best_.size(); ++i) {
        best_[i].store(b_, r, over_columns_[i].start(b_, first));
      }
    });
    const Value width = b_.index(kSide * sizes_.columns);
    first_column_ = b_.begin_loop(first_column, all_columns_, width);
    results_of_tile();
    reduce_columns();
    b_.end();
    across_sides();
    store_rows();
  }

 private:
  std::int64_t results() const { return sizes_.rows * sizes_.columns; }
  SharedPanels::Corner corner() const { return {first_row_, first_column_, rows_, all_columns_}; }

  // Leaves the thread's results in sums_.
  void results_of_tile() {
    if (!sizes_.chunked) return chunk(b_.index(0), length_);
    const Value step = b_.index(kReduceChunk);
    const Value first = b_.begin_loop(b_.index(0), length_, step);
    chunk(first, b_.min(b_.add(first, step), length_));
    const Value number = b_.div(first, step);
    each_result([&](Value o) {
      for (std::size_t i = 0; i < reducers_.size(); ++i) {
        stacks_[i].push(b_, sums_[i].load(b_, o, 1), number, o);
      }
    });
    b_.end();
    const Value chunks = b_.div(b_.add(length_, b_.index(kReduceChunk - 1)), step);
    each_result([&](Value o) {
      for (std::size_t i = 0; i < reducers_.size(); ++i) {
        sums_[i].store(b_, o, stacks_[i].fold(b_, chunks, o));
      }
    });
  }

  template <class Body>
  void each_row(Body body) {
    const Value r = b_.begin_loop(b_.index(0), b_.index(sizes_.rows), b_.index(1), true);
    e_.open_scope();
    body(r);
    e_.close_scope();
    b_.end();
  }

  template <class Body>
  void each_result(Body body) {
    const Value o = b_.begin_loop(b_.index(0), b_.index(results()), b_.index(1), true);
    e_.open_scope();
    body(o);
    e_.close_scope();
    b_.end();
  }

  // body(r, c) for each of the thread's results.
  template <class Body>
  void each_pair(Body body) {
    const Value one = b_.index(1);
    const Value r = b_.begin_loop(b_.index(0), b_.index(sizes_.rows), one, true);
    const Value c = b_.begin_loop(b_.index(0), b_.index(sizes_.columns), one, true);
    e_.open_scope();
    body(r, c);
    e_.close_scope();
    b_.end();
    b_.end();
  }
  Value result_at(Value r, Value c) { return b_.add(b_.mul(r, b_.index(sizes_.columns)), c); }
  Value in_tile(Value own, Value number) {  // of the thread's r-th row or c-th column
    return b_.add(own, b_.mul(number, b_.index(kSide)));
  }

  void at(Value row, Value column, Value position) {
    point_.at(row, {column, kNoValue}, {position, kNoValue});
  }

  // Positions [first, end) of one chunk; the totals are left in sums_.
  void chunk(Value first, Value end) {
    const Value zero = b_.index(0), unit = b_.index(sizes_.unit),
                stage = b_.index(panels_->stage());
    const Value length = b_.sub(end, first);
    const Value lanes = sizes_.direct ? length : b_.min(length, b_.index(kReduceLanes));
    // A stage's lanes: each has `sizes_.unit` places, in direct order one.
    const Value step = sizes_.direct ? stage : b_.index(panels_->stage() / sizes_.unit);
    const Value lane = b_.begin_loop(zero, lanes, step);
    const auto position = [&](Value place) {
      if (sizes_.direct) return b_.add(lane, place);
      const Value element = b_.mul(b_.rem(place, unit), b_.index(kReduceLanes));
      return b_.add(first, b_.add(element, b_.add(lane, b_.div(place, unit))));
    };
    panels_->fill(corner(), thread_, end, position);
    b_.barrier();
    const Value left = b_.min(b_.sub(lanes, lane), step);
    const Value units =
        sizes_.direct ? b_.div(b_.add(left, b_.index(sizes_.unit - 1)), unit) : left;
    const Value u = b_.begin_loop(zero, units, b_.index(1));
    const Value place = b_.mul(u, unit);
    const Value last = position(b_.add(place, b_.index(sizes_.unit - 1)));
    b_.begin_if(b_.less(last, end));
    unit_sums(place, position, kNoValue);
    b_.begin_else();
    unit_sums(place, position, end);
    b_.end();
    push(0, b_.add(sizes_.direct ? b_.div(lane, unit) : lane, u));
    b_.end();
    b_.barrier();
    b_.end();
    fold(sizes_.direct ? b_.div(b_.add(lanes, b_.index(sizes_.unit - 1)), unit) : lanes);
  }

  // The thread's results over a unit's places, each result's in registers. `end`: where places may
  // lie beyond it.
  template <class Position>
  void unit_sums(Value place, Position position, Value end) {
    each_pair([&](Value r, Value c) {
      const auto term = [&](std::int64_t k) {
        return terms(r, c, place, k, position(b_.add(place, b_.index(k))), end);
      };
      std::vector<Parts> total;
      if (sizes_.direct) {
        total = point_.tree(0, sizes_.unit, term);
      } else {
        total = term(0);
        for (std::int64_t k = 1; k < sizes_.unit; ++k) total = point_.combined(total, term(k));
      }
      for (std::size_t i = 0; i < reducers_.size(); ++i) {
        sums_[i].store(b_, result_at(r, c), total[i]);
      }
    });
  }

  // The reductions' elements of a result at the k-th place of a unit.
  std::vector<Parts> terms(Value r, Value c, Value unit, std::int64_t k, Value position,
                           Value end) {
    e_.open_scope();
    const Value row = in_tile(side_y_, r), column = in_tile(side_x_, c);
    // What is read from memory here stays inside; results that lie outside are not stored.
    const auto inside = [&](Value index, Value extent) {
      return b_.min(index, b_.sub(extent, b_.index(1)));
    };
    at(inside(b_.add(first_row_, row), rows_), inside(b_.add(first_column_, column), all_columns_),
       end == kNoValue ? position : inside(position, length_));
    panels_->assume(row, column, unit, k);
    const Value counts = end == kNoValue ? kNoValue : b_.less(position, end);
    std::vector<Parts> result = point_.elements(position);
    for (std::size_t i = 0; i < result.size(); ++i) {
      result[i] = reducers_[i].keep(b_, counts, result[i]);
    }
    e_.close_scope();
    return result;
  }

  Value pending_at(std::int64_t level, Value o) { return b_.add(b_.index(level * results()), o); }
  Value has(Value count, std::int64_t level) {
    const Value bit = b_.index(std::int64_t{1} << level);
    return b_.op(Op::ne, ir::DType::bool_,
                 {b_.op(Op::and_, b_.dtype(count), {count, bit}), b_.index(0)});
  }
  void add_pending(std::int64_t level) {
    each_result([&](Value o) {
      for (std::size_t i = 0; i < reducers_.size(); ++i) {
        const Parts left = pending_[i].load(b_, pending_at(level, o), 1);
        sums_[i].store(b_, o, reducers_[i].combine(b_, left, sums_[i].load(b_, o, 1)));
      }
    });
  }

  // A binary counter: `count` units came before; where its bit is set, a level is full. Levels are
  // constants, so that they stay in registers.
  void push(std::int64_t level, Value count) {
    const auto keep = [&] {
      each_result([&](Value o) {
        for (std::size_t i = 0; i < reducers_.size(); ++i) {
          pending_[i].store(b_, pending_at(level, o), sums_[i].load(b_, o, 1));
        }
      });
    };
    if (level + 1 == sizes_.levels) return keep();
    b_.begin_if(has(count, level));
    add_pending(level);
    push(level + 1, count);
    b_.begin_else();
    keep();
    b_.end();
  }

  void fold(Value count) {
    each_result([&](Value o) {
      for (std::size_t i = 0; i < reducers_.size(); ++i) {
        sums_[i].store(b_, o, reducers_[i].identity(b_, 1));
      }
    });
    for (std::int64_t level = 0; level < sizes_.levels; ++level) {
      b_.begin_if(has(count, level));
      add_pending(level);
      b_.end();
    }
  }

  void bind_results(Value r, Value c) {
    for (std::size_t i = 0; i < reducers_.size(); ++i) {
      const Parts total = sums_[i].load(b_, result_at(r, c), 1);
      e_.bind(reducers_[i].node(), reducers_[i].result(b_, total));
    }
  }

  // The thread's results join what its rows' reductions along the columns have.
  void reduce_columns() {
    each_pair([&](Value r, Value c) {
      const Value row = b_.add(first_row_, in_tile(side_y_, r));
      const Value column = b_.add(first_column_, in_tile(side_x_, c));
      b_.begin_if(b_.logical_and(b_.less(row, rows_), b_.less(column, all_columns_)));
      bind_results(r, c);
      at(row, column, b_.index(0));
      for (std::size_t i = 0; i < best_.size(); ++i) {
        const Parts next = s_.element(over_columns_[i], column);
        const Parts best = best_[i].load(b_, r, 1);
        best_[i].store(b_, r, over_columns_[i].append(b_, best, next));
      }
      b_.end();
    });
  }

  // A row's threads are half a warp.
  void across_sides() {
    const Value lane = b_.rem(thread_, b_.index(2 * kSide));
    each_row([&](Value r) {
      const Value level = b_.begin_loop(
          b_.index(0), b_.index(std::bit_width(std::uint64_t{kSide} - 1)), b_.index(1), true);
      const Value distance = b_.op(Op::shl, b_.dtype(lane), {b_.index(1), level});
      const Value other = b_.op(Op::xor_, b_.dtype(lane), {lane, distance});
      const Value source = b_.op(Op::cast, ir::DType::int32, {other});
      for (std::size_t i = 0; i < best_.size(); ++i) {
        const Parts mine = best_[i].load(b_, r, 1);
        Parts received;
        for (const Value part : mine) received.push_back(b_.shuffle(part, source));
        best_[i].store(b_, r, over_columns_[i].combine(b_, mine, received));
      }
      b_.end();
    });
  }

  void store_rows() {
    each_row([&](Value r) {
      const Value row = b_.add(first_row_, in_tile(side_y_, r));
      const Value first = b_.op(Op::eq, ir::DType::bool_, {side_x_, b_.index(0)});
      b_.begin_if(b_.logical_and(first, b_.less(row, rows_)));
      for (std::size_t i = 0; i < best_.size(); ++i) {
        const Value value = over_columns_[i].result(b_, best_[i].load(b_, r, 1));
        e_.bind(over_columns_[i].node(), value);
      }
      at(row, b_.index(0), b_.index(0));
      s_.store_outer_outputs();
      b_.end();
    });
  }

  void store_results() {
    each_pair([&](Value r, Value c) {
      const Value row = b_.add(first_row_, in_tile(side_y_, r));
      const Value column = b_.add(first_column_, in_tile(side_x_, c));
      b_.begin_if(b_.logical_and(b_.less(row, rows_), b_.less(column, all_columns_)));
      bind_results(r, c);
      at(row, column, b_.index(0));
      s_.store_outer_outputs();
      b_.end();
    });
  }

  Scene& s_;
  ir::KernelBuilder& b_;
  Emitter& e_;
  TilePoint point_;
  const Tile& tile_;
  const std::vector<Reducer>& reducers_;
  const CudaTileSizes sizes_;
  Value thread_;
  std::vector<Reducer> over_columns_;  // of the results; none without nested reductions
  std::vector<PartsMemory> sums_, pending_, best_;
  std::vector<CarryStack> stacks_;
  std::optional<SharedPanels> panels_;
  Value first_row_ = kNoValue, first_column_ = kNoValue, rows_ = kNoValue, all_columns_ = kNoValue,
        length_ = kNoValue, side_x_ = kNoValue, side_y_ = kNoValue;
};

}  // namespace

Scheduled cuda_tiled(const ClusterContext& c, const Tile& tile) {
  Scene s(c);
  ir::KernelBuilder& b = s.b;
  const bool nested = !c.cluster.nested.empty();
  const CudaTileSizes sizes = cuda_tile_sizes(c, tile);
  const std::int64_t tall = kSide * sizes.rows, wide = kSide * sizes.columns;
  s.grid(tile.batch);
  s.grid({tile.row}, tall);
  if (!nested) s.grid({tile.column}, wide);
  const auto pieces = [&](const MergedAxis& axis, std::int64_t piece) {
    return b.div(b.add(s.length(axis), b.index(piece - 1)), b.index(piece));
  };
  const Value row_tiles = pieces(tile.row, tall);
  const Value column_tiles = nested ? b.index(1) : pieces(tile.column, wide);
  const Value item = b.begin_grid();
  const Value thread = b.begin_thread(kThreads);
  const Value line = b.div(item, column_tiles);
  s.set_linear(tile.batch, {b.div(line, row_tiles), kNoValue});
  const Value first_row = b.mul(b.rem(line, row_tiles), b.index(tall));
  const Value first_column = b.mul(b.rem(item, column_tiles), b.index(wide));
  b.name(first_row, "first_row");
  b.name(first_column, "first_column");
  CudaTile(s, tile, sizes, thread).run(first_row, first_column);
  b.end();
  b.end();
  Scheduled result;
  result.kernels.push_back(s.finish());
  result.step = std::max({tall, wide, kReduceChunk});
  result.name = "tiled";
  result.reason = "some reads move along rows only, others along columns only: tiles of " +
                  std::to_string(tall) + " x " + std::to_string(wide);
  return result;
}

}  // namespace kiln::passes
