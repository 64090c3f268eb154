// CPU tiled: a block of rows against a block of columns, as in a matrix product; vectors lie across
// columns, so that the canonical tree runs over whole vectors and nothing is shuffled.
//
// A grid item first copies its columns' elements into a panel: for each vector of columns the
// reduced positions one after another. Then, for kRows rows at a time and each vector of columns,
// it takes `block` lanes of the canonical order (ir/NUMERICS.md) at a time: their columns' elements
// stay in registers while the rows go by, each row's element is broadcast from memory, and the
// block's values are combined by an unrolled tree. The blocks' results meet in a second tree,
// chunks of 1024 in a carry stack; padding with the identity keeps bits. Where the results are
// themselves reduced along the columns (nested), an item has all columns of its rows, and a vector
// of partial results for each.
// Floor: the expression's operations and one to combine per (row, column, position), over the rate
// of vector operations; one load each of the row's element is what the ports have left over.
// Variants: reduced extents up to 128, up to 1024, longer; widths of the panel.
#include <algorithm>
#include <bit>
#include <cmath>

#include "passes/cpu_panels.h"

namespace kiln::passes {

using ir::kNoValue;
using ir::kReduceChunk;
using ir::kReduceLanes;
using ir::Value;

namespace {

constexpr std::int64_t kRows = 16;           // that share a panel's elements in registers
constexpr std::int64_t kPanelBytes = 16384;  // half of a first-level cache
constexpr std::int64_t kMostColumns = 64;
constexpr std::int64_t kMostRows = 1024, kLeastRows = 32;  // of a grid item

// Sizes that the class of the cluster fixes.
struct Shape {
  int lanes = 1;
  std::int64_t block = 8;    // canonical lanes in registers at a time
  std::int64_t depth = 0;    // positions of a panel
  std::int64_t vectors = 1;  // of a panel's columns
  std::int64_t rows = kMostRows;
  std::int64_t parts = 1;  // blocks of a chunk's lanes
  bool direct = true;      // a lane has at most one element
  bool chunked = false;
  std::int64_t columns() const { return vectors * lanes; }
};

std::int64_t rounded(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

std::int64_t widest_element(const ClusterContext& c) {
  std::int64_t bytes = 1;
  for (const Access& a : c.space.reads) {
    bytes = std::max(bytes, ir::size_of(c.graph.nodes[a.leaf].dtype));
  }
  const bool nested = !c.cluster.nested.empty();
  for (const ir::NodeId n : nested ? c.cluster.nested_reduces : c.cluster.reduces) {
    bytes = std::max(bytes, ir::size_of(Reducer(c.graph, n, 0).type(0)));
  }
  return bytes;
}

Shape shape_of(const ClusterContext& c, const Tile& tile) {
  Shape shape;
  const std::int64_t longest = std::max<std::int64_t>(1, upper(c.graph, tile.inner));
  const auto ceil = [](std::int64_t n) {
    return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(n)));
  };
  shape.lanes = static_cast<int>(
      std::clamp<std::int64_t>(c.caps.vector_bytes / widest_element(c), 2, kReduceLanes));
  shape.direct = longest <= kReduceLanes;
  shape.chunked = longest > kReduceChunk;
  const bool one_panel = std::ranges::count(tile.column_panel, true) == 1;
  shape.block = std::min<std::int64_t>(one_panel ? 8 : 4, ceil(longest));
  shape.depth = rounded(std::min(longest, kReduceChunk), shape.block);
  shape.parts = ceil(rounded(std::min(longest, kReduceLanes), shape.block) / shape.block);
  if (shape.chunked) shape.rows = 128;  // each has a stack of chunks
  const std::int64_t vector_bytes =
      shape.depth * shape.lanes * std::max<std::int64_t>(1, tile.column_bytes);
  const std::int64_t most =
      std::min(kMostColumns, ceil(upper(c.graph, {tile.column}))) / shape.lanes;
  shape.vectors = ceil(
      std::clamp<std::int64_t>(kPanelBytes / vector_bytes, 1, std::max<std::int64_t>(1, most)));
  // Enough items for every thread, as far as blocks of rows go.
  const double columns =
      std::ceil(middle_size(c.graph, tile.column.extents) / static_cast<double>(shape.columns()));
  const double rows = middle_size(c.graph, tile.row.extents);
  const double blocks = c.cluster.nested.empty() ? columns : 1;
  while (shape.rows > kLeastRows &&
         blocks * rows / static_cast<double>(shape.rows) < 4.0 * c.caps.threads) {
    shape.rows /= 2;
  }
  return shape;
}

class CpuTile {
 public:
  CpuTile(Scene& scene, const Tile& tile, const Shape& shape)
      : s_(scene), b_(scene.b), e_(scene.e), point_(scene, tile), shape_(shape) {
    const std::int64_t longest = upper(s_.context().graph, tile.inner);
    for (const Reducer& r : reducers()) {
      const std::string name = r.name();
      const std::int64_t lanes = shape_.lanes;
      parts_.emplace_back(b_, r, ir::Space::local, shape_.parts * kRows * lanes, name + "_part");
      totals_.emplace_back(b_, r, ir::Space::local, lanes, name);
      if (!shape_.direct) {
        sums_.emplace_back(b_, r, ir::Space::local, shape_.block * lanes, name + "_acc");
      }
      if (shape_.chunked) {
        stacks_.emplace_back(b_, r, shape_.lanes, most_chunks(longest), name,
                             shape_.rows * shape_.columns());
      }
    }
    if (s_.context().cluster.nested.empty()) return;
    over_columns_ = s_.reducers(0);
    for (const Reducer& r : over_columns_) {
      best_.emplace_back(b_, r, ir::Space::local, shape_.rows * shape_.lanes, r.name());
    }
  }

  // Rows [first_row, end_row), columns [first_column, end_column).
  void run(Value first_row, Value end_row, Value first_column, Value end_column) {
    first_row_ = first_row, end_row_ = end_row;
    length_ = s_.length(point_.tile().inner);
    panels_.emplace(point_, shape_.depth, shape_.vectors, first_row, first_column);
    if (over_columns_.empty()) {
      block(first_column, end_column);
      return;
    }
    const Value one = b_.index(1);
    const Value fresh = b_.begin_loop(first_row_, end_row_, one);
    for (std::size_t i = 0; i < best_.size(); ++i) {
      const Value lane = b_.lane(ir::DType::int64, shape_.lanes);
      best_[i].store(b_, best_at(fresh), over_columns_[i].start(b_, lane));
    }
    b_.end();
    const Value width = b_.index(shape_.columns());
    const Value column = b_.begin_loop(first_column, end_column, width);
    block(column, b_.min(b_.add(column, width), end_column));
    b_.end();
    const Value row = b_.begin_loop(first_row_, end_row_, one);
    e_.open_scope();
    for (std::size_t i = 0; i < best_.size(); ++i) {
      const Reducer& r = over_columns_[i];
      const Parts all = best_[i].load(b_, best_at(row), shape_.lanes);
      e_.bind(r.node(), r.result(b_, r.across_lanes(b_, all)));
    }
    e_.set_lanes(1);
    point_.at(row, {b_.index(0), kNoValue}, {b_.index(0), kNoValue});
    s_.store_outer_outputs();
    e_.close_scope();
    b_.end();
  }

 private:
  static std::int64_t most_chunks(std::int64_t longest) {  // rounded up to a power of 64
    std::int64_t most = 64;
    while (most < longest / kReduceChunk + 1) most *= 64;
    return most;
  }
  const std::vector<Reducer>& reducers() const { return point_.reducers(); }
  Value lanes() { return b_.index(shape_.lanes); }
  Value begin_vectors() {
    const Value columns = b_.sub(end_column_, first_column_);
    const Value vectors = b_.div(b_.add(columns, b_.index(shape_.lanes - 1)), lanes());
    return b_.begin_loop(b_.index(0), vectors, b_.index(1));
  }
  LaneIndex columns_of(Value vector) {
    return {b_.add(first_column_, b_.mul(vector, lanes())), b_.index(1)};
  }
  Value best_at(Value row) { return b_.mul(b_.sub(row, first_row_), lanes()); }
  Value place(Value row, Value vector) {  // of a result in a chunk stack
    const Value line = b_.mul(b_.sub(row, first_row_), b_.index(shape_.columns()));
    return b_.add(line, b_.mul(vector, lanes()));
  }

  void block(Value first_column, Value end_column) {
    first_column_ = first_column, end_column_ = end_column;
    if (!shape_.chunked) {
      chunk(b_.index(0), length_);
      return;
    }
    const Value step = b_.index(kReduceChunk);
    const Value first = b_.begin_loop(b_.index(0), length_, step);
    chunk(first, b_.min(b_.sub(length_, first), step));
    b_.end();
    const Value chunks = b_.div(b_.add(length_, b_.index(kReduceChunk - 1)), step);
    const Value row = b_.begin_loop(first_row_, end_row_, b_.index(1));
    const Value vector = begin_vectors();
    finish(row, vector,
           [&](std::size_t i) { return stacks_[i].fold(b_, chunks, place(row, vector)); });
    b_.end();
    b_.end();
  }

  void chunk(Value first, Value length) {
    panels_->fill(first_row_, first_column_, end_column_, first, length);
    const Value vectors = b_.index(shape_.parts * kRows * shape_.lanes);
    const Value fresh = b_.begin_loop(b_.index(0), vectors, lanes());
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      parts_[i].store(b_, fresh, reducers()[i].identity(b_, shape_.lanes));
    }
    b_.end();
    const Value rows = b_.begin_loop(first_row_, end_row_, b_.index(kRows));
    const Value end = b_.min(b_.add(rows, b_.index(kRows)), end_row_);
    const Value vector = begin_vectors();
    shape_.direct ? short_blocks(rows, end, vector, length)
                  : long_blocks(rows, end, vector, first, length);
    const Value row = b_.begin_loop(rows, end, b_.index(1));
    const Value used =
        b_.div(b_.add(b_.min(length, b_.index(kReduceLanes)), b_.index(shape_.block - 1)),
               b_.index(shape_.block));
    const auto total = [&](std::size_t i) { return total_of(i, b_.sub(row, rows), used); };
    if (shape_.chunked) {
      for (std::size_t i = 0; i < reducers().size(); ++i) {
        stacks_[i].push(b_, total(i), b_.div(first, b_.index(kReduceChunk)), place(row, vector));
      }
    } else {
      finish(row, vector, total);
    }
    b_.end();
    b_.end();
    b_.end();
  }

  Value part_at(Value block, Value row) {
    return b_.mul(b_.add(b_.mul(block, b_.index(kRows)), row), lanes());
  }

  // The reductions' elements at a row and a position of the chunk. `inside`: whether there is such
  // a position; else the nearest one is read, and its value replaced.
  std::vector<Parts> terms(Value row, Value vector, Value position,
                           const std::vector<Value>& columns, Value inside) {
    e_.open_scope();
    const LaneIndex column = columns_of(vector);
    if (panels_->others_move()) s_.mask(point_.inside(column.base, end_column_));
    point_.at(row, column, {position, kNoValue});
    panels_->assume(columns);
    std::vector<Parts> result = point_.elements(position);
    for (std::size_t i = 0; i < result.size(); ++i) {
      result[i] = reducers()[i].keep(b_, inside, result[i]);
    }
    s_.mask(kNoValue);
    e_.close_scope();
    return result;
  }

  void keep_part(Value block, Value row, const std::vector<Parts>& totals) {
    for (std::size_t i = 0; i < reducers().size(); ++i)
      parts_[i].store(b_, part_at(block, row), totals[i]);
  }

  // Lanes of one element: blocks of positions that are all there, then at most one that is not.
  void short_blocks(Value rows, Value end, Value vector, Value length) {
    const Value block = b_.index(shape_.block);
    const Value whole = b_.mul(b_.div(length, block), block);
    const Value first = b_.begin_loop(b_.index(0), whole, block);
    std::vector<std::vector<Value>> columns;  // stay in registers while the rows go by
    for (std::int64_t l = 0; l < shape_.block; ++l) {
      columns.push_back(panels_->load(vector, b_.add(first, b_.index(l))));
    }
    const Value row = b_.begin_loop(rows, end, b_.index(1));
    keep_part(b_.div(first, block), b_.sub(row, rows),
              point_.tree(0, shape_.block, [&](std::int64_t l) {
                return terms(row, vector, b_.add(first, b_.index(l)),
                             columns[static_cast<std::size_t>(l)], kNoValue);
              }));
    b_.end();
    b_.end();
    b_.begin_if(b_.less(whole, length));
    const Value last = b_.begin_loop(rows, end, b_.index(1));
    keep_part(b_.div(whole, block), b_.sub(last, rows),
              point_.tree(0, shape_.block, [&](std::int64_t l) {
                return tail_terms(last, vector, b_.index(0), b_.add(whole, b_.index(l)), length);
              }));
    b_.end();
    b_.end();
  }

  std::vector<Parts> tail_terms(Value row, Value vector, Value first, Value k, Value length) {
    const Value nearest = b_.min(k, b_.sub(length, b_.index(1)));
    return terms(row, vector, b_.add(first, nearest), panels_->load(vector, nearest),
                 b_.less(k, length));
  }

  // Lanes of several elements, 128 apart.
  void long_blocks(Value rows, Value end, Value vector, Value first, Value length) {
    const Value block = b_.index(shape_.block), stride = b_.index(kReduceLanes);
    const Value whole = b_.mul(b_.div(length, block), block);
    const Value lane = b_.begin_loop(b_.index(0), b_.min(stride, length), block);
    const Value row = b_.begin_loop(rows, end, b_.index(1));
    const auto sum_at = [&](std::int64_t l) { return b_.index(l * shape_.lanes); };
    for (std::int64_t l = 0; l < shape_.block; ++l) {
      for (std::size_t i = 0; i < reducers().size(); ++i)
        sums_[i].store(b_, sum_at(l), reducers()[i].identity(b_, shape_.lanes));
    }
    const auto add = [&](std::int64_t l, const std::vector<Parts>& next) {
      for (std::size_t i = 0; i < reducers().size(); ++i) {
        const Parts sum = sums_[i].load(b_, sum_at(l), shape_.lanes);
        sums_[i].store(b_, sum_at(l), reducers()[i].combine(b_, sum, next[i]));
      }
    };
    const Value k = b_.begin_loop(lane, whole, stride);
    for (std::int64_t l = 0; l < shape_.block; ++l) {
      const Value position = b_.add(k, b_.index(l));
      add(l,
          terms(row, vector, b_.add(first, position), panels_->load(vector, position), kNoValue));
    }
    b_.end();
    const Value here = b_.op(ir::Op::eq, ir::DType::bool_, {b_.rem(whole, stride), lane});
    b_.begin_if(b_.logical_and(here, b_.less(whole, length)));
    for (std::int64_t l = 0; l < shape_.block; ++l) {
      add(l, tail_terms(row, vector, first, b_.add(whole, b_.index(l)), length));
    }
    b_.end();
    keep_part(b_.div(lane, block), b_.sub(row, rows),
              point_.tree(0, shape_.block, [&](std::int64_t l) {
                std::vector<Parts> all;
                for (const PartsMemory& sum : sums_)
                  all.push_back(sum.load(b_, sum_at(l), shape_.lanes));
                return all;
              }));
    b_.end();
    b_.end();
  }

  Parts part_tree(std::size_t i, Value row, std::int64_t begin, std::int64_t end) {
    if (end - begin == 1) return parts_[i].load(b_, part_at(b_.index(begin), row), shape_.lanes);
    const Parts left = part_tree(i, row, begin, begin + (end - begin) / 2);
    const Parts right = part_tree(i, row, begin + (end - begin) / 2, end);
    return reducers()[i].combine(b_, left, right);
  }

  // The `used` first blocks' results combined; the others hold the identity. Lengths of one class
  // use all blocks or a half of them.
  Parts total_of(std::size_t i, Value row, Value used) {
    if (shape_.parts == 1) return part_tree(i, row, 0, 1);
    const std::int64_t half = shape_.parts / 2;
    const Value zero = b_.index(0);
    b_.begin_if(b_.less(b_.index(half), used));
    totals_[i].store(b_, zero, part_tree(i, row, 0, shape_.parts));
    b_.begin_else();
    totals_[i].store(b_, zero, part_tree(i, row, 0, half));
    b_.end();
    return totals_[i].load(b_, zero, shape_.lanes);
  }

  template <class Total>
  void finish(Value row, Value vector, Total total) {
    for (std::size_t i = 0; i < reducers().size(); ++i) {
      e_.bind(reducers()[i].node(), reducers()[i].result(b_, total(i)));
    }
    const LaneIndex column = columns_of(vector);
    point_.at(row, column, {b_.index(0), kNoValue});
    point_.masked(column.base, end_column_, [&] {
      over_columns_.empty() ? s_.store_outer_outputs() : reduce_columns(row, column);
    });
  }

  // A vector of columns more for the row's reductions along them.
  void reduce_columns(Value row, LaneIndex column) {
    const Value inside = s_.masked() ? point_.inside(column.base, end_column_) : kNoValue;
    for (std::size_t i = 0; i < best_.size(); ++i) {
      const Reducer& r = over_columns_[i];
      const Parts next = r.keep(b_, inside, s_.element(r, e_.materialise(column)));
      const Parts best = best_[i].load(b_, best_at(row), shape_.lanes);
      best_[i].store(b_, best_at(row), r.append(b_, best, next));
    }
  }

  Scene& s_;
  ir::KernelBuilder& b_;
  Emitter& e_;
  TilePoint point_;
  const Shape& shape_;
  std::vector<Reducer> over_columns_;  // of the results; none without nested reductions
  std::vector<PartsMemory> parts_, totals_, sums_, best_;
  std::vector<CarryStack> stacks_;
  std::optional<ColumnPanels> panels_;
  Value first_row_ = kNoValue, end_row_ = kNoValue, first_column_ = kNoValue,
        end_column_ = kNoValue, length_ = kNoValue;
};

}  // namespace

Scheduled cpu_tiled(const ClusterContext& c, const Tile& tile) {
  Scene s(c);
  ir::KernelBuilder& b = s.b;
  const Shape shape = shape_of(c, tile);
  const bool nested = !c.cluster.nested.empty();
  s.e.set_lanes(shape.lanes);
  s.grid(tile.batch);
  s.grid({tile.row}, shape.rows);
  if (!nested) s.grid({tile.column}, shape.columns());
  const auto pieces = [&](Value length, std::int64_t piece) {
    return b.div(b.add(length, b.index(piece - 1)), b.index(piece));
  };
  const Value rows = s.length(tile.row), columns = s.length(tile.column);
  const Value height = b.index(shape.rows), width = b.index(shape.columns());
  const Value row_blocks = pieces(rows, shape.rows);
  const Value column_blocks = nested ? b.index(1) : pieces(columns, shape.columns());
  const Value item = b.begin_grid();
  const Value block = b.div(item, column_blocks);
  s.set_linear(tile.batch, {b.div(block, row_blocks), kNoValue});
  const Value row = b.mul(b.rem(block, row_blocks), height);
  const Value column = b.mul(b.rem(item, column_blocks), width);
  const Value end_column = nested ? columns : b.min(b.add(column, width), columns);
  CpuTile(s, tile, shape).run(row, b.min(b.add(row, height), rows), column, end_column);
  b.end();
  Scheduled result;
  result.kernels.push_back(s.finish());
  result.name = "tiled";
  result.reason =
      "some reads move along rows only, others along columns only: " + std::to_string(shape.rows) +
      " rows against " + std::to_string(shape.columns()) + " columns at a time";
  return result;
}

}  // namespace kiln::passes
