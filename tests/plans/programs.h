// Graphs written by hand for pass tests, and the execution of a plan by the kernel interpreter.
#pragma once
#include <cstring>
#include <functional>
#include <map>
#include <vector>

#include "ir/plan.h"
#include "ir/scalar.h"

namespace kiln::testing {

// Builds a graph over concrete sizes: each distinct size becomes one symbol with its power-of-two
// class.
class Program {
 public:
  using Id = ir::NodeId;
  ir::Graph graph;
  ir::Bindings bindings{{0, 1}, {}};
  std::vector<std::vector<std::byte>> data;
  std::vector<std::int64_t> offset;  // of each input's first element in its data, in bytes

  ir::Sym extent(std::int64_t size);
  ir::Sym integer(std::int64_t value);  // a slice's begin or step, a pad's width
  std::vector<ir::Sym> extents(const std::vector<std::int64_t>& shape);

  Id input(ir::DType dtype, const std::vector<std::int64_t>& shape, int seed = 1);
  // Whole numbers of one sign without zero: sums of their products are exact in any order. With
  // these strides in memory (of whole numbers of elements; none: dense, but not aligned), where all
  // that belongs to no element is NaN.
  Id factor(ir::DType dtype, const std::vector<std::int64_t>& shape, int seed = 1);
  Id factor(ir::DType dtype, const std::vector<std::int64_t>& shape,
            const std::vector<std::int64_t>& strides, int seed = 1);
  Id scalar(ir::DType dtype, double value);
  Id constant(ir::DType dtype, double value);
  Id iota(ir::DType dtype, const std::vector<std::int64_t>& shape, int axis);
  Id map(ir::Op op, std::vector<Id> operands);  // operands broadcast to the widest
  Id cast(ir::DType dtype, Id x);
  Id reduce(ir::Op op, Id x, std::vector<std::uint8_t> axes, bool keep = false);
  Id arg(ir::Op op, Id x, std::uint8_t axis);
  Id broadcast(Id x, const std::vector<std::int64_t>& shape);
  Id permute(Id x, std::vector<std::uint8_t> axes);
  Id reshape(Id x, const std::vector<std::int64_t>& shape);
  Id slice(Id x, const std::vector<std::int64_t>& begin, const std::vector<std::int64_t>& step,
           const std::vector<std::int64_t>& shape);
  Id pad(Id x, const std::vector<std::int64_t>& low, const std::vector<std::int64_t>& shape,
         double fill);
  Id concat(const std::vector<Id>& parts, int axis);
  Id join(const std::vector<Id>& parts, int axis);  // a concat that says where each part begins
  Id update(Id x, Id value, const std::vector<std::int64_t>& begin,
            const std::vector<std::int64_t>& step = {});  // none: of 1
  void donate(Id x) { graph.inputs[graph.nodes[x].attr].donatable = true; }
  Id matmul(Id a, Id b);
  Id sort(Id x, int axis, ir::Op op = ir::Op::min);  // read by items
  Id item(Id whole, int result);
  Id scan(ir::Op op, Id x, int axis);
  void output(Id x) { graph.outputs.push_back(x); }

  std::vector<std::int64_t> shape_of(Id x) const;
  std::vector<ir::ArrayView> views() const;

 private:
  Id buffer(ir::Input input, const std::vector<std::int64_t>& shape, std::vector<std::byte> memory,
            std::int64_t first);
  std::map<std::int64_t, ir::Sym> sizes_;
};

// Runs the items of a kernel's grid.
using Runner =
    std::function<void(const ir::Kernel& kernel, const ir::KernelArg* args, std::int64_t items)>;
// Runs a plan step by step, kernels by the interpreter or another runner; gives the outputs' bytes.
// Throws on a write past the end of a buffer. A library's product is the graph interpreter's of
// dense operands.
std::vector<std::vector<std::byte>> run_plan(const ir::Plan& plan, const ir::Bindings& bindings,
                                             std::span<const ir::ArrayView> inputs,
                                             const Runner& runner = {});
// Element by element, NaN equal to NaN; an empty string or the first difference in words.
std::string difference(const std::vector<std::vector<std::byte>>& expected,
                       const std::vector<std::vector<std::byte>>& actual, const ir::Graph& graph);

ir::Caps cpu_caps();
ir::Caps wide_cpu_caps();  // vectors of 64 bytes, whatever this machine has
ir::Caps cuda_caps();

}  // namespace kiln::testing
