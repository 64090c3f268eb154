// The workloads as a user of Kiln writes them.
#include <kiln/kiln.h>

#include <map>

#include "bench/chains.h"
#include "bench/suite/peer.h"

namespace bench {

namespace {

namespace kn = kiln;
using kn::Array, kn::keepdims, kn::newaxis, kn::slice, kn::whole;
using Arrays = std::vector<Array>;
using Dims = std::vector<std::int64_t>;
using Function = Arrays (*)(const Dims& dims, const Arrays& in);

Arrays chain(const Dims& dims, const Arrays& in) {
  Array z = in[0];
  for (std::int64_t k = 0; k < dims[1]; ++k) z = k % 2 == 0 ? z * 0.9375f : z + in[0];
  return {z};
}

// The part of a picture that is moved by (r, c) from a border of `margin`.
Array moved(const Array& x, int margin, int r, int c) {
  const auto cut = [margin](std::int64_t extent, int by) {
    return slice(margin + by, extent - margin + by);
  };
  return x(cut(x.shape(0), r), cut(x.shape(1), c));
}

Arrays heat(const Dims&, const Arrays& in) {
  const Array& u = in[0];
  const Array centre = moved(u, 1, 0, 0);
  return {centre + 0.1f * (moved(u, 1, 0, -1) + moved(u, 1, 0, 1) + moved(u, 1, -1, 0) +
                           moved(u, 1, 1, 0) - 4.f * centre)};
}

Array spread(const Array& u) {
  return 0.2f * (moved(u, 1, 0, -1) + moved(u, 1, 0, 1) + moved(u, 1, -1, 0) + moved(u, 1, 1, 0)) +
         0.05f *
             (moved(u, 1, -1, -1) + moved(u, 1, -1, 1) + moved(u, 1, 1, -1) + moved(u, 1, 1, 1)) -
         moved(u, 1, 0, 0);
}

Arrays gray_scott(const Dims&, const Arrays& in) {
  const Array u = moved(in[0], 1, 0, 0), v = moved(in[1], 1, 0, 0);
  const Array reaction = u * v * v;
  return {u + 0.16f * spread(in[0]) - reaction + 0.035f * (1.f - u),
          v + 0.08f * spread(in[1]) + reaction - 0.1f * v};
}

Arrays blur(const Dims&, const Arrays& in) {
  constexpr float kWeights[] = {0.030078f, 0.104983f, 0.222251f, 0.285376f,
                                0.222251f, 0.104983f, 0.030078f};
  const Array& x = in[0];
  const std::int64_t height = x.shape(0) - 6, width = x.shape(1) - 6;
  Array across = x(whole, slice(0, width)) * kWeights[0];
  for (int k = 1; k < 7; ++k) across = across + x(whole, slice(k, width + k)) * kWeights[k];
  Array down = across(slice(0, height)) * kWeights[0];
  for (int k = 1; k < 7; ++k) down = down + across(slice(k, height + k)) * kWeights[k];
  return {down};
}

Array squared_distances(const Array& a, const Array& b) {
  const Array difference = a(whole, newaxis, whole) - b;
  return kn::sum(difference * difference, {-1});
}

Arrays kmeans(const Dims& dims, const Arrays& in) {
  const Array &points = in[0], &centres = in[1];
  const Array nearest = kn::argmin(squared_distances(points, centres), 1);
  const Array member =
      kn::astype(kn::equal(nearest(whole, newaxis), kn::arange(dims[2])), kn::float32);
  const Array counts = kn::maximum(kn::sum(member, {0}), 1.f);
  return {kn::matmul(member.T(), points) / counts(whole, newaxis)};
}

Arrays knn(const Dims&, const Arrays& in) {
  return {kn::astype(kn::argmin(squared_distances(in[0], in[1]), 1), kn::float32)};
}

Arrays nbody(const Dims&, const Arrays& in) {
  const auto apart = [](const Array& x) { return x(newaxis, whole) - x(whole, newaxis); };
  const Array dx = apart(in[0]), dy = apart(in[1]), dz = apart(in[2]);
  const Array square = dx * dx + dy * dy + dz * dz + 0.01f;
  const Array pull = in[3] / (square * kn::sqrt(square));
  return {kn::sum(pull * dx, {1}), kn::sum(pull * dy, {1}), kn::sum(pull * dz, {1})};
}

// Tensors come as weight, gradient, first and second moment, in turn.
Arrays adam(const Dims&, const Arrays& in) {
  Arrays out;
  for (std::size_t k = 0; k < in.size(); k += 4) {
    const Array m = 0.9f * in[k + 2] + 0.1f * in[k + 1];
    const Array v = 0.999f * in[k + 3] + 0.001f * in[k + 1] * in[k + 1];
    out.push_back(in[k] - 0.001f * (m / 0.19f) / (kn::sqrt(v / 0.001999f) + 1e-8f));
    out.push_back(m);
    out.push_back(v);
  }
  return out;
}

Arrays logistic(const Dims& dims, const Arrays& in) {
  const Array error = kn::sigmoid(kn::matmul(in[0], in[2])) - in[1];
  const Array slope = kn::matmul(in[0].T(), error) / static_cast<float>(dims[0]);
  return {in[2] - 0.1f * slope};
}

Arrays gelu(const Dims&, const Arrays& in) {
  const Array& x = in[0];
  return {0.5f * x * (1.f + kn::tanh(0.7978845608f * (x + 0.044715f * x * x * x)))};
}

Arrays mlp(const Dims&, const Arrays& in) {
  const Array hidden = kn::relu(kn::matmul(in[0], in[1]) + in[2]);
  return {kn::softmax(kn::matmul(hidden, in[3]) + in[4])};
}

const std::map<std::string, Function>& functions() {
  static const std::map<std::string, Function> table{
      {"axpy", [](const Dims&, const Arrays& in) { return Arrays{2.5f * in[0] + in[1]}; }},
      {"chain", chain},
      {"transcendental",
       [](const Dims&, const Arrays& in) {
         const Array& x = in[0];
         return Arrays{kn::tanh(kn::exp(kn::sin(x)) - kn::log(1.f + x * x) * kn::cos(x))};
       }},
      {"black_scholes",
       [](const Dims&, const Arrays& in) {
         return black_scholes(in[0], in[1], in[2], in[3], in[4]);
       }},
      {"mse",
       [](const Dims&, const Arrays& in) { return Arrays{kn::mean(kn::square(in[0] - in[1]))}; }},
      {"softmax", [](const Dims&, const Arrays& in) { return Arrays{kn::softmax(in[0])}; }},
      {"layer_norm",
       [](const Dims&, const Arrays& in) { return Arrays{kn::layer_norm(in[0]) * in[1] + in[2]}; }},
      {"logsumexp", [](const Dims&, const Arrays& in) { return Arrays{kn::logsumexp(in[0], -1)}; }},
      {"standardise",
       [](const Dims&, const Arrays& in) {
         return Arrays{(in[0] - kn::mean(in[0], 0)) / kn::std(in[0], 0)};
       }},
      {"distances",
       [](const Dims&, const Arrays& in) { return Arrays{squared_distances(in[0], in[1])}; }},
      {"add_transposed", [](const Dims&, const Arrays& in) { return Arrays{in[0] + in[0].T()}; }},
      {"heat", heat},
      {"gray_scott", gray_scott},
      {"blur", blur},
      {"kmeans", kmeans},
      {"knn", knn},
      {"nbody", nbody},
      {"adam", adam},
      {"logistic", logistic},
      {"mlp", mlp},
      {"row_sums", [](const Dims&, const Arrays& in) { return Arrays{kn::sum(in[0], 1)}; }},
      {"column_sums", [](const Dims&, const Arrays& in) { return Arrays{kn::sum(in[0], 0)}; }},
      {"row_argmax",
       [](const Dims&, const Arrays& in) {
         return Arrays{kn::astype(kn::argmax(in[0], 1), kn::float32)};
       }},
      {"gelu", gelu},
      {"product", [](const Dims&, const Arrays& in) { return Arrays{kn::matmul(in[0], in[1])}; }},
  };
  return table;
}

std::optional<Program> make(const Problem& p, bool fusion) {
  const auto found = functions().find(p.name);
  if (found == functions().end()) return std::nullopt;
  auto in = std::make_shared<Arrays>();
  for (std::size_t k = 0; k < p.inputs.size(); ++k) {
    std::vector<std::int64_t> strides(p.shapes[k].size(), 1);
    for (std::size_t axis = strides.size(); axis-- > 1;) {
      strides[axis - 1] = strides[axis] * p.shapes[k][axis];
    }
    const std::shared_ptr<const void> kept(p.in(k), [](const void*) {});
    in->push_back(kn::borrow(p.in(k), {kn::Shape(p.shapes[k]), strides}, kept));
  }
  auto out = std::make_shared<Arrays>();
  auto views = std::make_shared<std::vector<kn::HostView<float>>>();
  const bool queues = kn::default_device().kind() == kn::Device::cuda;
  const auto run = [=, &p, function = found->second] {
    const kn::Scope scope({.fusion = fusion});
    out->clear();  // its memory serves the new results
    *out = function(p.dims, *in);
    kn::eval(*out);
    if (!queues) kn::synchronize();
  };
  const auto outputs = [=] {
    std::vector<Values> values;
    views->clear();
    for (const Array& array : *out) {
      views->push_back(array.host<float>());
      values.push_back({views->back().data(), views->back().size()});
    }
    return values;
  };
  std::function<void()> wait;
  if (queues) wait = [] { kn::synchronize(); };
  return Program{run, outputs, wait};
}

}  // namespace

Peer kiln_peer() {
  return {"kiln", "this tree", [](const Problem& p) { return make(p, true); }};
}

Peer unfused_peer() {
  return {"kiln_unfused", "this tree, each operation a kernel",
          [](const Problem& p) { return make(p, false); }};
}

}  // namespace bench
