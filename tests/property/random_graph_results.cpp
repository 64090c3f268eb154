#include <algorithm>
#include <cmath>
#include <cstring>

#include "ir/scalar.h"
#include "tests/property/random_graph.h"

namespace kiln::ir::test {

RandomGraphOptions row_programs() {
  RandomGraphOptions options;
  options.dtypes = {DType::float32, DType::int64, DType::bool_};
  options.kinds = {NodeKind::map, NodeKind::broadcast, NodeKind::reshape, NodeKind::reduce,
                   NodeKind::arg_reduce};
  options.max_rank = 2;
  options.max_elements = 9000;
  return options;
}

RandomGraphOptions function_programs(std::uint64_t seed) {
  RandomGraphOptions options = row_programs();
  options.dtypes = {DType::float32, DType::float32, DType::float64, DType::bfloat16};
  options.kinds = {NodeKind::map, NodeKind::map,    NodeKind::map,
                   NodeKind::map, NodeKind::scalar, NodeKind::reduce};
  options.nodes = 40;
  options.outputs = 12;
  constexpr Op kFunctions[] = {Op::exp, Op::log, Op::sin, Op::cos, Op::tanh, Op::pow};
  options.functions = {kFunctions[seed % 6], kFunctions[seed / 6 % 6]};
  options.empty_extents = false;
  return options;
}

RandomGraphOptions writes() {
  RandomGraphOptions options;
  options.kinds = {NodeKind::update, NodeKind::update,  NodeKind::map,   NodeKind::slice,
                   NodeKind::update, NodeKind::permute, NodeKind::reduce};
  options.max_elements = 1500;
  options.outputs = 4;
  return options;
}

RandomGraphOptions products() {
  RandomGraphOptions options;
  options.nodes = 14;
  options.dtypes = {DType::float32, DType::float64};
  options.kinds = {NodeKind::contract, NodeKind::contract, NodeKind::contract, NodeKind::map,
                   NodeKind::permute,  NodeKind::reshape,  NodeKind::slice,    NodeKind::reduce};
  options.max_elements = 1500;
  options.special_values = false;
  return options;
}

RandomGraph with_output(RandomGraph graph, NodeId n) {
  while (graph.graph.nodes[n].results != 1) --n;  // its items are outputs, not the node
  graph.graph.outputs = {n};
  return graph;
}

std::int64_t first_difference(DType dtype, const std::vector<std::byte>& a,
                              const std::vector<std::byte>& b) {
  const std::size_t bytes = static_cast<std::size_t>(size_of(dtype));
  const std::size_t n = std::min(a.size(), b.size()) / bytes;
  for (std::size_t i = 0; i < n; ++i) {
    std::uint64_t x = 0, y = 0;
    std::memcpy(&x, a.data() + i * bytes, bytes);
    std::memcpy(&y, b.data() + i * bytes, bytes);
    if (x == y) continue;
    const bool nans =
        is_float(dtype) && std::isnan(to_double(dtype, x)) && std::isnan(to_double(dtype, y));
    if (!nans) return static_cast<std::int64_t>(i);
  }
  return a.size() == b.size() ? -1 : static_cast<std::int64_t>(n);
}

}  // namespace kiln::ir::test
