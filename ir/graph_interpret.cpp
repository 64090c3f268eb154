#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "ir/array_ops.h"
#include "ir/error.h"
#include "ir/fp_state.h"
#include "ir/graph_kinds.h"
#include "ir/interpret.h"
#include "ir/reduce.h"
#include "ir/scalar_loops.h"
#include "ir/strided.h"

namespace kiln::ir {
namespace {

using Bytes = std::vector<std::byte>;
using Extents = std::vector<std::int64_t>;

class GraphRun {
 public:
  // held: bytes that the caller counts already.
  GraphRun(const Graph& graph, const Bindings& bindings, std::span<const ArrayView> inputs,
           const Watch& watch, std::int64_t held = 0)
      : g_(graph),
        bindings_(bindings),
        inputs_(inputs),
        watch_(watch),
        held_(held),
        values_(graph.nodes.size()) {}

  std::vector<Bytes> run() {
    count_uses();
    for (n_ = 0; n_ < g_.nodes.size(); ++n_) {
      if (uses_[n_] == 0) continue;
      evaluate_node();
      if (watch_.value) show_value();
      for (const NodeId operand : g_.operands(n_)) release(operand);
    }
    std::vector<Bytes> outputs;
    for (const NodeId out : g_.outputs) {
      n_ = out;
      if (--uses_[out] == 0) {
        outputs.push_back(std::move(values_[out].at(0)));
      } else {
        take(byte_count(values_[out]));
        outputs.push_back(values_[out].at(0));
      }
    }
    return outputs;
  }

 private:
  // Nodes that no output needs are not evaluated: loops of a region may be long.
  void count_uses() {
    uses_.assign(g_.nodes.size(), 0);
    for (const NodeId out : g_.outputs) ++uses_[out];
    for (NodeId n = static_cast<NodeId>(g_.nodes.size()); n-- > 0;) {
      if (uses_[n] == 0) continue;
      for (const NodeId operand : g_.operands(n)) ++uses_[operand];
    }
  }
  void release(NodeId n) {
    if (--uses_[n] != 0) return;
    held_ -= byte_count(values_[n]);
    values_[n].clear();
  }
  void show_value() {
    std::vector<const std::byte*> operands;
    for (int i = 0; i < node().operand_count; ++i) operands.push_back(operand(i));
    watch_.value(n_, values_[n_].at(0).data(), operands);
  }

  static std::int64_t byte_count(const std::vector<Bytes>& results) {
    std::int64_t bytes = 0;
    for (const Bytes& result : results) bytes += static_cast<std::int64_t>(result.size());
    return bytes;
  }
  // Called before so many bytes are allocated for this node.
  void take(std::int64_t bytes) {
    held_ += bytes;
    if (watch_.memory) watch_.memory(n_, held_);
  }

  [[noreturn]] void fail(std::string_view what) const {
    internal_error(fmt::format("n{} {}: {}{}", n_, info(node().kind).name, what,
                               n_ < g_.lines.size() ? " at " + g_.lines[n_] : ""));
  }
  const Node& node() const { return g_.nodes[n_]; }
  Extents extents(NodeId n) const { return values(g_.shape(n), bindings_); }
  Extents extents() const { return extents(n_); }
  Extents operand_extents(int i) const { return extents(g_.operand(n_, i)); }
  const std::byte* operand(int i) const { return values_[g_.operand(n_, i)].at(0).data(); }
  DType operand_type(int i) const { return g_.nodes[g_.operand(n_, i)].dtype; }
  std::int64_t bytes() const { return size_of(node().dtype); }

  // The result of this node, not yet written.
  std::byte* allocate() {
    const std::int64_t size = element_count(extents()) * bytes();
    take(size);
    values_[n_].resize(1);
    values_[n_][0].resize(static_cast<std::size_t>(size));
    return values_[n_][0].data();
  }

  void evaluate_node();
  void buffer();
  void literal(std::uint64_t bits);
  void iota();
  void map();
  void broadcast();
  void permute();
  void reshape();
  void slice();
  void pad();
  void concat();
  void update();
  void reduce();
  void arg_reduce();
  void contract();
  void loop();
  void item();
  void copy_result(std::size_t result);

  const Graph& g_;
  const Bindings& bindings_;
  std::span<const ArrayView> inputs_;
  const Watch& watch_;
  std::int64_t held_;                       // bytes of values_ and of the caller's
  std::vector<std::vector<Bytes>> values_;  // of a node: its results
  std::vector<std::uint64_t> uses_;
  NodeId n_ = 0;
};

void GraphRun::evaluate_node() {
  switch (node().kind) {
    case NodeKind::buffer:
      return buffer();
    case NodeKind::constant:
      return literal(node().imm);
    case NodeKind::scalar:
      return literal(bindings_.scalars[node().imm]);
    case NodeKind::iota:
      return iota();
    case NodeKind::map:
      return map();
    case NodeKind::broadcast:
      return broadcast();
    case NodeKind::permute:
      return permute();
    case NodeKind::reshape:
      return reshape();
    case NodeKind::slice:
      return slice();
    case NodeKind::pad:
      return pad();
    case NodeKind::concat:
      return concat();
    case NodeKind::update:
      return update();
    case NodeKind::put:
      return copy_result(0);
    case NodeKind::reduce:
      return reduce();
    case NodeKind::arg_reduce:
      return arg_reduce();
    case NodeKind::contract:
      return contract();
    case NodeKind::loop:
      return loop();
    case NodeKind::item:
      return item();
  }
}

void GraphRun::buffer() {
  const Input& input = g_.inputs[node().attr];
  const Extents shape = extents();
  const Extents dense = dense_strides(shape);
  const Extents strides = input.dense ? dense : values(input.strides, bindings_);
  copy_strided(shape, bytes(), static_cast<const std::byte*>(inputs_[node().attr].data), strides,
               allocate(), dense);
}

void GraphRun::literal(std::uint64_t bits) {
  std::memcpy(allocate(), &bits, static_cast<std::size_t>(bytes()));
}

void GraphRun::iota() {
  const Extents shape = extents();
  const Extents strides = dense_strides(shape);
  const std::int64_t count = element_count(shape), scratch = count * size_of(DType::int64);
  take(scratch);
  std::vector<std::int64_t> index(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < index.size(); ++i) {
    index[i] = static_cast<std::int64_t>(i) / strides[node().imm] % shape[node().imm];
  }
  const void* in = index.data();
  cast_loop(DType::int64, node().dtype)(count, &in, allocate());
  held_ -= scratch;
}

void GraphRun::map() {
  const void* in[3] = {};
  for (int i = 0; i < node().operand_count; ++i) in[i] = operand(i);
  const DType type = operand_type(node().op == Op::select ? 1 : 0);
  std::byte* out = allocate();
  loop_of(node().op, type, node().dtype)(element_count(extents()), in, out);
}

void GraphRun::broadcast() {
  const Extents shape = extents();
  const Extents from = operand_extents(0);
  const Extents from_strides = dense_strides(from);
  Extents strides(shape.size(), 0);
  const std::size_t first = shape.size() - from.size();
  for (std::size_t i = 0; i < from.size(); ++i) {
    const bool one = g_.shape(g_.operand(n_, 0))[i] == kOne;
    strides[first + i] = one ? 0 : from_strides[i];
  }
  copy_strided(shape, bytes(), operand(0), strides, allocate(), dense_strides(shape));
}

void GraphRun::permute() {
  const Extents shape = extents();
  const Extents from = dense_strides(operand_extents(0));
  Extents strides;
  for (const std::uint8_t axis : g_.attribute<Axes>(n_).axes) strides.push_back(from[axis]);
  copy_strided(shape, bytes(), operand(0), strides, allocate(), dense_strides(shape));
}

void GraphRun::reshape() {
  if (element_count(extents()) != element_count(operand_extents(0))) {
    fail("the number of elements changes");
  }
  copy_result(0);
}

void GraphRun::slice() {
  const Extents shape = extents();
  const Extents from = operand_extents(0);
  const Extents from_strides = dense_strides(from);
  const Slices& slices = g_.attribute<Slices>(n_);
  const Extents begin = values(slices.begin, bindings_), step = values(slices.step, bindings_);
  const bool empty = element_count(shape) == 0;
  Extents strides(shape.size());
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < shape.size() && !empty; ++i) {
    const std::int64_t last = begin[i] + step[i] * (shape[i] - 1);
    if (begin[i] < 0 || begin[i] >= from[i] || last < 0 || last >= from[i]) {
      fail(fmt::format("axis {}: {} elements from {} by {} of {}", i, shape[i], begin[i], step[i],
                       from[i]));
    }
    offset += begin[i] * from_strides[i];
    strides[i] = step[i] * from_strides[i];
  }
  copy_strided(shape, bytes(), operand(0) + offset * bytes(), strides, allocate(),
               dense_strides(shape));
}

void GraphRun::pad() {
  const Extents shape = extents();
  const Extents from = operand_extents(0);
  const Extents to_strides = dense_strides(shape);
  const Extents low = values(g_.attribute<Pads>(n_).low, bindings_);
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (low[i] < 0 || low[i] + from[i] > shape[i]) fail("the operand does not fit");
    offset += low[i] * to_strides[i];
  }
  std::byte* out = allocate();
  if (element_count(shape) == 0) return;
  copy_strided(shape, bytes(), operand(1), Extents(shape.size(), 0), out, to_strides);
  copy_strided(from, bytes(), operand(0), dense_strides(from), out + offset * bytes(), to_strides);
}

void GraphRun::concat() {
  const Extents shape = extents();
  const Extents to_strides = dense_strides(shape);
  const std::size_t axis = node().imm;
  const bool empty = element_count(shape) == 0;  // no memory, so no place in it
  std::byte* out = allocate();
  std::int64_t at = 0;
  for (int i = 0; i < node().operand_count; ++i) {
    const Extents from = operand_extents(i);
    if (at + from[axis] > shape[axis]) fail("the extents do not add up");
    const auto* begins = std::get_if<Pads>(&g_.attributes[node().attr]);
    if (begins != nullptr && bindings_.syms[begins->low[static_cast<std::size_t>(i)]] != at) {
      fail("an operand does not begin where the one before it ends");
    }
    if (!empty) {
      copy_strided(from, bytes(), operand(i), dense_strides(from),
                   out + at * to_strides[axis] * bytes(), to_strides);
    }
    at += from[axis];
  }
  if (at != shape[axis]) fail("the extents do not add up");
}

void GraphRun::update() {
  const Extents shape = extents();
  const Extents part = operand_extents(1);
  const Extents whole_strides = dense_strides(shape);
  const Slices& slices = g_.attribute<Slices>(n_);
  const Extents begin = values(slices.begin, bindings_), step = values(slices.step, bindings_);
  Extents strides(shape.size());
  std::int64_t offset = 0;
  const bool empty = element_count(part) == 0;
  for (std::size_t i = 0; i < shape.size() && !empty; ++i) {
    const std::int64_t last = begin[i] + step[i] * (part[i] - 1);
    if (begin[i] < 0 || step[i] < 1 || last >= shape[i]) {
      fail(fmt::format("axis {}: {} elements from {} by {} of {}", i, part[i], begin[i], step[i],
                       shape[i]));
    }
    offset += begin[i] * whole_strides[i];
    strides[i] = step[i] * whole_strides[i];
  }
  const NodeId base = g_.operand(n_, 0), value = g_.operand(n_, 1);
  if (uses_[base] == 1 && base != value && !watch_.value) {  // nobody else wants it
    values_[n_] = std::exchange(values_[base], {});
  } else {
    copy_result(0);
  }
  if (empty) return;
  copy_strided(part, bytes(), operand(1), dense_strides(part),
               values_[n_][0].data() + offset * bytes(), strides);
}

void GraphRun::reduce() {
  // The reduced axes go first, in their order; then rows are combined.
  const Extents from = operand_extents(0);
  const Extents from_strides = dense_strides(from);
  Extents shape, strides;
  std::vector<bool> reduced(from.size(), false);
  std::int64_t n = 1;
  for (const std::uint8_t axis : g_.attribute<Axes>(n_).axes) {
    reduced[axis] = true;
    n *= from[axis];
    shape.push_back(from[axis]);
    strides.push_back(from_strides[axis]);
  }
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (reduced[i]) continue;
    shape.push_back(from[i]);
    strides.push_back(from_strides[i]);
  }
  const std::int64_t scratch = element_count(shape) * bytes();
  take(scratch);
  Bytes rows(static_cast<std::size_t>(scratch));
  copy_strided(shape, bytes(), operand(0), strides, rows.data(), dense_strides(shape));
  reduce_rows(node().op, node().dtype, n, element_count(extents()), rows.data(), allocate());
  held_ -= scratch;
}

void GraphRun::arg_reduce() {
  const Extents from = operand_extents(0);
  const std::size_t axis = g_.attribute<Axes>(n_).axes[0];
  const std::int64_t outer = element_count(std::span(from).first(axis));
  const std::int64_t inner = element_count(std::span(from).subspan(axis + 1));
  arg_extreme(node().op, operand_type(0), outer, from[axis], inner, operand(0),
              reinterpret_cast<std::int64_t*>(allocate()));
}

void GraphRun::contract() {
  const Extents shape = extents();
  const Extents a = operand_extents(0);
  const std::size_t rank = shape.size();
  matrix_product(node().dtype, element_count(std::span(shape).first(rank - 2)), shape[rank - 2],
                 shape[rank - 1], a[rank - 1], operand(0), operand(1), allocate());
}

void GraphRun::loop() {
  const Loop& loop = g_.attribute<Loop>(n_);
  const Graph& region = g_.regions[loop.region];
  std::vector<Bytes> carried;
  for (int i = 0; i < node().results; ++i) {
    take(byte_count(values_[g_.operand(n_, i)]));
    carried.push_back(values_[g_.operand(n_, i)].at(0));
  }
  Watch within;
  if (watch_.memory) {
    within.memory = [&](NodeId, std::int64_t held) { watch_.memory(n_, held); };
  }
  const std::int64_t count = bindings_.syms[loop.count];
  for (std::int64_t step = 0; step < count; ++step) {
    std::vector<ArrayView> inputs;
    for (int i = 0; i < node().operand_count; ++i) {
      inputs.push_back(
          {i < node().results ? carried[static_cast<std::size_t>(i)].data() : operand(i)});
    }
    carried = GraphRun(region, bindings_, inputs, within, held_).run();
  }
  values_[n_] = std::move(carried);
}

void GraphRun::item() { copy_result(node().imm); }

// This node's value is a result of its operand's.
void GraphRun::copy_result(std::size_t result) {
  const Bytes& from = values_[g_.operand(n_, 0)].at(result);
  take(static_cast<std::int64_t>(from.size()));
  values_[n_] = {from};
}

void check_bindings(const Graph& graph, const Bindings& bindings,
                    std::span<const ArrayView> inputs) {
  internal_check(bindings.syms.size() == graph.syms.size(), "bindings of another graph");
  internal_check(bindings.scalars.size() == graph.scalars.size(), "bindings of another graph");
  internal_check(inputs.size() == graph.inputs.size(), "inputs of another graph");
  for (std::size_t s = 0; s < graph.syms.size(); ++s) {
    const SymInfo& info = graph.syms[s];
    const std::int64_t value = bindings.syms[s];
    if (value < info.lo || value > info.hi || value % info.multiple != 0) {
      internal_error(fmt::format("s{} = {} is outside its class", s, value));
    }
  }
}

}  // namespace

std::vector<std::vector<std::byte>> interpret(const Graph& graph, const Bindings& bindings,
                                              std::span<const ArrayView> inputs,
                                              const Watch& watch) {
  check_bindings(graph, bindings, inputs);
  const FloatState state;
  return GraphRun(graph, bindings, inputs, watch).run();
}

std::vector<std::vector<std::byte>> interpret(const Graph& graph, const Bindings& bindings,
                                              std::span<const ArrayView> inputs) {
  return interpret(graph, bindings, inputs, Watch{});
}

}  // namespace kiln::ir
