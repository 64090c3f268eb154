#include "passes/cuda_panels.h"

#include <algorithm>
#include <bit>

namespace kiln::passes {

using ir::kNoValue;
using ir::kReduceChunk;
using ir::kReduceLanes;
using ir::Value;

namespace {

constexpr std::int64_t kBlockBytes = 40 << 10;  // of shared memory
constexpr std::int64_t kMostStage = 32;         // positions; twice as many in lanes of several
constexpr std::int64_t kSumRegisters = 112;

std::int64_t power(std::int64_t n) {  // of two, not below n
  return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(n)));
}

// 32-bit registers that a result's sums take.
std::int64_t registers_of(const ClusterContext& c, std::int64_t levels) {
  std::int64_t bytes = 0;
  const bool nested = !c.cluster.nested.empty();
  for (const ir::NodeId n : nested ? c.cluster.nested_reduces : c.cluster.reduces) {
    const Reducer r(c.graph, n, 0);
    for (std::size_t part = 0; part < r.part_count(); ++part) {
      bytes += std::max<std::int64_t>(4, ir::size_of(r.type(part)));
    }
  }
  return bytes / 4 * (levels + 1);
}

}  // namespace

// A thread has as many results as registers hold the sums of. A nested tile has all columns, so
// that only rows are left to occupy the multiprocessors.
CudaTileSizes cuda_tile_sizes(const ClusterContext& c, const Tile& tile) {
  CudaTileSizes sizes;
  sizes.longest = std::max<std::int64_t>(1, upper(c.graph, tile.inner));
  sizes.direct = sizes.longest <= kReduceLanes;
  sizes.chunked = sizes.longest > kReduceChunk;
  if (sizes.direct) sizes.unit = std::min(sizes.unit, power(sizes.longest));
  const std::int64_t units =
      sizes.direct ? (sizes.longest + sizes.unit - 1) / sizes.unit : kReduceLanes;
  sizes.levels = std::bit_width(static_cast<std::uint64_t>(units));
  const std::int64_t each = registers_of(c, sizes.levels);
  while (sizes.rows > 1 && sizes.rows * sizes.columns * each > kSumRegisters) {
    (sizes.columns == sizes.rows ? sizes.columns : sizes.rows) /= 2;
  }
  if (c.cluster.nested.empty()) return sizes;
  double rows = middle_size(c.graph, tile.row.extents);
  for (const MergedAxis& axis : tile.batch) rows *= middle_size(c.graph, axis.extents);
  const auto blocks = static_cast<double>(CudaTileSizes::kSide * c.caps.multiprocessors);
  while (sizes.rows > 1 && rows < static_cast<double>(sizes.rows) * blocks) sizes.rows /= 2;
  return sizes;
}

// Which of a point's reads change with the row alone or with the column alone is found by looking
// at three points.
SharedPanels::SharedPanels(TilePoint& point, const CudaTileSizes& sizes, const Corner& corner,
                           Value thread, Value x, Value y)
    : point_(point), s_(point.scene()), b_(s_.b), sizes_(sizes) {
  const std::vector<Emitter::Read> here = reads(y, x, thread);
  const std::vector<Emitter::Read> other_row = reads(corner.row, x, thread);
  const std::vector<Emitter::Read> other_column = reads(y, corner.column, thread);
  read_count_ = here.size();
  const Tile& tile = point_.tile();
  for (std::size_t i = 0; i < here.size(); ++i) {
    if (other_row.size() != here.size() || other_column.size() != here.size()) break;
    const bool by_row = !(here[i].point == other_row[i].point);
    const bool by_column = !(here[i].point == other_column[i].point);
    if (by_row == by_column) continue;
    const ir::NodeId leaf = here[i].leaf;
    const Stride along =
        stride_along(s_.context(), leaf, (by_row ? tile.row : tile.column).coordinate,
                     tile.inner.back().coordinate);
    const Panel panel{i, leaf, 0, by_row, along == Stride::unit};
    const std::int64_t line = pitch(panel) * ir::size_of(s_.context().graph.nodes[leaf].dtype);
    if ((bytes_ + line) * sizes_.unit > kBlockBytes) continue;  // read where it is needed
    bytes_ += line;
    panels_.push_back(panel);
  }
  declare();
}

void SharedPanels::declare() {
  const std::int64_t whole = sizes_.direct ? power(sizes_.longest) : kReduceChunk;
  stage_ = std::min(sizes_.direct ? kMostStage : 2 * kMostStage, whole);
  while (stage_ > sizes_.unit && stage_ * bytes_ > kBlockBytes) stage_ /= 2;
  for (Panel& panel : panels_) {
    const ir::DType type = s_.context().graph.nodes[panel.leaf].dtype;
    const std::string name = panel.row ? "rows" : "columns";
    panel.memory = b_.shared(type, stage_ * pitch(panel), name + std::to_string(panel.number));
  }
}

std::vector<Emitter::Read> SharedPanels::reads(Value row, Value column, Value position) {
  point_.at(row, {column, kNoValue}, {position, kNoValue});
  return point_.reads();
}

void SharedPanels::assume(Value row, Value column, Value first, std::int64_t k) {
  const std::vector<Emitter::Read> all = point_.reads();
  ir::internal_check(all.size() == read_count_, "tiled: a point's reads depend on where it is");
  for (const Panel& panel : panels_) {
    const Value line = b_.mul(first, b_.index(pitch(panel)));
    const Value from = b_.add(line, panel.row ? row : column);
    const Value value = b_.load(panel.memory, b_.add(from, b_.index(k * pitch(panel))));
    s_.e.assume(panel.leaf, all[panel.number].point, value);
  }
}

}  // namespace kiln::passes
