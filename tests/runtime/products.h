// Matrix products against loops, for any device.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "runtime/device.h"

namespace kiln::runtime::test {

// How a product's operands lie.
struct ProductCase {
  std::vector<std::int64_t> batch;
  std::int64_t m = 1, n = 1, k = 1;
  bool transpose_a = false, transpose_b = false;
  bool repeat_a = false, repeat_b = false;
  std::int64_t gap = 0;  // between rows
};

// The call, its arrays in buffers 0 to 2.
inline ir::Call product_call(const ProductCase& x, ir::DType dtype) {
  const auto number = [](std::int64_t value) { return ir::SizeExpr::constant(value); };
  ir::Call call;
  for (const std::int64_t extent : x.batch) call.extents.push_back(number(extent));
  for (const std::int64_t extent : {x.m, x.n, x.k}) call.extents.push_back(number(extent));
  // Strides of the rows and columns of one matrix, and what it takes.
  const auto add = [&](std::uint32_t buffer, std::int64_t rows, std::int64_t columns,
                       bool transposed, bool repeated, std::int64_t gap,
                       std::vector<std::int64_t> axes) {
    if (transposed) std::swap(rows, columns);
    const std::int64_t leading = columns + gap;
    const std::int64_t row = transposed ? 1 : leading, column = transposed ? leading : 1;
    for (std::int64_t& axis : axes) axis = axis == 0 ? 0 : axis == 1 ? row : column;
    std::vector<std::int64_t> strides(x.batch.size(), 0);
    std::int64_t size = rows * leading;
    for (std::size_t i = x.batch.size(); !repeated && i-- > 0; size *= x.batch[i])
      strides[i] = size;
    strides.insert(strides.end(), axes.begin(), axes.end());
    ir::CallArray array{buffer, dtype, {}, {}};
    for (const std::int64_t stride : strides) array.strides.push_back(number(stride));
    (buffer == 2 ? call.results : call.operands).push_back(std::move(array));
  };
  add(0, x.m, x.k, x.transpose_a, x.repeat_a, x.gap, {1, 0, 2});
  add(1, x.k, x.n, x.transpose_b, x.repeat_b, x.gap, {0, 2, 1});
  add(2, x.m, x.n, false, false, 0, {1, 2, 0});
  return call;
}

// A block in which the values begin some elements after its start, with NaN before and behind.
template <class T>
std::vector<T> with_margins(const std::vector<T>& values, std::int64_t before) {
  constexpr std::size_t kBehind = 3;
  std::vector<T> all(static_cast<std::size_t>(before) + values.size() + kBehind,
                     std::numeric_limits<T>::quiet_NaN());
  std::ranges::copy(values, all.begin() + before);
  return all;
}
template <class T>
MemoryRef upload_all(Device& device, const std::vector<T>& values) {
  const auto bytes = static_cast<std::int64_t>(values.size() * sizeof(T));
  MemoryRef memory = device.allocate(bytes);
  device.upload(*memory, 0, values.data(), bytes);
  return memory;
}

// All transpositions and repetitions at several sizes, rows with and without gaps; each operand
// begins elsewhere in its block. What a product reads beyond its operands is NaN, and what it
// writes beyond them is seen. Against the definition.
template <class T>
void check_products(Device& device, ir::DType dtype, double tolerance, bool batches = false) {
  constexpr std::int64_t kBefore[] = {1, 2, 5};  // A, B, C
  std::mt19937 random(3);
  std::uniform_real_distribution<T> values(-1, 1);
  std::vector<ProductCase> cases{{{}, 1, 1, 1},      {{1}, 5, 7, 3},     {{3}, 4, 2, 9},
                                 {{40}, 8, 8, 8},    {{2}, 130, 70, 90}, {{3}, 1, 300, 170},
                                 {{3}, 300, 1, 170}, {{}, 2000, 1, 64},  {{2}, 1, 1, 9000}};
  if (batches) cases.push_back({{2, 3}, 5, 4, 3}), cases.push_back({{2, 2, 2}, 1, 70, 90});
  for (ProductCase x : cases) {
    for (int flags = 0; flags < 32; ++flags) {
      x.transpose_a = flags & 1, x.transpose_b = flags & 2;
      x.repeat_a = flags & 4, x.repeat_b = flags & 8;
      x.gap = (flags & 16) == 0 ? 0 : 3;
      const ir::Call call = product_call(x, dtype);
      std::vector<std::vector<T>> memory;
      const ir::BoundCall shape(call, {}, [](std::uint32_t) { return nullptr; });
      for (const auto* array : {&shape.operand(0), &shape.operand(1), &shape.result(0)}) {
        std::vector<T> elements(static_cast<std::size_t>(shape.reach(*array).size()));
        for (T& v : elements) v = values(random);
        memory.push_back(with_margins(elements, kBefore[memory.size()]));
      }
      std::vector<std::vector<T>> expected = memory;
      const auto in = [&](auto data_of) {
        return [=](std::uint32_t b) {
          return reinterpret_cast<std::byte*>(static_cast<T*>(data_of(b)) + kBefore[b]);
        };
      };
      ir::interpret(
          ir::BoundCall(call, {}, in([&](std::uint32_t b) { return expected[b].data(); })));
      std::vector<MemoryRef> blocks;
      for (const std::vector<T>& values_of : memory)
        blocks.push_back(upload_all(device, values_of));
      device.call(ir::BoundCall(call, {}, in([&](std::uint32_t b) { return blocks[b]->data(); })),
                  {"matmul"});
      std::vector<T>& c = memory[2];
      device.download(c.data(), *blocks[2], 0, static_cast<std::int64_t>(c.size() * sizeof(T)));
      for (std::size_t i = 0; i < c.size(); ++i) {
        if (std::isnan(expected[2][i])) {
          ASSERT_TRUE(std::isnan(c[i])) << flags << ": written at " << i;
        } else {
          ASSERT_NEAR(c[i], expected[2][i], tolerance * static_cast<double>(x.k))
              << flags << " at " << i;
        }
      }
    }
  }
}

}  // namespace kiln::runtime::test
