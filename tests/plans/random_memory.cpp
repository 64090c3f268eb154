#include "tests/plans/random_memory.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "ir/scalar.h"

namespace kiln::ir::test {

std::uint64_t random_value(std::mt19937_64& engine, DType t, bool special_values) {
  const auto chance = [&](unsigned percent) { return engine() % 100 < percent; };
  const std::uint64_t raw = engine();
  if (is_bool(t)) return raw & 1;
  if (!is_float(t))
    return bits_of_int(
        t, chance(50) ? static_cast<std::int64_t>(raw % 21) - 10 : static_cast<std::int64_t>(raw));
  if (special_values && chance(4)) {
    const double inf = std::numeric_limits<double>::infinity();
    const double special[] = {0.0, -0.0, inf, -inf, std::nan(""), 1e-40, -1e-310, 65504, 1e38};
    return bits_of(t, special[raw % std::size(special)]);
  }
  const double unit = static_cast<double>(raw >> 11) * 0x1p-53;
  return bits_of(t, chance(50) ? static_cast<double>(raw % 17) - 8 : (unit - 0.5) * 20);
}

std::vector<std::byte> memory_of(DType dtype, std::int64_t elements, std::int64_t first,
                                 const std::vector<std::int64_t>& extents,
                                 const std::vector<std::int64_t>& strides,
                                 const std::function<std::uint64_t()>& next) {
  const std::int64_t bytes = size_of(dtype);
  std::vector<std::byte> memory(static_cast<std::size_t>(elements * bytes), std::byte{0xA5});
  const auto put = [&](std::int64_t at, std::uint64_t bits) {
    std::memcpy(memory.data() + at, &bits, static_cast<std::size_t>(bytes));
  };
  for (std::int64_t i = 0; is_float(dtype) && i < elements; ++i)
    put(i * bytes, bits_of(dtype, std::nan("")));
  std::int64_t size = 1;
  for (const std::int64_t n : extents) size *= n;
  for (std::int64_t e = 0; e < size; ++e) {
    std::int64_t rest = e, at = 0, dense = 1;
    for (std::size_t i = extents.size(); i-- > 0; dense *= extents[i]) {
      at += rest % extents[i] * (strides.empty() ? dense : strides[i]);
      rest /= extents[i];
    }
    put(first + at * bytes, next());
  }
  return memory;
}

}  // namespace kiln::ir::test
