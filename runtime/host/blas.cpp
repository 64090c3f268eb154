#include "runtime/host/blas.h"

#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <optional>

#include "ir/fp_state.h"
#include "runtime/product.h"
#include "runtime/registry.h"

// Declared here as well: not every distribution's cblas.h has them.
extern "C" {
void openblas_set_num_threads(int threads);
int openblas_get_num_threads(void);
}

namespace kiln::runtime {

namespace {

// Below this many multiplications OpenBLAS uses one thread anyway.
constexpr double kSmallProduct = 1 << 18;
// And for a matrix times a vector below this many; a thread of ours gets as many at least.
constexpr double kSmallVector = 9216;
constexpr double kVectorGrain = 1 << 16;

void gemm(const Product& x, std::int64_t index) {
  const ir::FloatState state;
  const auto product = [&](auto one, auto function) {
    using T = decltype(one);
    const auto m = static_cast<blasint>(x.m), n = static_cast<blasint>(x.n);
    function(CblasRowMajor, x.a.transposed ? CblasTrans : CblasNoTrans,
             x.b.transposed ? CblasTrans : CblasNoTrans, m, n, static_cast<blasint>(x.k), one,
             x.matrix<const T>(x.a_array(), index), static_cast<blasint>(x.a.leading),
             x.matrix<const T>(x.b_array(), index), static_cast<blasint>(x.b.leading), T{0},
             x.matrix<T>(x.c_array(), index), static_cast<blasint>(x.c.leading));
  };
  if (x.dtype() == ir::DType::float32) {
    product(1.0f, cblas_sgemm);
  } else {
    product(1.0, cblas_dgemm);
  }
}

// One operand is a vector: elements [begin, end) of the product. Zeroed before, since what the
// library does with the old contents when it is to ignore them differs between its versions.
void gemv(const Product& x, std::int64_t index, std::int64_t begin, std::int64_t end) {
  const ir::FloatState state;
  const bool left = x.n == 1;  // the matrix is A
  const Matrix& lies = left ? x.a : x.b;
  const bool by_rows = left ? !lies.transposed : lies.transposed;  // a row for each element
  const auto count = static_cast<blasint>(end - begin), k = static_cast<blasint>(x.k);
  const auto leading = static_cast<blasint>(lies.leading);
  const auto step = static_cast<blasint>(left ? x.b_step : x.a_step);
  const auto c_step = static_cast<blasint>(x.c_step);
  const auto product = [&](auto one, auto function) {
    using T = decltype(one);
    const T* const matrix = x.matrix<const T>(left ? x.a_array() : x.b_array(), index) +
                            (by_rows ? begin * lies.leading : begin);
    const T* const vector = x.matrix<const T>(left ? x.b_array() : x.a_array(), index);
    T* const c = x.matrix<T>(x.c_array(), index) + begin * x.c_step;
    for (blasint i = 0; i < count; ++i) c[i * c_step] = T{0};
    if (by_rows) {
      function(CblasRowMajor, CblasNoTrans, count, k, one, matrix, leading, vector, step, one, c,
               c_step);
    } else {
      function(CblasRowMajor, CblasTrans, k, count, one, matrix, leading, vector, step, one, c,
               c_step);
    }
  };
  if (x.dtype() == ir::DType::float32) {
    product(1.0f, cblas_sgemv);
  } else {
    product(1.0, cblas_dgemv);
  }
}

// The library's thread count is one number for the process, which others may have set too: it is
// changed for the time of a call only, under a lock.
class BlasThreads {
 public:
  explicit BlasThreads(int threads) : lock_(blas_mutex()) {
    before_ = openblas_get_num_threads();
    if (before_ != threads) openblas_set_num_threads(threads);
    changed_ = before_ != threads;
  }
  ~BlasThreads() {
    if (changed_) openblas_set_num_threads(before_);
  }

 private:
  std::unique_lock<std::mutex> lock_;
  int before_ = 0;
  bool changed_ = false;
};

// The elements are shared out to our threads, each of which sums its own whole: the result does not
// depend on how many there are where the library would have split the sums.
void vector_products(const Product& x, double work, Workers& workers) {
  const std::int64_t elements = x.m * x.n;
  std::optional<BlasThreads> alone;
  if (work >= kSmallVector) alone.emplace(1);
  const std::int64_t grain = static_cast<std::int64_t>(kVectorGrain / static_cast<double>(x.k)) + 1;
  workers.run(x.batch_size() * elements, grain, true, [&](std::int64_t begin, std::int64_t end) {
    while (begin < end) {
      const std::int64_t index = begin / elements, first = index * elements;
      const std::int64_t last = std::min(end, first + elements);
      gemv(x, index, begin - first, last - first);
      begin = last;
    }
  });
}

}  // namespace

void host_product(const ir::BoundCall& call, Workers& workers) {
  const Product x(call);
  const std::int64_t most =
      std::max({x.m, x.n, x.k, x.a.leading, x.b.leading, x.c.leading, x.a_step, x.b_step});
  if (most > std::numeric_limits<blasint>::max()) {
    throw DeviceError(fmt::format("matmul: an extent of {} is beyond the library's limit of {}",
                                  most, std::numeric_limits<blasint>::max()),
                      "the product in parts, by slices");
  }
  const double work =
      static_cast<double>(x.m) * static_cast<double>(x.n) * static_cast<double>(x.k);
  if (x.m == 1 || x.n == 1) return vector_products(x, work, workers);
  if (work <= kSmallProduct) {
    const auto grain = static_cast<std::int64_t>(kSmallProduct / work) + 1;
    workers.run(x.batch_size(), grain, true, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) gemm(x, i);
    });
    return;
  }
  const BlasThreads threads(workers.threads());
  for (std::int64_t i = 0; i < x.batch_size(); ++i) gemm(x, i);
}

}  // namespace kiln::runtime
