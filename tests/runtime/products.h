// Matrix products against loops, for any device.
#pragma once
#include <gtest/gtest.h>

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

template <class T>
MemoryRef upload_all(Device& device, const std::vector<T>& values, std::int64_t offset = 0) {
  const auto bytes = static_cast<std::int64_t>(values.size() * sizeof(T));
  MemoryRef memory = device.allocate(bytes + offset);
  device.upload(*memory, offset, values.data(), bytes);
  return memory;
}

// All transpositions and repetitions at several sizes; A lies one element into its block.
template <class T>
void check_products(Device& device, ir::DType dtype, double tolerance) {
  constexpr std::int64_t kOffset = sizeof(T);
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
      std::vector<T> c(static_cast<std::size_t>(batch * m * n),
                       std::numeric_limits<T>::quiet_NaN());
      const MemoryRef on_a = upload_all(device, a, kOffset), on_b = upload_all(device, b);
      const MemoryRef on_c = upload_all(device, c);
      x.a = static_cast<const std::byte*>(on_a->data()) + kOffset, x.b = on_b->data(),
      x.c = on_c->data();
      device.matmul(x);
      device.download(c.data(), *on_c, 0, on_c->bytes());
      const std::vector<T> expected = multiply(x, a, b);
      for (std::size_t i = 0; i < c.size(); ++i) {
        ASSERT_NEAR(c[i], expected[i], tolerance * static_cast<double>(k)) << flags << " at " << i;
      }
    }
  }
}

}  // namespace kiln::runtime::test
