#include "tests/gates/programs.h"

namespace kiln_gates {

using kn::Array;
using kn::Keep;
using In = std::vector<Array>;

namespace {

Array normal_cdf(Speller& s, const Array& x) {
  const Array k =
      s.map(s.add(s.mul(s.map(x, [](const Array& a) { return kn::abs(a); }), 0.2316419f), 1.f),
            [](const Array& a) { return 1.f / a; });
  Array poly = s.mul(k, 1.330274429f);
  for (const float c : {-1.821255978f, 1.781477937f, -0.356563782f, 0.319381530f}) {
    poly = s.mul(s.add(poly, c), k);
  }
  const Array tail = s.mul(s.mul(s.exp(s.mul(s.square(x), -0.5f)), 0.3989422804f), poly);
  return s.where(s.less(x, 0.f), tail, s.map(tail, [](const Array& a) { return 1.f - a; }));
}

Array window(const Array& x, std::int64_t row, std::int64_t column, std::int64_t h,
             std::int64_t w) {
  return x(kn::slice(row, row + h), kn::slice(column, column + w));
}

// x moved by (i, j) is at(i, j).
template <class At>
Array diffused(Speller& s, const Array& x, std::int64_t points, At at) {
  Array near = s.add(s.add(at(-1, 0), at(1, 0)), s.add(at(0, -1), at(0, 1)));
  if (points == 9) {
    const Array corners = s.add(s.add(at(-1, -1), at(1, 1)), s.add(at(1, -1), at(-1, 1)));
    near = s.add(near, s.mul(corners, 0.25f));
  }
  return s.add(x, s.mul(s.sub(near, s.mul(x, 4.f)), 0.1f));
}

}  // namespace

In chain(Speller& s, const In& in, const Dims& d) {
  Array x = in[0];
  for (std::int64_t i = 0; i < d[0]; ++i) {
    switch (i % 4) {
      case 0:
        x = s.mul(x, 1.0625f);
        break;
      case 1:
        x = s.add(x, 0.5f);
        break;
      case 2:
        x = s.sub(x, in[0]);
        break;
      default:
        x = s.maximum(x, in[0]);
        break;
    }
  }
  return {x};
}

In black_scholes(Speller& s, const In& in, const Dims&) {
  const Array &spot = in[0], &strike = in[1], &years = in[2], &rate = in[3], &sigma = in[4];
  const Array root = s.mul(sigma, s.sqrt(years));
  const Array drift = s.mul(s.add(rate, s.mul(s.square(sigma), 0.5f)), years);
  const Array d1 = s.div(s.add(s.log(s.div(spot, strike)), drift), root);
  const Array d2 = s.sub(d1, root);
  const auto negated = [&s](const Array& x) { return s.map(x, [](const Array& a) { return -a; }); };
  const Array discounted = s.mul(strike, s.exp(s.mul(negated(rate), years)));
  const Array call = s.sub(s.mul(spot, normal_cdf(s, d1)), s.mul(discounted, normal_cdf(s, d2)));
  const Array put =
      s.sub(s.mul(discounted, normal_cdf(s, negated(d2))), s.mul(spot, normal_cdf(s, negated(d1))));
  return {call, put};
}

Array softmax(Speller& s, const Array& x) {
  const Array e = s.exp(s.sub(x, s.max(x, -1)));
  return s.div(e, s.sum(e, -1));
}

Array variance(Speller& s, const Array& x, std::int64_t axis, Keep keep) {
  return s.mean(s.square(s.sub(x, s.mean(x, axis))), axis, keep);
}

Array layer_norm(Speller& s, const Array& x) {
  const Array centred = s.sub(x, s.mean(x, -1));
  return s.div(centred, s.sqrt(s.add(s.mean(s.square(centred), -1), 1e-5f)));
}

Array cross_entropy(Speller& s, const Array& x, const Array& labels) {
  const Array shifted = s.sub(x, s.max(x, -1));
  const Array logs = s.sub(shifted, s.log(s.sum(s.exp(shifted), -1)));
  const Array classes = kn::arange(x.shape(-1), kn::int32);
  const Array picked = s.equal(kn::broadcast_to(classes, x.shape()),
                               kn::broadcast_to(kn::expand_dims(labels, -1), x.shape()));
  const Array chosen = s.where(picked, logs, kn::zeros_like(logs));
  return s.map(s.sum(chosen, -1, Keep::no), [](const Array& a) { return -a; });
}

Array squared_distances(Speller& s, const Array& a, const Array& b) {
  const Array left = s.map(a, [](const Array& x) { return x(kn::_, kn::newaxis, kn::_); });
  const Array right = s.map(b, [](const Array& x) { return x(kn::newaxis, kn::_, kn::_); });
  return s.sum(s.square(s.sub(left, right)), -1, Keep::no);
}

In stencil_by_slices(Speller& s, const In& in, const Dims& d) {
  const Array wide = s.map(in[0], [](const Array& x) { return kn::pad(x, {1}); });
  const auto at = [&](std::int64_t i, std::int64_t j) {
    return s.map(wide, [&](const Array& x) { return window(x, 1 + i, 1 + j, d[1], d[2]); });
  };
  return {diffused(s, in[0], d[0], at)};
}

In stencil_by_roll(Speller& s, const In& in, const Dims& d) {
  const auto at = [&](std::int64_t i, std::int64_t j) {
    return s.map(in[0], [&](const Array& x) {
      Array y = x;
      if (i != 0) y = kn::roll(y, i, 0);
      if (j != 0) y = kn::roll(y, j, 1);
      return y;
    });
  };
  return {diffused(s, in[0], d[0], at)};
}

In stencil_by_where(Speller& s, const In& in, const Dims& d) {
  const Array next = stencil_by_roll(s, in, d)[0];
  const Array i = kn::expand_dims(kn::arange(d[1], kn::int32), 1), j = kn::arange(d[2], kn::int32);
  const Array edge = (i == 0) | (i == d[1] - 1) | (j == 0) | (j == d[2] - 1);
  return {s.where(edge, in[0], next)};
}

In blur(Speller& s, const In& in, const Dims&) {
  constexpr int kRadius = 4;
  constexpr float kWeights[] = {0.2f, 0.18f, 0.12f, 0.066f, 0.028f};
  Array x = in[0];
  for (const int axis : {0, 1}) {
    std::vector<kn::Margin> margins(2, 0);
    margins[static_cast<std::size_t>(axis)] = kRadius;
    const Array wide = s.map(x, [&](const Array& a) { return kn::pad(a, margins); });
    const std::int64_t n = x.shape(axis);
    Array total;
    for (int k = -kRadius; k <= kRadius; ++k) {
      const kn::Slice part = kn::slice(k + kRadius, k + kRadius + n);
      const Array moved =
          s.map(wide, [&](const Array& a) { return axis == 0 ? a(part) : a(kn::whole, part); });
      const Array weighted = s.mul(moved, kWeights[k < 0 ? -k : k]);
      total = k == -kRadius ? weighted : s.add(total, weighted);
    }
    x = total;
  }
  return {x};
}

In casts(Speller& s, const In& in, const Dims&) {
  Array x = in[0];
  for (const kn::DType t :
       {kn::float64, kn::int64, kn::float16, kn::int16, kn::bfloat16, kn::uint32, kn::int8,
        kn::uint64, kn::uint16, kn::int32, kn::uint8, kn::float32}) {
    x = s.map(x, [&](const Array& a) { return a.astype(t); });
  }
  const Array truth =
      s.map(x, [](const Array& a) { return a.astype(kn::bool_).astype(kn::float32); });
  return {s.add(x, truth)};
}

In joined(Speller& s, const In& in, const Dims&) {
  const Array both = s.map(in[0], [&](const Array& a) { return kn::concat({a, in[1]}, 0); });
  return {s.add(s.mul(both, 2.f), 1.f)};
}

In adam(Speller& s, const In& in, const Dims&) {
  In out;
  for (std::size_t i = 0; i < in.size(); i += 4) {
    const Array m = s.add(s.mul(in[i + 2], 0.9f), s.mul(in[i + 1], 0.1f));
    const Array v = s.add(s.mul(in[i + 3], 0.999f), s.mul(s.square(in[i + 1]), 0.001f));
    const Array step = s.div(s.mul(m, 0.01f), s.add(s.sqrt(v), 1e-8f));
    out.push_back(s.sub(in[i], step));
    out.push_back(m);
    out.push_back(v);
  }
  return out;
}

In kmeans(Speller& s, const In& in, const Dims&) {
  const Array nearest = s.argmin(squared_distances(s, in[0], in[1]), -1);
  const Array mine = s.equal(
      kn::broadcast_to(kn::expand_dims(nearest, 1), {in[0].shape(0), in[1].shape(0)}),
      kn::broadcast_to(kn::arange(in[1].shape(0), kn::int64), {in[0].shape(0), in[1].shape(0)}));
  const Array weight = s.map(mine, [](const Array& a) { return a.astype(kn::float32); });
  const Array points = s.map(in[0], [](const Array& x) { return x(kn::_, kn::newaxis, kn::_); });
  const Array weights = s.map(weight, [](const Array& x) { return x(kn::_, kn::_, kn::newaxis); });
  const Array sums = s.sum(s.mul(points, weights), 0, Keep::no);
  const Array counts = s.sum(weight, 0, Keep::no);
  return {s.div(sums, kn::expand_dims(kn::maximum(counts, 1.f), 1))};
}

In logistic(Speller& s, const In& in, const Dims& d) {
  const Array &x = in[0], &y = in[1], &w = in[2];
  const Array z = s.map(x, [&](const Array& a) { return kn::matmul(a, w); });
  const Array p = s.map(s.add(s.exp(s.map(z, [](const Array& a) { return -a; })), 1.f),
                        [](const Array& a) { return 1.f / a; });
  const Array error = s.sub(p, y);
  const Array gradient = s.map(x, [&](const Array& a) { return kn::matmul(a.T(), error); });
  return {s.sub(w, s.mul(gradient, 0.1f / static_cast<float>(d[0])))};
}

Array producer(Speller& s, const Array& x, bool dear) {
  Array y = s.add(s.mul(x, 2.f), 1.f);
  if (dear) {
    for (int i = 0; i < 12; ++i) y = s.map(y, [](const Array& a) { return kn::sin(kn::exp(a)); });
  }
  return y;
}

}  // namespace kiln_gates
