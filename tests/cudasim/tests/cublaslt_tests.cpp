// The cuBLASLt stand-in against a plain triple loop.

#include <algorithm>
#include <array>
#include <cmath>

#include "tests/cudasim/tests/harness.h"

extern "C" {
struct LtAlgorithm {
  std::uint64_t data[8];
};
struct LtHeuristic {
  LtAlgorithm algorithm;
  std::size_t workspace;
  int state;
  float waves;
  int reserved[4];
};
int cublasLtCreate(void**);
int cublasLtDestroy(void*);
int cublasLtMatmulDescCreate(void**, int, int);
int cublasLtMatmulDescDestroy(void*);
int cublasLtMatmulDescSetAttribute(void*, int, const void*, std::size_t);
int cublasLtMatrixLayoutCreate(void**, int, std::uint64_t, std::uint64_t, std::int64_t);
int cublasLtMatrixLayoutDestroy(void*);
int cublasLtMatrixLayoutSetAttribute(void*, int, const void*, std::size_t);
int cublasLtMatmulPreferenceCreate(void**);
int cublasLtMatmulPreferenceDestroy(void*);
int cublasLtMatmulPreferenceSetAttribute(void*, int, const void*, std::size_t);
int cublasLtMatmulAlgoGetHeuristic(void*, void*, void*, void*, void*, void*, void*, int,
                                   LtHeuristic*, int*);
int cublasLtMatmul(void*, void*, const void*, const void*, void*, const void*, void*, const void*,
                   const void*, void*, void*, void*, const LtAlgorithm*, void*, std::size_t,
                   Stream);
}

namespace cudasim_tests {
namespace {

constexpr int kInvalid = 7;
constexpr int kUnsupported = 15;

template <class T>
constexpr int kType = sizeof(T) == 8 ? 1 : 0;

class CublasLt : public Simulator {
 protected:
  void SetUp() override {
    Simulator::SetUp();
    ASSERT_EQ(cublasLtCreate(&handle_), 0);
  }
  void TearDown() override {
    cublasLtDestroy(handle_);
    Simulator::TearDown();
  }

  template <class T>
  struct Case {
    std::int64_t m, n, k;
    bool ta, tb;
    int batches;
    std::int64_t pad;  // of every leading dimension
    unsigned epilogue;
    T alpha, beta;
  };

  template <class T>
  static std::vector<T> numbers(std::size_t count, unsigned seed) {
    std::vector<T> values(count);
    for (std::size_t i = 0; i < count; ++i) {
      values[i] = static_cast<T>(static_cast<int>((i * 37 + seed * 11) % 17) - 8) / 4;
    }
    return values;
  }

  void* layout(int type, std::int64_t rows, std::int64_t columns, std::int64_t leading, int batches,
               std::int64_t stride) {
    void* made = nullptr;
    EXPECT_EQ(cublasLtMatrixLayoutCreate(&made, type, static_cast<std::uint64_t>(rows),
                                         static_cast<std::uint64_t>(columns), leading),
              0);
    EXPECT_EQ(cublasLtMatrixLayoutSetAttribute(made, 5, &batches, 4), 0);
    EXPECT_EQ(cublasLtMatrixLayoutSetAttribute(made, 6, &stride, 8), 0);
    return made;
  }

  template <class T>
  void check(const Case<T>& c) {
    const std::int64_t lda = (c.ta ? c.k : c.m) + c.pad;
    const std::int64_t ldb = (c.tb ? c.n : c.k) + c.pad;
    const std::int64_t ldc = c.m + c.pad;
    const std::int64_t sa = lda * (c.ta ? c.m : c.k);
    const std::int64_t sb = ldb * (c.tb ? c.k : c.n);
    const std::int64_t sc = ldc * c.n;
    const auto a = numbers<T>(static_cast<std::size_t>(sa * c.batches), 1);
    const auto b = numbers<T>(static_cast<std::size_t>(sb * c.batches), 2);
    const auto before = numbers<T>(static_cast<std::size_t>(sc * c.batches), 3);
    const auto bias = numbers<T>(static_cast<std::size_t>(c.m), 4);
    const DevicePtr da = upload(a);
    const DevicePtr db = upload(b);
    const DevicePtr dc = upload(before);
    const DevicePtr dbias = upload(bias);
    void* operation = nullptr;
    ASSERT_EQ(cublasLtMatmulDescCreate(&operation, sizeof(T) == 8 ? 70 : 68, kType<T>), 0);
    const int ta = c.ta;
    const int tb = c.tb;
    cublasLtMatmulDescSetAttribute(operation, 3, &ta, 4);
    cublasLtMatmulDescSetAttribute(operation, 4, &tb, 4);
    cublasLtMatmulDescSetAttribute(operation, 7, &c.epilogue, 4);
    cublasLtMatmulDescSetAttribute(operation, 8, &dbias, 8);
    void* la = layout(kType<T>, c.ta ? c.k : c.m, c.ta ? c.m : c.k, lda, c.batches, sa);
    void* lb = layout(kType<T>, c.tb ? c.n : c.k, c.tb ? c.k : c.n, ldb, c.batches, sb);
    void* lc = layout(kType<T>, c.m, c.n, ldc, c.batches, sc);
    void* preference = nullptr;
    ASSERT_EQ(cublasLtMatmulPreferenceCreate(&preference), 0);
    const std::uint64_t limit = 1 << 20;
    cublasLtMatmulPreferenceSetAttribute(preference, 1, &limit, 8);
    const std::uint32_t alignment = sizeof(T);  // of A, B, C and D
    for (int attribute = 5; attribute <= 8; ++attribute) {
      EXPECT_EQ(cublasLtMatmulPreferenceSetAttribute(preference, attribute, &alignment, 4), 0);
    }
    LtHeuristic chosen{};
    int found = 0;
    ASSERT_EQ(cublasLtMatmulAlgoGetHeuristic(handle_, operation, la, lb, lc, lc, preference, 1,
                                             &chosen, &found),
              0);
    ASSERT_EQ(found, 1);
    const DevicePtr workspace = allocate(chosen.workspace);
    ASSERT_EQ(cublasLtMatmul(handle_, operation, &c.alpha, pointer(da), la, pointer(db), lb,
                             &c.beta, pointer(dc), lc, pointer(dc), lc, &chosen.algorithm,
                             pointer(workspace), chosen.workspace, nullptr),
              0);
    ASSERT_EQ(cuCtxSynchronize(), kSuccess) << report();
    const auto after = download<T>(dc, before.size());
    compare(c, a, b, before, bias, after, {lda, ldb, ldc}, {sa, sb, sc});
    for (void* one : {la, lb, lc}) EXPECT_EQ(cublasLtMatrixLayoutDestroy(one), 0);
    EXPECT_EQ(cublasLtMatmulDescDestroy(operation), 0);
    EXPECT_EQ(cublasLtMatmulPreferenceDestroy(preference), 0);
    for (const DevicePtr one : {da, db, dc, dbias, workspace}) cuMemFree_v2(one);
  }

  template <class T>
  void compare(const Case<T>& c, const std::vector<T>& a, const std::vector<T>& b,
               const std::vector<T>& before, const std::vector<T>& bias,
               const std::vector<T>& after, std::array<std::int64_t, 3> ld,
               std::array<std::int64_t, 3> stride) {
    const auto at = [](const std::vector<T>& v, std::int64_t i) {
      return v[static_cast<std::size_t>(i)];
    };
    for (std::int64_t batch = 0; batch < c.batches; ++batch) {
      for (std::int64_t i = 0; i < ld[2]; ++i) {
        for (std::int64_t j = 0; j < c.n; ++j) {
          const std::int64_t place = batch * stride[2] + j * ld[2] + i;
          T want = at(before, place);
          if (i < c.m) {
            T sum = 0;
            for (std::int64_t p = 0; p < c.k; ++p) {
              const std::int64_t ia = batch * stride[0] + (c.ta ? i * ld[0] + p : p * ld[0] + i);
              const std::int64_t ib = batch * stride[1] + (c.tb ? p * ld[1] + j : j * ld[1] + p);
              sum += at(a, ia) * at(b, ib);
            }
            want = c.alpha * sum + c.beta * want;
            if ((c.epilogue & 4) != 0) want += at(bias, i);
            if ((c.epilogue & 2) != 0) want = std::max(want, T{0});
          }
          // The values are small multiples of 1/16: every order of summation is exact.
          ASSERT_EQ(at(after, place), want) << "row " << i << " column " << j << " batch " << batch;
        }
      }
    }
  }

  static void* pointer(DevicePtr address) { return reinterpret_cast<void*>(address); }

  void* handle_ = nullptr;
};

TEST_F(CublasLt, ShapesTransposesBatchesAndEpilogues) {
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      for (const std::int64_t pad : {0, 3}) {
        for (const unsigned epilogue : {1u, 2u, 4u, 6u}) {
          check(Case<float>{5, 7, 9, ta, tb, 1, pad, epilogue, 1, 0});
          check(Case<double>{5, 7, 9, ta, tb, 3, pad, epilogue, 2, 0.5});
          check(Case<float>{16, 1, 33, ta, tb, 2, pad, epilogue, 0.5, 1});
        }
      }
    }
  }
}

TEST_F(CublasLt, BadCallsAreRefused) {
  const float one = 1;
  const float zero = 0;
  void* operation = nullptr;
  ASSERT_EQ(cublasLtMatmulDescCreate(&operation, 68, 0), 0);
  void* square = layout(0, 4, 4, 4, 1, 16);
  void* wide = layout(0, 4, 8, 4, 1, 32);
  void* thin = layout(0, 4, 4, 3, 1, 16);
  const DevicePtr buffer = upload(std::vector<float>(16, 1.0f));
  const auto call = [&](void* handle, void* a, void* b, void* c, DevicePtr pa) {
    return cublasLtMatmul(handle, operation, &one, pointer(pa), a, pointer(buffer), b, &zero,
                          pointer(buffer), c, pointer(buffer), c, nullptr, nullptr, 0, nullptr);
  };
  EXPECT_EQ(call(handle_, square, square, square, buffer), 0);
  EXPECT_EQ(call(operation, square, square, square, buffer), 1);
  EXPECT_EQ(call(handle_, wide, square, square, buffer), kInvalid);
  EXPECT_EQ(call(handle_, thin, square, square, buffer), kInvalid);
  EXPECT_EQ(call(handle_, square, operation, square, buffer), kInvalid);
  EXPECT_EQ(call(handle_, square, square, square, 0), kInvalid);
  const int gelu = 32;
  ASSERT_EQ(cublasLtMatmulDescSetAttribute(operation, 7, &gelu, 4), 0);
  EXPECT_EQ(call(handle_, square, square, square, buffer), kUnsupported);
  EXPECT_EQ(cublasLtMatmulDescSetAttribute(operation, 7, &gelu, 2), kInvalid);
  EXPECT_EQ(cublasLtMatmulDescSetAttribute(operation, 999, &gelu, 4), kInvalid);
}

TEST_F(CublasLt, RangesAreChecked) {
  const float one = 1;
  const float zero = 0;
  void* operation = nullptr;
  ASSERT_EQ(cublasLtMatmulDescCreate(&operation, 68, 0), 0);
  void* square = layout(0, 4, 4, 4, 1, 16);
  for (const bool uninitialised : {false, true}) {
    const DevicePtr good = upload(std::vector<float>(16, 1.0f));
    const DevicePtr bad = uninitialised ? allocate(64) : upload(std::vector<float>(15, 1.0f));
    ASSERT_EQ(
        cublasLtMatmul(handle_, operation, &one, pointer(bad), square, pointer(good), square, &zero,
                       pointer(good), square, pointer(good), square, nullptr, nullptr, 0, nullptr),
        0);
    EXPECT_EQ(cuCtxSynchronize(), kIllegalAddress);
    EXPECT_NE(report().find(uninitialised ? "uninitialised" : "not all allocated"),
              std::string::npos)
        << report();
    start(80);
    cublasLtDestroy(handle_);
    ASSERT_EQ(cublasLtCreate(&handle_), 0);
  }
}

}  // namespace
}  // namespace cudasim_tests
