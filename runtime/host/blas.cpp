#include "runtime/host/blas.h"

#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <optional>

#include "ir/error.h"
#include "ir/fp_state.h"
#include "ir/mutant.h"
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

void gemm(const Matmul& x, std::int64_t index) {
  const ir::FloatState state;
  const auto m = static_cast<blasint>(x.m), n = static_cast<blasint>(x.n);
  const auto k = static_cast<blasint>(x.k);
  const CBLAS_TRANSPOSE ta = x.transpose_a ? CblasTrans : CblasNoTrans;
  const CBLAS_TRANSPOSE tb = x.transpose_b ? CblasTrans : CblasNoTrans;
  const blasint lda = x.transpose_a ? m : k;
  const blasint ldb = x.transpose_b && !mutant(ir::Mutant::leading_dimension) ? k : n;
  const std::int64_t a = x.repeat_a ? 0 : index * x.m * x.k;
  const std::int64_t b = x.repeat_b ? 0 : index * x.k * x.n;
  const std::int64_t c = index * x.m * x.n;
  if (x.dtype == ir::DType::float32) {
    cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1.0f, static_cast<const float*>(x.a) + a, lda,
                static_cast<const float*>(x.b) + b, ldb, 0.0f, static_cast<float*>(x.c) + c, n);
  } else {
    cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, 1.0, static_cast<const double*>(x.a) + a, lda,
                static_cast<const double*>(x.b) + b, ldb, 0.0, static_cast<double*>(x.c) + c, n);
  }
}

// One operand is a vector: elements [begin, end) of the product. Zeroed before, since what the
// library does with the old contents when it is to ignore them differs between its versions.
void gemv(const Matmul& x, std::int64_t index, std::int64_t begin, std::int64_t end) {
  const ir::FloatState state;
  const bool left = x.n == 1;                                  // the matrix is A
  const bool by_rows = left ? !x.transpose_a : x.transpose_b;  // a row of it for each element
  const std::int64_t elements = left ? x.m : x.n;
  const std::int64_t a = x.repeat_a ? 0 : index * x.m * x.k;
  const std::int64_t b = x.repeat_b ? 0 : index * x.k * x.n;
  const std::int64_t from = (left ? a : b) + (by_rows ? begin * x.k : begin);
  const auto count = static_cast<blasint>(end - begin), k = static_cast<blasint>(x.k);
  const auto product = [&](auto zero, auto function) {
    using T = decltype(zero);
    const T* const matrix = static_cast<const T*>(left ? x.a : x.b) + from;
    const T* const vector = static_cast<const T*>(left ? x.b : x.a) + (left ? b : a);
    T* const c = static_cast<T*>(x.c) + index * elements + begin;
    std::fill(c, c + count, zero);
    if (by_rows) {
      function(CblasRowMajor, CblasNoTrans, count, k, T{1}, matrix, k, vector, 1, T{1}, c, 1);
    } else {
      function(CblasRowMajor, CblasTrans, k, count, T{1}, matrix, static_cast<blasint>(elements),
               vector, 1, T{1}, c, 1);
    }
  };
  if (x.dtype == ir::DType::float32) {
    product(0.0f, cblas_sgemv);
  } else {
    product(0.0, cblas_dgemv);
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
void vector_products(const Matmul& x, double work, Workers& workers) {
  const std::int64_t elements = x.m * x.n;
  std::optional<BlasThreads> alone;
  if (work >= kSmallVector) alone.emplace(1);
  const std::int64_t grain = static_cast<std::int64_t>(kVectorGrain / static_cast<double>(x.k)) + 1;
  workers.run(x.batch * elements, grain, true, [&](std::int64_t begin, std::int64_t end) {
    while (begin < end) {
      const std::int64_t index = begin / elements, first = index * elements;
      const std::int64_t last = std::min(end, first + elements);
      gemv(x, index, begin - first, last - first);
      begin = last;
    }
  });
}

}  // namespace

void host_matmul(const Matmul& x, Workers& workers) {
  ir::internal_check(x.dtype == ir::DType::float32 || x.dtype == ir::DType::float64,
                     "matmul: float32 or float64 expected");
  const std::int64_t most = std::max({x.m, x.n, x.k});
  if (most > std::numeric_limits<blasint>::max()) {
    throw DeviceError(fmt::format("matmul: an extent of {} is beyond the library's limit of {}",
                                  most, std::numeric_limits<blasint>::max()),
                      "the product in parts, by slices");
  }
  const double work =
      static_cast<double>(x.m) * static_cast<double>(x.n) * static_cast<double>(x.k);
  if ((x.m == 1 || x.n == 1) && work > 0) return vector_products(x, work, workers);
  if (work <= kSmallProduct) {
    const auto grain = static_cast<std::int64_t>(kSmallProduct / work) + 1;
    workers.run(x.batch, grain, true, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) gemm(x, i);
    });
    return;
  }
  const BlasThreads threads(workers.threads());
  for (std::int64_t i = 0; i < x.batch; ++i) gemm(x, i);
}

}  // namespace kiln::runtime
