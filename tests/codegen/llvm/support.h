// Compiling, linking and running hand-made CPU kernels, and comparing bits.
#pragma once
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "codegen/llvm.h"
#include "ir/kernel_builder.h"
#include "ir/scalar.h"
#include "runtime/host/link.h"

namespace kiln::codegen::tests {

inline const CpuTarget& host() {
  static const CpuTarget target = host_target();
  return target;
}

// Skips the test where no code can be made.
#define KILN_REQUIRE_HOST() \
  if (host().vector_bytes == 0) GTEST_SKIP() << host().unsupported

inline runtime::LinkedObject compile(const ir::Kernel& kernel) {
  const ir::KernelSource source = llvm_object(kernel, host());
  return runtime::link(source.object);
}

// Elements of one type, 64-byte aligned, with guard bytes behind the last element.
class Array {
 public:
  Array(ir::DType dtype, std::int64_t n) : dtype_(dtype), n_(n), bytes_(size() + kGuard + 64) {
    std::memset(data(), ir::is_bool(dtype) ? 1 : 0xAB, size());
    std::memset(data() + size(), 0xAB, kGuard);
  }
  Array(const Array& other) : Array(other.dtype_, other.n_) {
    std::memcpy(data(), other.data(), size());
  }
  Array& operator=(const Array&) = delete;
  std::byte* data() {
    const auto address = reinterpret_cast<std::uintptr_t>(bytes_.data());
    return bytes_.data() + ((64 - address % 64) % 64);
  }
  const std::byte* data() const { return const_cast<Array*>(this)->data(); }
  ir::DType dtype() const { return dtype_; }
  std::int64_t count() const { return n_; }
  std::size_t size() const { return static_cast<std::size_t>(n_ * ir::size_of(dtype_)); }

  std::uint64_t bits(std::int64_t i) const {
    std::uint64_t word = 0;
    std::memcpy(&word, data() + i * ir::size_of(dtype_),
                static_cast<std::size_t>(ir::size_of(dtype_)));
    return word;
  }
  void set(std::int64_t i, std::uint64_t word) {
    std::memcpy(data() + i * ir::size_of(dtype_), &word,
                static_cast<std::size_t>(ir::size_of(dtype_)));
  }
  bool guard_intact() const {
    for (std::size_t i = 0; i < kGuard; ++i) {
      if (data()[size() + i] != std::byte{0xAB}) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t kGuard = 512;
  ir::DType dtype_;
  std::int64_t n_;
  std::vector<std::byte> bytes_;
};

inline bool is_nan(ir::DType dtype, std::uint64_t bits) {
  switch (dtype) {
    case ir::DType::float16:
      return (bits & 0x7fff) > 0x7c00;
    case ir::DType::bfloat16:
      return (bits & 0x7fff) > 0x7f80;
    case ir::DType::float32:
      return (bits & 0x7fffffff) > 0x7f800000;
    case ir::DType::float64:
      return (bits & 0x7fffffffffffffff) > 0x7ff0000000000000;
    default:
      return false;
  }
}

// Equal bits, NaN's sign and payload aside. The first difference in words, or empty.
inline std::string difference(const Array& expected, const Array& actual) {
  if (std::memcmp(expected.data(), actual.data(), expected.size()) == 0) return {};
  for (std::int64_t i = 0; i < expected.count(); ++i) {
    const std::uint64_t x = expected.bits(i), y = actual.bits(i);
    if (x == y || (is_nan(expected.dtype(), x) && is_nan(expected.dtype(), y))) continue;
    char text[160];
    std::snprintf(text, sizeof text, "element %lld: expected %#llx (%.17g), got %#llx (%.17g)",
                  static_cast<long long>(i), static_cast<unsigned long long>(x),
                  ir::to_double(expected.dtype(), x), static_cast<unsigned long long>(y),
                  ir::to_double(actual.dtype(), y));
    return text;
  }
  return {};
}

// A fixed sequence of well-mixed words.
struct Random {
  std::uint64_t state;
  std::uint64_t next() {
    state += 0x9E3779B97F4A7C15u;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(n));
  }
};

inline const std::vector<ir::DType>& real_dtypes() {
  static const std::vector<ir::DType> all = [] {
    std::vector<ir::DType> list;
    for (int i = 0; i < ir::kDTypeCount; ++i) {
      if (!ir::is_complex(static_cast<ir::DType>(i))) list.push_back(static_cast<ir::DType>(i));
    }
    return list;
  }();
  return all;
}

// Values where things go wrong, as bits.
std::vector<std::uint64_t> edge_values(ir::DType dtype);
// Some edge values, some random bits, some numbers of ordinary size.
std::uint64_t random_element(ir::DType dtype, Random& random);

// A float32 or other element as the kernel builder takes it.
inline ir::Value number(ir::KernelBuilder& b, ir::DType dtype, double value) {
  return b.constant(dtype, ir::bits_of(dtype, value));
}

// An argument of a launch: a buffer, or the bits of an integer or scalar.
struct Argument {
  Argument(Array a) : array(std::move(a)) {}
  Argument(std::int64_t value) : array(ir::DType::int8, 0), word(value), is_word(true) {}
  Array array;
  std::int64_t word = 0;
  bool is_word = false;
};

// Runs `kernel` compiled and interpreted on copies of the arguments: expects equal buffers and
// intact guards. Gives the compiled run's arguments.
std::vector<Argument> expect_as_interpreted(const ir::Kernel& kernel,
                                            const std::vector<Argument>& arguments,
                                            std::int64_t begin, std::int64_t end);

// An array of random elements.
Array random_array(ir::DType dtype, std::int64_t n, std::uint64_t seed);

}  // namespace kiln::codegen::tests
