// A stage of reduced positions of a tile's rows and columns in shared memory, for CUDA: copied by
// the block, coalesced whichever way memory lies. Lines are padded by one element, so that neither
// copying nor reading has bank conflicts where lanes have one element.
#pragma once
#include "ir/error.h"
#include "passes/tile.h"

namespace kiln::passes {

// What the class of the cluster fixes.
struct CudaTileSizes {
  static constexpr std::int64_t kSide = 16, kThreads = kSide * kSide;
  std::int64_t rows = 4, columns = 4;  // of the tile that a thread has
  std::int64_t longest = 1;            // reduced extent
  std::int64_t unit = 8;               // positions that are combined at once
  std::int64_t levels = 1;             // of units' pending sums
  bool direct = true;                  // a lane has at most one element
  bool chunked = false;
};
CudaTileSizes cuda_tile_sizes(const ClusterContext& context, const Tile& tile);

class SharedPanels {
 public:
  struct Corner {  // of the tile, and the ends of the axes
    ir::Value row, column, rows, columns;
  };
  SharedPanels(TilePoint& point, const CudaTileSizes& sizes, const Corner& corner, ir::Value thread,
               ir::Value x, ir::Value y);

  std::int64_t stage() const { return stage_; }  // positions
  // Copies a stage: position(p) of place p in it, below `end`; zeros beyond.
  template <class Position>
  void fill(const Corner& corner, ir::Value thread, ir::Value end, const Position& position);
  // At the scene's point the reads that were copied have, until the scope closes, the values of
  // this row and column of the tile at place first + k.
  void assume(ir::Value row, ir::Value column, ir::Value first, std::int64_t k);

 private:
  struct Panel {
    std::size_t number;  // among the reads of a point
    ir::NodeId leaf;
    std::uint32_t memory;
    bool row;         // of rows, else of columns
    bool transposed;  // lies along the reduced axis
  };
  std::int64_t lines(const Panel& panel) const {
    return CudaTileSizes::kSide * (panel.row ? sizes_.rows : sizes_.columns);
  }
  std::int64_t pitch(const Panel& panel) const { return lines(panel) + 1; }
  std::vector<Emitter::Read> reads(ir::Value row, ir::Value column, ir::Value position);
  std::vector<Emitter::Read> reads_here();
  void declare();

  TilePoint& point_;
  Scene& s_;
  ir::KernelBuilder& b_;
  const CudaTileSizes sizes_;
  std::int64_t stage_ = 0, bytes_ = 0;  // bytes of a position
  std::vector<Panel> panels_;
  std::size_t read_count_ = 0;
};

template <class Position>
void SharedPanels::fill(const Corner& corner, ir::Value thread, ir::Value end,
                        const Position& position) {
  for (const Panel& panel : panels_) {
    const ir::Value threads = b_.index(CudaTileSizes::kThreads);
    const ir::Value i = b_.begin_loop(thread, b_.index(stage_ * lines(panel)), threads);
    s_.e.open_scope();
    const ir::Value size = b_.index(panel.transposed ? stage_ : lines(panel));
    const ir::Value place = panel.transposed ? b_.rem(i, size) : b_.div(i, size);
    const ir::Value line = panel.transposed ? b_.div(i, size) : b_.rem(i, size);
    const ir::Value k = position(place);
    const ir::Value mine = b_.add(panel.row ? corner.row : corner.column, line);
    const ir::Value to = b_.add(b_.mul(place, b_.index(pitch(panel))), line);
    const ir::Value inside =
        b_.logical_and(b_.less(k, end), b_.less(mine, panel.row ? corner.rows : corner.columns));
    const std::vector<Emitter::Read> all =
        reads(panel.row ? mine : corner.row, panel.row ? corner.column : mine, k);
    ir::internal_check(all.size() == read_count_, "tiled: a point's reads depend on where it is");
    b_.begin_if(inside);
    b_.store(panel.memory, to, s_.e.value(panel.leaf, all[panel.number].point));
    b_.begin_else();
    b_.store(panel.memory, to, b_.constant(s_.context().graph.nodes[panel.leaf].dtype, 0));
    b_.end();
    s_.e.close_scope();
    b_.end();
  }
}

}  // namespace kiln::passes
