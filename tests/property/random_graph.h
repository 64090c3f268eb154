// Random well-formed graphs with bindings and data, for differential tests: the same seed and
// options give the same graph. Loops are not generated.
//
// What is generated stays inside the promise of equal bits: operands of `contract` are whole
// numbers whose sums are exact in any order, and a NaN is made canonical before its bits are looked
// at. Every byte of an input's memory that belongs to no element is NaN, or 0xA5. What is left out,
// and why: README.md.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ir/graph.h"

namespace kiln::ir::test {

struct RandomGraphOptions {
  int nodes = 24;   // about; leaves included
  int outputs = 3;  // at most
  int max_rank = 3;
  std::int64_t max_elements = 4000;  // of any array
  std::vector<DType> dtypes = {DType::bool_,   DType::int8,   DType::int32,   DType::int64,
                               DType::uint8,   DType::uint32, DType::float16, DType::bfloat16,
                               DType::float32, DType::float64};
  std::vector<NodeKind> kinds = {NodeKind::scalar,    NodeKind::iota,       NodeKind::map,
                                 NodeKind::broadcast, NodeKind::permute,    NodeKind::reshape,
                                 NodeKind::slice,     NodeKind::pad,        NodeKind::concat,
                                 NodeKind::reduce,    NodeKind::arg_reduce, NodeKind::contract,
                                 NodeKind::update,    NodeKind::sort,       NodeKind::scan};
  bool expanding_ops = true;   // exp, log, sin, cos, tanh, pow
  std::vector<Op> functions;   // two of five maps are one of these
  bool strided_inputs = true;  // transposed, broadcast and offset inputs
  bool special_values = true;  // NaN, infinities, denormals, signed zeros
  bool empty_extents = true;   // extents of 0
};

// Maps and reductions of rank 2 at most, whose rows may be several chunks.
RandomGraphOptions row_programs();
// Such maps of floats, in which two functions come often.
RandomGraphOptions function_programs(std::uint64_t seed);
// Matrix products of views, with little between them.
RandomGraphOptions products();
// Mostly updates, of arrays that are read before and after, and joins of many.
RandomGraphOptions writes();

// Data for a graph: memory of each input, which begins at `offset` of its bytes.
struct RandomGraph {
  Graph graph;
  Bindings bindings;
  std::vector<std::vector<std::byte>> memory;
  std::vector<std::int64_t> offset;  // in bytes
  std::vector<ArrayView> inputs() const {
    std::vector<ArrayView> views;
    for (std::size_t i = 0; i < memory.size(); ++i) views.push_back({memory[i].data() + offset[i]});
    return views;
  }
};

RandomGraph random_graph(std::uint64_t seed, const RandomGraphOptions& options = {});

// The first of a failing graph's outputs' histories: the same nodes, with only node `n` as output.
// Shrinking tries rising n until the failure shows.
RandomGraph with_output(RandomGraph graph, NodeId n);

// Whether two elements' arrays agree bit for bit, NaN sign and payload aside; the first index that
// differs, or -1.
std::int64_t first_difference(DType dtype, const std::vector<std::byte>& a,
                              const std::vector<std::byte>& b);

}  // namespace kiln::ir::test
