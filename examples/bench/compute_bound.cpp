// Programs that arithmetic bounds.
#include <kiln/kiln.h>

#include <random>

#include "bench/chains.h"
#include "bench/measure.h"
#include "bench/native/hand.h"

namespace {

using bench::Memory;
using kiln::Array;

void black_scholes(benchmark::State& state) {
  constexpr std::int64_t kOptions = 4 << 20;
  const Array t = kiln::linspace(0., 1., kOptions, kiln::float32);
  const Array spot = 50.f + 100.f * t, strike = 150.f - 100.f * t, years = 0.1f + 2.f * t;
  const Array rate = 0.01f + 0.04f * t, sigma = 0.1f + 0.3f * t;
  kiln::eval({spot, strike, years, rate, sigma});
  const auto program = [&] { kiln::eval(bench::black_scholes(spot, strike, years, rate, sigma)); };
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

constexpr std::int64_t kWidth = 64;

struct Clouds {
  explicit Clouds(std::int64_t points) : left(random(points)), right(random(points)) {
    a = Array(left).reshape({points, kWidth});
    b = Array(right).reshape({points, kWidth});
    kiln::eval({a, b});
  }
  Array distances() const {
    const Array difference = a(kiln::whole, kiln::newaxis, kiln::whole) - b;
    return kiln::sum(difference * difference, {-1});
  }
  std::vector<float> left, right;
  Array a, b;

 private:
  static std::vector<float> random(std::int64_t points) {
    static std::mt19937 generator(1);
    std::vector<float> values(static_cast<std::size_t>(points * kWidth));
    for (float& value : values) value = static_cast<float>(generator() % 17);
    return values;
  }
};

void count_terms(benchmark::State& state, std::int64_t points) {
  state.counters["G_terms_s"] =
      static_cast<double>(points * points * kWidth) / (state.counters["kiln_ms"] * 1e-3) / 1e9;
}

void distances(benchmark::State& state) {
  const std::int64_t points = state.range(0);
  const Clouds c(points);
  const Memory out(points * points);
  const auto by_hand = [&](auto loop) {
    return [&, loop] {
      bench::share(points, 4, [&](std::int64_t begin, std::int64_t end) {
        loop(c.left.data(), c.right.data(), out.data(), points, kWidth, begin, end);
      });
    };
  };
  bench::in_turn(state, {{"kiln", [&] { kiln::eval(c.distances()); }},
                         {"hand", by_hand(bench::plain::distances)},
                         {"fast", by_hand(bench::fast::distances_loop)}});
  count_terms(state, points);
}
BENCHMARK(distances)->Arg(1797)->Arg(4096)->UseManualTime()->Iterations(15)->Unit(
    benchmark::kMillisecond);

void nearest(benchmark::State& state) {
  const std::int64_t points = state.range(0);
  const Clouds c(points);
  std::vector<std::int64_t> index(static_cast<std::size_t>(points));
  const auto by_hand = [&] {
    bench::share(points, 4, [&](std::int64_t begin, std::int64_t end) {
      bench::plain::nearest(c.left.data(), c.right.data(), index.data(), points, kWidth, begin,
                            end);
    });
  };
  bench::in_turn(
      state, {{"kiln", [&] { kiln::eval(kiln::argmin(c.distances(), -1)); }}, {"hand", by_hand}});
  count_terms(state, points);
}
BENCHMARK(nearest)->Arg(4096)->UseManualTime()->Iterations(9)->Unit(benchmark::kMillisecond);

}  // namespace
