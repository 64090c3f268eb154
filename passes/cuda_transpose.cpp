// CUDA transpose: values that run along another axis than the stores go through shared memory.
//
// A block takes a tile of the two axes. Its threads run along `across` while they compute the
// crossing values into shared memory, and along `along` while they compute the outputs: coalesced
// both ways. Tiles are 32 x 32; where one axis is shorter, the tile is longer along the other. A
// row of the tile is as many elements longer as keep the 32 elements that a warp touches, either
// way, in different banks. Floor: each input read once, each output written once. Variants: the
// tile's shape; 32- or 64-bit indices.
#include <algorithm>
#include <bit>

#include "ir/mutant.h"
#include "passes/crossing.h"
#include "passes/scene.h"

namespace kiln::passes {

using ir::Value;

namespace {

constexpr std::int64_t kWarp = 32;
constexpr std::int64_t kThreads = 256;
constexpr std::int64_t kTile = 32 * 32;

// Extents of a block's tile and its place in shared memory. Powers of two.
struct TileShape {
  std::int64_t along, across;
  std::int64_t threads;
  std::int64_t shorter() const { return std::min(along, across); }
  // Rows run along the longer side.
  std::int64_t row(std::int64_t element_bytes) const {
    const std::int64_t banks = element_bytes == 8 ? kWarp / 2 : kWarp;
    return std::max(along, across) + std::max<std::int64_t>(1, banks / shorter());
  }
};

TileShape tile_shape(const ClusterContext& c, const Crossing& crossing) {
  const auto fitted = [&](const MergedAxis& axis, std::int64_t most) {
    const std::int64_t longest = std::min(upper(c.graph, {axis}), most);
    return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(longest)));
  };
  TileShape shape{fitted(crossing.along, kWarp), fitted(crossing.across, kWarp), 0};
  if (shape.along < kWarp) {
    shape.across = fitted(crossing.across, std::min(kThreads, kTile / shape.along));
  } else if (shape.across < kWarp) {
    shape.along = fitted(crossing.along, std::min(kThreads, kTile / shape.across));
  }
  shape.threads = std::clamp(shape.along * shape.across, kWarp, kThreads);
  return shape;
}

class TurnedTile {
 public:
  TurnedTile(Scene& scene, const Crossing& crossing, const TileShape& shape)
      : s_(scene), b_(scene.b), crossing_(crossing), shape_(shape) {
    const ClusterContext& c = s_.context();
    std::int64_t left = c.caps.shared_bytes;
    for (const std::size_t o : crossing_.turned) {
      left -= add_tile(c.graph.nodes[c.cluster.outputs[o].node].dtype);
    }
    for (const CrossingValue& value : crossing_.values) {
      const ir::DType type = c.graph.nodes[value.node].dtype;
      if (bytes(type) > left) break;  // what does not fit is read across
      left -= add_tile(type);
    }
  }

  void run(Value along, Value along_length, Value across, Value across_length, Value thread) {
    along_ = along, along_length_ = along_length;
    across_ = across, across_length_ = across_length;
    thread_ = thread;
    if (count() > 0 || !crossing_.crossed.empty()) write_across(false);
    if (count() > 0) b_.barrier();
    write_along();
    if (crossing_.turned.empty()) return;
    b_.barrier();
    write_across(true);
  }

 private:
  std::size_t count() const { return tiles_.size() - crossing_.turned.size(); }

  std::int64_t bytes(ir::DType type) const {
    const std::int64_t size = ir::size_of(type);
    return shape_.shorter() * shape_.row(size) * size;
  }

  std::int64_t add_tile(ir::DType type) {
    const std::int64_t size = ir::size_of(type);
    const std::string name = "tile" + (tiles_.empty() ? "" : std::to_string(tiles_.size()));
    tiles_.push_back(b_.shared(type, shape_.shorter() * shape_.row(size), name));
    rows_.push_back(shape_.row(size));
    return bytes(type);
  }
  // Numbers of tiles: turned outputs first.
  std::size_t value_tile(std::size_t i) const { return crossing_.turned.size() + i; }

  // body(place of the thread's point in a tile, by tile) for the points of the block, threads
  // running along `fast` first.
  template <class Body>
  void each(const MergedAxis& fast, Value fast_begin, Value fast_length, std::int64_t fast_size,
            const MergedAxis& slow, Value slow_begin, Value slow_length, std::int64_t slow_size,
            Body body) {
    const std::int64_t at_once = shape_.threads / fast_size;
    const Value column = b_.rem(thread_, b_.index(fast_size));
    const Value first = b_.div(thread_, b_.index(fast_size));
    const Value i = b_.add(fast_begin, column);
    b_.name(column, "column");
    b_.name(first, "row");
    b_.begin_if(b_.less(i, fast_length));
    const bool once = at_once >= slow_size;
    Value row = first;
    if (!once) {
      const std::int64_t steps = slow_size / at_once;
      const Value step = b_.begin_loop(b_.index(0), b_.index(steps), b_.index(1), true);
      row = b_.add(first, b_.mul(step, b_.index(at_once)));
    }
    const Value j = b_.add(slow_begin, row);
    b_.begin_if(b_.less(mutant(ir::Mutant::transpose_bound) ? slow_begin : j, slow_length));
    s_.e.open_scope();
    s_.set_uniform(fast, i);
    s_.set_uniform(slow, j);
    const bool along_rows = shape_.along > shape_.across;  // tiles' rows run along `along`
    const bool straight = (&fast == &crossing_.along) == along_rows;
    body([&](std::size_t tile) {
      const Value length = b_.index(rows_[tile]);
      return straight ? b_.add(b_.mul(row, length), column) : b_.add(b_.mul(column, length), row);
    });
    s_.e.close_scope();
    b_.end();
    if (!once) b_.end();
    b_.end();
  }

  Point point_of(const CrossingValue& value) {
    const ClusterOutput& output = s_.context().cluster.outputs[value.output];
    return s_.e.below(s_.point(output.coordinates), value.path);
  }

  void write_across(bool turned) {
    const std::vector<ClusterOutput>& outputs = s_.context().cluster.outputs;
    each(crossing_.across, across_, across_length_, shape_.across, crossing_.along, along_,
         along_length_, shape_.along, [&](auto place) {
           if (turned) {
             for (std::size_t i = 0; i < crossing_.turned.size(); ++i) {
               const ClusterOutput& output = outputs[crossing_.turned[i]];
               s_.e.give(output.node, s_.point(output.coordinates), b_.load(tiles_[i], place(i)));
               s_.store(output);
             }
             return;
           }
           for (std::size_t i = 0; i < count(); ++i) {
             const CrossingValue& value = crossing_.values[i];
             b_.store(tiles_[value_tile(i)], place(value_tile(i)),
                      s_.e.value(value.node, point_of(value)));
           }
           for (const std::size_t o : crossing_.crossed) s_.store(outputs[o]);
         });
  }

  void write_along() {
    const std::vector<ClusterOutput>& outputs = s_.context().cluster.outputs;
    each(crossing_.along, along_, along_length_, shape_.along, crossing_.across, across_,
         across_length_, shape_.across, [&](auto place) {
           for (std::size_t i = 0; i < count(); ++i) {
             const CrossingValue& value = crossing_.values[i];
             s_.e.give(value.node, point_of(value),
                       b_.load(tiles_[value_tile(i)], place(value_tile(i))));
           }
           for (const std::size_t o : crossing_.straight) s_.store(outputs[o]);
           for (std::size_t i = 0; i < crossing_.turned.size(); ++i) {
             const ClusterOutput& output = outputs[crossing_.turned[i]];
             b_.store(tiles_[i], place(i), s_.e.value(output.node, s_.point(output.coordinates)));
           }
         });
  }

  Scene& s_;
  ir::KernelBuilder& b_;
  const Crossing& crossing_;
  TileShape shape_;
  std::vector<std::uint32_t> tiles_;  // memories
  std::vector<std::int64_t> rows_;    // lengths of their rows
  Value along_ = ir::kNoValue, along_length_ = ir::kNoValue;
  Value across_ = ir::kNoValue, across_length_ = ir::kNoValue;
  Value thread_ = ir::kNoValue;
};

}  // namespace

Scheduled cuda_transpose(const ClusterContext& c, const Crossing& crossing) {
  Scene s(c);
  const TileShape shape = tile_shape(c, crossing);
  s.grid(crossing.rest);
  s.grid({crossing.across}, shape.across);
  s.grid({crossing.along}, shape.along);
  const Value along = s.length(crossing.along);
  const Value across = s.length(crossing.across);
  TurnedTile tile(s, crossing, shape);
  const auto blocks = [&](Value length, std::int64_t size) {
    return s.b.div(s.b.add(length, s.b.index(size - 1)), s.b.index(size));
  };
  const Value block = s.b.begin_grid();
  const Value thread = s.b.begin_thread(shape.threads);
  const Value rest = s.b.div(block, blocks(along, shape.along));
  const Value a = s.b.mul(s.b.rem(block, blocks(along, shape.along)), s.b.index(shape.along));
  const Value x = s.b.mul(s.b.rem(rest, blocks(across, shape.across)), s.b.index(shape.across));
  s.b.name(a, "along");
  s.b.name(x, "across");
  s.set_linear(crossing.rest, {s.b.div(rest, blocks(across, shape.across)), ir::kNoValue});
  tile.run(a, along, x, across, thread);
  s.b.end();
  s.b.end();
  Scheduled result;
  result.kernels.push_back(s.finish());
  result.step = std::max(shape.along, shape.across);
  result.name = "transpose";
  result.reason = "accesses run along different axes: tiles of " + std::to_string(shape.across) +
                  " x " + std::to_string(shape.along) + " through shared memory";
  return result;
}

}  // namespace kiln::passes
