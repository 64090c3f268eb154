// Which clusters are tiled as a matrix product is: reductions over one inner space whose reads fall
// into some that move along a row axis but not along the column axis, and some that do the
// opposite. A block of rows against a block of columns then reads each element once for many
// results. Decided by strides and intervals alone.
#pragma once
#include <optional>

#include "passes/scene.h"

namespace kiln::passes {

struct Tile {
  std::vector<MergedAxis> batch;  // outer axes that are neither, in order
  // Results lie along the column axis: the last outer one, or with nested reductions the inner one.
  MergedAxis row, column;
  std::vector<MergedAxis> inner;  // the space reduced at each (row, column)
  // By node: every read of it that moves along the columns does not move along the rows, so that a
  // block of columns may be copied once and used for every row; the same the other way round.
  std::vector<bool> column_panel, row_panel;
  std::int64_t column_bytes = 0;  // of one point: reads that move along columns only; rows only
  std::int64_t row_bytes = 0;
};
std::optional<Tile> tile_of(const ClusterContext& context);

// How a leaf's elements lie along the inner space's last axis and the column (or row) axis.
Stride stride_along(const ClusterContext& context, ir::NodeId leaf, std::uint32_t moving,
                    std::uint32_t coordinate);

// The reductions of a tile at one (row, column, position), while a kernel is written.
class TilePoint {
 public:
  TilePoint(Scene& scene, const Tile& tile);

  Scene& scene() { return s_; }
  const Tile& tile() const { return tile_; }
  // What is reduced at each (row, column).
  const std::vector<Reducer>& reducers() const { return reducers_; }

  // Moves the scene there.
  void at(ir::Value row, LaneIndex column, LaneIndex position);
  // What the reductions' elements read at the scene's point: at any two points as many reads, in
  // one order.
  std::vector<Emitter::Read> reads();
  std::vector<Parts> elements(ir::Value position);
  std::vector<Parts> combined(const std::vector<Parts>& first, const std::vector<Parts>& second);
  // term(i) for begin <= i < end by the tree of adjacent pairs; their number is a power of two.
  template <class Term>
  std::vector<Parts> tree(std::int64_t begin, std::int64_t end, const Term& term);

  // Which lanes from this column on are columns below `end`.
  ir::Value inside(ir::Value column, ir::Value end);
  // body() twice: where all lanes from this column on are inside, and with the scene masked.
  template <class Body>
  void masked(ir::Value column, ir::Value end, const Body& body);

 private:
  Scene& s_;
  const Tile& tile_;
  std::vector<Reducer> reducers_;
};

template <class Term>
std::vector<Parts> TilePoint::tree(std::int64_t begin, std::int64_t end, const Term& term) {
  if (end - begin == 1) return term(begin);
  const std::int64_t middle = begin + (end - begin) / 2;
  const std::vector<Parts> left = tree(begin, middle, term);
  return combined(left, tree(middle, end, term));
}

template <class Body>
void TilePoint::masked(ir::Value column, ir::Value end, const Body& body) {
  ir::KernelBuilder& b = s_.b;
  const ir::Value left = b.sub(end, column);
  b.begin_if(b.op(ir::Op::le, ir::DType::bool_, {b.index(s_.e.lanes()), left}));
  s_.e.open_scope();
  body();
  s_.e.close_scope();
  b.begin_else();
  s_.e.open_scope();
  s_.mask(inside(column, end));
  body();
  s_.mask(ir::kNoValue);
  s_.e.close_scope();
  b.end();
}

}  // namespace kiln::passes
