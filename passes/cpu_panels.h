// A block of columns copied for the CPU's tiles: what a point reads that moves along columns and
// not along rows. For each vector of columns the reduced positions stand one after another, so that
// vectors lie across columns whichever way memory does. Lanes beyond the last column hold anything.
#pragma once
#include "passes/tile.h"

namespace kiln::passes {

class ColumnPanels {
 public:
  // `depth`: positions of a panel; `vectors`: of its columns. `row` and `column` are any.
  ColumnPanels(TilePoint& point, std::int64_t depth, std::int64_t vectors, ir::Value row,
               ir::Value column);

  // Copies positions [first, first + length) of columns [begin, end).
  void fill(ir::Value row, ir::Value begin, ir::Value end, ir::Value first, ir::Value length);
  // What the panels hold for a vector of columns at a position counted from `first`.
  std::vector<ir::Value> load(ir::Value vector, ir::Value position);
  // At the scene's point the reads that are copied have these values until the scope closes.
  void assume(const std::vector<ir::Value>& values);
  // Whether some reads move along columns without being copied: they need a mask.
  bool others_move() const { return others_move_; }

 private:
  struct Panel {
    std::size_t number;  // among the reads of a point
    ir::NodeId leaf;
    std::uint32_t memory;
    bool transposed;  // elements lie along the reduced axis
  };
  struct Range {
    ir::Value row, begin, end, first, length;
  };
  std::vector<Emitter::Read> reads();
  ir::Value element(const Panel& panel);
  ir::Value place(ir::Value vector, ir::Value position);
  ir::Value rounded_up(ir::Value columns);
  void fill_along(const Panel& panel, const Range& range);
  void fill_transposed(const Panel& panel, const Range& range);
  void fill_beyond(const Panel& panel, const Range& range);

  TilePoint& point_;
  Scene& s_;
  ir::KernelBuilder& b_;
  std::int64_t depth_;
  ir::Value lanes_;
  std::vector<Panel> panels_;
  std::size_t read_count_ = 0;
  bool others_move_ = false;
};

}  // namespace kiln::passes
