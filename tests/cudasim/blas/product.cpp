#include <cstring>

#include "tests/cudasim/blas/lt_objects.h"
#include "tests/cudasim/exec/ops.h"

namespace cudasim::blas {
namespace {

unsigned type_size(int type) {
  switch (type) {
    case kReal64:
      return 8;
    case kReal32:
      return 4;
    case kReal16:
    case kRealBf16:
      return 2;
    default:
      return 0;
  }
}

bool is_compute32(int compute) {
  return compute == 68 || compute == 69 || compute == 74 || compute == 75 || compute == 77;
}
bool is_compute64(int compute) { return compute == 70 || compute == 71; }

double read(U64 base, int type, U64 index) {
  const U8* at = reinterpret_cast<const U8*>(base) + index * type_size(type);
  switch (type) {
    case kReal64: {
      double value;
      std::memcpy(&value, at, sizeof value);
      return value;
    }
    case kReal32: {
      float value;
      std::memcpy(&value, at, sizeof value);
      return value;
    }
    default: {
      U16 bits;
      std::memcpy(&bits, at, sizeof bits);
      return type == kReal16 ? half_to_float(bits) : bf16_to_float(bits);
    }
  }
}

void write(U64 base, int type, U64 index, double value) {
  U8* at = reinterpret_cast<U8*>(base) + index * type_size(type);
  if (type == kReal64) {
    std::memcpy(at, &value, sizeof value);
  } else if (type == kReal32) {
    const float narrow = static_cast<float>(value);
    std::memcpy(at, &narrow, sizeof narrow);
  } else {
    const U16 bits = type == kReal16 ? half_from_double(value, Rounding::kNearest)
                                     : bf16_from_double(value, Rounding::kNearest);
    std::memcpy(at, &bits, sizeof bits);
  }
}

U64 index_of(const Layout& layout, U64 row, U64 column) {
  const U64 leading = static_cast<U64>(layout.leading);
  return layout.order == 0 ? column * leading + row : row * leading + column;
}

U64 batch_base(U64 base, const Layout& layout, U64 batch) {
  const S64 offset = static_cast<S64>(batch) * layout.batch_stride;
  return base + static_cast<U64>(offset * static_cast<S64>(type_size(layout.type)));
}

// Bytes from a matrix's first to its last element.
U64 span(const Layout& layout) {
  if (layout.rows == 0 || layout.columns == 0) return 0;
  return (index_of(layout, layout.rows - 1, layout.columns - 1) + 1) * type_size(layout.type);
}

enum class Use : U8 { kRead, kWritten };

std::string check_range(Driver& driver, U64 address, U64 bytes, const char* name, U64 batch) {
  if (check_device_range(driver, address, bytes) == abi::kSuccess) return {};
  const Memory* memory = driver.memory_of(address);
  return std::string("matrix ") + name + ", batch " + std::to_string(batch) + ": " +
         std::to_string(bytes) + " bytes from " +
         (memory != nullptr ? memory->describe(address) : "no device memory") +
         " are not all allocated";
}

// Every element must have been written by somebody.
std::string check_initialised(Driver& driver, U64 base, const Layout& layout, const char* name) {
  const Memory* memory = driver.memory_of(base);
  const bool by_columns = layout.order == 0;
  const U64 lines = by_columns ? layout.columns : layout.rows;
  const U64 length = (by_columns ? layout.rows : layout.columns) * type_size(layout.type);
  for (U64 line = 0; line < lines; ++line) {
    const U64 start = base + line * static_cast<U64>(layout.leading) * type_size(layout.type);
    if (!memory->all(start, length, kReadable)) {
      return std::string("matrix ") + name + " has uninitialised elements in " +
             (by_columns ? "column " : "row ") + std::to_string(line);
    }
  }
  return {};
}

std::string check_matrix(Driver& driver, U64 base, const Layout& layout, const char* name,
                         Use use) {
  for (U64 batch = 0; batch < static_cast<U64>(layout.batches); ++batch) {
    const U64 start = batch_base(base, layout, batch);
    std::string problem = check_range(driver, start, span(layout), name, batch);
    if (problem.empty() && use == Use::kRead) {
      problem = check_initialised(driver, start, layout, name);
    }
    if (!problem.empty()) return problem;
  }
  return {};
}

template <class T>
std::vector<T> gather(U64 base, const Layout& layout, bool transpose, U64 rows, U64 columns) {
  std::vector<T> packed(rows * columns);
  for (U64 column = 0; column < columns; ++column) {
    for (U64 row = 0; row < rows; ++row) {
      const U64 at = transpose ? index_of(layout, column, row) : index_of(layout, row, column);
      packed[column * rows + row] = static_cast<T>(read(base, layout.type, at));
    }
  }
  return packed;
}

// Sums in rising order of the contracted index, one fused multiply-add a term.
template <class T>
void run_batch(const Product& p, U64 batch, T alpha, T beta) {
  const std::vector<T> a =
      gather<T>(batch_base(p.pa, p.a, batch), p.a, p.operation.transpose[0] != 0, p.m, p.k);
  const std::vector<T> b =
      gather<T>(batch_base(p.pb, p.b, batch), p.b, p.operation.transpose[1] != 0, p.k, p.n);
  const U64 c_base = batch_base(p.pc, p.c, batch);
  const U64 d_base = batch_base(p.pd, p.d, batch);
  const bool relu = (p.operation.epilogue & kEpilogueRelu) != 0;
  const bool bias = (p.operation.epilogue & kEpilogueBias) != 0;
  const int bias_type = p.operation.bias_type < 0 ? p.d.type : p.operation.bias_type;
  const U64 bias_start = batch * static_cast<U64>(p.operation.bias_batch_stride);
  std::vector<T> sums(p.m);
  for (U64 column = 0; column < p.n; ++column) {
    std::fill(sums.begin(), sums.end(), T{0});
    for (U64 i = 0; i < p.k; ++i) {
      const T factor = b[column * p.k + i];
      const T* line = &a[i * p.m];
      for (U64 row = 0; row < p.m; ++row) {
        if constexpr (sizeof(T) == 4) {
          sums[row] = __builtin_fmaf(line[row], factor, sums[row]);
        } else {
          sums[row] = __builtin_fma(line[row], factor, sums[row]);
        }
      }
    }
    for (U64 row = 0; row < p.m; ++row) {
      T value = alpha * sums[row];
      if (beta != 0)
        value += beta * static_cast<T>(read(c_base, p.c.type, index_of(p.c, row, column)));
      if (bias) value += static_cast<T>(read(p.operation.bias, bias_type, bias_start + row));
      if (relu && !(value > 0) && value == value) value = 0;
      write(d_base, p.d.type, index_of(p.d, row, column), static_cast<double>(value));
    }
  }
}

void mark_written(Driver& driver, const Product& p) {
  Memory& memory = *driver.memory_of(p.pd);
  const U64 size = type_size(p.d.type);
  const U64 lines = p.d.order == 0 ? p.n : p.m;
  const U64 length = (p.d.order == 0 ? p.m : p.n) * size;
  for (U64 batch = 0; batch < static_cast<U64>(p.d.batches); ++batch) {
    for (U64 line = 0; line < lines; ++line) {
      memory.mark_initialised(
          batch_base(p.pd, p.d, batch) + line * static_cast<U64>(p.d.leading) * size, length);
    }
  }
}

Status check_types(const Product& p, std::string& why) {
  const bool double_precision = p.a.type == kReal64;
  const bool known = type_size(p.a.type) != 0 && type_size(p.c.type) != 0;
  const bool same = p.a.type == p.b.type && p.c.type == p.d.type;
  const bool outputs = double_precision
                           ? p.d.type == kReal64
                           : p.d.type == p.a.type || (p.d.type == kReal32 && p.a.type != kReal64);
  const bool compute =
      double_precision ? is_compute64(p.operation.compute) : is_compute32(p.operation.compute);
  const bool scale = p.operation.scale == (double_precision ? kReal64 : kReal32);
  if (known && same && outputs && compute && scale) return kOk;
  why = "this combination of data, compute and scale types";
  return kNotSupported;
}

Status check_shapes(Product& p, std::string& why) {
  const bool ta = p.operation.transpose[0] != 0;
  const bool tb = p.operation.transpose[1] != 0;
  p.m = ta ? p.a.columns : p.a.rows;
  p.k = ta ? p.a.rows : p.a.columns;
  p.n = tb ? p.b.rows : p.b.columns;
  const U64 inner = tb ? p.b.columns : p.b.rows;
  if (inner != p.k || p.d.rows != p.m || p.d.columns != p.n || p.c.rows != p.m ||
      p.c.columns != p.n) {
    why = "the shapes do not fit";
    return kInvalidValue;
  }
  for (const Layout* layout : {&p.a, &p.b, &p.c, &p.d}) {
    const U64 line = layout->order == 0 ? layout->rows : layout->columns;
    if (layout->order > 1) {
      why = "a matrix order";
      return kNotSupported;
    }
    if (layout->leading < static_cast<S64>(line) || layout->batches != p.d.batches ||
        layout->batches < 1) {
      why = "a leading dimension is too small or batch counts differ";
      return kInvalidValue;
    }
  }
  return kOk;
}

}  // namespace

Status check_product(const Product& product, Product& out, std::string& why) {
  out = product;
  const Operation& operation = out.operation;
  const Status types = check_types(out, why);
  if (types != kOk) return types;
  const Status shapes = check_shapes(out, why);
  if (shapes != kOk) return shapes;
  constexpr std::uint32_t kKnown = 1 | kEpilogueRelu | kEpilogueBias;
  if (operation.epilogue == 0 || (operation.epilogue & ~kKnown) != 0 ||
      operation.transpose[2] != 0 || operation.pointer_mode > 1 || operation.fill_mode != 2) {
    why = "this epilogue, pointer mode or transposition of C";
    return kNotSupported;
  }
  return kOk;
}

std::string run_product(Driver& driver, const Product& product) {
  double alpha = product.alpha;
  double beta = product.beta;
  const bool device_scalars = product.operation.pointer_mode == 1;
  if (device_scalars) {
    const U64 bytes = type_size(product.operation.scale);
    for (const U64 scalar : {product.device_alpha, product.device_beta}) {
      std::string problem = check_range(driver, scalar, bytes, "of a scalar", 0);
      if (!problem.empty()) return problem;
    }
    alpha = read(product.device_alpha, product.operation.scale, 0);
    beta = read(product.device_beta, product.operation.scale, 0);
  }
  std::string problem = check_matrix(driver, product.pa, product.a, "A", Use::kRead);
  if (problem.empty()) problem = check_matrix(driver, product.pb, product.b, "B", Use::kRead);
  if (problem.empty() && beta != 0) {
    problem = check_matrix(driver, product.pc, product.c, "C", Use::kRead);
  }
  if (problem.empty()) problem = check_matrix(driver, product.pd, product.d, "D", Use::kWritten);
  if (problem.empty() && (product.operation.epilogue & kEpilogueBias) != 0) {
    const int type = product.operation.bias_type < 0 ? product.d.type : product.operation.bias_type;
    Layout vector{type,
                  0,
                  product.m,
                  1,
                  static_cast<S64>(product.m),
                  product.d.batches,
                  product.operation.bias_batch_stride};
    problem = check_matrix(driver, product.operation.bias, vector, "of the bias", Use::kRead);
  }
  if (!problem.empty()) return problem;
  for (U64 batch = 0; batch < static_cast<U64>(product.d.batches); ++batch) {
    if (product.a.type == kReal64) {
      run_batch<double>(product, batch, alpha, beta);
    } else {
      run_batch<float>(product, batch, static_cast<float>(alpha), static_cast<float>(beta));
    }
  }
  mark_written(driver, product);
  return {};
}

}  // namespace cudasim::blas
