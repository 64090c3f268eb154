// Private to ir: the interpreter of graphs, as the kinds' meanings see it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "ir/interpret.h"

namespace kiln::ir {

class GraphRun {
 public:
  using Bytes = std::vector<std::byte>;
  using Extents = std::vector<std::int64_t>;

  // held: bytes that the caller counts already.
  GraphRun(const Graph& graph, const Bindings& bindings, std::span<const ArrayView> inputs,
           const Watch& watch, std::int64_t held = 0);
  std::vector<Bytes> run();

  // Of the node that is being evaluated.
  const Node& node() const { return g_.nodes[n_]; }
  std::int64_t bytes() const { return size_of(node().dtype); }  // of an element
  Extents extents() const { return values(g_.shape(n_)); }
  Extents operand_extents(int i) const { return values(g_.shape(g_.operand(n_, i))); }
  std::span<const Sym> operand_shape(int i) const { return g_.shape(g_.operand(n_, i)); }
  const std::byte* operand(int i) const { return values_[g_.operand(n_, i)].at(0).data(); }
  DType operand_type(int i) const { return g_.nodes[g_.operand(n_, i)].dtype; }
  template <class A>
  const A& attribute() const {
    return g_.attribute<A>(n_);
  }
  const Attribute& any_attribute() const { return g_.attributes[node().attr]; }
  std::int64_t value(Sym sym) const { return bindings_.syms[sym]; }
  Extents values(std::span<const Sym> syms) const { return ir::values(syms, bindings_); }
  std::uint64_t scalar() const { return bindings_.scalars[node().imm]; }
  const Graph& region(RegionId id) const { return g_.regions[static_cast<std::uint32_t>(id)]; }
  const Input& input() const { return g_.inputs[node().attr]; }
  const std::byte* input_data() const {
    return static_cast<const std::byte*>(inputs_[node().attr].data);
  }
  [[noreturn]] void fail(std::string_view what) const;

  // The result, not yet written.
  std::byte* allocate();
  // A result of several, of the node's shape; the first one begins.
  std::byte* allocate(std::size_t result, DType dtype);
  // The result is a result of the first operand.
  void copy_result(std::size_t number);
  // The result in the memory of operand i, if nobody else wants that, or in a copy of it.
  std::byte* overwrite(int i);
  // Results of a region that is applied again and again.
  void repeat(const Graph& region, std::int64_t times);
  // Memory beside the result, until it is given back.
  void take(std::int64_t bytes);
  void give_back(std::int64_t bytes) { held_ -= bytes; }

 private:
  void count_uses();
  void release(NodeId n);
  void show_value();

  const Graph& g_;
  const Bindings& bindings_;
  std::span<const ArrayView> inputs_;
  const Watch& watch_;
  std::int64_t held_;                       // bytes of values_ and of the caller's
  std::vector<std::vector<Bytes>> values_;  // of a node: its results
  std::vector<std::uint64_t> uses_;
  NodeId n_ = 0;
};

}  // namespace kiln::ir
