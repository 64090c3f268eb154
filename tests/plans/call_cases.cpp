// Calls (matrix products, sorting) of operands that lie in memory in every way, between kernels and
// without.
#include <vector>

#include "tests/plans/cases.h"

namespace kiln::testing {

namespace {

using ir::DType;
using ir::Op;
using Id = Program::Id;

const Case kCases[] = {
    {"product_of_inputs",
     [](Program& p) {
       p.output(p.matmul(p.factor(DType::float32, {7, 9}), p.factor(DType::float32, {9, 5}, 2)));
     },
     0, 0},
    {"product_of_transposed_inputs",
     [](Program& p) {
       const Id a = p.permute(p.factor(DType::float64, {3, 9, 7}), {0, 2, 1});
       const Id b = p.permute(p.factor(DType::float64, {3, 5, 9}, 2), {0, 2, 1});
       p.output(p.matmul(a, b));
     },
     0, 0},
    {"product_of_strided_inputs",
     [](Program& p) {
       const Id a = p.factor(DType::float32, {7, 9}, {20, 2});
       const Id b = p.factor(DType::float32, {9, 5}, {-5, -1}, 2);
       p.output(p.matmul(a, b));
     },
     2, 2},
    {"product_of_a_strided_input_and_its_transpose",
     [](Program& p) {
       const Id x = p.factor(DType::float32, {8, 8}, {1, 9});
       p.output(p.matmul(x, x));
       p.output(p.matmul(p.permute(x, {1, 0}), x));
     },
     1, 1},
    {"product_of_a_strided_input_that_is_asked_for",
     [](Program& p) {
       const Id x = p.factor(DType::float32, {6, 6}, {7, 1});
       p.output(x);
       p.output(p.matmul(x, x));
       p.output(p.map(Op::add, {p.map(Op::mul, {x, x}), p.matmul(x, x)}));
     },
     1, 1},
    {"product_of_repeated_rows",
     [](Program& p) {
       const Id a = p.factor(DType::float64, {6, 9}, {0, 1});
       const Id b = p.factor(DType::float64, {9, 4}, {1, 0}, 2);
       p.output(p.matmul(a, b));
     },
     2, 2},
    {"product_of_a_batch_repeated",
     [](Program& p) {
       const Id a = p.factor(DType::float32, {3, 4, 6}, {0, 6, 1});
       const Id b = p.broadcast(p.factor(DType::float32, {6, 2}, 3), {3, 6, 2});
       p.output(p.matmul(a, b));
     },
     1, 1},
    {"product_of_a_batch_permuted",
     [](Program& p) {
       const Id a = p.permute(p.factor(DType::float32, {4, 3, 6}), {1, 0, 2});
       const Id b = p.permute(p.factor(DType::float32, {2, 6, 3}, 2), {2, 1, 0});
       p.output(p.matmul(a, b));
     },
     1, 1},
    {"product_of_single_rows_and_columns",
     [](Program& p) {
       const Id row = p.factor(DType::float32, {1, 9}, {9, 3});
       const Id column = p.factor(DType::float32, {9, 1}, {4, 4}, 2);
       p.output(p.matmul(row, column));
       p.output(p.matmul(column, row));
     },
     0, 0},
    {"product_without_terms",
     [](Program& p) {
       p.output(p.matmul(p.factor(DType::float32, {4, 0}), p.factor(DType::float32, {0, 3})));
     },
     0, 0},
    {"product_between_kernels",
     [](Program& p) {
       const Id a =
           p.map(Op::add, {p.factor(DType::float32, {17, 30}), p.scalar(DType::float32, 1)});
       const Id b = p.slice(p.factor(DType::float32, {30, 40}, 3), {0, 39}, {1, -2}, {30, 20});
       const Id c = p.matmul(a, b);
       p.output(p.map(Op::mul, {c, p.constant(DType::float32, 0.5)}));
       p.output(p.reduce(Op::add, c, {1}));
     },
     3, 3},
    {"sort_of_an_input",
     [](Program& p) { p.output(p.item(p.sort(p.factor(DType::float32, {5, 7}), 1), 0)); }, 0, 0},
    {"sort_of_views",
     [](Program& p) {
       const Id x = p.permute(p.factor(DType::float64, {5, 7, 3}), {2, 0, 1});
       const Id y = p.slice(x, {0, 4, 1}, {1, -2, 1}, {3, 2, 4});
       p.output(p.item(p.sort(y, 1, Op::max), 0));
       p.output(p.item(p.sort(p.factor(DType::int32, {6, 4}, {-4, 0}), 0), 1));
     },
     0, 0},
    {"sort_between_kernels",
     [](Program& p) {
       const Id x = p.factor(DType::float32, {9, 11});
       const Id whole = p.sort(p.map(Op::mul, {x, x}), 0);
       p.output(p.map(Op::add, {p.item(whole, 0), x}));
       p.output(p.reduce(Op::max, p.item(whole, 1), {1}));
     },
     2, 2},
    {"sort_of_a_sort",
     [](Program& p) {
       const Id x = p.factor(DType::float32, {8, 6});
       p.output(p.item(p.sort(p.item(p.sort(x, 0), 0), 1), 0));
       p.output(p.item(p.sort(p.item(p.sort(x, 0), 1), 0), 1));
     },
     0, 0},
    {"scan_of_views",
     [](Program& p) {
       const Id x = p.permute(p.factor(DType::float64, {5, 7, 3}), {2, 0, 1});
       p.output(p.scan(Op::add, x, 2));
       p.output(p.scan(Op::mul, p.slice(x, {0, 4, 1}, {1, -2, 1}, {3, 2, 4}), 1));
     },
     0, 0},
    {"scan_between_kernels",
     [](Program& p) {
       const Id x = p.factor(DType::float32, {9, 40});
       const Id sums = p.scan(Op::add, p.map(Op::mul, {x, x}), 1);
       p.output(p.map(Op::sub, {sums, x}));
       p.output(p.scan(Op::max, sums, 0));
     },
     2, 2},
    {"sort_and_product",
     [](Program& p) {
       const Id a = p.item(p.sort(p.factor(DType::float32, {6, 5}), 1), 0);
       p.output(p.matmul(p.permute(a, {1, 0}), a));
       p.output(p.item(p.sort(p.matmul(a, p.permute(a, {1, 0})), 0), 1));
     },
     0, 0},
    {"product_of_products",
     [](Program& p) {
       const Id a = p.factor(DType::float64, {6, 5});
       const Id c = p.matmul(a, p.factor(DType::float64, {5, 8}, 3));
       p.output(p.matmul(p.permute(c, {1, 0}), c));
       p.output(p.matmul(p.matmul(c, p.permute(c, {1, 0})), c));
     },
     0, 0},
};

}  // namespace

std::span<const Case> cases() {
  static const std::vector<Case>* const all = [] {
    const std::span<const Case> others = cases_without_products();
    auto* const joined = new std::vector<Case>(others.begin(), others.end());
    joined->insert(joined->end(), std::begin(kCases), std::end(kCases));
    joined->insert(joined->end(), write_cases().begin(), write_cases().end());
    return joined;
  }();
  return *all;
}

}  // namespace kiln::testing
