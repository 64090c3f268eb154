#include <fmt/format.h>

#include <utility>

#include "ir/error.h"
#include "ir/fp_state.h"
#include "ir/graph_kinds.h"
#include "ir/nodes/rule.h"
#include "ir/nodes/run.h"
#include "ir/strided.h"

namespace kiln::ir {

namespace {

std::int64_t byte_count(const std::vector<GraphRun::Bytes>& results) {
  std::int64_t bytes = 0;
  for (const GraphRun::Bytes& result : results) bytes += static_cast<std::int64_t>(result.size());
  return bytes;
}

}  // namespace

GraphRun::GraphRun(const Graph& graph, const Bindings& bindings, std::span<const ArrayView> inputs,
                   const Watch& watch, std::int64_t held)
    : g_(graph),
      bindings_(bindings),
      inputs_(inputs),
      watch_(watch),
      held_(held),
      values_(graph.nodes.size()) {}

std::vector<GraphRun::Bytes> GraphRun::run() {
  count_uses();
  for (n_ = 0; n_ < g_.nodes.size(); ++n_) {
    if (uses_[n_] == 0) continue;
    rule(node().kind).interpret(*this);
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

// Nodes that no output needs are not evaluated: loops of a region may be long.
void GraphRun::count_uses() {
  uses_.assign(g_.nodes.size(), 0);
  for (const NodeId out : g_.outputs) ++uses_[out];
  for (NodeId n = static_cast<NodeId>(g_.nodes.size()); n-- > 0;) {
    if (uses_[n] == 0) continue;
    for (const NodeId operand : g_.operands(n)) ++uses_[operand];
  }
}

void GraphRun::release(NodeId n) {
  if (--uses_[n] != 0) return;
  held_ -= byte_count(values_[n]);
  values_[n].clear();
}

void GraphRun::show_value() {
  std::vector<const std::byte*> operands;
  for (int i = 0; i < node().operand_count; ++i) operands.push_back(operand(i));
  watch_.value(n_, values_[n_].at(0).data(), operands);
}

// Called before so many bytes are allocated for this node.
void GraphRun::take(std::int64_t bytes) {
  held_ += bytes;
  if (watch_.memory) watch_.memory(n_, held_);
}

void GraphRun::fail(std::string_view what) const {
  internal_error(fmt::format("n{} {}: {}{}", n_, info(node().kind).name, what,
                             n_ < g_.lines.size() ? " at " + g_.lines[n_] : ""));
}

std::byte* GraphRun::allocate() { return allocate(0, node().dtype); }

std::byte* GraphRun::allocate(std::size_t result, DType dtype) {
  const std::int64_t size = element_count(extents()) * size_of(dtype);
  take(size);
  values_[n_].resize(result + 1);
  values_[n_][result].resize(static_cast<std::size_t>(size));
  return values_[n_][result].data();
}

void GraphRun::copy_result(std::size_t number) {
  const Bytes& from = values_[g_.operand(n_, 0)].at(number);
  take(static_cast<std::int64_t>(from.size()));
  values_[n_] = {from};
}

std::byte* GraphRun::overwrite(int i) {
  const NodeId from = g_.operand(n_, i);
  if (uses_[from] == 1 && !watch_.value) {
    values_[n_] = std::exchange(values_[from], {});
  } else {
    take(byte_count(values_[from]));
    values_[n_] = {values_[from].at(0)};
  }
  return values_[n_][0].data();
}

void GraphRun::repeat(const Graph& region, std::int64_t times) {
  std::vector<Bytes> carried;
  for (int i = 0; i < node().results; ++i) {
    take(byte_count(values_[g_.operand(n_, i)]));
    carried.push_back(values_[g_.operand(n_, i)].at(0));
  }
  Watch within;
  if (watch_.memory) {
    within.memory = [&](NodeId, std::int64_t held) { watch_.memory(n_, held); };
  }
  for (std::int64_t step = 0; step < times; ++step) {
    std::vector<ArrayView> inputs;
    for (int i = 0; i < node().operand_count; ++i) {
      inputs.push_back(
          {i < node().results ? carried[static_cast<std::size_t>(i)].data() : operand(i)});
    }
    carried = GraphRun(region, bindings_, inputs, within, held_).run();
  }
  values_[n_] = std::move(carried);
}

namespace {

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
