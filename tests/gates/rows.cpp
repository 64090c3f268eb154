#include "tests/gates/rows.h"

namespace kiln_gates {

using kn::Array;
using kn::Keep;
using In = std::vector<Array>;
using Rng = std::mt19937_64;

namespace {

constexpr std::int64_t kMillions16 = std::int64_t{1} << 24;

// 1, or an odd number, or a prime, up to a limit.
std::int64_t odd_extent(Rng& rng, std::int64_t limit) {
  constexpr std::int64_t kPrimes[] = {2,   3,   5,   7,    11,   13,   31,   61,
                                      127, 131, 509, 1021, 4093, 8191, 16381};
  switch (rng() % 4) {
    case 0:
      return 1;
    case 1: {
      std::int64_t p = kPrimes[rng() % std::size(kPrimes)];
      while (p > limit) p = kPrimes[rng() % std::size(kPrimes)];
      return p;
    }
    default:
      return std::min<std::int64_t>(
          limit,
          2 * static_cast<std::int64_t>(rng() % (static_cast<std::uint64_t>(limit + 1) / 2)) + 1);
  }
}

std::function<Dims(Rng&)> odd_extents(Dims limits) {
  return [limits](Rng& rng) {
    Dims dims;
    for (const std::int64_t limit : limits) dims.push_back(odd_extent(rng, limit));
    return dims;
  };
}

std::function<std::vector<InputSpec>(const Dims&)> arrays_of(int count, int rank) {
  return [count, rank](const Dims& d) {
    return std::vector<InputSpec>(static_cast<std::size_t>(count),
                                  {kn::Shape(Dims(d.end() - rank, d.end())), kn::float32});
  };
}

std::vector<InputSpec> labelled(const Dims& d) {
  return {{{d[0], d[1]}, kn::float32}, {{d[0]}, kn::int32}};
}

std::vector<InputSpec> two_clouds(const Dims& d) {
  return {{{d[0], d[2]}, kn::float32}, {{d[1], d[2]}, kn::float32}};
}

// 4 arrays of each shape: parameter, gradient, both moments.
std::vector<InputSpec> adam_inputs(const Dims& d) {
  std::vector<InputSpec> specs;
  for (std::size_t i = 0; i + 1 < d.size(); i += 2) {
    for (int k = 0; k < 4; ++k) specs.push_back({{d[i], d[i + 1]}, kn::float32});
  }
  return specs;
}

Dims tensors(int count, std::int64_t scale) {
  Dims d;
  for (int i = 0; i < count; ++i) {
    d.push_back(1 + (i * 37 % 64) * scale);
    d.push_back(i % 5 == 0 ? 1 : 3 + (i * 53 % 97) * scale);
  }
  return d;
}

void simple_rows(std::vector<Row>* rows) {
  Row row;
  row.name = "chain of elementwise operations";
  for (const std::int64_t ops : {1, 8, 64, 512}) {
    row.stated.push_back({.dims = {ops, kMillions16}, .bytes = 1.0, .requested_cuda = 1.0});
  }
  row.small = {{8, 1000}, {512, 37}};
  row.random = [](Rng& rng) { return Dims{8, odd_extent(rng, 20000)}; };
  row.inputs = arrays_of(1, 1);
  row.program = chain;
  rows->push_back(row);

  row = {};
  row.name = "Black-Scholes call and put";
  row.stated = {{.dims = {10'000'000}, .bytes = 1.0, .requested_cuda = 1.0}};
  row.small = {{777}};
  row.random = odd_extents({20000});
  row.inputs = arrays_of(5, 1);
  row.program = black_scholes;
  row.outlive = true;
  rows->push_back(row);

  row = {};
  row.name = "mean((a-b)^2)";
  row.stated = {{.dims = {kMillions16}, .kernels = 2, .bytes = 1.01}};
  row.small = {{70001}};
  row.random = odd_extents({20000});
  row.kernels_anywhere = 2;
  row.inputs = arrays_of(2, 1);
  row.program = [](Speller& s, const In& in, const Dims&) {
    return In{s.mean(s.square(s.sub(in[0], in[1])))};
  };
  rows->push_back(row);

  row = {};
  row.name = "where(mask, f(x), g(x)), clip";
  row.stated = {{.dims = {kMillions16}, .bytes = 1.0}};
  row.small = {{1001}};
  row.random = odd_extents({200, 100});
  row.inputs = [](const Dims& d) {
    return std::vector<InputSpec>{{kn::Shape(d), kn::float32}, {kn::Shape(d), kn::bool_}};
  };
  row.program = [](Speller& s, const In& in, const Dims&) {
    const Array chosen = s.where(in[1], s.exp(in[0]), s.mul(in[0], 3.f));
    return In{s.map(chosen, [](const Array& a) { return kn::clip(a, -1.f, 1.f); })};
  };
  rows->push_back(row);

  row = {};
  row.name = "casts between all dtypes";
  row.stated = {{.dims = {kMillions16}, .bytes = 1.0}};
  row.small = {{999}};
  row.random = odd_extents({200, 100});
  row.inputs = [](const Dims& d) { return std::vector<InputSpec>{{kn::Shape(d), kn::float32}}; };
  row.program = casts;
  rows->push_back(row);
}

void row_programs(std::vector<Row>* rows) {
  Row row;
  row.name = "softmax";
  for (const std::int64_t n : {8, 100, 1000, 2048, 4096, 16384}) {
    row.stated.push_back({.dims = {kMillions16 / n, n}, .bytes = 1.0, .requested_cuda = 1.0});
  }
  row.small = {{37, 5}, {9, 1000}, {3, 16384}};
  row.inputs = arrays_of(1, 2);
  row.program = [](Speller& s, const In& in, const Dims&) { return In{softmax(s, in[0])}; };
  rows->push_back(row);

  row.name = "softmax, rows of a million";
  row.stated = {{.dims = {64, 1'000'000}, .kernels = 1, .requested = 2.1},
                {.dims = {1, 1'000'000}, .kernels = 5, .requested = 2.1}};
  row.small = {{2, 70001}, {1, 140001}};
  rows->push_back(row);

  const auto over_rows = [&](const char* title, auto program) {
    row = {};
    row.name = title;
    row.stated = {{.dims = {16384, 1000}, .bytes = 1.0, .requested_cuda = 1.0},
                  {.dims = {1024, 16384}, .bytes = 1.0, .requested_cuda = 1.0}};
    row.small = {{21, 33}, {3, 5000}};
    row.random = odd_extents({200, 16384});
    row.inputs = arrays_of(1, 2);
    row.program = program;
    rows->push_back(row);
  };
  over_rows("layer_norm(x) * g + b", [](Speller& s, const In& in, const Dims&) {
    return In{s.add(s.mul(layer_norm(s, in[0]), in[1]), in[2])};
  });
  rows->back().inputs = [](const Dims& d) {
    return std::vector<InputSpec>{
        {{d[0], d[1]}, kn::float32}, {{d[1]}, kn::float32}, {{d[1]}, kn::float32}};
  };
  over_rows("rms_norm", [](Speller& s, const In& in, const Dims&) {
    return In{s.div(in[0], s.sqrt(s.add(s.mean(s.square(in[0]), -1), 1e-5f)))};
  });
  over_rows("log_softmax", [](Speller& s, const In& in, const Dims&) {
    const Array shifted = s.sub(in[0], s.max(in[0], -1));
    return In{s.sub(shifted, s.log(s.sum(s.exp(shifted), -1)))};
  });
  over_rows("logsumexp", [](Speller& s, const In& in, const Dims& d) {
    const Array top = s.max(in[0], -1);
    const Array total = s.log(s.sum(s.exp(s.sub(in[0], top)), -1, Keep::no));
    return In{s.add(total, s.map(top, [&](const Array& a) { return a.reshape({d[0]}); }))};
  });
  over_rows("var over the last axis", [](Speller& s, const In& in, const Dims&) {
    return In{variance(s, in[0], -1, Keep::no)};
  });
  over_rows("std over the last axis", [](Speller& s, const In& in, const Dims&) {
    return In{s.sqrt(variance(s, in[0], -1, Keep::no))};
  });
  over_rows("cross-entropy a row", [](Speller& s, const In& in, const Dims&) {
    return In{cross_entropy(s, in[0], in[1])};
  });
  rows->back().inputs = labelled;

  row = {};
  row.name = "mean of the cross-entropy";
  row.stated = {{.dims = {16384, 1000}, .kernels = 2, .bytes = 1.01}};
  row.small = {{21, 33}, {300, 10}};
  row.random = odd_extents({400, 4096});
  row.kernels_anywhere = 2;
  row.inputs = labelled;
  row.program = [](Speller& s, const In& in, const Dims&) {
    return In{s.mean(cross_entropy(s, in[0], in[1]), 0, Keep::no)};
  };
  rows->push_back(row);
}

void reductions(std::vector<Row>* rows) {
  Row row;
  row.name = "var to a scalar";
  row.stated = {{.dims = {kMillions16}, .kernels = 4, .bytes = 2.01}};
  row.small = {{140001}};
  row.inputs = arrays_of(1, 1);
  row.program = [](Speller& s, const In& in, const Dims&) {
    return In{s.mean(s.square(s.sub(in[0], s.mean(in[0]))))};
  };
  rows->push_back(row);

  row = {};
  row.name = "(x - mean(x,0)) / std(x,0)";
  row.stated = {{.dims = {4096, 512}, .kernels = 4, .bytes = 2.1}};
  row.small = {{1500, 33}};
  row.inputs = arrays_of(1, 2);
  row.program = [](Speller& s, const In& in, const Dims&) {
    const Array centred = s.sub(in[0], s.mean(in[0], 0));
    return In{s.div(centred, s.sqrt(variance(s, in[0], 0, kn::keepdims)))};
  };
  rows->push_back(row);

  row = {};
  row.name = "sum(x), max(x), sum(x*y), argmax(x)";
  row.stated = {{.dims = {kMillions16}, .kernels = 2, .bytes = 1.01}};
  row.small = {{70001}};
  row.random = odd_extents({20000});
  row.kernels_anywhere = 2;
  row.inputs = arrays_of(2, 1);
  row.program = [](Speller& s, const In& in, const Dims&) {
    return In{s.sum(in[0]), s.max(in[0]), s.sum(s.mul(in[0], in[1])), s.argmax(in[0])};
  };
  rows->push_back(row);

  row = {};
  row.name = "pairwise squared distances";
  row.stated = {{.dims = {4096, 2048, 64}, .bytes = 1.0, .temporary = 4096 * 2048 * 64 - 1}};
  row.small = {{45, 34, 17}};
  row.random = odd_extents({500, 300, 127});
  row.inputs = two_clouds;
  row.program = [](Speller& s, const In& in, const Dims&) {
    return In{squared_distances(s, in[0], in[1])};
  };
  rows->push_back(row);

  row.name = "nearest neighbour by argmin of distances";
  row.stated = {
      {.dims = {4096, 2048, 64}, .kernels = 2, .bytes = 1.01, .temporary = 4096 * 2048 - 1}};
  row.kernels_anywhere = 2;
  row.program = [](Speller& s, const In& in, const Dims&) {
    return In{s.argmin(squared_distances(s, in[0], in[1]), -1)};
  };
  rows->push_back(row);
}

void moves(std::vector<Row>* rows) {
  const auto transposed = [&](const char* title, int inputs, auto program) {
    Row row;
    row.name = title;
    row.stated = {{.dims = {4096, 4096}, .sectors = 1.05}};
    row.small = {{45, 45}, {131, 131}};
    row.inputs = arrays_of(inputs, 2);
    row.program = program;
    rows->push_back(row);
  };
  const auto flipped = [](const Array& a) { return a.T(); };
  transposed("transpose, then arithmetic", 1, [=](Speller& s, const In& in, const Dims&) {
    return In{s.add(s.mul(s.map(in[0], flipped), 2.f), 1.f)};
  });
  transposed("x + y.T", 2, [=](Speller& s, const In& in, const Dims&) {
    return In{s.add(in[0], s.map(in[1], flipped))};
  });
  transposed("x + x.T", 1, [=](Speller& s, const In& in, const Dims&) {
    return In{s.add(in[0], s.map(in[0], flipped))};
  });
  rows->back().twice = true;

  for (const auto& [title, program] : {std::pair("stencil by slices of pad", &stencil_by_slices),
                                       std::pair("stencil by roll", &stencil_by_roll),
                                       std::pair("stencil by roll and where", &stencil_by_where)}) {
    Row row;
    row.name = title;
    for (const std::int64_t points : {5, 9}) {
      row.stated.push_back({.dims = {points, 4096, 4096}, .bytes = 1.0});
    }
    row.small = {{5, 33, 41}, {9, 17, 130}};
    row.random = [](Rng& rng) {
      return Dims{rng() % 2 == 0 ? 5 : 9, odd_extent(rng, 500), odd_extent(rng, 500)};
    };
    row.inputs = arrays_of(1, 2);
    row.program = program;
    rows->push_back(row);
  }

  Row row;
  row.name = "separable Gaussian blur, radius 4";
  row.stated = {{.dims = {4096, 4096}, .kernels = 2, .bytes = 2.0}};
  row.small = {{45, 61}};
  row.random = odd_extents({500, 500});
  row.kernels_anywhere = 2;
  row.inputs = arrays_of(1, 2);
  row.program = blur;
  rows->push_back(row);

  const auto moved = [&](const char* title, int inputs, auto program) {
    row = {};
    row.name = title;
    row.stated = {{.dims = {4096, 4096}, .bytes = 1.0}};
    row.small = {{45, 61}};
    row.random = odd_extents({500, 500});
    row.inputs = arrays_of(inputs, 2);
    row.program = program;
    rows->push_back(row);
  };
  moved("concat, then arithmetic", 2, joined);
  moved("stack, then arithmetic", 2, [](Speller& s, const In& in, const Dims&) {
    const Array both = s.map(in[0], [&](const Array& a) { return kn::stack({a, in[1]}, 1); });
    return In{s.add(s.mul(both, 2.f), 1.f)};
  });
  moved("pad, then arithmetic", 1, [](Speller& s, const In& in, const Dims&) {
    return In{s.exp(
        s.add(s.map(in[0], [](const Array& a) { return kn::pad(a, {{1, 2}, {3, 0}}); }), 1.f))};
  });
  moved("flip, then arithmetic", 1, [](Speller& s, const In& in, const Dims&) {
    return In{s.add(s.mul(s.map(in[0], [](const Array& a) { return kn::flip(a, 1); }), 2.f), 1.f)};
  });
  moved("strided slice, then arithmetic", 1, [](Speller& s, const In& in, const Dims&) {
    const Array part =
        s.map(in[0], [](const Array& a) { return a(kn::whole, kn::slice(kn::_, kn::_, 2)); });
    return In{s.add(s.mul(part, 2.f), 1.f)};
  });
}

void whole_programs(std::vector<Row>* rows) {
  Row row;
  row.name = "Adam update of 50 tensors";
  row.stated = {{.dims = tensors(50, 16), .kernels = 3, .bytes = 1.0}};
  row.small = {tensors(5, 1)};
  row.random = [](Rng& rng) {
    Dims d;
    for (int i = 0; i < 50; ++i) {
      d.push_back(odd_extent(rng, 61));
      d.push_back(odd_extent(rng, 61));
    }
    return d;
  };
  row.kernels_anywhere = 3;
  row.inputs = adam_inputs;
  row.program = adam;
  rows->push_back(row);

  row = {};
  row.name = "k-means step";
  row.stated = {{.dims = {1'000'000, 16, 8}, .kernels = 4}};
  row.small = {{300, 7, 5}};
  row.random = odd_extents({2000, 31, 31});
  row.kernels_anywhere = 4;
  row.inputs = two_clouds;
  row.program = kmeans;
  rows->push_back(row);

  row = {};
  row.name = "logistic-regression gradient step";
  row.stated = {{.dims = {100'000, 64}, .kernels = 2}};
  row.small = {{300, 17}};
  row.random = odd_extents({2000, 61});
  row.kernels_anywhere = 2;
  row.inputs = [](const Dims& d) {
    return std::vector<InputSpec>{{{d[0], d[1]}}, {{d[0]}}, {{d[1]}}};
  };
  row.program = logistic;
  row.products = true;
  rows->push_back(row);

  // Two reductions over different axes share a producer. Recomputed, x is read twice; stored, x is
  // read, y written and read once more.
  for (const bool dear : {false, true}) {
    row = {};
    row.name = dear ? "shared producer, dear: stored once" : "shared producer, cheap: recomputed";
    const std::int64_t n = 4096;
    row.stated = {{.dims = {n, n},
                   .kernels = 2,
                   .bytes = dear ? 3.01 : 2.01,
                   .temporary = dear ? n * n * 5 : n * n}};
    if (dear) row.stated[0].operations = 1.2 * 482 * n * n;  // 24 functions of about 20, once
    row.small = {{300, 130}};
    row.random = odd_extents({500, 500});
    row.kernels_anywhere = 3;
    row.inputs = arrays_of(1, 2);
    row.program = [dear](Speller& s, const In& in, const Dims&) {
      const Array y = producer(s, in[0], dear);
      return In{s.sum(y, 0, Keep::no), s.sum(y, 1, Keep::no)};
    };
    rows->push_back(row);
  }
}

}  // namespace

const std::vector<Row>& rows() {
  static const std::vector<Row>* const all = [] {
    auto* const list = new std::vector<Row>;
    simple_rows(list);
    row_programs(list);
    reductions(list);
    moves(list);
    whole_programs(list);
    return list;
  }();
  return *all;
}

}  // namespace kiln_gates
