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

// C = A x B by loops, in the library's operand layouts.
template <class T>
std::vector<T> multiply(const Matmul& x, const std::vector<T>& a, const std::vector<T>& b) {
  std::vector<T> c(static_cast<std::size_t>(x.batch * x.m * x.n));
  const auto at = [](const std::vector<T>& v, std::int64_t i) {
    return static_cast<double>(v[static_cast<std::size_t>(i)]);
  };
  for (std::int64_t l = 0; l < x.batch; ++l) {
    const std::int64_t a0 = x.repeat_a ? 0 : l * x.m * x.k, b0 = x.repeat_b ? 0 : l * x.k * x.n;
    for (std::int64_t i = 0; i < x.m; ++i) {
      for (std::int64_t j = 0; j < x.n; ++j) {
        double sum = 0;
        for (std::int64_t p = 0; p < x.k; ++p) {
          sum += at(a, a0 + (x.transpose_a ? p * x.m + i : i * x.k + p)) *
                 at(b, b0 + (x.transpose_b ? j * x.k + p : p * x.n + j));
        }
        c[static_cast<std::size_t>((l * x.m + i) * x.n + j)] = static_cast<T>(sum);
      }
    }
  }
  return c;
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

// All transpositions and repetitions at several sizes; each operand begins elsewhere in its block.
// What a product reads beyond its operands is NaN, and what it writes beyond them is seen.
template <class T>
void check_products(Device& device, ir::DType dtype, double tolerance) {
  constexpr std::int64_t kBefore[] = {1, 2, 5};  // A, B, C
  std::mt19937 random(3);
  std::uniform_real_distribution<T> values(-1, 1);
  const std::int64_t sizes[][4] = {{1, 1, 1, 1},     {1, 5, 7, 3},     {3, 4, 2, 9},
                                   {40, 8, 8, 8},    {2, 130, 70, 90}, {3, 1, 300, 170},
                                   {3, 300, 1, 170}, {1, 2000, 1, 64}, {2, 1, 1, 9000}};
  for (const auto& [batch, m, n, k] : sizes) {
    for (int flags = 0; flags < 16; ++flags) {
      Matmul x;
      x.dtype = dtype;
      x.transpose_a = flags & 1, x.transpose_b = flags & 2;
      x.repeat_a = flags & 4, x.repeat_b = flags & 8;
      x.batch = batch, x.m = m, x.n = n, x.k = k;
      std::vector<T> a(static_cast<std::size_t>((x.repeat_a ? 1 : batch) * m * k));
      std::vector<T> b(static_cast<std::size_t>((x.repeat_b ? 1 : batch) * k * n));
      for (T& v : a) v = values(random);
      for (T& v : b) v = values(random);
      std::vector<T> c(static_cast<std::size_t>(batch * m * n), 0);
      const MemoryRef on_a = upload_all(device, with_margins(a, kBefore[0]));
      const MemoryRef on_b = upload_all(device, with_margins(b, kBefore[1]));
      c = with_margins(c, kBefore[2]);
      const MemoryRef on_c = upload_all(device, c);
      x.a = static_cast<const T*>(on_a->data()) + kBefore[0];
      x.b = static_cast<const T*>(on_b->data()) + kBefore[1];
      x.c = static_cast<T*>(on_c->data()) + kBefore[2];
      device.matmul(x);
      device.download(c.data(), *on_c, 0, static_cast<std::int64_t>(c.size() * sizeof(T)));
      const std::vector<T> expected = with_margins(multiply(x, a, b), kBefore[2]);
      for (std::size_t i = 0; i < c.size(); ++i) {
        if (std::isnan(expected[i])) {
          ASSERT_TRUE(std::isnan(c[i])) << flags << ": written at " << i;
        } else {
          ASSERT_NEAR(c[i], expected[i], tolerance * static_cast<double>(k))
              << flags << " at " << i;
        }
      }
    }
  }
}

}  // namespace kiln::runtime::test
