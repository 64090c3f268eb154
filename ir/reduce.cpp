#include "ir/reduce.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "ir/error.h"
#include "ir/graph.h"
#include "ir/mutant.h"
#include "ir/scalar.h"
#include "ir/scalar_loops.h"

namespace kiln::ir {
namespace {

std::uint64_t least(DType type) {
  const double inf = std::numeric_limits<double>::infinity();
  if (is_float(type)) return bits_of(type, -inf);
  if (is_unsigned_int(type) || is_bool(type)) return 0;
  return bits_of_int(type, std::int64_t{-1} << (8 * size_of(type) - 1));
}

std::uint64_t greatest(DType type) {
  const double inf = std::numeric_limits<double>::infinity();
  if (is_float(type)) return bits_of(type, inf);
  if (is_bool(type)) return 1;
  const std::uint64_t all = ~std::uint64_t{0} >> (64 - 8 * size_of(type));
  return is_unsigned_int(type) ? all : all >> 1;
}

void fill(std::uint64_t bits, std::int64_t bytes, std::int64_t n, void* out) {
  for (std::int64_t i = 0; i < n; ++i) {
    std::memcpy(static_cast<std::byte*>(out) + i * bytes, &bits, static_cast<std::size_t>(bytes));
  }
}

// Rows of `columns` elements: row(i) is combined into row(j).
class Rows {
 public:
  Rows(Op op, DType type, std::int64_t columns)
      : loop_(loop_of(op, type, type)), columns_(columns), bytes_(columns * size_of(type)) {}

  // rows [to, to + count) op= rows [from, from + count)
  void combine(void* to, const void* from, std::int64_t count) const {
    const void* in[2] = {to, from};
    loop_(count * columns_, in, to);
  }
  std::byte* row(void* base, std::int64_t i) const {
    return static_cast<std::byte*>(base) + i * bytes_;
  }
  const std::byte* row(const void* base, std::int64_t i) const {
    return static_cast<const std::byte*>(base) + i * bytes_;
  }
  void copy(void* to, const void* from, std::int64_t count) const {
    if (to != from) std::memcpy(to, from, static_cast<std::size_t>(count * bytes_));
  }
  std::int64_t bytes() const { return bytes_; }

  // The tree of adjacent pairs, an odd last one passing up. The result is row 0.
  void tree(void* base, std::int64_t count) const {
    for (; count > 1; count = (count + 1) / 2) {
      for (std::int64_t i = 0; i < count / 2; ++i) {
        const void* in[2] = {row(base, 2 * i), row(base, 2 * i + 1)};
        loop_(columns_, in, row(base, i));
      }
      if (count % 2 != 0) copy(row(base, count / 2), row(base, count - 1), 1);
    }
  }

 private:
  ArrayLoop loop_;
  std::int64_t columns_;
  std::int64_t bytes_;
};

void reduce_ordered(const Rows& rows, std::int64_t n, const void* x, void* out) {
  const std::int64_t chunks = (n + kReduceChunk - 1) / kReduceChunk;
  std::vector<std::byte> results(static_cast<std::size_t>(chunks * rows.bytes()));
  std::vector<std::byte> lanes(static_cast<std::size_t>(kReduceLanes * rows.bytes()));
  for (std::int64_t c = 0; c < chunks; ++c) {
    const std::int64_t begin = c * kReduceChunk;
    const std::int64_t end = std::min(begin + kReduceChunk, n);
    rows.copy(lanes.data(), rows.row(x, begin), std::min(kReduceLanes, end - begin));
    for (std::int64_t i = begin + kReduceLanes; i < end; i += kReduceLanes) {
      rows.combine(lanes.data(), rows.row(x, i), std::min(kReduceLanes, end - i));
    }
    rows.tree(lanes.data(), std::min(kReduceLanes, end - begin));
    rows.copy(rows.row(results.data(), c), lanes.data(), 1);
  }
  rows.tree(results.data(), chunks);
  rows.copy(out, results.data(), 1);
}

// Any order serves: the halves of what remains are combined.
void reduce_free(const Rows& rows, std::int64_t n, const void* x, void* out) {
  std::vector<std::byte> work(static_cast<std::size_t>(n * rows.bytes()));
  rows.copy(work.data(), x, n);
  while (n > 1) {
    const std::int64_t half = n / 2;
    rows.combine(work.data(), rows.row(static_cast<const void*>(work.data()), n - half), half);
    n -= half;
  }
  rows.copy(out, work.data(), 1);
}

}  // namespace

std::uint64_t reduce_identity(Op op, DType type) {
  switch (op) {
    case Op::add:
    case Op::or_:
      return 0;
    case Op::mul:
      return bits_of_int(type, 1);
    case Op::min:
      return greatest(type);
    case Op::max:
      return mutant(Mutant::max_identity) ? 0 : least(type);
    case Op::and_:
      return is_bool(type) ? 1 : ~std::uint64_t{0} >> (64 - 8 * size_of(type));
    default:
      internal_error("not an operation that reduces");
  }
}

std::uint64_t reduce_padding(Op op, DType type) {
  return op == Op::add && is_float(type) ? bits_of(type, -0.0) : reduce_identity(op, type);
}

bool ordered(Op op, DType type) { return is_float(type) && (op == Op::add || op == Op::mul); }

DType accumulator(Op op, DType type) {
  return ordered(op, type) && is_half(type) ? DType::float32 : type;
}

void reduce_rows(Op op, DType type, std::int64_t n, std::int64_t columns, const void* x,
                 void* out) {
  if (columns == 0) return;
  if (n == 0) return fill(reduce_identity(op, type), size_of(type), columns, out);
  const DType acc = accumulator(op, type);
  const Rows rows(op, acc, columns);
  if (!ordered(op, type)) return reduce_free(rows, n, x, out);
  if (acc == type) return reduce_ordered(rows, n, x, out);
  std::vector<std::byte> wide(static_cast<std::size_t>(n * rows.bytes()));
  std::vector<std::byte> sum(static_cast<std::size_t>(rows.bytes()));
  cast_loop(type, acc)(n * columns, &x, wide.data());
  reduce_ordered(rows, n, wide.data(), sum.data());
  const void* in = sum.data();
  cast_loop(acc, type)(columns, &in, out);
}

}  // namespace kiln::ir
