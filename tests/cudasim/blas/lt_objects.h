// cuBLASLt's objects as the stand-in keeps them. The binary interface is that library's own: opaque
// pointers, attribute numbers, column-major matrices.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "tests/cudasim/driver/state.h"

namespace cudasim::blas {

enum Status : int {
  kOk = 0,
  kNotInitialized = 1,
  kAllocFailed = 3,
  kInvalidValue = 7,
  kExecutionFailed = 13,
  kInternalError = 14,
  kNotSupported = 15,
};

// cudaDataType_t.
enum DataType : int { kReal32 = 0, kReal64 = 1, kReal16 = 2, kRealBf16 = 14 };

struct Layout {
  std::int32_t type = 0;
  std::int32_t order = 0;  // 0 columns, 1 rows
  U64 rows = 0;
  U64 columns = 0;
  S64 leading = 0;
  std::int32_t batches = 1;
  S64 batch_stride = 0;
};

struct Operation {
  std::int32_t compute = 0;
  std::int32_t scale = 0;
  std::int32_t pointer_mode = 0;  // 0: alpha and beta on the host, 1: on the device
  std::int32_t transpose[3] = {0, 0, 0};
  std::uint32_t epilogue = 1;
  U64 bias = 0;
  S64 bias_batch_stride = 0;
  std::int32_t bias_type = -1;  // D's
  std::int32_t fill_mode = 2;
};

struct Preference {
  U64 workspace = 0;
  std::uint32_t search_mode = 0;
  std::uint32_t alignment[4] = {256, 256, 256, 256};  // promised of A, B, C, D, in bytes
};

struct Handle {
  Context* context = nullptr;
};

struct Algorithm {
  U64 data[8];
};

struct HeuristicResult {
  Algorithm algorithm;
  std::size_t workspace;
  int state;
  float waves;
  int reserved[4];
};

inline constexpr U64 kAlgorithmMark = 0x6b696c6e73696d31u;
inline constexpr std::uint32_t kEpilogueRelu = 2;
inline constexpr std::uint32_t kEpilogueBias = 4;

// Live objects; a pointer that is not in here is refused.
struct Registry {
  std::map<const void*, std::unique_ptr<Handle>> handles;
  std::map<const void*, std::unique_ptr<Layout>> layouts;
  std::map<const void*, std::unique_ptr<Operation>> operations;
  std::map<const void*, std::unique_ptr<Preference>> preferences;
  static Registry& get();
};

template <class T>
T* find(std::map<const void*, std::unique_ptr<T>>& objects, const void* handle) {
  const auto found = objects.find(handle);
  return found == objects.end() ? nullptr : found->second.get();
}

// One product, checked: its pieces are copies, so that descriptors may go once it is queued.
struct Product {
  Operation operation;
  Layout a, b, c, d;
  U64 pa = 0, pb = 0, pc = 0, pd = 0;
  double alpha = 0, beta = 0;  // host scalars
  U64 device_alpha = 0, device_beta = 0;
  U64 m = 0, n = 0, k = 0;
};

// Shapes, types and epilogue; what a heuristic would find no algorithm for is kNotSupported.
Status check_product(const Product& product, Product& out, std::string& why);
// Runs it on simulated memory, with every operand's range checked. An empty text means success.
std::string run_product(Driver& driver, const Product& product);

}  // namespace cudasim::blas
