#include "runtime/host/blas.h"

#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <mutex>

#include "ir/error.h"
#include "ir/fp_state.h"
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

void gemm(const Matmul& x, std::int64_t index) {
  const ir::FloatState state;
  const auto m = static_cast<blasint>(x.m), n = static_cast<blasint>(x.n);
  const auto k = static_cast<blasint>(x.k);
  const CBLAS_TRANSPOSE ta = x.transpose_a ? CblasTrans : CblasNoTrans;
  const CBLAS_TRANSPOSE tb = x.transpose_b ? CblasTrans : CblasNoTrans;
  const blasint lda = x.transpose_a ? m : k;
  const blasint ldb = x.transpose_b ? k : n;
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

}  // namespace

void host_matmul(const Matmul& x, Workers& workers) {
  ir::internal_check(x.dtype == ir::DType::float32 || x.dtype == ir::DType::float64,
                     "matmul: float32 or float64 expected");
  const std::int64_t most = std::max({x.m, x.n, x.k});
  if (most > std::numeric_limits<blasint>::max()) {
    throw DeviceError(fmt::format("matmul: an extent of {} is beyond the library's limit of {}",
                                  most, std::numeric_limits<blasint>::max()));
  }
  const double work =
      static_cast<double>(x.m) * static_cast<double>(x.n) * static_cast<double>(x.k);
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
