#include "passes/cpu_panels.h"

#include <algorithm>

#include "ir/error.h"

namespace kiln::passes {

using ir::kNoValue;
using ir::Value;

ColumnPanels::ColumnPanels(TilePoint& point, std::int64_t depth, std::int64_t vectors, Value row,
                           Value column)
    : point_(point), s_(point.scene()), b_(s_.b), depth_(depth), lanes_(b_.index(s_.e.lanes())) {
  // A position unlike any other, so that different reads stay different.
  point_.at(row, {column, b_.index(1)}, {b_.add(row, column), kNoValue});
  const std::vector<Emitter::Read> all = point_.reads();
  const Tile& tile = point_.tile();
  const ir::Graph& graph = s_.context().graph;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const ir::NodeId leaf = all[i].leaf;
    if (std::ranges::all_of(all[i].point.index, &LaneIndex::uniform)) continue;
    if (!tile.column_panel[leaf]) {
      others_move_ = true;
      continue;
    }
    const Stride stride =
        stride_along(s_.context(), leaf, tile.column.coordinate, tile.inner.back().coordinate);
    const std::uint32_t memory = b_.local(graph.nodes[leaf].dtype, depth * vectors * s_.e.lanes(),
                                          "panel" + std::to_string(panels_.size()));
    panels_.push_back({i, leaf, memory, stride == Stride::unit});
  }
  read_count_ = all.size();
}

std::vector<Emitter::Read> ColumnPanels::reads() {
  std::vector<Emitter::Read> all = point_.reads();
  ir::internal_check(all.size() == read_count_, "tiled: a point's reads depend on where it is");
  return all;
}

Value ColumnPanels::element(const Panel& panel) {
  return s_.e.value(panel.leaf, reads()[panel.number].point);
}

Value ColumnPanels::place(Value vector, Value position) {
  return b_.mul(b_.add(b_.mul(vector, b_.index(depth_)), position), lanes_);
}

Value ColumnPanels::rounded_up(Value columns) {
  return b_.div(b_.add(columns, b_.sub(lanes_, b_.index(1))), lanes_);
}

std::vector<Value> ColumnPanels::load(Value vector, Value position) {
  std::vector<Value> result;
  for (const Panel& panel : panels_) {
    result.push_back(b_.load(panel.memory, place(vector, position), s_.e.lanes()));
  }
  return result;
}

void ColumnPanels::assume(const std::vector<Value>& values) {
  const std::vector<Emitter::Read> all = reads();
  for (std::size_t p = 0; p < panels_.size(); ++p) {
    s_.e.assume(panels_[p].leaf, all[panels_[p].number].point, values[p]);
  }
}

void ColumnPanels::fill(Value row, Value begin, Value end, Value first, Value length) {
  const Range range{row, begin, end, first, length};
  for (const Panel& panel : panels_) {
    panel.transposed ? fill_transposed(panel, range) : fill_along(panel, range);
  }
}

void ColumnPanels::fill_along(const Panel& panel, const Range& range) {
  const Value vectors = rounded_up(b_.sub(range.end, range.begin));
  const Value vector = b_.begin_loop(b_.index(0), vectors, b_.index(1));
  const LaneIndex column{b_.add(range.begin, b_.mul(vector, lanes_)), b_.index(1)};
  point_.masked(column.base, range.end, [&] {
    const Value k = b_.begin_loop(b_.index(0), range.length, b_.index(1));
    s_.e.open_scope();
    point_.at(range.row, column, {b_.add(range.first, k), kNoValue});
    Value v = element(panel);
    if (b_.lanes(v) < s_.e.lanes()) v = b_.splat(v, s_.e.lanes());
    b_.store(panel.memory, place(vector, k), v);
    s_.e.close_scope();
    b_.end();
  });
  b_.end();
}

// Vectors along the reduced axis, their lanes spread over the panel.
void ColumnPanels::fill_transposed(const Panel& panel, const Range& range) {
  const Value one = b_.index(1);
  const Value whole = b_.mul(b_.div(range.length, lanes_), lanes_);
  const Value j = b_.begin_loop(b_.index(0), b_.sub(range.end, range.begin), one);
  const LaneIndex column{b_.add(range.begin, j), kNoValue};
  const Value home = b_.add(place(b_.div(j, lanes_), b_.index(0)), b_.rem(j, lanes_));
  const Value k = b_.begin_loop(b_.index(0), whole, lanes_);
  s_.e.open_scope();
  point_.at(range.row, column, {b_.add(range.first, k), one});
  const Value offsets =
      b_.op(ir::Op::mul, b_.dtype(k), {b_.lane(b_.dtype(k), s_.e.lanes()), lanes_});
  b_.store(panel.memory, b_.add(b_.add(home, b_.mul(k, lanes_)), offsets), element(panel));
  s_.e.close_scope();
  b_.end();
  const Value rest = b_.begin_loop(whole, range.length, one);
  s_.e.open_scope();
  const int lanes = s_.e.lanes();
  s_.e.set_lanes(1);
  point_.at(range.row, column, {b_.add(range.first, rest), kNoValue});
  b_.store(panel.memory, b_.add(home, b_.mul(rest, lanes_)), element(panel));
  s_.e.set_lanes(lanes);
  s_.e.close_scope();
  b_.end();
  b_.end();
  fill_beyond(panel, range);
}

// Lanes beyond the last column are computed like the others; their results are not used.
void ColumnPanels::fill_beyond(const Panel& panel, const Range& range) {
  const Value columns = b_.sub(range.end, range.begin);
  const Value padded = b_.mul(rounded_up(columns), lanes_);
  const Value j = b_.begin_loop(columns, padded, b_.index(1));
  const Value home = b_.add(place(b_.div(j, lanes_), b_.index(0)), b_.rem(j, lanes_));
  const Value k = b_.begin_loop(b_.index(0), range.length, b_.index(1));
  const ir::DType type = s_.context().graph.nodes[panel.leaf].dtype;
  b_.store(panel.memory, b_.add(home, b_.mul(k, lanes_)), b_.constant(type, 0));
  b_.end();
  b_.end();
}

}  // namespace kiln::passes
