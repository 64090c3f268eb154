// Programs of elementwise operations.
#include "tests/gpu/timing/program.h"

namespace kiln::gpu {

namespace {

constexpr std::int64_t kMillions64 = std::int64_t{1} << 26;

Inputs one(const Dims& d) { return {{d}}; }
Inputs two(const Dims& d) { return {{d}, {d, kn::float32, 0.5F, 2.5F}}; }
Inputs positive(const Dims& d) { return {{d, kn::float32, 0.1F, 10.F}}; }

Array gelu(const Array& x) {
  return 0.5F * x * (1.F + kn::tanh(0.7978845608F * (x + 0.044715F * x * x * x)));
}

Array normal_cdf(const Array& x) {
  const Array k = 1.F / (1.F + 0.2316419F * kn::abs(x));
  const Array polynomial =
      k * (0.319381530F +
           k * (-0.356563782F + k * (1.781477937F + k * (-1.821255978F + k * 1.330274429F))));
  const Array tail = 0.3989422804F * kn::exp(-0.5F * x * x) * polynomial;
  return kn::where(x < 0.F, tail, 1.F - tail);
}

Arrays black_scholes(const Arrays& in, const Dims&) {
  const Array &spot = in[0], &strike = in[1], &years = in[2];
  const Array root = 0.3F * kn::sqrt(years);
  const Array d1 = (kn::log(spot / strike) + 0.065F * years) / root;
  const Array d2 = d1 - root;
  const Array discounted = strike * kn::exp(-0.02F * years);
  return {spot * normal_cdf(d1) - discounted * normal_cdf(d2),
          discounted * normal_cdf(-d2) - spot * normal_cdf(-d1)};
}

Arrays chain(const Arrays& in, const Dims&) {
  Array z = in[0];
  for (int i = 0; i < 5; ++i) z = z * 0.9375F + in[1];
  return {z};
}

Arrays adam(const Arrays& in, const Dims&) {
  Arrays out;
  for (std::size_t i = 0; i < in.size(); i += 4) {
    const Array m = 0.9F * in[i + 2] + 0.1F * in[i + 1];
    const Array v = 0.999F * in[i + 3] + 0.001F * in[i + 1] * in[i + 1];
    out.push_back(in[i] - 0.001F * (m / 0.19F) / (kn::sqrt(v / 0.001999F) + 1e-8F));
    out.push_back(m);
    out.push_back(v);
  }
  return out;
}

Inputs adam_inputs(const Dims& d) {
  Inputs inputs;
  for (std::int64_t tensor = 0; tensor < d[0]; ++tensor) {
    inputs.push_back({{d[1]}, kn::float32, -1, 1});
    inputs.push_back({{d[1]}, kn::float32, -1, 1});
    inputs.push_back({{d[1]}, kn::float32, -0.1F, 0.1F});
    inputs.push_back({{d[1]}, kn::float32, 0, 0.1F});
  }
  return inputs;
}

Program of_one(const char* name, Inputs (*inputs)(const Dims&),
               Arrays (*run)(const Arrays&, const Dims&)) {
  return {name, "float32", {kMillions64}, {1001}, inputs, run};
}

std::vector<Program> of_floats() {
  using In = const Arrays&;
  using D = const Dims&;
  return {
      of_one("axpy", two, [](In in, D) { return Arrays{2.5F * in[0] + in[1]}; }),
      of_one(
          "axpy_shifted", [](D d) { return Inputs{{{d[0] + 1}}, {d}}; },
          [](In in, D d) { return Arrays{2.5F * in[0](kn::slice(1, d[0] + 1)) + in[1]}; }),
      of_one("chain_10", two, chain),
      of_one("exp", one, [](In in, D) { return Arrays{kn::exp(in[0])}; }),
      of_one("log", positive, [](In in, D) { return Arrays{kn::log(in[0])}; }),
      of_one("tanh", one, [](In in, D) { return Arrays{kn::tanh(in[0])}; }),
      of_one("sin", one, [](In in, D) { return Arrays{kn::sin(in[0])}; }),
      of_one("divide", two, [](In in, D) { return Arrays{in[0] / in[1]}; }),
      of_one("gelu", one, [](In in, D) { return Arrays{gelu(in[0])}; }),
  };
}

}  // namespace

std::vector<Program> pointwise_programs() {
  using In = const Arrays&;
  using D = const Dims&;
  std::vector<Program> list = of_floats();
  list.push_back({"gelu_bias_bf16",
                  "bfloat16",
                  {8192, 4096},
                  {5, 63},
                  [](D d) { return Inputs{{d, kn::bfloat16}, {{d[1]}, kn::bfloat16}}; },
                  [](In in, D) { return Arrays{gelu(in[0] + in[1])}; }});
  list.push_back({"silu_mul_bf16",
                  "bfloat16",
                  {kMillions64},
                  {1001},
                  [](D d) { return Inputs{{d, kn::bfloat16}, {d, kn::bfloat16}}; },
                  [](In in, D) { return Arrays{in[0] * kn::sigmoid(in[0]) * in[1]}; }});
  list.push_back({"black_scholes",
                  "float32",
                  {kMillions64},
                  {1001},
                  [](D d) {
                    return Inputs{{d, kn::float32, 50, 150},
                                  {d, kn::float32, 50, 150},
                                  {d, kn::float32, 0.1F, 2.1F}};
                  },
                  black_scholes});
  list.push_back(
      {"uint8_normalise",
       "uint8",
       {kMillions64},
       {1001},
       [](D d) { return Inputs{{d, kn::uint8, 0, 256}}; },
       [](In in, D) { return Arrays{(in[0].astype(kn::float32) / 255.F - 0.45F) / 0.225F}; }});
  list.push_back({"adam_50", "float32", {50, std::int64_t{1} << 19}, {50, 131}, adam_inputs, adam});
  return list;
}

}  // namespace kiln::gpu
