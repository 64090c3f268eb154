// xtensor with xsimd: expressions assigned to parts of arrays, a part a thread.
#include "bench/suite/peer.h"
#if __has_include(<xtensor/xtensor.hpp>) && __has_include(<xsimd/xsimd.hpp>)
#define XTENSOR_USE_XSIMD
#include <xsimd/xsimd.hpp>
#include <xtensor/xadapt.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xnoalias.hpp>
#include <xtensor/xtensor.hpp>

namespace bench {

namespace {

template <class T>
auto part(T* data, std::int64_t begin, std::int64_t end) {
  const auto n = static_cast<std::size_t>(end - begin);
  return xt::adapt(data + begin, n, xt::no_ownership(), std::array<std::size_t, 1>{n});
}

template <class A>
auto normal_cdf(const A& x) {
  const xt::xtensor<float, 1> k = 1.f / (1.f + 0.2316419f * xt::abs(x));
  const xt::xtensor<float, 1> tail =
      0.3989422804f * xt::exp(-0.5f * x * x) *
      (k * (0.319381530f +
            k * (-0.356563782f + k * (1.781477937f + k * (-1.821255978f + k * 1.330274429f)))));
  return xt::xtensor<float, 1>(xt::where(x >= 0.f, 1.f - tail, tail));
}

void black_scholes(const Problem& p, const Pointers& out, std::int64_t begin, std::int64_t end) {
  constexpr std::int64_t kBlock = 1024;  // values between expressions stay in the cache
  for (std::int64_t at = begin; at < end; at += kBlock) {
    const std::int64_t to = std::min(at + kBlock, end);
    const auto spot = part(p.in(0), at, to), strike = part(p.in(1), at, to);
    const auto years = part(p.in(2), at, to), rate = part(p.in(3), at, to);
    const auto sigma = part(p.in(4), at, to);
    const xt::xtensor<float, 1> root = sigma * xt::sqrt(years);
    const xt::xtensor<float, 1> d1 =
        (xt::log(spot / strike) + (rate + 0.5f * sigma * sigma) * years) / root;
    const xt::xtensor<float, 1> d2 = d1 - root, minus_d1 = -d1, minus_d2 = -d2;
    const xt::xtensor<float, 1> discounted = strike * xt::exp(-rate * years);
    auto call = part(out[0], at, to), put = part(out[1], at, to);
    xt::noalias(call) = spot * normal_cdf(d1) - discounted * normal_cdf(d2);
    xt::noalias(put) = discounted * normal_cdf(minus_d2) - spot * normal_cdf(minus_d1);
  }
}

std::optional<Program> make(const Problem& p) {
  if (p.name == "axpy") {
    return elementwise(p, 1, 1, [&p](const Pointers& out, std::int64_t begin, std::int64_t end) {
      auto to = part(out[0], begin, end);
      xt::noalias(to) = 2.5f * part(p.in(0), begin, end) + part(p.in(1), begin, end);
    });
  }
  if (p.name == "chain" && p.dim(1) == 10) {
    return elementwise(p, 1, 10, [&p](const Pointers& out, std::int64_t begin, std::int64_t end) {
      const auto x = part(p.in(0), begin, end);
      constexpr float kTimes = 0.9375f;
      auto to = part(out[0], begin, end);
      xt::noalias(to) = ((((x * kTimes + x) * kTimes + x) * kTimes + x) * kTimes + x) * kTimes + x;
    });
  }
  if (p.name == "transcendental") {
    return elementwise(p, 1, 32, [&p](const Pointers& out, std::int64_t begin, std::int64_t end) {
      const auto x = part(p.in(0), begin, end);
      auto to = part(out[0], begin, end);
      xt::noalias(to) = xt::tanh(xt::exp(xt::sin(x)) - xt::log(1.f + x * x) * xt::cos(x));
    });
  }
  if (p.name == "black_scholes") {
    return elementwise(p, 2, 64, [&p](const Pointers& out, std::int64_t begin, std::int64_t end) {
      black_scholes(p, out, begin, end);
    });
  }
  return std::nullopt;
}

}  // namespace

std::optional<Peer> xtensor_peer() {
  return Peer{"xtensor",
              "xtensor " + std::to_string(XTENSOR_VERSION_MAJOR) + "." +
                  std::to_string(XTENSOR_VERSION_MINOR) + "." +
                  std::to_string(XTENSOR_VERSION_PATCH) +
                  " with xsimd, -O3 -march=native, a part a thread",
              make};
}

}  // namespace bench
#else
std::optional<bench::Peer> bench::xtensor_peer() { return std::nullopt; }
#endif
