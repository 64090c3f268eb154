#include "tests/plans/cases.h"

namespace kiln::testing {

namespace {

using ir::DType;
using ir::Op;
using Id = Program::Id;

Id softmax(Program& p, Id x) {
  const Id shifted = p.map(Op::sub, {x, p.reduce(Op::max, x, {1}, true)});
  const Id e = p.map(Op::exp, {shifted});
  return p.map(Op::div, {e, p.reduce(Op::add, e, {1}, true)});
}

Id mean(Program& p, Id x, std::vector<std::uint8_t> axes, double n) {
  return p.map(Op::div,
               {p.reduce(Op::add, x, std::move(axes), true), p.constant(DType::float32, n)});
}

Id layer_norm(Program& p, Id x, double n) {
  const Id centred = p.map(Op::sub, {x, mean(p, x, {1}, n)});
  const Id variance = mean(p, p.map(Op::mul, {centred, centred}), {1}, n);
  const Id deviation =
      p.map(Op::sqrt, {p.map(Op::add, {variance, p.constant(DType::float32, 1e-5)})});
  return p.map(Op::div, {centred, deviation});
}

void chain(Program& p, std::int64_t n) {
  Id x = p.input(DType::float32, {n});
  const Id s = p.scalar(DType::float32, 1.25);
  for (int i = 0; i < 20; ++i) x = p.map(i % 2 ? Op::mul : Op::add, {x, s});
  p.output(x);
}

void rows(Program& p, std::int64_t n, std::int64_t k) {
  p.output(softmax(p, p.input(DType::float32, {n, k})));
}

// A label a row, which the last phase alone needs.
void cross_entropy(Program& p, std::int64_t n, std::int64_t k) {
  const Id x = p.input(DType::float32, {n, k});
  const Id shifted = p.map(Op::sub, {x, p.reduce(Op::max, x, {1}, true)});
  const Id sum = p.reduce(Op::add, p.map(Op::exp, {shifted}), {1}, true);
  const Id logs = p.map(Op::sub, {shifted, p.map(Op::log, {sum})});
  const Id label =
      p.map(Op::and_, {p.input(DType::int32, {n, 1}, 2), p.constant(DType::int32, 255)});
  const Id picked = p.map(Op::eq, {p.iota(DType::int32, {n, k}, 1), label});
  p.output(
      p.reduce(Op::add, p.map(Op::select, {picked, logs, p.constant(DType::float32, 0)}), {1}));
}

// Scales and a mask a row: one that the first phase needs, others for the outputs.
void scaled_softmax(Program& p, std::int64_t n, std::int64_t k) {
  const Id x =
      p.map(Op::mul, {p.input(DType::float32, {n, k}), p.input(DType::float32, {n, 1}, 2)});
  const Id scale = p.cast(DType::float32, p.input(DType::bfloat16, {n, 1}, 3));
  const Id scaled = p.map(Op::mul, {softmax(p, x), scale});
  const Id mask = p.input(DType::bool_, {n, 1}, 4);
  p.output(p.map(Op::select, {mask, scaled, x}));
}

constexpr Case kCases[] = {
    {"add",
     [](Program& p) {
       p.output(p.map(Op::add, {p.input(DType::float32, {37}), p.input(DType::float32, {37}, 2)}));
     },
     1, 1},
    {"scalar_add",
     [](Program& p) {
       p.output(p.map(Op::add, {p.input(DType::float64, {}), p.scalar(DType::float64, 2)}));
     },
     1, 1},
    {"chain_1000", [](Program& p) { chain(p, 1000); }, 1, 1},
    {"chain_40000", [](Program& p) { chain(p, 40000); }, 1, 1},
    {"two_outputs",
     [](Program& p) {
       const Id x = p.input(DType::float32, {300});
       const Id y = p.map(Op::exp, {x});
       p.output(p.map(Op::add, {y, x}));
       p.output(p.map(Op::sub, {y, x}));
     },
     1, 1},
    {"output_of_output",
     [](Program& p) {
       const Id x = p.input(DType::float32, {300});
       const Id y = p.map(Op::mul, {x, x});
       p.output(y);
       p.output(p.map(Op::add, {y, x}));
     },
     1, 1},
    {"row_and_column_broadcast",
     [](Program& p) {
       const Id a = p.input(DType::float32, {13, 1});
       const Id b = p.input(DType::float32, {29}, 2);
       p.output(p.map(Op::mul, {p.map(Op::add, {a, b}), p.input(DType::float32, {13, 29}, 3)}));
     },
     1, 1},
    {"sum_all_small",
     [](Program& p) { p.output(p.reduce(Op::add, p.input(DType::float32, {1000}), {0})); }, 1, 1},
    {"sum_all_small_one_by_one",
     [](Program& p) { p.output(p.reduce(Op::add, p.input(DType::float32, {1001}), {0})); }, 1, 1},
    {"sum_all_large",
     [](Program& p) {
       const Id x = p.input(DType::float32, {150001});
       p.output(p.map(
           Op::mul, {p.reduce(Op::add, p.map(Op::mul, {x, x}), {0}), p.scalar(DType::float32, 3)}));
     },
     2, 2},
    {"sum_rows",
     [](Program& p) { p.output(p.reduce(Op::add, p.input(DType::float32, {9, 1500}), {1})); }, 1,
     1},
    {"sum_rows_of_vectors",
     [](Program& p) { p.output(p.reduce(Op::add, p.input(DType::float32, {37, 620}), {1})); }, 1,
     1},
    {"sum_rows_long",
     [](Program& p) { p.output(p.reduce(Op::add, p.input(DType::float32, {3, 20000}), {1})); }, 1,
     1},
    {"sum_columns",
     [](Program& p) { p.output(p.reduce(Op::add, p.input(DType::float32, {1300, 70}), {0})); }, 1,
     1},
    {"sum_columns_weighted",
     [](Program& p) {
       const Id w = p.cast(DType::float32, p.input(DType::int64, {600, 1}, 2));
       p.output(p.reduce(Op::add, p.map(Op::mul, {p.input(DType::float32, {600, 70}), w}), {0}));
     },
     1, 1},
    {"max_columns",
     [](Program& p) { p.output(p.reduce(Op::max, p.input(DType::float32, {200, 33}), {0})); }, 1,
     1},
    {"sum_middle",
     [](Program& p) { p.output(p.reduce(Op::add, p.input(DType::float64, {5, 60, 7}), {1})); }, 1,
     1},
    {"sum_outer_and_inner",
     [](Program& p) { p.output(p.reduce(Op::add, p.input(DType::float32, {6, 5, 70}), {0, 2})); },
     1, 1},
    {"prod_int",
     [](Program& p) { p.output(p.reduce(Op::mul, p.input(DType::int32, {4, 9}), {1})); }, 1, 1},
    {"any_bool",
     [](Program& p) { p.output(p.reduce(Op::or_, p.input(DType::bool_, {40, 50}), {1})); }, 1, 1},
    {"argmax_rows",
     [](Program& p) { p.output(p.arg(Op::max, p.input(DType::float32, {7, 1100}), 1)); }, 1, 1},
    {"argmin_columns",
     [](Program& p) { p.output(p.arg(Op::min, p.input(DType::int16, {90, 40}), 0)); }, 1, 1},
    {"argmax_all_large",
     [](Program& p) { p.output(p.arg(Op::max, p.input(DType::float32, {140000}), 0)); }, 2, 2},
    {"softmax_8", [](Program& p) { rows(p, 11, 8); }, 1, 1},
    {"softmax_100", [](Program& p) { rows(p, 5, 100); }, 1, 1},
    {"softmax_1000", [](Program& p) { rows(p, 3, 1000); }, 1, 1},
    {"softmax_1001", [](Program& p) { rows(p, 3, 1001); }, 1, 1},
    {"softmax_20000", [](Program& p) { rows(p, 3, 20000); }, 1, 1},
    {"softmax_20001", [](Program& p) { rows(p, 3, 20001); }, 1, 1},
    // Rows of whole vectors, by the lengths that schedules tell apart.
    {"softmax_48", [](Program& p) { rows(p, 11, 48); }, 1, 1},
    {"softmax_960", [](Program& p) { rows(p, 5, 960); }, 1, 1},
    {"softmax_3072", [](Program& p) { rows(p, 3, 3072); }, 1, 1},
    {"softmax_40000", [](Program& p) { rows(p, 2, 40000); }, 1, 1},
    {"cross_entropy_50", [](Program& p) { cross_entropy(p, 11, 50); }, 1, 1},
    {"cross_entropy_300", [](Program& p) { cross_entropy(p, 5, 300); }, 1, 1},
    {"cross_entropy_301", [](Program& p) { cross_entropy(p, 5, 301); }, 1, 1},
    {"cross_entropy_3000", [](Program& p) { cross_entropy(p, 3, 3000); }, 1, 1},
    {"scaled_softmax_1000", [](Program& p) { scaled_softmax(p, 5, 1000); }, 1, 1},
    {"scaled_softmax_2048", [](Program& p) { scaled_softmax(p, 5, 2048); }, 1, 1},
    {"scaled_softmax_40000", [](Program& p) { scaled_softmax(p, 2, 40000); }, 1, 1},
    {"sum_argmin_of_vectors_of_doubles",
     [](Program& p) {
       const Id x = p.input(DType::float64, {3, 2064});
       p.output(p.reduce(Op::add, x, {1}));
       p.output(p.arg(Op::min, x, 1));
     },
     1, 1},
    {"norm_of_vectors_of_bfloats",
     [](Program& p) {
       const Id x = p.cast(DType::float32, p.input(DType::bfloat16, {4, 800}));
       const Id y = p.map(Op::mul, {layer_norm(p, x, 800), p.input(DType::float32, {800}, 2)});
       p.output(p.cast(DType::bfloat16, y));
     },
     1, 1},
    {"sum_of_vectors_in_pieces",
     [](Program& p) {
       const Id x = p.input(DType::float32, {160000});
       const Id y = p.cast(DType::float32, p.input(DType::float16, {160000}, 2));
       p.output(p.reduce(Op::add, p.map(Op::mul, {x, y}), {0}));
     },
     2, 2},
    {"softmax_of_one_long_row", [](Program& p) { rows(p, 1, 262160); }, 5, 5},
    {"layer_norm",
     [](Program& p) {
       const Id x = p.input(DType::float32, {6, 300});
       const Id g = p.input(DType::float32, {300}, 2);
       p.output(p.map(Op::mul, {layer_norm(p, x, 300), g}));
     },
     1, 1},
    {"sum_max_argmax_dot_together",
     [](Program& p) {
       const Id x = p.input(DType::float32, {8, 500});
       const Id y = p.input(DType::float32, {8, 500}, 2);
       p.output(p.reduce(Op::add, x, {1}));
       p.output(p.reduce(Op::max, x, {1}));
       p.output(p.reduce(Op::add, p.map(Op::mul, {x, y}), {1}));
       p.output(p.arg(Op::max, x, 1));
     },
     1, 1},
    {"value_and_its_sum",
     [](Program& p) {
       const Id x = p.input(DType::float32, {8, 500});
       const Id y = p.map(Op::exp, {x});
       p.output(y);
       p.output(p.reduce(Op::add, y, {1}));
     },
     1, 1},
    {"rows_beside_their_sums",
     [](Program& p) {
       const Id x = p.input(DType::float32, {300, 100});
       p.output(p.map(Op::mul, {x, p.constant(DType::float32, 2)}));
       p.output(p.reduce(Op::add, x, {1}));
     },
     1, 1},
    // One multiprocessor would do what all of them can.
    {"a_large_value_beside_a_sum",
     [](Program& p) {
       const Id x = p.input(DType::float32, {60000});
       p.output(p.map(Op::mul, {x, p.constant(DType::float32, 2)}));
       p.output(p.reduce(Op::add, x, {0}));
     },
     2, 2},
    {"distances_with_axes_turned",
     [](Program& p) {
       const Id a = p.input(DType::float32, {40, 1, 7}), b = p.input(DType::float32, {1, 30, 7}, 2);
       const Id d = p.map(Op::sub, {a, b});
       const Id turned = p.reduce(Op::add, p.permute(p.map(Op::mul, {d, d}), {2, 1, 0}), {0});
       p.output(p.arg(Op::min, turned, 0));
     },
     1, 1},
    {"column_standardise",
     [](Program& p) {
       const Id x = p.input(DType::float32, {200, 70});
       const Id c = p.map(Op::sub, {x, mean(p, x, {0}, 200)});
       const Id v = mean(p, p.map(Op::mul, {c, c}), {0}, 200);
       p.output(p.map(Op::div, {c, p.map(Op::sqrt, {v})}));
     },
     1, 1},
    {"pairwise_distances",
     [](Program& p) {
       const Id a = p.reshape(p.input(DType::float32, {19, 64}), {19, 1, 64});
       const Id b = p.reshape(p.input(DType::float32, {23, 64}, 2), {1, 23, 64});
       const Id d = p.map(Op::sub, {a, b});
       p.output(p.reduce(Op::add, p.map(Op::mul, {d, d}), {2}));
     },
     1, 1},
    {"transpose_add",
     [](Program& p) {
       const Id x = p.input(DType::float32, {40, 40});
       p.output(p.map(Op::add, {x, p.permute(x, {1, 0})}));
     },
     1, 1},
    {"transpose_of_each_in_a_batch",
     [](Program& p) {
       const Id x = p.map(Op::exp, {p.input(DType::float32, {3, 50, 37})});
       const Id y = p.cast(DType::float32, p.input(DType::int8, {3, 37, 50}, 2));
       p.output(p.map(Op::sub, {p.permute(x, {0, 2, 1}), y}));
     },
     1, 1},
    {"outputs_both_ways",
     [](Program& p) {
       const Id x = p.input(DType::float64, {45, 33});
       const Id y = p.permute(p.input(DType::float64, {33, 45}, 2), {1, 0});
       const Id z = p.map(Op::mul, {x, y});
       p.output(z);
       p.output(p.permute(z, {1, 0}));
       p.output(p.permute(x, {1, 0}));
     },
     2, 2},
    {"slices_and_flip",
     [](Program& p) {
       const Id x = p.input(DType::float32, {50, 3});
       const Id a = p.slice(x, {2, 0}, {1, 1}, {40, 3});
       const Id b = p.slice(x, {49, 2}, {-1, -1}, {40, 3});
       const Id c = p.slice(x, {1, 0}, {2, 1}, {20, 3});
       p.output(p.map(Op::add, {a, b}));
       p.output(c);
     },
     2, 2},
    {"pad_then_add",
     [](Program& p) {
       const Id x = p.input(DType::float32, {20, 21});
       const Id y = p.pad(p.map(Op::exp, {x}), {1, 2}, {23, 25}, 7);
       p.output(p.map(Op::add, {y, p.input(DType::float32, {23, 25}, 2)}));
     },
     1, 1},
    {"concat_then_scale",
     [](Program& p) {
       const Id x = p.input(DType::float32, {6, 21});
       const Id y = p.input(DType::float32, {9, 21}, 2);
       const Id z = p.concat({p.map(Op::neg, {x}), y, x}, 0);
       p.output(p.map(Op::mul, {z, p.scalar(DType::float32, 2)}));
       p.output(p.concat({x, x}, 1));
     },
     2, 2},
    {"reshape_of_expression",
     [](Program& p) {
       const Id x = p.map(Op::exp, {p.input(DType::float32, {6, 20})});
       p.output(p.map(Op::add, {p.reshape(x, {4, 30}), p.input(DType::float32, {4, 30}, 2)}));
     },
     1, 1},
    {"reshape_of_permute",
     [](Program& p) {
       const Id x = p.permute(p.input(DType::float32, {6, 20}), {1, 0});
       p.output(p.reshape(x, {120}));
     },
     1, 1},
    {"casts",
     [](Program& p) {
       const Id x = p.input(DType::float16, {100});
       const Id y = p.cast(DType::float32, x);
       p.output(p.cast(DType::uint8, p.map(Op::mul, {y, y})));
       p.output(p.cast(DType::bfloat16, y));
     },
     1, 1},
    {"iota",
     [](Program& p) {
       p.output(
           p.map(Op::add, {p.iota(DType::int64, {7, 30}, 1), p.iota(DType::int64, {7, 30}, 0)}));
     },
     1, 1},
    {"copy_of_input", [](Program& p) { p.output(p.input(DType::int8, {33})); }, 1, 1},
    {"constant_output",
     [](Program& p) { p.output(p.broadcast(p.constant(DType::float32, 3), {5, 6})); }, 1, 1},
    {"empty",
     [](Program& p) {
       const Id x = p.input(DType::float32, {0, 5});
       p.output(p.map(Op::add, {x, x}));
       p.output(p.reduce(Op::add, x, {0}));
     },
     2, 2},
    {"stencil_twice",
     [](Program& p) {
       Id x = p.input(DType::float32, {60});
       for (std::int64_t n = 58; n >= 56; n -= 2) {
         const Id left = p.slice(x, {0}, {1}, {n});
         const Id right = p.slice(x, {2}, {1}, {n});
         x = p.map(Op::mul, {p.map(Op::add, {left, right}), p.scalar(DType::float32, 0.5)});
       }
       p.output(x);
     },
     1, 1},
    {"picture_of_three_channels",
     [](Program& p) {
       const Id x = p.input(DType::float32, {20, 30, 3});
       const Id wide = p.pad(x, {0, 4, 0}, {20, 38, 3}, 0);
       const Id shifted = p.slice(wide, {0, 1, 0}, {1, 1, 1}, {20, 30, 3});
       const Id flipped = p.slice(x, {0, 29, 2}, {1, -1, -1}, {20, 30, 3});
       const Id columns = p.reshape(p.input(DType::float32, {30}, 2), {30, 1});
       const Id channels = p.input(DType::float32, {3}, 3);
       p.output(p.map(Op::add,
                      {p.map(Op::mul, {shifted, columns}), p.map(Op::sub, {flipped, channels})}));
     },
     1, 1},
    {"sum_of_half",
     [](Program& p) { p.output(p.reduce(Op::add, p.input(DType::float16, {9, 300}), {1})); }, 1, 1},
    {"product_of_bfloat_columns",
     [](Program& p) { p.output(p.reduce(Op::mul, p.input(DType::bfloat16, {30, 40}), {0})); }, 1,
     1},
    {"arg_of_arg_over_one",
     [](Program& p) {
       p.output(p.arg(Op::min, p.arg(Op::max, p.input(DType::int64, {1, 5}), 0), 0));
     },
     1, 1},
    {"chain_2500_is_cut",
     [](Program& p) {
       Id x = p.input(DType::float32, {100});
       const Id s = p.scalar(DType::float32, 1.25);
       for (int i = 0; i < 2500; ++i) x = p.map(i % 2 ? Op::mul : Op::sub, {x, s});
       p.output(x);
     },
     3, 3},
    {"columns_wide_and_long",
     [](Program& p) {
       const Id x = p.input(DType::float32, {2100, 1303});
       p.output(p.reduce(Op::add, x, {0}));
       p.output(p.arg(Op::min, x, 0));
     },
     1, 1},
    {"rows_of_many_chunks",
     [](Program& p) { p.output(p.reduce(Op::add, p.input(DType::float32, {3, 70001}), {1})); }, 1,
     2},
    {"layer_norm_3000",
     [](Program& p) { p.output(layer_norm(p, p.input(DType::float32, {4, 3000}), 3000)); }, 1, 1},
    {"layer_norm_3001",
     [](Program& p) { p.output(layer_norm(p, p.input(DType::float32, {4, 3001}), 3001)); }, 1, 1},
    {"softmax_of_two_inputs",
     [](Program& p) {
       const Id x = p.input(DType::float32, {9, 777});
       const Id y = p.input(DType::float32, {9, 777}, 2);
       const Id sum = p.map(Op::add, {x, y});
       const Id e = p.map(Op::exp, {p.map(Op::sub, {sum, p.reduce(Op::max, sum, {1}, true)})});
       p.output(p.map(Op::div, {e, p.reduce(Op::add, e, {1}, true)}));
       p.output(p.map(Op::mul, {e, y}));
     },
     1, 1},
    {"softmax_of_doubles",
     [](Program& p) {
       const Id x = p.input(DType::float64, {3, 1500});
       const Id e = p.map(Op::exp, {p.map(Op::sub, {x, p.reduce(Op::max, x, {1}, true)})});
       p.output(p.map(Op::div, {e, p.reduce(Op::add, e, {1}, true)}));
     },
     1, 1},
    {"softmax_of_bfloats",
     [](Program& p) {
       const Id x = p.input(DType::bfloat16, {5, 333});
       const Id e = p.map(Op::exp, {p.map(Op::sub, {x, p.reduce(Op::max, x, {1}, true)})});
       p.output(p.map(Op::div, {e, p.reduce(Op::add, e, {1}, true)}));
     },
     1, 1},
    {"softmax_of_a_transpose",
     [](Program& p) { p.output(softmax(p, p.permute(p.input(DType::float32, {200, 7}), {1, 0}))); },
     1, 1},
    {"edges_of_a_wide_stencil",
     [](Program& p) {
       const Id x = p.input(DType::float32, {5, 1111});
       const Id y = p.pad(x, {1, 1}, {7, 1113}, 2);
       const Id left = p.slice(y, {1, 0}, {1, 1}, {5, 1111});
       const Id right = p.slice(y, {1, 2}, {1, 1}, {5, 1111});
       const Id up = p.slice(y, {0, 1}, {1, 1}, {5, 1111});
       p.output(p.map(Op::add, {p.map(Op::mul, {left, right}), p.map(Op::sub, {up, x})}));
     },
     1, 1},
    {"wide_joins_and_pads",
     [](Program& p) {
       const Id x = p.input(DType::float32, {3, 600});
       const Id y = p.input(DType::float32, {3, 17}, 2);
       const Id z = p.pad(p.concat({y, x, p.map(Op::exp, {y})}, 1), {0, 5}, {3, 640}, -1);
       p.output(p.map(Op::add, {z, p.concat({p.slice(z, {0, 100}, {1, 1}, {3, 540}),
                                             p.slice(z, {0, 0}, {1, 1}, {3, 100})},
                                            1)}));
     },
     1, 1},
    {"wide_roll_of_bytes",
     [](Program& p) {
       const Id x = p.input(DType::uint8, {2, 2000});
       const Id rolled = p.concat(
           {p.slice(x, {0, 1999}, {1, 1}, {2, 1}), p.slice(x, {0, 0}, {1, 1}, {2, 1999})}, 1);
       p.output(p.map(Op::add, {x, rolled}));
     },
     1, 1},
    {"strided_slices_of_a_wide_pad",
     [](Program& p) {
       const Id y = p.pad(p.input(DType::float32, {1500}), {7}, {1530}, 3);
       p.output(p.map(Op::sub, {p.slice(y, {0}, {2}, {765}), p.slice(y, {1529}, {-2}, {765})}));
     },
     1, 1},
    {"short_rows_of_one_value",
     [](Program& p) {
       const Id x = p.input(DType::float32, {45, 1});
       const Id y = p.input(DType::float32, {45, 5}, 2);
       p.output(p.reduce(Op::add, p.broadcast(x, {45, 5}), {1}));
       p.output(p.reduce(Op::max, p.map(Op::mul, {x, y}), {1}));
     },
     1, 1},
    {"part_of_a_reduction",
     [](Program& p) {
       const Id x = p.input(DType::float32, {19, 3, 11});
       p.output(p.slice(p.reduce(Op::add, x, {1}), {0, 0}, {1, 1}, {19, 5}));
     },
     2, 2},
    {"columns_standardised",
     [](Program& p) {
       const Id x = p.input(DType::float32, {2500, 45});
       const Id centred = p.map(Op::sub, {x, mean(p, x, {0}, 2500)});
       const Id variance = mean(p, p.map(Op::mul, {centred, centred}), {0}, 2500);
       p.output(p.map(Op::div, {centred, p.map(Op::sqrt, {variance})}));
     },
     1, 1},
    {"few_long_columns",
     [](Program& p) {
       const Id x = p.input(DType::float32, {9000, 37});
       p.output(p.reduce(Op::add, x, {0}));
       p.output(p.arg(Op::min, x, 0));
       p.output(p.reduce(Op::mul, p.cast(DType::float64, x), {0}));
     },
     2, 2},
    {"few_long_columns_of_batches",
     [](Program& p) {
       const Id x = p.input(DType::float16, {3, 5000, 35});
       p.output(p.map(Op::add, {p.reduce(Op::add, x, {1}), p.scalar(DType::float16, 1)}));
     },
     2, 2},
    {"reduce_of_reduce",
     [](Program& p) {
       const Id x = p.input(DType::float32, {30, 40});
       p.output(p.reduce(Op::add, p.reduce(Op::max, x, {1}), {0}));
     },
     2, 2},
};
}  // namespace

std::span<const Case> cases_without_products() { return kCases; }

}  // namespace kiln::testing
