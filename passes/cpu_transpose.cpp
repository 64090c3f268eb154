// CPU transpose: values that run along another axis than the stores, turned in registers.
//
// A grid item is a block of kBlock x kBlock points of the two axes, walked in tiles of whole cache
// lines either way. For a tile the crossing values are computed row by row in their own order into
// a local array, which is turned in squares of one register a row: log2(lanes) rounds of even and
// odd lanes of two rows. Then the outputs are computed in the order they are stored in. Floor: each
// input read once, each output written once. Stores go through the cache: a row of a tile is one
// line, and lines streamed one by one to many rows took twice the time. Variants: tile and register
// width.
#include <algorithm>

#include "passes/crossing.h"
#include "passes/scene.h"

namespace kiln::passes {

using ir::DType;
using ir::Value;

namespace {

constexpr std::int64_t kBlock = 128;
constexpr std::int64_t kLine = 64;  // bytes

// What lanes move as: masks and halves are no vectors that registers shuffle.
DType moved_type(DType type) {
  if (type == DType::bool_) return DType::uint8;
  return ir::is_half(type) ? DType::float32 : type;
}

class TurnedBlock {
 public:
  TurnedBlock(Scene& scene, const Crossing& crossing, std::int64_t side)
      : s_(scene), b_(scene.b), crossing_(crossing), side_(side) {
    const ClusterContext& c = s_.context();
    for (const CrossingValue& value : crossing_.values) add_tile(c.graph.nodes[value.node].dtype);
    for (const std::size_t o : crossing_.turned) {
      add_tile(c.graph.nodes[c.cluster.outputs[o].node].dtype);
    }
  }

  // Points [along, along_end) x [across, across_end).
  void run(Value along, Value along_end, Value across, Value across_end) {
    const Value step = b_.index(side_);
    const Value x = b_.begin_loop(across, across_end, step);
    const Value a = b_.begin_loop(along, along_end, step);
    const Value whole =
        b_.logical_and(b_.op(ir::Op::le, DType::bool_, {b_.add(a, step), along_end}),
                       b_.op(ir::Op::le, DType::bool_, {b_.add(x, step), across_end}));
    b_.begin_if(whole);
    tile(a, x, step, step);
    b_.begin_else();
    edge_ = true;
    tile(a, x, b_.min(step, b_.sub(along_end, a)), b_.min(step, b_.sub(across_end, x)));
    edge_ = false;
    b_.end();
    b_.end();
    b_.end();
  }

 private:
  struct Tile {
    DType type, moved;
    std::uint32_t rows = 0, turned = 0;
  };

  void add_tile(DType type) {
    const std::string number = std::to_string(tiles_.size());
    Tile tile{type, moved_type(type)};
    tile.rows = b_.local(tile.moved, side_ * side_, "rows" + number);
    tile.turned = b_.local(tile.moved, side_ * side_, "turned" + number);
    tiles_.push_back(tile);
  }

  void tile(Value a, Value x, Value along, Value across) {
    s_.e.open_scope();
    rows_across(a, x, along, across);
    for (std::size_t i = 0; i < crossing_.values.size(); ++i) turn(tiles_[i], along);
    rows_along(a, x, along, across);
    if (!crossing_.turned.empty()) {
      for (std::size_t i = crossing_.values.size(); i < tiles_.size(); ++i) turn(tiles_[i], across);
      write_turned(a, x, along, across);
    }
    s_.e.close_scope();
  }

  // body(offset of the row) for `count` rows, vectors of `lanes` lanes from `first` on along
  // `axis`.
  template <class Body>
  void each_row(const MergedAxis& rows, Value first_row, Value count, const MergedAxis& axis,
                Value first, Value lanes, Body body) {
    const Value row = b_.begin_loop(b_.index(0), count, b_.index(1));
    s_.e.open_scope();
    s_.set_uniform(rows, b_.add(first_row, row));
    s_.set(axis, {first, b_.index(1)});
    if (edge_) {
      s_.mask(b_.less(b_.lane(b_.kernel().index, static_cast<int>(side_)), lanes));
    }
    body(b_.mul(row, b_.index(side_)));
    s_.mask(ir::kNoValue);
    s_.e.close_scope();
    b_.end();
  }

  Point point_of(const CrossingValue& value) {
    const ClusterOutput& output = s_.context().cluster.outputs[value.output];
    return s_.e.below(s_.point(output.coordinates), value.path);
  }

  void put(const Tile& tile, Value at, Value value) {
    const int lanes = static_cast<int>(side_);
    if (b_.lanes(value) == 1) value = b_.splat(value, lanes);
    value = b_.op(ir::Op::cast, tile.moved, {value});
    b_.store(tile.rows, at, value, ir::kNoValue, ir::kAligned);
  }

  Value get(const Tile& tile, Value at) {
    const Value moved =
        b_.load(tile.turned, at, static_cast<int>(side_), ir::kNoValue, ir::kNoValue, ir::kAligned);
    return b_.op(ir::Op::cast, tile.type, {moved});
  }

  void rows_across(Value a, Value x, Value along, Value across) {
    if (crossing_.values.empty() && crossing_.crossed.empty()) return;
    each_row(crossing_.along, a, along, crossing_.across, x, across, [&](Value at) {
      for (std::size_t i = 0; i < crossing_.values.size(); ++i) {
        const CrossingValue& value = crossing_.values[i];
        put(tiles_[i], at, s_.e.value(value.node, point_of(value)));
      }
      for (const std::size_t o : crossing_.crossed) s_.store(s_.context().cluster.outputs[o]);
    });
  }

  void rows_along(Value a, Value x, Value along, Value across) {
    const std::vector<ClusterOutput>& outputs = s_.context().cluster.outputs;
    each_row(crossing_.across, x, across, crossing_.along, a, along, [&](Value at) {
      for (std::size_t i = 0; i < crossing_.values.size(); ++i) {
        const CrossingValue& value = crossing_.values[i];
        s_.e.give(value.node, point_of(value), get(tiles_[i], at));
      }
      for (const std::size_t o : crossing_.straight) s_.store(outputs[o]);
      for (std::size_t i = 0; i < crossing_.turned.size(); ++i) {
        const ClusterOutput& output = outputs[crossing_.turned[i]];
        put(tiles_[crossing_.values.size() + i], at,
            s_.e.value(output.node, s_.point(output.coordinates)));
      }
    });
  }

  void write_turned(Value a, Value x, Value along, Value across) {
    each_row(crossing_.along, a, along, crossing_.across, x, across, [&](Value at) {
      for (std::size_t i = 0; i < crossing_.turned.size(); ++i) {
        const ClusterOutput& output = s_.context().cluster.outputs[crossing_.turned[i]];
        const Point point = s_.point(output.coordinates);
        s_.e.give(output.node, point, get(tiles_[crossing_.values.size() + i], at));
        s_.store(output);
      }
    });
  }

  // Transposes `rows` into `turned`; rows from `count` on were not written, which no lane may see.
  void turn(const Tile& tile, Value count) {
    if (edge_) {
      const Value row = b_.begin_loop(count, b_.index(side_), b_.index(1));
      b_.store(tile.rows, b_.mul(row, b_.index(side_)),
               b_.constant(tile.moved, 0, static_cast<int>(side_)), ir::kNoValue, ir::kAligned);
      b_.end();
    }
    const std::int64_t fits = s_.context().caps.vector_bytes / ir::size_of(tile.moved);
    const std::int64_t lanes = std::clamp<std::int64_t>(fits, 2, side_);
    const Value i = b_.begin_loop(b_.index(0), b_.index(side_), b_.index(lanes));
    const Value j = b_.begin_loop(b_.index(0), b_.index(side_), b_.index(lanes));
    square(tile, lanes, b_.add(b_.mul(i, b_.index(side_)), j),
           b_.add(b_.mul(j, b_.index(side_)), i));
    b_.end();
    b_.end();
  }

  // A round takes the lowest bit of the lane's number into the row's, and one bit of the row's to
  // the top of the lane's: after all rounds they have changed places.
  void square(const Tile& tile, std::int64_t lanes, Value from, Value to) {
    std::vector<Value> rows;
    for (std::int64_t k = 0; k < lanes; ++k) {
      rows.push_back(b_.load(tile.rows, b_.add(from, b_.index(k * side_)), static_cast<int>(lanes),
                             ir::kNoValue, ir::kNoValue, ir::kAligned));
    }
    for (std::size_t bit = 1; bit < rows.size(); bit *= 2) {
      for (std::size_t k = 0; k < rows.size(); ++k) {
        if (k & bit) continue;
        const Value pair = b_.join(rows[k], rows[k | bit]);
        rows[k] = b_.even(pair);
        rows[k | bit] = b_.odd(pair);
      }
    }
    for (std::int64_t k = 0; k < lanes; ++k) {
      b_.store(tile.turned, b_.add(to, b_.index(k * side_)), rows[static_cast<std::size_t>(k)],
               ir::kNoValue, ir::kAligned);
    }
  }

  Scene& s_;
  ir::KernelBuilder& b_;
  const Crossing& crossing_;
  std::int64_t side_;
  bool edge_ = false;
  std::vector<Tile> tiles_;
};

// A tile's row: a cache line of the widest type.
std::int64_t tile_side(const ClusterContext& c) {
  return std::clamp<std::int64_t>(kLine / widest(c), 8, 16);
}

}  // namespace

Scheduled cpu_transpose(const ClusterContext& c, const Crossing& crossing) {
  Scene s(c);
  const std::int64_t side = tile_side(c);
  s.e.set_lanes(static_cast<int>(side));
  s.grid(crossing.rest);
  s.grid({crossing.across}, kBlock);
  s.grid({crossing.along}, kBlock);
  const Value block = s.b.index(kBlock);
  const Value along = s.length(crossing.along);
  const Value across = s.length(crossing.across);
  const auto blocks = [&](Value length) {
    return s.b.div(s.b.add(length, s.b.index(kBlock - 1)), block);
  };
  const Value item = s.b.begin_grid();
  const Value rest = s.b.div(item, blocks(along));
  const Value a = s.b.mul(s.b.rem(item, blocks(along)), block);
  const Value x = s.b.mul(s.b.rem(rest, blocks(across)), block);
  s.set_linear(crossing.rest, {s.b.div(rest, blocks(across)), ir::kNoValue});
  TurnedBlock(s, crossing, side)
      .run(a, s.b.min(s.b.add(a, block), along), x, s.b.min(s.b.add(x, block), across));
  s.b.end();
  Scheduled result;
  result.kernels.push_back(s.finish());
  result.name = "transpose";
  result.reason = "accesses run along different axes: tiles of " + std::to_string(side) + " x " +
                  std::to_string(side) + " turned in registers";
  return result;
}

}  // namespace kiln::passes
