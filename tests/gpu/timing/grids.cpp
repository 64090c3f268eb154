// Transposes, distances, stencils and products of matrices.
#include "tests/gpu/timing/program.h"

namespace kiln::gpu {

namespace {

using In = const Arrays&;
using D = const Dims&;

Inputs clouds(D d) { return {{{d[0], d[2]}}, {{d[1], d[2]}}}; }
Inputs factors(D d, kn::DType dtype) {
  return {{{d[0], d[1]}, dtype, -1, 1}, {{d[1], d[2]}, dtype, -1, 1}};
}

Array distances(const Array& a, const Array& b) {
  return kn::sum(kn::square(a(kn::whole, kn::newaxis, kn::whole) - b), 2);
}

// Around a torus.
Array spread(const Array& x) {
  const Array up = kn::roll(x, 1, 0), down = kn::roll(x, -1, 0);
  const Array straight = up + down + kn::roll(x, 1, 1) + kn::roll(x, -1, 1);
  const Array across =
      kn::roll(up, 1, 1) + kn::roll(up, -1, 1) + kn::roll(down, 1, 1) + kn::roll(down, -1, 1);
  return 0.2F * straight + 0.05F * across - x;
}

Arrays gray_scott(In in, D) {
  const Array &u = in[0], &v = in[1];
  const Array reaction = u * v * v;
  return {u + 0.16F * spread(u) - reaction + 0.035F * (1.F - u),
          v + 0.08F * spread(v) + reaction - 0.1F * v};
}

// The border is zero.
Arrays heat(In in, D d) {
  const Array wide = kn::pad(in[0], {1});
  const auto at = [&](std::int64_t row, std::int64_t column) {
    return wide(kn::slice(1 + row, 1 + row + d[0]), kn::slice(1 + column, 1 + column + d[1]));
  };
  return {in[0] + 0.1F * (at(-1, 0) + at(1, 0) + at(0, -1) + at(0, 1) - 4.F * in[0])};
}

// Of a picture's channels: along rows, then along columns, rounded at the end.
Arrays blur(In in, D d) {
  constexpr float kWeights[] = {0.0625F, 0.25F, 0.375F, 0.25F, 0.0625F};
  const Array wide = kn::pad(in[0], {{2, 2}, {2, 2}, {0, 0}}).astype(kn::float32);
  Array across = wide(kn::whole, kn::slice(0, d[1])) * kWeights[0];
  for (int k = 1; k < 5; ++k) {
    across = across + wide(kn::whole, kn::slice(k, k + d[1])) * kWeights[k];
  }
  Array down = across(kn::slice(0, d[0])) * kWeights[0];
  for (int k = 1; k < 5; ++k) down = down + across(kn::slice(k, k + d[0])) * kWeights[k];
  return {kn::round(down).astype(kn::uint8)};
}

Arrays product(In in, D) { return {kn::matmul(in[0], in[1])}; }

}  // namespace

std::vector<Program> grid_programs() {
  std::vector<Program> list;
  list.push_back({"add_transposed",
                  "float32",
                  {8192, 8192},
                  {33, 33},
                  [](D d) { return Inputs{{d}, {{d[1], d[0]}}}; },
                  [](In in, D) { return Arrays{in[0] + in[1].T()}; }});
  list.push_back({"distances", "float32", {4096, 4096, 64}, {5, 7, 64}, clouds, [](In in, D) {
                    return Arrays{distances(in[0], in[1])};
                  }});
  list.push_back({"nearest_256",
                  "float32",
                  {std::int64_t{1} << 20, 256, 64},
                  {9, 17, 64},
                  clouds,
                  [](In in, D) { return Arrays{kn::argmin(distances(in[0], in[1]), 1)}; }});
  list.push_back({"gray_scott",
                  "float32",
                  {4096, 4096},
                  {17, 33},
                  [](D d) { return Inputs{{d, kn::float32, 0, 1}, {d, kn::float32, 0, 1}}; },
                  gray_scott});
  list.push_back(
      {"heat_padded", "float32", {4096, 4096}, {17, 33}, [](D d) { return Inputs{{d}}; }, heat});
  list.push_back({"blur_5x5_uint8",
                  "uint8",
                  {4096, 4096, 3},
                  {17, 33, 3},
                  [](D d) { return Inputs{{d, kn::uint8, 0, 256}}; },
                  blur});
  list.push_back({"matmul_bf16_4096",
                  "bfloat16",
                  {4096, 4096, 4096},
                  {9, 17, 33},
                  [](D d) { return factors(d, kn::bfloat16); },
                  product});
  list.push_back({"matmul_f32_4096",
                  "float32",
                  {4096, 4096, 4096},
                  {9, 17, 33},
                  [](D d) { return factors(d, kn::float32); },
                  product});
  return list;
}

}  // namespace kiln::gpu
