// From values in memory to inputs of the graph.
#include <algorithm>
#include <cmath>
#include <functional>

#include "frontend/snapshot_builder.h"
#include "ir/mutant.h"
#include "ir/narrow.h"

namespace kiln::inline v0::frontend {

namespace {

// How elements lie: at strides that may be anything; in rows, of rows of rows, with or without gaps
// between them, if the axes are taken in `order`.
enum class Lies : std::uint8_t { anyhow, ordered, dense };

// Axes of extent 1 stay where they are in the order.
Lies axes_in_memory(std::span<const std::int64_t> shape, std::span<const std::int64_t> strides,
                    std::vector<std::uint8_t>* order) {
  order->clear();
  for (std::uint8_t i = 0; i < shape.size(); ++i) {
    if (shape[i] != 1) order->push_back(i);
  }
  std::ranges::stable_sort(*order, std::greater<>(), [&](std::uint8_t i) { return strides[i]; });
  std::int64_t length = 1;
  bool dense = true;
  for (std::size_t i = order->size(); i-- > 0;) {
    const std::int64_t stride = strides[(*order)[i]];
    if (stride < length) return Lies::anyhow;
    dense = dense && stride == length;
    length = stride * shape[(*order)[i]];
  }
  for (std::uint8_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) order->insert(order->begin() + i, i);
  }
  return dense ? Lies::dense : Lies::ordered;
}

// Whether memory is spread over so many elements, though there may be few, that indices take 64
// bits.
bool spread_wide(std::span<const std::int64_t> shape, std::span<const std::int64_t> strides) {
  double span = 1;
  for (std::size_t i = 0; i < strides.size(); ++i) {
    span += std::abs(static_cast<double>(strides[i])) * static_cast<double>(shape[i] - 1);
  }
  return span >= static_cast<double>(ir::kWideElements);
}

}  // namespace

// A value that lies permuted is a permutation of a dense input: kernels and libraries then know its
// strides.
void Builder::emit_leaf(Node* node, Info& info) {
  Value& value = *node->value.load(std::memory_order_acquire);
  trace().note_read(value);
  const std::span<const std::int64_t> shape = node->shape->shape.extents();
  const std::size_t rank = shape.size();
  const bool strided = !value.strides.empty();
  const Lies lies = strided ? axes_in_memory(shape, value.strides, &axes_in_memory_) : Lies::dense;
  const bool permuted = strided && lies != Lies::anyhow && !std::ranges::is_sorted(axes_in_memory_);
  const auto axis = [&](std::size_t i) { return permuted ? axes_in_memory_[i] : i; };
  for (std::size_t i = 0; i < rank; ++i) axes_.push_back(symbols_.extent(shape[axis(i)]));
  ir::Graph& g = out_->graph;
  ir::Input in;
  in.dtype = to_ir(node->dtype);
  in.dense = lies == Lies::dense;
  in.ordered = lies == Lies::ordered;
  for (std::size_t i = 0; !in.dense && i < rank; ++i) {
    const std::int64_t stride = shape[axis(i)] == 1 ? 0 : value.strides[axis(i)];
    in.strides.push_back(symbols_.integer(Symbols::Use::stride, stride));
  }
  const std::int64_t offset = value.offset * ir::size_of(in.dtype);
  // Copies on other devices begin aligned.
  const std::int64_t misses = value.storage->misalignment();
  in.aligned = mutant(ir::Mutant::copys_alignment) ? (offset + misses) % 16 == 0
                                                   : offset % 16 == 0 && misses == 0;
  info.id = append(ir::NodeKind::buffer, {}, info.axes, rank);
  if (spread_wide(shape, value.strides)) g.wide = true;
  g.nodes.back().attr = static_cast<std::uint32_t>(g.inputs.size());
  remember_name(info.id, node->label());
  g.inputs.push_back(std::move(in));
  out_->inputs.push_back({value.storage, offset, info.id});
  if (permuted) {
    permute_back(info);
    remember_name(info.id, node->label());
    if (!mutant(ir::Mutant::named_in_memory)) out_->inputs.back().node = info.id;
  }
  if (node->only_used_by(info.edges)) may_donate_ = true;
}

// From the axes as they lie in memory to the node's.
void Builder::permute_back(Info& info) {
  std::vector<std::uint8_t>& axes = std::get<ir::Axes>(next_attribute(ir::NodeKind::permute)).axes;
  axes.assign(info.rank, 0);
  for (std::uint8_t i = 0; i < info.rank; ++i) axes[axes_in_memory_[i]] = i;
  const std::uint32_t from = std::exchange(info.axes, static_cast<std::uint32_t>(axes_.size()));
  for (const std::uint8_t axis : axes) axes_.push_back(axes_[from + axis]);
  info.id = append(ir::NodeKind::permute, {&info.id, 1}, info.axes, info.rank);
  out_->graph.nodes.back().attr = attributes_++;
}

}  // namespace kiln::inline v0::frontend
