#include "passes/tile.h"

#include <algorithm>

namespace kiln::passes {

namespace {

// A read of few columns or rows saves nothing by being copied first.
constexpr double kFewest = 8;

// Axes that were merged only to be walked by one index are coordinates of their own here.
std::vector<MergedAxis> apart(const std::vector<MergedAxis>& axes) {
  std::vector<MergedAxis> result;
  for (const MergedAxis& axis : axes) {
    if (!axis.by_index) {
      result.push_back(axis);
      continue;
    }
    for (std::size_t i = 0; i < axis.run.size(); ++i) {
      result.push_back({{axis.extents[i]}, axis.run[i], false, {axis.run[i]}});
    }
  }
  return result;
}

bool moves(const ClusterContext& c, const Access& access, const MergedAxis& axis) {
  if (stride_of(c.graph, access, axis.coordinate) != Stride::none) return true;
  return std::ranges::find(access.guards, axis.coordinate) != access.guards.end();
}

double most(const ClusterContext& c, const MergedAxis& axis) {
  return static_cast<double>(upper(c.graph, {axis}));
}

struct Split {
  std::int64_t row = 0, column = 0, other = 0;  // bytes a point
};

Split split_of(const ClusterContext& c, const MergedAxis& row, const MergedAxis& column) {
  Split split;
  const std::vector<MergedAxis>& inner = c.cluster.nested.empty() ? c.space.inner : c.space.nested;
  for (const Access& access : c.space.reads) {
    const bool reduced =
        std::ranges::any_of(inner, [&](const MergedAxis& axis) { return moves(c, access, axis); });
    if (!reduced) continue;  // belongs to the epilogue, or is the same all along
    const std::int64_t bytes = ir::size_of(c.graph.nodes[access.leaf].dtype);
    const bool along_rows = moves(c, access, row);
    const bool along_columns = moves(c, access, column);
    (along_rows == along_columns ? split.other : along_rows ? split.row : split.column) += bytes;
  }
  return split;
}

std::vector<bool> panels(const ClusterContext& c, const MergedAxis& along,
                         const MergedAxis& across) {
  std::vector<bool> result(c.graph.nodes.size(), false);
  for (const Access& access : c.space.reads) {
    if (moves(c, access, along) && !moves(c, access, across)) result[access.leaf] = true;
  }
  for (const Access& access : c.space.reads) {
    if (moves(c, access, along) && moves(c, access, across)) result[access.leaf] = false;
  }
  return result;
}

}  // namespace

std::optional<Tile> tile_of(const ClusterContext& c) {
  const bool one_phase =
      std::ranges::all_of(c.cluster.phases, [](int phase) { return phase == 0; });
  if (c.cluster.reduces.empty() || !one_phase || c.space.inner.empty()) return std::nullopt;
  std::vector<MergedAxis> outer = apart(c.space.outer);
  Tile tile;
  tile.inner = c.space.inner;
  if (!c.cluster.nested.empty()) {
    const std::vector<MergedAxis> columns = apart(c.space.inner);
    if (columns.size() != 1) return std::nullopt;
    outer.push_back(columns[0]);
    tile.inner = c.space.nested;
  }
  if (outer.size() < 2 || most(c, outer.back()) < kFewest) return std::nullopt;
  tile.column = outer.back();
  outer.pop_back();
  std::size_t best = outer.size();
  for (std::size_t i = 0; i < outer.size(); ++i) {
    const Split split = split_of(c, outer[i], tile.column);
    const bool worth = split.row > 0 && split.column > 0 && split.row + split.column >= split.other;
    if (!worth || most(c, outer[i]) < kFewest) continue;
    if (best == outer.size() || most(c, outer[i]) >= most(c, outer[best])) {
      best = i;
      tile.row_bytes = split.row;
      tile.column_bytes = split.column;
    }
  }
  if (best == outer.size()) return std::nullopt;
  tile.row = outer[best];
  outer.erase(outer.begin() + static_cast<std::ptrdiff_t>(best));
  tile.batch = std::move(outer);
  tile.column_panel = panels(c, tile.column, tile.row);
  tile.row_panel = panels(c, tile.row, tile.column);
  return tile;
}

Stride stride_along(const ClusterContext& c, ir::NodeId leaf, std::uint32_t moving,
                    std::uint32_t coordinate) {
  for (const Access& access : c.space.reads) {
    if (access.leaf != leaf || stride_of(c.graph, access, moving) == Stride::none) continue;
    return stride_of(c.graph, access, coordinate);
  }
  return Stride::none;
}

TilePoint::TilePoint(Scene& scene, const Tile& tile)
    : s_(scene),
      tile_(tile),
      reducers_(scene.context().cluster.nested.empty() ? scene.reducers(0)
                                                       : scene.nested_reducers()) {}

void TilePoint::at(ir::Value row, LaneIndex column, LaneIndex position) {
  s_.set_uniform(tile_.row, row);
  s_.set(tile_.column, column);
  s_.set_linear(tile_.inner, position);
}

std::vector<Emitter::Read> TilePoint::reads() {
  std::vector<std::pair<ir::NodeId, Point>> wanted;
  const ir::Graph& graph = s_.context().graph;
  for (const Reducer& r : reducers_) {
    const Coordinates own = reduce_coordinates(graph, r.node());
    wanted.emplace_back(graph.operand(r.node(), 0), s_.point(own));
  }
  return s_.e.reads(wanted);
}

std::vector<Parts> TilePoint::elements(ir::Value position) {
  std::vector<Parts> result;
  for (const Reducer& r : reducers_) result.push_back(s_.element(r, position));
  return result;
}

std::vector<Parts> TilePoint::combined(const std::vector<Parts>& first,
                                       const std::vector<Parts>& second) {
  std::vector<Parts> result;
  for (std::size_t i = 0; i < first.size(); ++i) {
    result.push_back(reducers_[i].combine(s_.b, first[i], second[i]));
  }
  return result;
}

ir::Value TilePoint::inside(ir::Value column, ir::Value end) {
  ir::KernelBuilder& b = s_.b;
  return b.op(ir::Op::lt, ir::DType::bool_,
              {b.lane(b.kernel().index, s_.e.lanes()), b.sub(end, column)});
}

}  // namespace kiln::passes
