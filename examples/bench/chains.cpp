#include "bench/chains.h"

namespace bench {

namespace {

kiln::Array normal_cdf(const kiln::Array& x) {
  const kiln::Array k = 1.f / (1.f + 0.2316419f * kiln::abs(x));
  const kiln::Array poly =
      k * (0.319381530f +
           k * (-0.356563782f + k * (1.781477937f + k * (-1.821255978f + k * 1.330274429f))));
  const kiln::Array tail = 0.3989422804f * kiln::exp(-0.5f * x * x) * poly;
  return kiln::where(x >= 0.f, 1.f - tail, tail);
}

}  // namespace

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

std::vector<kiln::Array> black_scholes(const kiln::Array& spot, const kiln::Array& strike,
                                       const kiln::Array& years, const kiln::Array& rate,
                                       const kiln::Array& sigma) {
  const kiln::Array root = sigma * kiln::sqrt(years);
  const kiln::Array d1 = (kiln::log(spot / strike) + (rate + 0.5f * sigma * sigma) * years) / root;
  const kiln::Array d2 = d1 - root;
  const kiln::Array discounted = strike * kiln::exp(-rate * years);
  return {spot * normal_cdf(d1) - discounted * normal_cdf(d2),
          discounted * normal_cdf(-d2) - spot * normal_cdf(-d1)};
}

}  // namespace bench
