// The functions of cuBLASLt.

#include <cstdio>
#include <cstring>

#include "tests/cudasim/blas/lt_objects.h"

using namespace cudasim;
namespace blas = cudasim::blas;
using blas::Status;

namespace cudasim::blas {

Registry& Registry::get() {
  static Registry* const registry = new Registry();
  return *registry;
}

namespace {

constexpr U64 kWorkspace = 4096;  // asked for where allowed, so that callers' workspaces are used

template <class F>
Status locked(F body) {
  const std::lock_guard<std::recursive_mutex> lock(Driver::get().mutex);
  return body(Registry::get());
}

struct Field {
  int attribute;
  void* data;
  std::size_t bytes;
};

// Copies an attribute in or out; its size must be exact.
template <std::size_t N>
Status transfer(const Field (&fields)[N], int attribute, void* buffer, std::size_t bytes, bool set,
                std::size_t* written) {
  for (const Field& field : fields) {
    if (field.attribute != attribute) continue;
    if (!set && written != nullptr) *written = field.bytes;
    if (!set && bytes == 0 && written != nullptr) return kOk;
    if (buffer == nullptr || bytes != field.bytes) return kInvalidValue;
    if (set) {
      std::memcpy(field.data, buffer, bytes);
    } else {
      std::memcpy(buffer, field.data, bytes);
    }
    return kOk;
  }
  return kInvalidValue;
}

Status layout_attribute(const void* handle, int attribute, void* buffer, std::size_t bytes,
                        bool set, std::size_t* written) {
  return locked([&](Registry& registry) {
    Layout* layout = find(registry.layouts, handle);
    if (layout == nullptr) return kInvalidValue;
    const Field fields[] = {{0, &layout->type, 4},        {1, &layout->order, 4},
                            {2, &layout->rows, 8},        {3, &layout->columns, 8},
                            {4, &layout->leading, 8},     {5, &layout->batches, 4},
                            {6, &layout->batch_stride, 8}};
    return transfer(fields, attribute, buffer, bytes, set, written);
  });
}

Status operation_attribute(const void* handle, int attribute, void* buffer, std::size_t bytes,
                           bool set, std::size_t* written) {
  return locked([&](Registry& registry) {
    Operation* op = find(registry.operations, handle);
    if (op == nullptr) return kInvalidValue;
    const Field fields[] = {{0, &op->compute, 4},      {1, &op->scale, 4},
                            {2, &op->pointer_mode, 4}, {3, &op->transpose[0], 4},
                            {4, &op->transpose[1], 4}, {5, &op->transpose[2], 4},
                            {6, &op->fill_mode, 4},    {7, &op->epilogue, 4},
                            {8, &op->bias, 8},         {10, &op->bias_batch_stride, 8},
                            {26, &op->bias_type, 4}};
    return transfer(fields, attribute, buffer, bytes, set, written);
  });
}

Status preference_attribute(const void* handle, int attribute, void* buffer, std::size_t bytes,
                            bool set, std::size_t* written) {
  return locked([&](Registry& registry) {
    Preference* preference = find(registry.preferences, handle);
    if (preference == nullptr) return kInvalidValue;
    const Field fields[] = {{0, &preference->search_mode, 4},  {1, &preference->workspace, 8},
                            {5, &preference->alignment[0], 4}, {6, &preference->alignment[1], 4},
                            {7, &preference->alignment[2], 4}, {8, &preference->alignment[3], 4}};
    return transfer(fields, attribute, buffer, bytes, set, written);
  });
}

bool gather_product(Registry& registry, const void* operation, const void* a, const void* b,
                    const void* c, const void* d, Product& out) {
  const Operation* found = find(registry.operations, operation);
  const Layout* layouts[] = {find(registry.layouts, a), find(registry.layouts, b),
                             find(registry.layouts, c), find(registry.layouts, d)};
  if (found == nullptr) return false;
  for (const Layout* layout : layouts) {
    if (layout == nullptr) return false;
  }
  out.operation = *found;
  out.a = *layouts[0];
  out.b = *layouts[1];
  out.c = *layouts[2];
  out.d = *layouts[3];
  return true;
}

double scalar(const void* pointer, int type) {
  if (type == kReal64) {
    double value;
    std::memcpy(&value, pointer, sizeof value);
    return value;
  }
  float value;
  std::memcpy(&value, pointer, sizeof value);
  return value;
}

Status refuse(Driver& driver, Status status, const std::string& why) {
  driver.last_report = "cudasim: cublasLtMatmul refused: " + why + "\n";
  if (!driver.quiet) std::fputs(driver.last_report.c_str(), stderr);
  return status;
}

Status check_call(Driver& driver, const Algorithm* algorithm, U64 workspace, U64 workspace_bytes) {
  if (algorithm == nullptr) return kOk;
  if (algorithm->data[0] != kAlgorithmMark) {
    return refuse(driver, kInvalidValue, "the algorithm is none that the heuristic gave");
  }
  if (algorithm->data[1] > workspace_bytes) {
    return refuse(driver, kInvalidValue, "the workspace is smaller than the algorithm's");
  }
  if (algorithm->data[1] > 0 &&
      check_device_range(driver, workspace, workspace_bytes) != abi::kSuccess) {
    return refuse(driver, kInvalidValue, "the workspace is no device memory of that size");
  }
  return kOk;
}

abi::Result execute(Context& context, const Product& product) {
  Driver& driver = Driver::get();
  const std::string problem = run_product(driver, product);
  if (problem.empty()) return abi::kSuccess;
  driver.fault(context,
               {FaultKind::kIllegalAddress, "cudasim: cublasLtMatmul: " + problem + "\n", 0});
  return context.sticky;
}

}  // namespace
}  // namespace cudasim::blas

using namespace cudasim::blas;

CUDASIM_EXPORT Status cublasLtCreate(void** handle) {
  return locked([&](Registry& registry) {
    Context* context = current_context();
    if (handle == nullptr) return kInvalidValue;
    if (context == nullptr || context->sticky != abi::kSuccess) return blas::kNotInitialized;
    auto made = std::make_unique<Handle>();
    made->context = context;
    *handle = made.get();
    registry.handles[*handle] = std::move(made);
    return kOk;
  });
}

CUDASIM_EXPORT Status cublasLtDestroy(void* handle) {
  return locked([&](Registry& registry) {
    return registry.handles.erase(handle) != 0 ? kOk : blas::kNotInitialized;
  });
}

CUDASIM_EXPORT std::size_t cublasLtGetVersion() { return 130000; }

CUDASIM_EXPORT const char* cublasLtGetStatusName(Status status) {
  switch (status) {
    case kOk:
      return "CUBLAS_STATUS_SUCCESS";
    case blas::kNotInitialized:
      return "CUBLAS_STATUS_NOT_INITIALIZED";
    case kAllocFailed:
      return "CUBLAS_STATUS_ALLOC_FAILED";
    case blas::kInvalidValue:
      return "CUBLAS_STATUS_INVALID_VALUE";
    case kExecutionFailed:
      return "CUBLAS_STATUS_EXECUTION_FAILED";
    case kInternalError:
      return "CUBLAS_STATUS_INTERNAL_ERROR";
    case blas::kNotSupported:
      return "CUBLAS_STATUS_NOT_SUPPORTED";
  }
  return "unknown status";
}

CUDASIM_EXPORT const char* cublasLtGetStatusString(Status status) {
  return cublasLtGetStatusName(status);
}

CUDASIM_EXPORT Status cublasLtMatmulDescCreate(void** out, int compute, int scale) {
  return locked([&](Registry& registry) {
    if (out == nullptr) return blas::kInvalidValue;
    auto made = std::make_unique<blas::Operation>();
    made->compute = compute;
    made->scale = scale;
    *out = made.get();
    registry.operations[*out] = std::move(made);
    return kOk;
  });
}

CUDASIM_EXPORT Status cublasLtMatmulDescDestroy(void* handle) {
  return locked([&](Registry& registry) {
    return registry.operations.erase(handle) != 0 ? kOk : blas::kInvalidValue;
  });
}

CUDASIM_EXPORT Status cublasLtMatmulDescSetAttribute(void* handle, int attribute,
                                                     const void* buffer, std::size_t bytes) {
  return operation_attribute(handle, attribute, const_cast<void*>(buffer), bytes, true, nullptr);
}

CUDASIM_EXPORT Status cublasLtMatmulDescGetAttribute(void* handle, int attribute, void* buffer,
                                                     std::size_t bytes, std::size_t* written) {
  return operation_attribute(handle, attribute, buffer, bytes, false, written);
}

CUDASIM_EXPORT Status cublasLtMatrixLayoutCreate(void** out, int type, std::uint64_t rows,
                                                 std::uint64_t columns, std::int64_t leading) {
  return locked([&](Registry& registry) {
    if (out == nullptr) return blas::kInvalidValue;
    auto made = std::make_unique<Layout>();
    made->type = type;
    made->rows = rows;
    made->columns = columns;
    made->leading = leading;
    *out = made.get();
    registry.layouts[*out] = std::move(made);
    return kOk;
  });
}

CUDASIM_EXPORT Status cublasLtMatrixLayoutDestroy(void* handle) {
  return locked([&](Registry& registry) {
    return registry.layouts.erase(handle) != 0 ? kOk : blas::kInvalidValue;
  });
}

CUDASIM_EXPORT Status cublasLtMatrixLayoutSetAttribute(void* handle, int attribute,
                                                       const void* buffer, std::size_t bytes) {
  return layout_attribute(handle, attribute, const_cast<void*>(buffer), bytes, true, nullptr);
}

CUDASIM_EXPORT Status cublasLtMatrixLayoutGetAttribute(void* handle, int attribute, void* buffer,
                                                       std::size_t bytes, std::size_t* written) {
  return layout_attribute(handle, attribute, buffer, bytes, false, written);
}

CUDASIM_EXPORT Status cublasLtMatmulPreferenceCreate(void** out) {
  return locked([&](Registry& registry) {
    if (out == nullptr) return blas::kInvalidValue;
    auto made = std::make_unique<Preference>();
    *out = made.get();
    registry.preferences[*out] = std::move(made);
    return kOk;
  });
}

CUDASIM_EXPORT Status cublasLtMatmulPreferenceDestroy(void* handle) {
  return locked([&](Registry& registry) {
    return registry.preferences.erase(handle) != 0 ? kOk : blas::kInvalidValue;
  });
}

CUDASIM_EXPORT Status cublasLtMatmulPreferenceSetAttribute(void* handle, int attribute,
                                                           const void* buffer, std::size_t bytes) {
  return preference_attribute(handle, attribute, const_cast<void*>(buffer), bytes, true, nullptr);
}

CUDASIM_EXPORT Status cublasLtMatmulPreferenceGetAttribute(void* handle, int attribute,
                                                           void* buffer, std::size_t bytes,
                                                           std::size_t* written) {
  return preference_attribute(handle, attribute, buffer, bytes, false, written);
}

CUDASIM_EXPORT Status cublasLtMatmulAlgoGetHeuristic(void* handle, void* operation, void* a,
                                                     void* b, void* c, void* d, void* preference,
                                                     int wanted, HeuristicResult* results,
                                                     int* found) {
  return locked([&](Registry& registry) {
    if (find(registry.handles, handle) == nullptr) return blas::kNotInitialized;
    const Preference* limits = find(registry.preferences, preference);
    Product product;
    if (limits == nullptr || results == nullptr || found == nullptr || wanted < 1 ||
        !gather_product(registry, operation, a, b, c, d, product)) {
      return blas::kInvalidValue;
    }
    *found = 0;
    std::string why;
    Product checked;
    const Status status = check_product(product, checked, why);
    if (status != kOk) return status;
    HeuristicResult& result = results[0];
    result = {};
    result.workspace = limits->workspace >= kWorkspace ? kWorkspace : 0;
    result.algorithm.data[0] = kAlgorithmMark;
    result.algorithm.data[1] = result.workspace;
    for (std::size_t i = 0; i < 4; ++i) result.algorithm.data[2 + i] = limits->alignment[i];
    result.waves = 1;
    *found = 1;
    return kOk;
  });
}

CUDASIM_EXPORT Status cublasLtMatmul(void* handle, void* operation, const void* alpha,
                                     const void* a, void* a_layout, const void* b, void* b_layout,
                                     const void* beta, const void* c, void* c_layout, void* d,
                                     void* d_layout, const Algorithm* algorithm, void* workspace,
                                     std::size_t workspace_bytes, abi::Stream stream_handle) {
  return locked([&](Registry& registry) {
    Driver& driver = Driver::get();
    const Handle* owner = find(registry.handles, handle);
    Context* context = current_context();
    if (owner == nullptr) return blas::kNotInitialized;
    if (context == nullptr || owner->context != context) {
      return refuse(driver, blas::kInvalidValue, "the handle belongs to another context");
    }
    if (context->sticky != abi::kSuccess) return kExecutionFailed;
    Product product;
    if (!gather_product(registry, operation, a_layout, b_layout, c_layout, d_layout, product)) {
      return refuse(driver, blas::kInvalidValue, "a descriptor is none");
    }
    if (alpha == nullptr || beta == nullptr || a == nullptr || b == nullptr || d == nullptr) {
      return refuse(driver, blas::kInvalidValue, "a pointer is null");
    }
    std::string why;
    Product checked;
    const Status status = check_product(product, checked, why);
    if (status != kOk) return refuse(driver, status, why);
    const Status call =
        check_call(driver, algorithm, reinterpret_cast<U64>(workspace), workspace_bytes);
    if (call != kOk) return call;
    checked.pa = reinterpret_cast<U64>(a);
    checked.pb = reinterpret_cast<U64>(b);
    checked.pc = reinterpret_cast<U64>(c);
    checked.pd = reinterpret_cast<U64>(d);
    const U64 pointers[] = {checked.pa, checked.pb, checked.pc, checked.pd};
    for (std::size_t i = 0; algorithm != nullptr && i < 4; ++i) {
      const U64 promised = algorithm->data[2 + i];
      if (promised != 0 && pointers[i] % promised != 0) {
        return refuse(driver, blas::kInvalidValue, "a matrix is less aligned than was promised");
      }
    }
    if (checked.operation.pointer_mode == 0) {
      checked.alpha = scalar(alpha, checked.operation.scale);
      checked.beta = scalar(beta, checked.operation.scale);
    } else {
      checked.device_alpha = reinterpret_cast<U64>(alpha);
      checked.device_beta = reinterpret_cast<U64>(beta);
    }
    cudasim::Stream* stream = driver.stream_of(stream_handle, *context);
    if (stream == nullptr) return refuse(driver, blas::kInvalidValue, "the stream is none");
    cudasim::Operation queued;
    queued.work = [checked, context] { return execute(*context, checked); };
    return submit(driver, *stream, std::move(queued)) == abi::kSuccess ? kOk : kExecutionFailed;
  });
}
