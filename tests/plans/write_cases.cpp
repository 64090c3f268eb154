// Arrays that are made in memory piece by piece: updates in place, of copies, fused; what reads the
// array before, after, and in part; joins of many.
#include <limits>

#include "tests/plans/cases.h"

namespace kiln::testing {

Program::Id Program::join(const std::vector<Id>& parts, int axis) {
  const Id joined = concat(parts, axis);
  ir::Pads begins;
  std::int64_t at = 0;
  for (const Id part : parts) {
    begins.low.push_back(integer(at));
    at += shape_of(part)[static_cast<std::size_t>(axis)];
  }
  graph.nodes[joined].attr = static_cast<std::uint32_t>(graph.attributes.size());
  graph.attributes.emplace_back(std::move(begins));
  return joined;
}

Program::Id Program::update(Id x, Id value, const std::vector<std::int64_t>& begin,
                            const std::vector<std::int64_t>& step) {
  ir::Slices window;
  for (const auto b : begin) window.begin.push_back(integer(b));
  for (const auto s : step) {
    window.step.push_back(s == 1 ? ir::kOne : static_cast<ir::Sym>(graph.syms.size()));
    if (s == 1) continue;
    graph.syms.push_back({1, std::numeric_limits<std::int64_t>::max(), 1});
    bindings.syms.push_back(s);
  }
  window.step.resize(begin.size(), ir::kOne);
  ir::Node node;
  node.kind = ir::NodeKind::update;
  node.dtype = graph.nodes[x].dtype;
  return graph.add(node, extents(shape_of(x)), {{x, value}}, window);
}

namespace {

using ir::DType;
using ir::Op;
using Id = Program::Id;

Id donated(Program& p, const std::vector<std::int64_t>& shape) {
  const Id x = p.input(DType::float32, shape);
  p.donate(x);
  return x;
}

// Row i from row i - 1, twelve times.
void rows_from_rows(Program& p, Id x, std::int64_t columns) {
  Id row = p.input(DType::float32, {1, columns}, 2);
  for (std::int64_t i = 0; i < 12; ++i) {
    row = p.map(Op::add, {p.map(Op::mul, {row, row}), p.scalar(DType::float32, 0.5)});
    x = p.update(x, row, {i, 0});
  }
  p.output(x);
}

// A window made from what lies `by` places before it in the array that is overwritten.
void shifted(Program& p, std::int64_t by) {
  const Id x = donated(p, {9000});
  const Id read = p.slice(x, {100 - by}, {1}, {50});
  p.output(p.update(x, p.map(Op::add, {read, read}), {100}));
}

constexpr Case kCases[] = {
    {"write_row_in_place",
     [](Program& p) {
       const Id x = donated(p, {200, 300});
       p.output(p.update(x, p.input(DType::float32, {1, 300}, 2), {7, 0}));
     },
     1, 1},
    {"write_column_in_place",
     [](Program& p) {
       const Id x = donated(p, {200, 300});
       p.output(p.update(x, p.input(DType::float32, {200, 1}, 2), {0, 299}));
     },
     1, 1},
    {"write_into_a_computed_array",
     [](Program& p) {
       const Id x = p.input(DType::float32, {200, 300});
       const Id v = p.broadcast(p.scalar(DType::float32, 2), {1, 300});
       p.output(p.update(p.map(Op::add, {x, x}), v, {3, 0}));
     },
     1, 1},
    {"write_what_overlaps", [](Program& p) { shifted(p, 20); }, 2, 1},
    {"write_what_is_there", [](Program& p) { shifted(p, 0); }, 2, 1},
    {"write_what_lies_before", [](Program& p) { shifted(p, 50); }, 2, 1},
    {"write_what_lies_after", [](Program& p) { shifted(p, -30); }, 2, 1},
    {"write_every_third",
     [](Program& p) {
       const Id x = p.input(DType::float32, {100, 31});
       p.output(p.update(x, p.input(DType::float32, {33, 10}, 2), {1, 2}, {3, 3}));
     },
     2, 2},
    {"writes_in_a_row", [](Program& p) { rows_from_rows(p, donated(p, {40, 100}), 100); }, 12, 12},
    {"writes_into_zeros",
     [](Program& p) {
       rows_from_rows(p, p.broadcast(p.constant(DType::float32, 0), {40, 100}), 100);
     },
     13, 13},
    {"write_before_and_after",  // both are wanted: the second is of a copy
     [](Program& p) {
       const Id x = donated(p, {9000});
       const Id a = p.update(x, p.input(DType::float32, {5}, 2), {10});
       p.output(a);
       p.output(p.update(a, p.input(DType::float32, {7}, 3), {4000}));
       p.output(p.reduce(Op::add, x, {0}));
     },
     4, 2},
    {"write_and_read_whole",  // the sum of each state becomes an element of the next
     [](Program& p) {
       Id x = donated(p, {3000});
       for (std::int64_t i = 0; i < 10; ++i) {
         const Id sum = p.reduce(Op::max, x, {0}, true);
         x = p.update(x, p.map(Op::add, {sum, p.scalar(DType::float32, 1)}), {i});
       }
       p.output(x);
     },
     20, 20},
    {"write_and_compare",  // needs the array before the write with the one after
     [](Program& p) {
       const Id x = donated(p, {9000});
       const Id y = p.update(x, p.input(DType::float32, {4}, 2), {17}, {5});
       p.output(p.map(Op::sub, {y, x}));
     },
     3, 3},
    {"write_then_multiply",
     [](Program& p) {
       Id x = p.factor(DType::float32, {20, 30});
       x = p.update(x, p.factor(DType::float32, {20, 3}, 2), {0, 4}, {1, 2});
       p.output(p.matmul(x, p.factor(DType::float32, {30, 10}, 3)));
     },
     2, 2},
    {"join_of_many",
     [](Program& p) {
       std::vector<Id> parts;
       for (int i = 0; i < 40; ++i) parts.push_back(p.input(DType::float32, {1, 33}, i));
       p.output(p.join(parts, 0));
     },
     3, 3},
    {"join_of_columns",
     [](Program& p) {
       std::vector<Id> parts;
       Id x = p.input(DType::float32, {70, 3});
       for (int i = 0; i < 20; ++i) {
         x = p.map(Op::add, {x, p.scalar(DType::float32, i)});
         parts.push_back(x);
       }
       p.output(p.reduce(Op::max, p.join(parts, 1), {1}));
     },
     2, 2},
};

}  // namespace

std::span<const Case> write_cases() { return kCases; }

}  // namespace kiln::testing
