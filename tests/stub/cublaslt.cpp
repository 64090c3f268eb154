// A cuBLASLt that multiplies on the host, column-major as the library's interface states it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

struct Operation {
  int compute, scale;
  std::int32_t transposed[2] = {0, 0};
};
struct Layout {
  int type;
  std::uint64_t rows, columns;
  std::int64_t leading;
  std::int32_t batch = 1;
  std::int64_t stride = 0;
};

template <class T>
int multiply(const Operation& op, const T* alpha, const T* a, const Layout& la, const T* b,
             const Layout& lb, const T* beta, T* d, const Layout& ld) {
  const bool ta = op.transposed[0] != 0, tb = op.transposed[1] != 0;
  const auto m = static_cast<std::int64_t>(ta ? la.columns : la.rows);
  const auto k = static_cast<std::int64_t>(ta ? la.rows : la.columns);
  const auto n = static_cast<std::int64_t>(tb ? lb.rows : lb.columns);
  if (static_cast<std::int64_t>(tb ? lb.columns : lb.rows) != k ||
      static_cast<std::int64_t>(ld.rows) != m || static_cast<std::int64_t>(ld.columns) != n ||
      la.batch != ld.batch || lb.batch != ld.batch || *alpha != 1 || *beta != 0) {
    return 7;  // invalid value
  }
  for (std::int64_t l = 0; l < ld.batch; ++l) {
    const T* const x = a + l * la.stride;
    const T* const y = b + l * lb.stride;
    for (std::int64_t j = 0; j < n; ++j) {
      for (std::int64_t i = 0; i < m; ++i) {
        T sum = 0;
        for (std::int64_t p = 0; p < k; ++p) {
          sum += (ta ? x[i * la.leading + p] : x[p * la.leading + i]) *
                 (tb ? y[p * lb.leading + j] : y[j * lb.leading + p]);
        }
        d[l * ld.stride + j * ld.leading + i] = sum;
      }
    }
  }
  return 0;
}

}  // namespace

extern "C" [[gnu::visibility("default")]] int cublasLtCreate(void** handle) {
  *handle = handle;
  const char* const status = std::getenv("KILN_STUB_CUBLASLT");  // what it is to fail with
  return status != nullptr ? std::atoi(status) : 0;
}
extern "C" [[gnu::visibility("default")]] int cublasLtDestroy(void*) { return 0; }
extern "C" [[gnu::visibility("default")]] int cublasLtMatmulDescCreate(Operation** operation,
                                                                       int compute, int scale) {
  *operation = new Operation{compute, scale};
  return 0;
}
extern "C" [[gnu::visibility("default")]] int cublasLtMatmulDescDestroy(Operation* operation) {
  delete operation;
  return 0;
}
extern "C" [[gnu::visibility("default")]] int cublasLtMatmulDescSetAttribute(Operation* operation,
                                                                             int attribute,
                                                                             const void* value,
                                                                             std::size_t bytes) {
  if ((attribute != 3 && attribute != 4) || bytes != 4) return 7;
  std::memcpy(&operation->transposed[attribute - 3], value, bytes);
  return 0;
}
extern "C" [[gnu::visibility("default")]] int cublasLtMatrixLayoutCreate(Layout** layout, int type,
                                                                         std::uint64_t rows,
                                                                         std::uint64_t columns,
                                                                         std::int64_t leading) {
  *layout = new Layout{type, rows, columns, leading};
  return 0;
}
extern "C" [[gnu::visibility("default")]] int cublasLtMatrixLayoutDestroy(Layout* layout) {
  delete layout;
  return 0;
}
extern "C" [[gnu::visibility("default")]] int cublasLtMatrixLayoutSetAttribute(Layout* layout,
                                                                               int attribute,
                                                                               const void* value,
                                                                               std::size_t bytes) {
  if (attribute == 5 && bytes == 4) return std::memcpy(&layout->batch, value, 4), 0;
  if (attribute == 6 && bytes == 8) return std::memcpy(&layout->stride, value, 8), 0;
  return 7;
}
// What the caller promised: workspace, and the alignment of A, B, C and D.
struct Preference {
  std::uint64_t workspace = 0;
  std::uint32_t alignment[4] = {256, 256, 256, 256};
};
extern "C" [[gnu::visibility("default")]] int cublasLtMatmulPreferenceCreate(Preference** made) {
  *made = new Preference;
  return 0;
}
extern "C" [[gnu::visibility("default")]] int cublasLtMatmulPreferenceDestroy(Preference* p) {
  delete p;
  return 0;
}
extern "C" [[gnu::visibility("default")]] int cublasLtMatmulPreferenceSetAttribute(
    Preference* p, int attribute, const void* value, std::size_t bytes) {
  if (attribute == 1 && bytes == 8) return std::memcpy(&p->workspace, value, 8), 0;
  if (attribute >= 5 && attribute <= 8 && bytes == 4) {
    return std::memcpy(&p->alignment[attribute - 5], value, 4), 0;
  }
  return 7;
}
// The algorithm "chosen" is the promise, so that the product can hold the caller to it.
struct Heuristic {
  std::uint64_t algorithm[8];
  std::size_t workspace;
  int state;
  float waves;
  int reserved[4];
};
extern "C" [[gnu::visibility("default")]] int cublasLtMatmulAlgoGetHeuristic(
    void*, Operation*, Layout*, Layout*, Layout*, Layout*, Preference* preference, int asked,
    Heuristic* results, int* found) {
  if (asked < 1 || preference->workspace < 4096) return 7;
  results[0] = {};
  results[0].workspace = 4096;
  for (int i = 0; i < 4; ++i) results[0].algorithm[i] = preference->alignment[i];
  *found = 1;
  return 0;
}
extern "C" [[gnu::visibility("default")]] int cublasLtMatmul(
    void*, Operation* op, const void* alpha, const void* a, Layout* la, const void* b, Layout* lb,
    const void* beta, const void*, Layout*, void* d, Layout* ld, const void* algorithm,
    void* workspace, std::size_t workspace_bytes, void*) {
  if (!algorithm || !workspace || workspace_bytes != 4096) return 7;
  const auto* const promised = static_cast<const std::uint64_t*>(algorithm);
  const void* const pointers[] = {a, b, d, d};
  for (int i = 0; i < 4; ++i) {
    if (reinterpret_cast<std::uintptr_t>(pointers[i]) % promised[i] != 0) return 14;
  }
  if (la->type != lb->type || la->type != ld->type || la->type != op->scale) return 7;
  if (op->compute == 68 && op->scale == 0) {
    return multiply(*op, static_cast<const float*>(alpha), static_cast<const float*>(a), *la,
                    static_cast<const float*>(b), *lb, static_cast<const float*>(beta),
                    static_cast<float*>(d), *ld);
  }
  if (op->compute == 70 && op->scale == 1) {
    return multiply(*op, static_cast<const double*>(alpha), static_cast<const double*>(a), *la,
                    static_cast<const double*>(b), *lb, static_cast<const double*>(beta),
                    static_cast<double*>(d), *ld);
  }
  return 7;
}
