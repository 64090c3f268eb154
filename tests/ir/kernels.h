// Kernels written by hand for the tests of kernel IR.
#pragma once
#include "ir/kernel_builder.h"

namespace kiln::ir::test {

inline constexpr DType kF32 = DType::float32;

// out[i] = 2 x[i] + s over n elements, 8 lanes, 100 elements an item, with a masked tail.
inline Kernel axpb() {
  KernelBuilder b(Target::cpu, DType::int64);
  const std::uint32_t x = b.buffer(kF32, "x", true), out = b.buffer(kF32, "out", false);
  const Value n = b.integer("n"), s = b.scalar(kF32, "s");
  const Value item = b.begin_grid();
  const Value begin = b.mul(item, b.index(100));
  const Value end = b.min(b.add(begin, b.index(100)), n);
  const Value i = b.begin_loop(begin, end, b.index(8));
  const Value lanes = b.op(Op::add, DType::int64, {i, b.lane(DType::int64, 8)});
  const Value mask = b.op(Op::lt, DType::bool_, {lanes, end});
  const Value v = b.load(x, i, 8, mask);
  b.name(v, "v");
  b.set_line("axpb.cpp:3");
  const Value two = b.constant(kF32, 0x40000000);
  b.store(out, i, b.op(Op::fma, kF32, {two, v, s}), mask);
  b.end();
  b.end();
  Kernel k = b.finish();
  k.name = "axpb";
  k.expression = "2 * x + s";
  k.grid = {{{2}, 100}};
  return k;
}

// out[row] = sum of x[row][0..n), one warp a row: lanes add every 32nd element, then a tree of
// shuffles.
inline Kernel row_sum_shuffle() {
  KernelBuilder b(Target::cuda, DType::int32);
  const std::uint32_t x = b.buffer(kF32, "x", true), out = b.buffer(kF32, "out", false);
  const std::uint32_t acc = b.local(kF32, 1, "acc");
  const Value rows = b.integer("rows"), n = b.integer("n");
  const Value block = b.begin_grid();
  const Value t = b.begin_thread(64);
  const Value lane = b.rem(t, b.index(32));
  const Value row = b.add(b.mul(block, b.index(2)), b.div(t, b.index(32)));
  const Value last = b.min(row, b.sub(rows, b.index(1)));  // no divergence at the shuffles
  b.store(acc, b.index(0), b.constant(kF32, 0));
  const Value j = b.begin_loop(lane, n, b.index(32));
  const Value v = b.load(x, b.add(b.mul(last, n), j));
  b.store(acc, b.index(0), b.op(Op::add, kF32, {b.load(acc, b.index(0)), v}));
  b.end();
  Value sum = b.load(acc, b.index(0));
  for (int d = 1; d < 32; d *= 2) {
    const Value source = b.op(Op::xor_, DType::int32, {lane, b.index(d)});
    sum = b.op(Op::add, kF32, {sum, b.shuffle(sum, source)});
  }
  b.begin_if(b.logical_and(b.less(row, rows), b.op(Op::eq, DType::bool_, {lane, b.index(0)})));
  b.store(out, row, sum);
  b.end();
  b.end();
  b.end();
  Kernel k = b.finish();
  k.name = "row_sum";
  k.grid = {{{2}, 2}};
  return k;
}

// out[block] = sum of the block's 128 elements of x by a tree in shared memory.
inline Kernel block_sum_shared() {
  KernelBuilder b(Target::cuda, DType::int32);
  const std::uint32_t x = b.buffer(kF32, "x", true), out = b.buffer(kF32, "out", false);
  const std::uint32_t tile = b.shared(kF32, 128, "tile");
  const Value n = b.integer("n");
  const Value block = b.begin_grid();
  const Value t = b.begin_thread(128);
  const Value i = b.add(b.mul(block, b.index(128)), t);
  b.store(tile, t, b.load(x, i, 1, b.less(i, n)));
  b.barrier();
  for (int d = 64; d > 0; d /= 2) {
    b.begin_if(b.less(t, b.index(d)));
    const Value other = b.load(tile, b.add(t, b.index(d)));
    b.store(tile, t, b.op(Op::add, kF32, {b.load(tile, t), other}));
    b.end();
    b.barrier();
  }
  b.begin_if(b.op(Op::eq, DType::bool_, {t, b.index(0)}));
  b.store(out, block, b.load(tile, b.index(0)));
  b.end();
  b.end();
  b.end();
  Kernel k = b.finish();
  k.name = "block_sum";
  k.grid = {{{2}, 128}};
  return k;
}

}  // namespace kiln::ir::test
