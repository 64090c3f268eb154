// Data for the kernels of cuda_kernels.h.
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include <fmt/format.h>

#include "ir/scalar.h"
#include "tests/codegen/cuda_kernels.h"

namespace kiln::tests {

using ir::DType;

namespace {

std::uint64_t float_element(DType type, std::mt19937_64& random, bool specials) {
  static constexpr double kInf = std::numeric_limits<double>::infinity();
  static constexpr double kSpecial[] = {0.0,
                                        -0.0,
                                        kInf,
                                        -kInf,
                                        std::numeric_limits<double>::quiet_NaN(),
                                        1.0,
                                        -1.0,
                                        0.5,
                                        -2.5,
                                        65504.0,
                                        65520.0,
                                        1e-7,
                                        -6e-8,
                                        1e-42,
                                        3.4e38,
                                        1e308,
                                        5e-324,
                                        255.5,
                                        127.75,
                                        -128.5,
                                        2147483648.0,
                                        -2147483648.0,
                                        4294967296.0,
                                        9223372036854775808.0,
                                        18446744073709551616.0,
                                        1.00048828125,
                                        1.0004882812500009,
                                        1.0014648437499991,
                                        1.00390625,
                                        1.0039062500000009,
                                        1.01171875,
                                        88.7,
                                        -103.9,
                                        710.0,
                                        1e6,
                                        22.0};
  if (specials && random() % 3 == 0)
    return ir::bits_of(type, kSpecial[random() % std::size(kSpecial)]);
  if (specials && random() % 3 == 0) {  // any bits; a 16-bit NaN's payload is lost in arithmetic
    const std::uint64_t bits = random() >> (64 - 8 * ir::size_of(type));
    const bool nan = ir::is_half(type) && std::isnan(ir::to_double(type, bits));
    return nan ? ir::bits_of(type, std::numeric_limits<double>::quiet_NaN()) : bits;
  }
  return ir::bits_of(type, std::normal_distribution<double>(0.0, 3.0)(random));
}

std::uint64_t element(DType type, std::mt19937_64& random, bool specials) {
  if (ir::is_bool(type)) return random() & 1;
  if (ir::is_float(type)) return float_element(type, random, specials);
  const std::uint64_t small = ir::bits_of_int(type, static_cast<std::int64_t>(random() % 7) - 3);
  if (random() % 3 == 0) return small;
  const std::uint64_t bits = random() >> (64 - 8 * ir::size_of(type));
  const std::uint64_t lowest = std::uint64_t{1} << (8 * ir::size_of(type) - 1);
  const std::uint64_t edges[] = {lowest, lowest - 1, bits,
                                 static_cast<std::uint64_t>(random() % 70)};
  return edges[random() % 4] & (~std::uint64_t{0} >> (64 - 8 * ir::size_of(type)));
}

bool is_nan(DType type, std::uint64_t bits) {
  return ir::is_float(type) && std::isnan(ir::to_double(type, bits));
}

std::uint64_t read(const std::vector<std::byte>& buffer, DType type, std::size_t i) {
  std::uint64_t bits = 0;
  const auto size = static_cast<std::size_t>(ir::size_of(type));
  std::memcpy(&bits, buffer.data() + i * size, size);
  return bits;
}

}  // namespace

std::vector<ir::KernelArg> Arguments::pointers() const {
  std::vector<ir::KernelArg> args = values;
  for (std::size_t p = 0; p < args.size(); ++p) {
    if (!buffers[p].empty()) args[p].pointer = const_cast<std::byte*>(buffers[p].data());
  }
  return args;
}

Arguments make_arguments(const ir::Kernel& kernel, const std::vector<std::int64_t>& sizes,
                         bool specials) {
  std::mt19937_64 random(20240229);
  Arguments arguments;
  for (std::size_t p = 0; p < kernel.params.size(); ++p) {
    const ir::Param& param = kernel.params[p];
    ir::KernelArg value{};
    std::vector<std::byte> buffer;
    if (param.kind == ir::ParamKind::integer) {
      value.integer = sizes[p];
    } else if (param.kind == ir::ParamKind::scalar) {
      value.bits = ir::bits_of(param.dtype, 1.75);
    } else {
      const auto size = static_cast<std::size_t>(ir::size_of(param.dtype));
      buffer.resize(size * static_cast<std::size_t>(sizes[p]));
      for (std::size_t i = 0; i < static_cast<std::size_t>(sizes[p]); ++i) {
        const std::uint64_t bits = element(param.dtype, random, specials);
        std::memcpy(buffer.data() + i * size, &bits, size);
      }
    }
    arguments.buffers.push_back(std::move(buffer));
    arguments.values.push_back(value);
  }
  return arguments;
}

std::string difference(const ir::Kernel& kernel, const Arguments& a, const Arguments& b) {
  for (std::size_t p = 0; p < kernel.params.size(); ++p) {
    const DType type = kernel.params[p].dtype;
    const std::size_t count = a.buffers[p].size() / static_cast<std::size_t>(ir::size_of(type));
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t x = read(a.buffers[p], type, i), y = read(b.buffers[p], type, i);
      if (x == y || (is_nan(type, x) && is_nan(type, y))) continue;
      return fmt::format("{}: {}[{}] is {:#x}, and {:#x}", kernel.name, kernel.params[p].name, i, x,
                         y);
    }
  }
  return "";
}

}  // namespace kiln::tests
