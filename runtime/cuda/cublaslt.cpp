#include "runtime/cuda/cublaslt.h"

#include <fmt/format.h>

#include "ir/error.h"
#include "runtime/product.h"

namespace kiln::runtime {

namespace {

constexpr int kReal32 = 0, kReal64 = 1;
constexpr int kCompute32 = 68, kCompute64 = 70;
constexpr int kTransposeA = 3, kTransposeB = 4;
constexpr std::int32_t kPlain = 0, kTransposed = 1;
constexpr int kBatchCount = 5, kBatchStride = 6;
constexpr int kMostWorkspace = 1;
constexpr int kAlignmentA = 5, kAlignmentB = 6, kAlignmentC = 7, kAlignmentD = 8;
constexpr std::size_t kWorkspaceBytes = std::size_t{32} << 20;

struct Algorithm {
  std::uint64_t data[8];
};
struct Heuristic {
  Algorithm algorithm;
  std::size_t workspace;
  int state;
  float waves;
  int reserved[4];
};

constexpr const char* kFitting =
    "KILN_CUBLASLT naming a cuBLASLt that fits the driver; products on kiln::cpu()";

std::string status_text(int status) {
  const char* const name = status == 1    ? " (not initialized)"
                           : status == 3  ? " (out of memory)"
                           : status == 7  ? " (an invalid value)"
                           : status == 13 ? " (the execution failed)"
                           : status == 15 ? " (not supported)"
                                          : "";
  return fmt::format("{}{}", status, name);
}

}  // namespace

struct CublasLt::Api {
  using Status = int;
  using Handle = struct LtHandle*;
  using Operation = struct LtOperation*;
  using Layout = struct LtLayout*;
  using Preference = struct LtPreference*;
  Library library;
  Handle handle = nullptr;
  Status (*create)(Handle*) = nullptr;
  Status (*destroy)(Handle) = nullptr;
  Status (*operation_create)(Operation*, int compute, int scale) = nullptr;
  Status (*operation_destroy)(Operation) = nullptr;
  Status (*operation_set)(Operation, int, const void*, std::size_t) = nullptr;
  Status (*layout_create)(Layout*, int, std::uint64_t rows, std::uint64_t columns,
                          std::int64_t leading) = nullptr;
  Status (*layout_destroy)(Layout) = nullptr;
  Status (*layout_set)(Layout, int, const void*, std::size_t) = nullptr;
  Status (*preference_create)(Preference*) = nullptr;
  Status (*preference_destroy)(Preference) = nullptr;
  Status (*preference_set)(Preference, int, const void*, std::size_t) = nullptr;
  Status (*heuristic)(Handle, Operation, Layout, Layout, Layout, Layout, Preference, int,
                      Heuristic*, int*) = nullptr;
  Status (*matmul)(Handle, Operation, const void* alpha, const void* a, Layout, const void* b,
                   Layout, const void* beta, const void* c, Layout, void* d, Layout,
                   const Algorithm*, void* workspace, std::size_t, CudaDriver::Stream) = nullptr;

  bool load() {
    return library.get("cublasLtCreate", create) && library.get("cublasLtDestroy", destroy) &&
           library.get("cublasLtMatmulDescCreate", operation_create) &&
           library.get("cublasLtMatmulDescDestroy", operation_destroy) &&
           library.get("cublasLtMatmulDescSetAttribute", operation_set) &&
           library.get("cublasLtMatrixLayoutCreate", layout_create) &&
           library.get("cublasLtMatrixLayoutDestroy", layout_destroy) &&
           library.get("cublasLtMatrixLayoutSetAttribute", layout_set) &&
           library.get("cublasLtMatmulPreferenceCreate", preference_create) &&
           library.get("cublasLtMatmulPreferenceDestroy", preference_destroy) &&
           library.get("cublasLtMatmulPreferenceSetAttribute", preference_set) &&
           library.get("cublasLtMatmulAlgoGetHeuristic", heuristic) &&
           library.get("cublasLtMatmul", matmul);
  }
  static void check(Status status, const char* call) {
    if (status == 0) return;
    throw DeviceError(fmt::format("cuBLASLt: {} failed with {}", call, status_text(status)),
                      kFitting);
  }
};

namespace {

// Descriptors of one product, destroyed in any case.
template <class Api>
struct Descriptors {
  explicit Descriptors(Api& the_api) : api(the_api) {}
  ~Descriptors() {
    for (const auto layout : {a, b, c}) {
      if (layout) api.layout_destroy(layout);
    }
    if (operation) api.operation_destroy(operation);
    if (preference) api.preference_destroy(preference);
  }
  template <class Value>
  void set_operation(int attribute, Value value) {
    Api::check(api.operation_set(operation, attribute, &value, sizeof value),
               "cublasLtMatmulDescSetAttribute");
  }
  void promise_alignment(int attribute, const void* pointer) {
    constexpr std::uintptr_t kMost = 256;
    const std::uintptr_t bits = reinterpret_cast<std::uintptr_t>(pointer) | kMost;
    const auto alignment = static_cast<std::uint32_t>(bits & (~bits + 1));
    Api::check(api.preference_set(preference, attribute, &alignment, sizeof alignment),
               "cublasLtMatmulPreferenceSetAttribute");
  }
  // Of a row-major matrix, which is the library's column-major transpose.
  typename Api::Layout layout(int type, std::int64_t rows, std::int64_t columns, const Matrix& lies,
                              std::int64_t batch, std::int64_t stride) {
    if (lies.transposed) std::swap(rows, columns);
    typename Api::Layout made = nullptr;
    Api::check(api.layout_create(&made, type, static_cast<std::uint64_t>(columns),
                                 static_cast<std::uint64_t>(rows), lies.leading),
               "cublasLtMatrixLayoutCreate");
    const auto count = static_cast<std::int32_t>(batch);
    const int failed = api.layout_set(made, kBatchCount, &count, sizeof count) +
                       api.layout_set(made, kBatchStride, &stride, sizeof stride);
    if (failed != 0) api.layout_destroy(made);
    Api::check(failed, "cublasLtMatrixLayoutSetAttribute");
    return made;
  }

  Api& api;
  typename Api::Operation operation = nullptr;
  typename Api::Layout a = nullptr, b = nullptr, c = nullptr;
  typename Api::Preference preference = nullptr;
};

}  // namespace

CublasLt::CublasLt(const Config& config, CudaContext& context)
    : config_(config), context_(context) {}

CublasLt::~CublasLt() {
  if (!api_ || !context_.usable()) return;
  const EnterCuda entered(context_);
  api_->destroy(api_->handle);
}

void CublasLt::load() {
  auto api = std::make_unique<Api>();
  api->library = Library::open(toolkit_paths(
      config_, config_.cublaslt, {"libcublasLt.so", "libcublasLt.so.13", "libcublasLt.so.12"}));
  if (!api->library) {
    throw DeviceError("cuBLASLt, which multiplies matrices on CUDA, was not found. Looked for:" +
                          api->library.tried(),
                      "KILN_CUBLASLT naming the library, or products on kiln::cpu()");
  }
  if (!api->load()) {
    throw DeviceError(
        fmt::format("{} is not a usable cuBLASLt: a function is missing", api->library.path()),
        "KILN_CUBLASLT naming another");
  }
  if (const Api::Status status = api->create(&api->handle); status != 0) {
    throw DeviceError(
        fmt::format("{}: cublasLtCreate failed with {}", api->library.path(), status_text(status)),
        kFitting);
  }
  api_ = std::move(api);
}

CublasLt::Api& CublasLt::api() {
  std::lock_guard lock(mutex_);
  if (!api_) load();
  return *api_;
}

std::string CublasLt::missing() {
  std::lock_guard lock(mutex_);
  if (api_ || !missing_.empty()) return missing_;
  try {
    load();
  } catch (const DeviceError& e) {
    missing_ = std::string(e.what()) + "\n  try: " + e.remedy;
  }
  return missing_;
}

void CublasLt::multiply(const ir::BoundCall& call, Device& device) {
  const Product x(call);
  if (x.batch().size() > 1) {
    throw DeviceError("matmul: cuBLASLt walks one batch axis", "a copy of the operands");
  }
  const auto batch_stride = [&](const ir::BoundCall::Array& array) {
    return x.batch().empty() ? std::int64_t{0} : array.strides[0];
  };
  const void *const x_a = x.a_array().data, *const x_b = x.b_array().data;
  void* const x_c = x.c_array().data;
  Api& lt = api();
  const bool single = x.dtype() == ir::DType::float32;
  const int type = single ? kReal32 : kReal64;
  Descriptors<Api> p(lt);
  Api::check(lt.operation_create(&p.operation, single ? kCompute32 : kCompute64, type),
             "cublasLtMatmulDescCreate");
  // The library's A is our B.
  p.set_operation(kTransposeA, x.b.transposed ? kTransposed : kPlain);
  p.set_operation(kTransposeB, x.a.transposed ? kTransposed : kPlain);
  p.a = p.layout(type, x.k, x.n, x.b, x.batch_size(), batch_stride(x.b_array()));
  p.b = p.layout(type, x.m, x.k, x.a, x.batch_size(), batch_stride(x.a_array()));
  p.c = p.layout(type, x.m, x.n, x.c, x.batch_size(), batch_stride(x.c_array()));
  Api::check(lt.preference_create(&p.preference), "cublasLtMatmulPreferenceCreate");
  Api::check(
      lt.preference_set(p.preference, kMostWorkspace, &kWorkspaceBytes, sizeof kWorkspaceBytes),
      "cublasLtMatmulPreferenceSetAttribute");
  // The library takes 256 bytes for granted unless told; an input may lie anywhere in its block.
  p.promise_alignment(kAlignmentA, x_b);
  p.promise_alignment(kAlignmentB, x_a);
  p.promise_alignment(kAlignmentC, x_c);
  p.promise_alignment(kAlignmentD, x_c);
  Heuristic chosen{};
  int found = 0;
  Api::check(
      lt.heuristic(lt.handle, p.operation, p.a, p.b, p.c, p.c, p.preference, 1, &chosen, &found),
      "cublasLtMatmulAlgoGetHeuristic");
  if (found == 0) {
    throw DeviceError(fmt::format("cuBLASLt has no algorithm for a product of {} x {} x {} x {}",
                                  x.batch_size(), x.m, x.k, x.n),
                      "another cuBLASLt (KILN_CUBLASLT), or the product on kiln::cpu()");
  }
  const MemoryRef workspace = device.allocate(static_cast<std::int64_t>(chosen.workspace));
  const float one32 = 1, zero32 = 0;
  const double one64 = 1, zero64 = 0;
  const void* const one = single ? static_cast<const void*>(&one32) : &one64;
  const void* const zero = single ? static_cast<const void*>(&zero32) : &zero64;
  Api::check(lt.matmul(lt.handle, p.operation, one, x_b, p.a, x_a, p.b, zero, x_c, p.c, x_c, p.c,
                       &chosen.algorithm, workspace->data(), chosen.workspace, context_.stream),
             "cublasLtMatmul");
}

}  // namespace kiln::runtime
