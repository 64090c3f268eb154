#include "bench/chains.h"

namespace bench {

kiln::Array some_chain(const kiln::Array& x, const kiln::Array& y, std::uint64_t number) {
  kiln::Array z = x;
  for (int i = 0; i < 10; ++i, number >>= 2) {
    switch (number & 3) {
      case 0:
        z = z + y;
        break;
      case 1:
        z = z * y;
        break;
      case 2:
        z = y - z;
        break;
      default:
        z = kiln::maximum(z, x);
        break;
    }
  }
  return z;
}

kiln::Array ten_operations(const kiln::Array& x, const kiln::Array& y) {
  const kiln::Array a = (x * 1.5f + y) * 0.75f;
  const kiln::Array b = (a - x) * 0.5f;
  const kiln::Array c = (b + 3.0f) * (a + 2.0f);
  return c - y;
}

}  // namespace bench
