#include "ir/array_ops.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "ir/error.h"
#include "ir/scalar_semantics.h"
#include "ir/scan_order.h"
#include "ir/sort_key.h"

namespace kiln::ir {
namespace {

// Calls f with a value of the stored type of `type`.
template <class F>
void with_type(DType type, F f) {
  switch (type) {
    case DType::bool_:
      return f(Bool{});
    case DType::int8:
      return f(std::int8_t{});
    case DType::int16:
      return f(std::int16_t{});
    case DType::int32:
      return f(std::int32_t{});
    case DType::int64:
      return f(std::int64_t{});
    case DType::uint8:
      return f(std::uint8_t{});
    case DType::uint16:
      return f(std::uint16_t{});
    case DType::uint32:
      return f(std::uint32_t{});
    case DType::uint64:
      return f(std::uint64_t{});
    case DType::float16:
      return f(Half{});
    case DType::bfloat16:
      return f(Bfloat{});
    case DType::float32:
      return f(float{});
    case DType::float64:
      return f(double{});
    case DType::complex64:
    case DType::complex128:
      internal_error("complex types are not supported");
  }
}

template <class S>
std::int64_t first_extreme(bool max, std::int64_t n, std::int64_t stride, const void* x,
                           std::int64_t begin) {
  std::int64_t found = 0;
  for (std::int64_t k = 0; k < n; ++k) {
    const auto value = widen(element<S>(x, begin + k * stride));
    const auto best = widen(element<S>(x, begin + found * stride));
    if (value != value) return k;
    if (max ? best < value : value < best) found = k;
  }
  return found;
}

// The inner loop runs over a row of the result, so that each element still adds in the order of k.
template <class S, class A>
void product(std::int64_t m, std::int64_t n, std::int64_t k, const void* a, const void* b, void* c,
             std::int64_t a_first, std::int64_t b_first, std::int64_t c_first) {
  std::vector<A> row(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < m; ++i) {
    std::fill(row.begin(), row.end(), A{0});
    for (std::int64_t l = 0; l < k; ++l) {
      const A left = static_cast<A>(widen(element<S>(a, a_first + i * k + l)));
      for (std::int64_t j = 0; j < n; ++j) {
        const A right = static_cast<A>(widen(element<S>(b, b_first + l * n + j)));
        row[static_cast<std::size_t>(j)] += left * right;
      }
    }
    for (std::int64_t j = 0; j < n; ++j) {
      set_element(c, c_first + i * n + j, narrow<S>(row[static_cast<std::size_t>(j)]));
    }
  }
}

}  // namespace

void arg_extreme(Op op, DType type, std::int64_t outer, std::int64_t n, std::int64_t inner,
                 const void* x, std::int64_t* out) {
  with_type(type, [&](auto sample) {
    for (std::int64_t o = 0; o < outer; ++o) {
      for (std::int64_t i = 0; i < inner; ++i) {
        out[o * inner + i] =
            first_extreme<decltype(sample)>(op == Op::max, n, inner, x, o * n * inner + i);
      }
    }
  });
}

void scan_along(Op op, DType type, std::int64_t outer, std::int64_t n, std::int64_t inner,
                const void* x, void* out) {
  with_scan(op, type, [&](auto element, auto order) {
    using T = decltype(element);
    const auto* const from = static_cast<const T*>(x);
    auto* const to = static_cast<T*>(out);
    for (std::int64_t row = 0; row < outer * inner; ++row) {
      const std::int64_t begin = row / inner * n * inner + row % inner;
      ScanOrder<decltype(order)::value, T> sums;
      for (std::int64_t k = 0; k < n; ++k) {
        T sum = from[begin + k * inner];
        sums.next(&sum);
        to[begin + k * inner] = sum;
      }
    }
  });
}

void sort_along(Op op, DType type, std::int64_t outer, std::int64_t n, std::int64_t inner,
                const void* x, void* out, std::int64_t* places) {
  with_sort_key(type, op == Op::max, [&](auto bits, auto key) {
    using Bits = decltype(bits);
    const auto* const from = static_cast<const Bits*>(x);
    auto* const to = static_cast<Bits*>(out);
    std::vector<std::int64_t> order(static_cast<std::size_t>(n));
    for (std::int64_t row = 0; row < outer * inner; ++row) {
      const std::int64_t begin = row / inner * n * inner + row % inner;
      std::iota(order.begin(), order.end(), std::int64_t{0});
      std::ranges::stable_sort(order, {},
                               [&](std::int64_t k) { return key(from[begin + k * inner]); });
      for (std::int64_t k = 0; k < n; ++k) {
        places[begin + k * inner] = order[static_cast<std::size_t>(k)];
        to[begin + k * inner] = from[begin + order[static_cast<std::size_t>(k)] * inner];
      }
    }
  });
}

void matrix_product(DType type, std::int64_t batch, std::int64_t m, std::int64_t n, std::int64_t k,
                    const void* a, const void* b, void* c) {
  with_type(type, [&](auto sample) {
    using S = decltype(sample);
    using C = decltype(widen(sample));
    // Integers wrap: unsigned arithmetic, wide enough not to be promoted to int.
    using A = std::conditional_t<std::is_floating_point_v<C>, C, std::uint64_t>;
    for (std::int64_t i = 0; i < batch; ++i) {
      product<S, A>(m, n, k, a, b, c, i * m * k, i * k * n, i * m * n);
    }
  });
}

}  // namespace kiln::ir
