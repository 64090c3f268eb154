// Programs that arithmetic bounds.
#include <kiln/kiln.h>

#include <random>

#include "bench/measure.h"
#include "bench/native/hand.h"

namespace {

using bench::Memory;
using kiln::Array;

Array normal_cdf(const Array& x) {
  const Array k = 1.f / (1.f + 0.2316419f * kiln::abs(x));
  const Array poly =
      k * (0.319381530f +
           k * (-0.356563782f + k * (1.781477937f + k * (-1.821255978f + k * 1.330274429f))));
  const Array tail = 0.3989422804f * kiln::exp(-0.5f * x * x) * poly;
  return kiln::where(x >= 0.f, 1.f - tail, tail);
}

void black_scholes(benchmark::State& state) {
  constexpr std::int64_t kOptions = 4 << 20;
  const Array t = kiln::linspace(0., 1., kOptions, kiln::float32);
  const Array spot = 50.f + 100.f * t, strike = 150.f - 100.f * t, years = 0.1f + 2.f * t;
  const Array rate = 0.01f + 0.04f * t, sigma = 0.1f + 0.3f * t;
  kiln::eval({spot, strike, years, rate, sigma});
  const auto program = [&] {
    const Array root = sigma * kiln::sqrt(years);
    const Array d1 = (kiln::log(spot / strike) + (rate + 0.5f * sigma * sigma) * years) / root;
    const Array d2 = d1 - root;
    const Array discounted = strike * kiln::exp(-rate * years);
    const Array call = spot * normal_cdf(d1) - discounted * normal_cdf(d2);
    const Array put = discounted * normal_cdf(-d2) - spot * normal_cdf(-d1);
    kiln::eval({call, put});
  };
  const auto s = spot.host<float>(), k = strike.host<float>(), y = years.host<float>();
  const auto r = rate.host<float>(), v = sigma.host<float>();
  const bench::Market market{s.data(), k.data(), y.data(), r.data(), v.data()};
  const Memory call(kOptions), put(kOptions);
  bench::in_turn(state, {{"kiln", program},
                         {"fast",
                          [&] {
                            bench::share(kOptions, 64, [&](std::int64_t begin, std::int64_t end) {
                              bench::fast::black_scholes(market, call.data(), put.data(), begin,
                                                         end);
                            });
                          }},
                         {"unfused", [&] {
                            const kiln::Scope scope({.fusion = false});
                            program();
                          }}});
  state.counters["M_options_s"] =
      static_cast<double>(kOptions) / (state.counters["kiln_ms"] * 1e-3) / 1e6;
}
BENCHMARK(black_scholes)->UseManualTime()->Iterations(7)->Unit(benchmark::kMillisecond);

void distances(benchmark::State& state) {
  constexpr std::int64_t kLeft = 1198, kRight = 599, kWidth = 64;
  std::mt19937 random(1);
  std::vector<float> left(kLeft * kWidth), right(kRight * kWidth);
  for (float& value : left) value = static_cast<float>(random() % 17);
  for (float& value : right) value = static_cast<float>(random() % 17);
  const Array a = Array(left).reshape({kLeft, kWidth}), b = Array(right).reshape({kRight, kWidth});
  kiln::eval({a, b});
  const Memory out(kLeft * kRight);
  const auto program = [&] {
    const Array difference = a(kiln::whole, kiln::newaxis, kiln::whole) - b;
    kiln::eval(kiln::sum(difference * difference, {-1}));
  };
  const auto by_hand = [&](auto loop) {
    return [&, loop] {
      bench::share(kLeft, 2, [&](std::int64_t begin, std::int64_t end) {
        loop(left.data(), right.data(), out.data(), kRight, kWidth, begin, end);
      });
    };
  };
  bench::in_turn(state, {{"kiln", program},
                         {"hand", by_hand(bench::plain::distances)},
                         {"fast", by_hand(bench::fast::distances)},
                         {"unfused", [&] {
                            const kiln::Scope scope({.fusion = false});
                            program();
                          }}});
}
BENCHMARK(distances)->UseManualTime()->Iterations(15)->Unit(benchmark::kMillisecond);

}  // namespace
