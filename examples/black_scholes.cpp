// European call and put prices of 10 million options: one kernel, two outputs, every intermediate a
// C++ local. The normal distribution by the Abramowitz and Stegun formula 26.2.17 (error
// below 7.5e-8).
#include <kiln/kiln.h>

#include <cstdlib>
#include <iostream>
namespace kn = kiln;

namespace {

kn::Array normal_cdf(const kn::Array& x) {
  const kn::Array k = 1.f / (1.f + 0.2316419f * kn::abs(x));
  const kn::Array poly =
      k * (0.319381530f +
           k * (-0.356563782f + k * (1.781477937f + k * (-1.821255978f + k * 1.330274429f))));
  const kn::Array tail = 0.3989422804f * kn::exp(-0.5f * x * x) * poly;
  return kn::where(x >= 0.f, 1.f - tail, tail);
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t n = argc > 1 ? std::atoll(argv[1]) : 10'000'000;
  const kn::Array t = kn::linspace(0., 1., n, kn::float32);
  const kn::Array spot = (50.f + 100.f * t).named("spot");
  const kn::Array strike = (150.f - 100.f * t).named("strike");
  const kn::Array years = (0.1f + 2.f * t).named("years");
  const kn::Array rate = (0.01f + 0.04f * t).named("rate");
  const kn::Array sigma = (0.1f + 0.3f * t).named("sigma");
  kn::eval({spot, strike, years, rate, sigma});

  kn::Array call;
  kn::Array put;
  const auto price = [&] {
    const kn::Array root = sigma * kn::sqrt(years);
    const kn::Array d1 = (kn::log(spot / strike) + (rate + 0.5f * sigma * sigma) * years) / root;
    const kn::Array d2 = d1 - root;
    const kn::Array discounted = strike * kn::exp(-rate * years);
    call = (spot * normal_cdf(d1) - discounted * normal_cdf(d2)).named("call");
    put = (discounted * normal_cdf(-d2) - spot * normal_cdf(-d1)).named("put");
    kn::eval({call, put});
  };
  const kn::Stats before = kn::stats();
  price();
  const kn::Stats used = kn::stats() - before;
  const double seconds = kn::timeit(price);
  std::cout << "call " << call(kn::slice(0, 4)) << " ...\nput  " << put(kn::slice(0, 4)) << " ...\n"
            << used.launched << " kernel, " << static_cast<double>(n) / seconds / 1e6
            << " million options a second\n";
  // Put-call parity: call - put = spot - strike exp(-rate years).
  const kn::Array parity = kn::abs(call - put - spot + strike * kn::exp(-rate * years));
  const auto violation = kn::max(parity).item<float>();
  std::cout << "largest violation of put-call parity: " << violation << "\n";
  // The interpreter launches nothing.
  return used.launched <= 1 && violation < 1e-3f ? 0 : 1;
}
