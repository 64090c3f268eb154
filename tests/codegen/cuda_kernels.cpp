#include "tests/codegen/cuda_kernels.h"

#include <cstring>

#include "ir/kernel_builder.h"
#include "ir/scalar.h"

namespace kiln::tests {

using ir::DType;
using ir::KernelBuilder;
using ir::kNoValue;
using ir::Op;
using ir::Target;
using ir::Value;

Value thread_index(KernelBuilder& b, std::int64_t threads) {
  const Value block = b.begin_grid();
  const Value thread = b.begin_thread(threads);
  return b.add(b.mul(block, b.index(threads)), thread);
}

ir::Kernel finish(KernelBuilder& b, const char* name, const char* expression) {
  b.end();
  b.end();
  ir::Kernel kernel = b.finish();
  kernel.name = name;
  kernel.expression = expression;
  return kernel;
}

namespace {

std::uint64_t f32(double x) { return ir::bits_of(DType::float32, x); }

// out = (x + y) * s, a thread an element.
Case pointwise() {
  KernelBuilder b(Target::cuda, DType::int32);
  const auto x = b.buffer(DType::float32, "x", true), y = b.buffer(DType::float32, "y", true);
  const auto out = b.buffer(DType::float32, "out", false);
  const Value n = b.integer("n"), s = b.scalar(DType::float32, "s");
  const Value i = thread_index(b, 256);
  b.name(i, "i");
  b.begin_if(b.less(i, n));
  b.set_line("heat.cpp:41");
  const Value sum = b.op(Op::add, DType::float32, {b.load(x, i), b.load(y, i)});
  b.store(out, i, b.op(Op::mul, DType::float32, {sum, s}));
  b.end();
  return {finish(b, "add_scale", "out = (x + y) * s"), 4, {1000, 1000, 1000, 1000, 0}};
}

// Four elements a thread by one access; what remains one by one. t * t + t uses t twice.
Case pointwise_float4() {
  KernelBuilder b(Target::cuda, DType::int32);
  const auto x = b.buffer(DType::float32, "x", true), y = b.buffer(DType::float32, "y", true);
  const auto out = b.buffer(DType::float32, "out", false);
  const Value n = b.integer("n");
  const Value i = b.mul(thread_index(b, 128), b.index(4));
  b.name(i, "i");
  const auto body = [&](Value a, Value c) {
    b.set_line("heat.cpp:52");
    const Value t = b.op(Op::sub, DType::float32, {a, c});
    b.name(t, "delta");
    b.set_line("heat.cpp:53");
    return b.op(Op::add, DType::float32, {b.op(Op::mul, DType::float32, {t, t}), t});
  };
  b.begin_if(b.op(Op::le, DType::bool_, {b.add(i, b.index(4)), n}));
  const Value x4 = b.load(x, i, 4, kNoValue, kNoValue, ir::kAligned);
  const Value y4 = b.load(y, i, 4, kNoValue, kNoValue, ir::kAligned);
  b.store(out, i, body(x4, y4), kNoValue, ir::kAligned);
  b.begin_else();
  const Value j = b.begin_loop(i, n, b.index(1));
  const Value x1 = b.load(x, j), y1 = b.load(y, j);
  b.store(out, j, body(x1, y1));
  b.end();
  b.end();
  return {
      finish(b, "squared_delta", "out = (x - y) * (x - y) + (x - y)"), 4, {1999, 1999, 1999, 1999}};
}

// A warp a row: sums over lanes, then the tree of adjacent pairs by shuffles. 64-bit indices.
Case row_sum_warp() {
  KernelBuilder b(Target::cuda, DType::int64);
  const auto x = b.buffer(DType::float32, "x", true),
             out = b.buffer(DType::float32, "row_sum", false);
  const Value rows = b.integer("rows"), columns = b.integer("columns");
  const auto acc = b.local(DType::float32, 1, "acc");
  const Value block = b.begin_grid();
  const Value thread = b.begin_thread(128);
  const Value lane = b.rem(thread, b.index(32));
  b.name(lane, "lane");
  const Value row = b.add(b.mul(block, b.index(4)), b.div(thread, b.index(32)));
  b.name(row, "row");
  const Value zero = b.index(0);
  b.begin_if(b.less(row, rows));
  b.store(acc, zero, b.constant(DType::float32, f32(0.0)));
  const Value column = b.begin_loop(lane, columns, b.index(32));
  b.name(column, "column");
  const Value element = b.load(x, b.add(b.mul(row, columns), column));
  b.store(acc, zero, b.op(Op::add, DType::float32, {b.load(acc, zero), element}));
  b.end();
  b.end();
  Value sum = b.load(acc, zero);
  const Value lane32 = b.op(Op::cast, DType::int32, {lane});
  for (int distance = 1; distance < 32; distance *= 2) {
    const Value step = b.constant(DType::int32, static_cast<std::uint64_t>(distance));
    const Value other = b.shuffle(sum, b.op(Op::xor_, DType::int32, {lane32, step}));
    sum = b.op(Op::add, DType::float32, {sum, other});
  }
  const Value first = b.op(Op::eq, DType::bool_, {lane, zero});
  b.begin_if(b.logical_and(first, b.less(row, rows)));
  b.store(out, row, sum);
  b.end();
  return {finish(b, "row_sum", "row_sum = sum(x, 1)"), 3, {10 * 77, 10, 10, 77}};
}

// A block a row: partial sums in shared memory, halved between barriers.
Case row_max_block() {
  KernelBuilder b(Target::cuda, DType::int32);
  const auto x = b.buffer(DType::float32, "x", true),
             out = b.buffer(DType::float32, "row_max", false);
  const Value columns = b.integer("columns");
  const auto best = b.local(DType::float32, 1, "best");
  const auto tile = b.shared(DType::float32, 128, "tile");
  const Value row = b.begin_grid();
  const Value thread = b.begin_thread(128);
  b.name(row, "row");
  const Value zero = b.index(0);
  b.store(best, zero, b.constant(DType::float32, 0xFF800000u));
  const Value column = b.begin_loop(thread, columns, b.index(128));
  b.name(column, "column");
  const Value element = b.load(x, b.add(b.mul(row, columns), column));
  b.store(best, zero, b.op(Op::max, DType::float32, {b.load(best, zero), element}));
  b.end();
  b.store(tile, thread, b.load(best, zero));
  for (int half = 64; half > 0; half /= 2) {
    b.barrier();
    b.begin_if(b.less(thread, b.index(half)));
    const Value other = b.load(tile, b.add(thread, b.index(half)));
    b.store(tile, thread, b.op(Op::max, DType::float32, {b.load(tile, thread), other}));
    b.end();
  }
  b.barrier();
  b.begin_if(b.op(Op::eq, DType::bool_, {thread, zero}));
  b.store(out, row, b.load(tile, zero));
  b.end();
  return {finish(b, "row_max", "row_max = max(x, 1)"), 5, {5 * 300, 5, 300}};
}

// 16-byte accesses of 8 halves; a bfloat16 scalar; one rounding an op.
Case halves() {
  KernelBuilder b(Target::cuda, DType::int32);
  const auto x = b.buffer(DType::float16, "x", true), w = b.buffer(DType::bfloat16, "w", true);
  const auto out = b.buffer(DType::float16, "out", false),
             wide = b.buffer(DType::bfloat16, "wide", false);
  const Value n = b.integer("n"), s = b.scalar(DType::bfloat16, "s");
  const Value i = b.mul(thread_index(b, 64), b.index(8));
  b.begin_if(b.less(i, n));
  const Value x8 = b.load(x, i, 8, kNoValue, kNoValue, ir::kAligned);
  const Value w8 = b.load(w, i, 8, kNoValue, kNoValue, ir::kAligned);
  const Value half_w = b.op(Op::cast, DType::float16, {w8});
  const Value product = b.op(Op::mul, DType::float16, {x8, half_w});
  const Value tenth = b.constant(DType::float16, ir::bits_of(DType::float16, 0.1));
  b.store(out, i, b.op(Op::add, DType::float16, {product, tenth}), kNoValue, ir::kAligned);
  const Value scaled = b.op(Op::div, DType::bfloat16, {w8, b.splat(s, 8)});
  b.store(wide, i, b.op(Op::sqrt, DType::bfloat16, {b.op(Op::abs, DType::bfloat16, {scaled})}),
          kNoValue, ir::kAligned);
  b.end();
  return {finish(b, "halves", ""), 2, {1024, 1024, 1024, 1024, 1024, 0}};
}

// Softmax of a row held in registers: loops with constant bounds, exp as a function.
Case softmax() {
  KernelBuilder b(Target::cuda, DType::int32);
  const auto x = b.buffer(DType::float32, "x", true),
             out = b.buffer(DType::float32, "softmax", false);
  const Value columns = b.integer("columns");
  const auto values = b.local(DType::float32, 4, "values");
  const auto total = b.local(DType::float32, 1, "total");
  const Value row = b.begin_grid();
  const Value thread = b.begin_thread(32);
  const Value zero = b.index(0), one = b.index(1), four = b.index(4);
  const Value start = b.mul(row, columns);
  const auto combine = [&](Op op) {
    Value v = b.load(total, zero);
    for (int distance = 1; distance < 32; distance *= 2) {
      const Value step = b.constant(DType::int32, static_cast<std::uint64_t>(distance));
      v = b.op(op, DType::float32, {v, b.shuffle(v, b.op(Op::xor_, DType::int32, {thread, step}))});
    }
    return v;
  };
  const auto each = [&](auto body) {
    const Value m = b.begin_loop(zero, four, one, true);
    const Value column = b.add(b.mul(m, b.index(32)), thread);
    body(m, column, b.less(column, columns));
    b.end();
  };
  b.store(total, zero, b.constant(DType::float32, 0xFF800000u));
  each([&](Value m, Value column, Value inside) {
    const Value v =
        b.load(x, b.add(start, column), 1, inside, b.constant(DType::float32, 0xFF800000u));
    b.store(values, m, v);
    b.store(total, zero, b.op(Op::max, DType::float32, {b.load(total, zero), v}));
  });
  const Value largest = combine(Op::max);
  b.name(largest, "largest");
  b.store(total, zero, b.constant(DType::float32, f32(0.0)));
  each([&](Value m, Value, Value) {
    const Value t = b.op(Op::sub, DType::float32, {b.load(values, m), largest});
    const Value e = b.op(Op::exp, DType::float32, {t});
    b.store(values, m, e);
    b.store(total, zero, b.op(Op::add, DType::float32, {b.load(total, zero), e}));
  });
  const Value sum = combine(Op::add);
  each([&](Value m, Value column, Value inside) {
    b.store(out, b.add(start, column), b.op(Op::div, DType::float32, {b.load(values, m), sum}),
            inside);
  });
  return {finish(b, "softmax", "softmax = exp(x - max(x, 1)) / sum(exp(x - max(x, 1)), 1)"),
          6,
          {6 * 101, 6 * 101, 101}};
}

// In place and lane by lane: loads and stores of one donated buffer, in one loop.
Case in_place() {
  KernelBuilder b(Target::cuda, DType::int32);
  const auto x = b.buffer(DType::float32, "x", false);
  const auto y = b.buffer(DType::float64, "y", true);
  const auto mask = b.buffer(DType::bool_, "mask", true),
             out = b.buffer(DType::float64, "out", false);
  const Value n = b.integer("n");
  const Value i = b.mul(thread_index(b, 32), b.index(4));
  b.begin_if(b.op(Op::le, DType::bool_, {b.add(i, b.index(4)), n}));
  const Value x4 = b.load(x, i, 4);
  const Value m4 = b.load(mask, i, 4, kNoValue, kNoValue, ir::kAligned);
  const Value y4 =
      b.load(y, i, 4, m4, b.constant(DType::float64, ir::bits_of(DType::float64, 1.5)));
  const Value wide = b.op(Op::cast, DType::float64, {x4});
  b.store(x, i, b.op(Op::mul, DType::float32, {x4, x4}));
  b.store(out, i, b.op(Op::add, DType::float64, {y4, wide}), kNoValue, ir::kAligned);
  b.end();
  return {finish(b, "in_place", ""), 2, {250, 250, 250, 250, 250}};
}

// Rearranged lanes, a gather, a scatter, a transposed tile.
Case lanes() {
  KernelBuilder b(Target::cuda, DType::int32);
  const auto x = b.buffer(DType::int32, "x", true), out = b.buffer(DType::int32, "out", false);
  const auto some = b.buffer(DType::bool_, "some", false);
  const auto tile = b.shared(DType::int32, 256, "tile");
  const Value i = b.begin_grid();
  const Value thread = b.begin_thread(32);
  const Value at = b.mul(b.add(b.mul(i, b.index(32)), thread), b.index(8));
  const Value a = b.load(x, at, 4, kNoValue, kNoValue, ir::kAligned);
  const Value c = b.load(x, b.add(at, b.index(4)), 4, kNoValue, kNoValue, ir::kAligned);
  const Value both = b.join(a, c);
  const Value sums = b.op(Op::add, DType::int32, {b.even(both), b.odd(both)});
  const Value negative =
      b.op(Op::lt, DType::bool_, {sums, b.splat(b.constant(DType::int32, 0), 4)});
  b.store(some, b.add(b.mul(i, b.index(32)), thread), b.any(negative));
  const Value tile_at = b.mul(thread, b.index(4));
  b.store(tile, tile_at, sums, kNoValue, ir::kAligned);
  b.barrier();
  const Value turned = b.add(b.mul(b.lane(DType::int32, 4), b.index(32)), b.splat(thread, 4));
  const Value gathered = b.load(tile, turned, 4);
  const Value total = b.op(Op::add, DType::int32, {b.extract(gathered, 0), b.extract(gathered, 3)});
  b.store(out,
          b.add(b.mul(b.splat(at, 4), b.splat(b.index(1), 4)),
                b.mul(b.lane(DType::int32, 4), b.index(2))),
          b.op(Op::sub, DType::int32, {gathered, b.splat(total, 4)}));
  return {finish(b, "lanes", ""), 3, {3 * 256, 3 * 256, 3 * 32}};
}

// Every shape of expression that needs or does not need parentheses, and lines too long for one.
Case expressions() {
  KernelBuilder b(Target::cuda, DType::int32);
  const auto x = b.buffer(DType::float32, "x", true), y = b.buffer(DType::float32, "y", true);
  const auto m = b.buffer(DType::uint32, "m", true);
  const auto out = b.buffer(DType::float32, "out", false),
             bits = b.buffer(DType::uint32, "bits", false);
  const auto flag = b.buffer(DType::bool_, "flag", false);
  const Value n = b.integer("n");
  const Value i = thread_index(b, 32);
  b.begin_if(b.less(i, n));
  const DType f = DType::float32, u = DType::uint32, q = DType::bool_;
  const Value a = b.load(x, i), c = b.load(y, i), k = b.load(m, i);
  const auto constant = [&](double v) { return b.constant(f, f32(v)); };
  Value p = constant(0.25);
  for (int i_term = 1; i_term < 9; ++i_term) p = b.op(Op::fma, f, {p, a, constant(1.0 / i_term)});
  const Value left = b.op(Op::sub, f, {b.op(Op::sub, f, {a, c}), p});
  const Value right = b.op(Op::sub, f, {a, b.op(Op::sub, f, {c, left})});
  const Value quotient = b.op(Op::div, f, {right, b.op(Op::mul, f, {a, c})});
  const Value test = b.op(Op::or_, q,
                          {b.op(Op::and_, q, {b.op(Op::lt, q, {a, c}), b.op(Op::ne, q, {a, a})}),
                           b.op(Op::not_, q, {b.op(Op::le, q, {c, constant(-0.0)})})});
  b.store(flag, i, test);
  const Value chosen = b.op(Op::select, f,
                            {test, b.op(Op::neg, f, {b.op(Op::neg, f, {quotient})}),
                             b.op(Op::add, f, {c, constant(-1.5)})});
  b.store(out, i, chosen);
  const Value three = b.constant(u, 3);
  const Value mixed = b.op(Op::and_, u,
                           {b.op(Op::shr, u, {b.op(Op::add, u, {k, three}), three}),
                            b.op(Op::not_, u, {b.op(Op::or_, u, {k, b.constant(u, 255)})})});
  b.store(bits, i, b.op(Op::xor_, u, {mixed, b.op(Op::bitcast, u, {a})}));
  b.end();
  return {finish(b, "expressions", ""), 4, {100, 100, 100, 100, 100, 100, 100}};
}

// A narrow op in a loop of its own, its result added up in registers: a column reduction.
Case column_sum() {
  KernelBuilder b(Target::cuda, DType::int32);
  const auto x = b.buffer(DType::float32, "x", true),
             out = b.buffer(DType::float32, "column_sum", false);
  const Value rows = b.integer("rows"), columns = b.integer("columns");
  const auto acc = b.local(DType::float32, 4, "acc");
  const Value column = b.mul(thread_index(b, 32), b.index(4));
  b.name(column, "column");
  const Value zero = b.index(0);
  b.begin_if(b.less(column, columns));
  b.store(acc, zero, b.splat(b.constant(DType::float32, f32(0.0)), 4));
  const Value row = b.begin_loop(zero, rows, b.index(1));
  b.name(row, "row");
  const Value x4 =
      b.load(x, b.add(b.mul(row, columns), column), 4, kNoValue, kNoValue, ir::kAligned);
  b.store(acc, zero, b.op(Op::add, DType::float32, {b.load(acc, zero, 4), x4}));
  b.end();
  b.store(out, column, b.load(acc, zero, 4), kNoValue, ir::kAligned);
  b.end();
  return {finish(b, "column_sum", "column_sum = sum(x, 0)"), 1, {40 * 96, 96, 40, 96}};
}

// Values of every type across a warp, a rare region, and a branch that reads what it then stores.
Case exchange() {
  KernelBuilder b(Target::cuda, DType::int32);
  std::vector<std::uint32_t> in, out;
  std::vector<DType> types;
  for (int t = 0; t <= static_cast<int>(DType::float64); ++t) {
    const DType type = static_cast<DType>(t);
    const std::string suffix(ir::brief(type));
    in.push_back(b.buffer(type, "in_" + suffix, true));
    out.push_back(b.buffer(type, "out_" + suffix, false));
    types.push_back(type);
  }
  const auto seen = b.shared(DType::int32, 64, "seen");
  const Value block = b.begin_grid();
  const Value thread = b.begin_thread(64);
  const Value i = b.add(b.mul(block, b.index(64)), thread);
  b.store(seen, thread, thread);
  b.barrier();
  const Value right = b.rem(b.add(b.load(seen, thread), b.index(1)), b.index(32));
  for (std::size_t t = 0; t < types.size(); ++t) {
    const Value own = b.load(in[t], i);
    const Value other = b.shuffle(own, right);
    const Value same = b.op(Op::eq, DType::bool_, {own, other});
    b.store(out[t], i, b.op(Op::select, types[t], {same, own, other}));
  }
  b.barrier();
  b.begin_if(b.less(thread, b.index(32)));
  const Value low = b.load(seen, thread), high = b.load(seen, b.add(thread, b.index(32)));
  b.store(seen, thread, high);
  b.store(seen, b.add(thread, b.index(32)), low);
  b.end();
  b.barrier();
  b.store(out[3], i, b.op(Op::add, DType::int32, {b.load(seen, thread), b.load(in[3], i)}));
  Case result{finish(b, "exchange", ""), 2, {}};
  result.sizes.assign(result.kernel.params.size(), 128);
  return result;
}

// Lanes of rounded, converted and rearranged values that are used in several loops.
Case lane_values() {
  KernelBuilder b(Target::cuda, DType::int64);
  const auto x = b.buffer(DType::float16, "x", true), y = b.buffer(DType::uint8, "y", true);
  const auto evens = b.buffer(DType::float16, "evens", false);
  const auto odds = b.buffer(DType::bfloat16, "odds", false);
  const auto first = b.buffer(DType::float16, "first", false);
  const auto held = b.buffer(DType::float64, "held", false);
  const auto keep = b.local(DType::float16, 4, "keep");
  const Value n = b.integer("n");
  const Value i = thread_index(b, 32);
  b.begin_if(b.less(b.mul(i, b.index(4)), n));
  const Value at = b.mul(i, b.index(4));
  const Value x4 = b.load(x, at, 4), y4 = b.load(y, at, 4);
  const Value scale = b.op(Op::cast, DType::float16, {y4});
  const Value product = b.op(Op::mul, DType::float16, {x4, scale});
  const Value pair = b.mul(i, b.index(2));
  b.store(evens, pair, b.even(product));
  b.store(odds, pair, b.op(Op::cast, DType::bfloat16, {b.odd(product)}));
  b.store(keep, b.index(0), product);
  const Value middle = b.op(Op::add, DType::float16, {b.extract(product, 1), b.extract(x4, 2)});
  b.store(keep, b.index(2), middle);
  b.store(first, i,
          b.op(Op::sub, DType::float16, {b.load(keep, b.index(2)), b.load(keep, b.index(3))}));
  const Value ramp = b.op(Op::cast, DType::float64, {b.lane(DType::int32, 4)});
  const Value wide = b.op(Op::cast, DType::float64, {b.load(keep, b.index(0), 4)});
  b.store(held, at, b.op(Op::fma, DType::float64, {wide, ramp, wide}), kNoValue, ir::kAligned);
  b.end();
  return {finish(b, "lane_values", ""), 2, {256, 256, 128, 128, 64, 256, 256}};
}

// Rare regions: of one lane, nested, of a 16-bit float, and of vectors.
Case rare() {
  ir::Kernel kernel = ir::parse_kernel(R"(kernel cuda i32 "rare"
param buffer f32 read "x"
param buffer f16 read "h"
param buffer f32 written "out"
param buffer f16 written "half_out"
param buffer f32 written "wide"
memory global f32 p0 "x"
memory global f16 p1 "h"
memory global f32 p2 "out"
memory global f16 p3 "half_out"
memory global f32 p4 "wide"
  %0 = constant f32 0x40000000
  %1 = constant f16 0x3c00
  %2 = constant i32 0x4
  %3 = grid i32
    %4 = thread i32 #32
      %5 = load f32 m0 %4
      %6 = mul f32 %5 %5
      %7 = lt b1 %0 %5
      rare %7
        %9 = sub f32 %5 %0
        %10 = lt b1 %0 %9
        rare %10
          %12 = sqrt f32 %9
        %13 = end_rare f32 %11 %12 %9
        %14 = add f32 %13 %6
      %15 = end_rare f32 %8 %14 %6
      store f32 m2 %4 %15
      %17 = load f16 m1 %4
      %18 = lt b1 %17 %1
      rare %18
        %20 = div f16 %1 %17
      %21 = end_rare f16 %19 %20 %17
      store f16 m3 %4 %21
      %23 = mul i32 %4 %2
      %24 = load f32x4 m0 %23 aligned
      %25 = splat f32x4 %0
      %26 = lt b1x4 %25 %24
      rare %26
        %28 = div f32x4 %25 %24
      %29 = end_rare f32x4 %27 %28 %24
      store f32x4 m4 %23 %29 aligned
    end
  end
)");
  return {std::move(kernel), 1, {128, 32, 32, 32, 128}};
}

// sin comes often, of halves too, and is called; tanh comes once.
Case functions() {
  KernelBuilder b(Target::cuda, DType::int32);
  const auto x = b.buffer(DType::float32, "x", true), h = b.buffer(DType::bfloat16, "h", true);
  const auto out = b.buffer(DType::float32, "out", false);
  const Value n = b.integer("n");
  const Value i = b.mul(thread_index(b, 32), b.index(4));
  b.begin_if(b.less(i, n));
  Value v = b.load(x, i, 4, kNoValue, kNoValue, ir::kAligned);
  for (int k = 0; k < 4; ++k) {
    v = b.op(Op::neg, DType::float32, {b.op(Op::sin, DType::float32, {v})});
  }
  const Value half = b.op(Op::sin, DType::bfloat16, {b.load(h, i, 4)});
  v = b.op(Op::add, DType::float32, {v, b.op(Op::cast, DType::float32, {half})});
  b.store(out, i, b.op(Op::tanh, DType::float32, {v}), kNoValue, ir::kAligned);
  b.end();
  return {finish(b, "functions", ""), 4, {500, 500, 500, 500}};
}

}  // namespace

std::vector<Case> cuda_cases() {
  return {pointwise(), pointwise_float4(), row_sum_warp(), row_max_block(), halves(),
          softmax(),   in_place(),         lanes(),        expressions(),   column_sum(),
          exchange(),  lane_values(),      rare(),         functions()};
}

}  // namespace kiln::tests
