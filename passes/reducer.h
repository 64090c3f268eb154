// Reductions as schedules see them: partial results of one or two parts (a value; for arg
// reductions a value and its index), combined in the canonical order (ir/NUMERICS.md).
#pragma once
#include <vector>

#include "ir/kernel_builder.h"
#include "passes/emit.h"

namespace kiln::passes {

using Parts = std::vector<ir::Value>;

class Reducer {
 public:
  // `number` among the cluster's reductions names its memories: node ids would make like kernels
  // differ.
  Reducer(const ir::Graph& graph, ir::NodeId node, std::size_t number);
  ir::NodeId node() const { return node_; }
  std::string name() const;
  // Whether the result depends on the order: float sums and products.
  bool ordered() const;
  std::size_t part_count() const { return types_.size(); }
  ir::DType type(std::size_t part) const { return types_[part]; }

  // What contributes nothing.
  Parts identity(ir::KernelBuilder& b, int lanes) const;
  // An element at the point; `position` is its place in the reduced row (scalar or lanes, kernel
  // index type).
  Parts element(Emitter& e, const Point& point, ir::Value position) const;
  // `first` stands before `second` in the canonical order.
  Parts combine(ir::KernelBuilder& b, const Parts& first, const Parts& second) const;
  // All of them by the tree of adjacent pairs; a power of two of them.
  Parts tree(ir::KernelBuilder& b, std::vector<Parts> level) const;
  // combine() where every element of `second`, lane by lane, stands behind those of `first`, and
  // `first` began with start(): arg reductions need not compare positions.
  Parts append(ir::KernelBuilder& b, const Parts& first, const Parts& second) const;
  // What contributes nothing, at the positions (int64) of the first elements.
  Parts start(ir::KernelBuilder& b, ir::Value positions) const;
  // parts where mask holds, else the identity
  Parts keep(ir::KernelBuilder& b, ir::Value mask, const Parts& parts) const;
  // lanes -> `left`, by the tree of adjacent pairs
  Parts across_lanes(ir::KernelBuilder& b, Parts parts, int left = 1) const;
  // The reduction's value, of its node's dtype: 16-bit floats are summed in float32 and rounded
  // here.
  ir::Value result(ir::KernelBuilder& b, const Parts& parts) const;

 private:
  ir::NodeId node_;
  std::size_t number_;
  ir::NodeId operand_;
  ir::Op op_;
  bool arg_;
  bool empty_ = false;  // over an extent that is always 0
  ir::DType result_type_;
  std::vector<ir::DType> types_;
};

// Arrays of partial results, one memory a part.
class PartsMemory {
 public:
  PartsMemory(ir::KernelBuilder& b, const Reducer& reducer, ir::Space space, std::int64_t size,
              const std::string& name);
  void store(ir::KernelBuilder& b, ir::Value index, const Parts& parts) const;
  Parts load(ir::KernelBuilder& b, ir::Value index, int lanes) const;

 private:
  std::vector<std::uint32_t> memories_;
};

// Combines a run of partial results, one after another, as the tree of adjacent pairs does: level s
// holds the total of 2^s of them that wait for their right neighbour. Several runs side by side
// have one stack of `width` lanes, each of `lanes` of them at its place `at`.
class CarryStack {
 public:
  // `longest`: at most so many results are pushed.
  CarryStack(ir::KernelBuilder& b, const Reducer& reducer, int lanes, std::int64_t longest,
             const std::string& name, std::int64_t width = 0);
  void push(ir::KernelBuilder& b, const Parts& parts, ir::Value already,
            ir::Value at = ir::kNoValue) const;
  // identity if count is 0
  Parts fold(ir::KernelBuilder& b, ir::Value count, ir::Value at = ir::kNoValue) const;

 private:
  ir::Value place(ir::KernelBuilder& b, ir::Value level, ir::Value at) const;
  const Reducer& reducer_;
  int lanes_;
  std::int64_t width_, levels_;
  PartsMemory stack_, current_;
};

}  // namespace kiln::passes
