// Programs that memory bounds, on arrays of 256 MB (KILN_BENCH_MB: another size): Kiln, Kiln
// without fusion, the hand-written loop plain and with -ffast-math, and the bandwidth of the same
// mix of streams.
#include <kiln/kiln.h>

#include <cstdlib>
#include <memory>

#include "bench/chains.h"
#include "bench/measure.h"
#include "bench/native/hand.h"

namespace {

using bench::Alternative;
using bench::Memory;
using kiln::Array;

constexpr std::int64_t kColumns = 2048;

// Elements of an array; a multiple of kColumns * 64.
std::int64_t elements() {
  const char* const given = std::getenv("KILN_BENCH_MB");
  return (given != nullptr ? std::atoll(given) : 256) * ((1 << 20) / 4);
}

// Two inputs with values of both, and an output for the loops; made once.
struct Data {
  std::int64_t n = elements();
  Memory x{n, 1.25f}, y{n, 0.5f}, out{n}, g{kColumns, 2.0f}, b{kColumns, 1.0f};
  Array ax = wrap(x, {n}), ay = wrap(y, {n}), ag = wrap(g, {kColumns}), ab = wrap(b, {kColumns});

  Array wrap(const Memory& memory, const kiln::Shape& shape) const {
    return kiln::borrow(memory.data(), {shape, {1}},
                        std::shared_ptr<const void>(memory.data(), [](const void*) {}));
  }
};

Data& data() {
  static auto* const made = new Data;
  return *made;
}

template <class F>
Alternative lazily(const char* name, F program, bool fusion = true) {
  return {name, [program, fusion] {
            const kiln::Scope scope({.fusion = fusion});
            kiln::eval(program());
          }};
}

void stream_copy(Data& d) {
  bench::share(d.n, 64, [&](std::int64_t begin, std::int64_t end) {
    bench::stream::copy(d.x.data(), d.out.data(), begin, end);
  });
}

void stream_triad(Data& d) {
  bench::share(d.n, 64, [&](std::int64_t begin, std::int64_t end) {
    bench::stream::triad(d.x.data(), d.y.data(), d.out.data(), begin, end);
  });
}

void stream_read(Data& d) {
  bench::share(d.n, 64, [&](std::int64_t begin, std::int64_t end) {
    benchmark::DoNotOptimize(bench::stream::read(d.x.data(), begin, end));
  });
}

void gigabytes(benchmark::State& state, double arrays) {
  const double ms = state.counters["kiln_ms"];
  state.counters["GB_s"] = arrays * 4 * static_cast<double>(data().n) / 1e9 / (ms * 1e-3);
}

void axpy(benchmark::State& state) {
  Data& d = data();
  const auto hand = [&](std::int64_t begin, std::int64_t end) {
    bench::plain::axpy(2.5f, d.x.data(), d.y.data(), d.out.data(), begin, end);
  };
  bench::in_turn(state, {lazily("kiln", [&] { return d.ax * 2.5f + d.ay; }),
                         {"stream", [&] { stream_triad(d); }},
                         {"hand", [&] { bench::share(d.n, 64, hand); }}});
  gigabytes(state, 3);
}
BENCHMARK(axpy)->UseManualTime()->Iterations(9)->Unit(benchmark::kMillisecond);

void chain_10(benchmark::State& state) {
  Data& d = data();
  const auto hand = [&](std::int64_t begin, std::int64_t end) {
    bench::plain::chain(d.x.data(), d.y.data(), d.out.data(), begin, end);
  };
  const auto fast = [&](std::int64_t begin, std::int64_t end) {
    bench::fast::chain(d.x.data(), d.y.data(), d.out.data(), begin, end);
  };
  bench::in_turn(state, {lazily("kiln", [&] { return bench::ten_operations(d.ax, d.ay); }),
                         {"stream", [&] { stream_triad(d); }},
                         {"hand", [&] { bench::share(d.n, 64, hand); }},
                         {"fast", [&] { bench::share(d.n, 64, fast); }}});
  gigabytes(state, 3);
}
BENCHMARK(chain_10)->UseManualTime()->Iterations(9)->Unit(benchmark::kMillisecond);

void chain_64(benchmark::State& state) {
  Data& d = data();
  const auto program = [&] {
    Array z = d.ax;
    for (int i = 0; i < 32; ++i) z = (z * 0.5f) + d.ax;
    return z;
  };
  bench::in_turn(state, {lazily("kiln", program),
                         {"stream", [&] { stream_copy(d); }},
                         lazily("unfused", program, false)});
  gigabytes(state, 2);
}
BENCHMARK(chain_64)->UseManualTime()->Iterations(3)->Unit(benchmark::kMillisecond);

void softmax(benchmark::State& state) {
  Data& d = data();
  const Array x = d.ax.reshape({-1, kColumns});
  const auto program = [&] {
    const Array e = kiln::exp(x - kiln::max(x, {-1}, kiln::Keep::yes));
    return e / kiln::sum(e, {-1}, kiln::Keep::yes);
  };
  const auto fast = [&](std::int64_t begin, std::int64_t end) {
    bench::fast::softmax(d.x.data(), d.out.data(), kColumns, begin, end);
  };
  bench::in_turn(state, {lazily("kiln", program),
                         {"stream", [&] { stream_copy(d); }},
                         {"fast", [&] { bench::share(d.n / kColumns, 1, fast); }},
                         lazily("unfused", program, false)});
  gigabytes(state, 2);
}
BENCHMARK(softmax)->UseManualTime()->Iterations(5)->Unit(benchmark::kMillisecond);

void layer_norm(benchmark::State& state) {
  Data& d = data();
  const Array x = d.ax.reshape({-1, kColumns});
  const auto program = [&] {
    const Array centred = x - kiln::mean(x, {-1}, kiln::Keep::yes);
    const Array variance = kiln::mean(centred * centred, {-1}, kiln::Keep::yes);
    return centred / kiln::sqrt(variance + 1e-5f) * d.ag + d.ab;
  };
  const auto fast = [&](std::int64_t begin, std::int64_t end) {
    bench::fast::layer_norm(d.x.data(), d.g.data(), d.b.data(), d.out.data(), kColumns, begin, end);
  };
  bench::in_turn(state, {lazily("kiln", program),
                         {"stream", [&] { stream_copy(d); }},
                         {"fast", [&] { bench::share(d.n / kColumns, 1, fast); }},
                         lazily("unfused", program, false)});
  gigabytes(state, 2);
}
BENCHMARK(layer_norm)->UseManualTime()->Iterations(5)->Unit(benchmark::kMillisecond);

void row_sums(benchmark::State& state) {
  Data& d = data();
  const Array x = d.ax.reshape({-1, kColumns});
  const auto fast = [&](std::int64_t begin, std::int64_t end) {
    bench::fast::row_sums(d.x.data(), d.out.data(), kColumns, begin, end);
  };
  bench::in_turn(state, {lazily("kiln", [&] { return kiln::sum(x, {1}); }),
                         {"stream", [&] { stream_read(d); }},
                         {"fast", [&] { bench::share(d.n / kColumns, 1, fast); }}});
  gigabytes(state, 1);
}
BENCHMARK(row_sums)->UseManualTime()->Iterations(9)->Unit(benchmark::kMillisecond);

void column_sums(benchmark::State& state) {
  Data& d = data();
  const Array x = d.ax.reshape({-1, kColumns});
  const auto fast = [&](std::int64_t begin, std::int64_t end) {
    bench::fast::column_sums(d.x.data(), d.out.data(), d.n / kColumns, kColumns, begin, end);
  };
  bench::in_turn(state, {lazily("kiln", [&] { return kiln::sum(x, {0}); }),
                         {"stream", [&] { stream_read(d); }},
                         {"fast", [&] { bench::share(kColumns, 64, fast); }}});
  gigabytes(state, 1);
}
BENCHMARK(column_sums)->UseManualTime()->Iterations(9)->Unit(benchmark::kMillisecond);

void total_sum(benchmark::State& state) {
  Data& d = data();
  bench::in_turn(state, {lazily("kiln", [&] { return kiln::sum(d.ax); }),
                         {"stream", [&] { stream_read(d); }}});
  gigabytes(state, 1);
}
BENCHMARK(total_sum)->UseManualTime()->Iterations(9)->Unit(benchmark::kMillisecond);

void add_transposed(benchmark::State& state) {
  Data& d = data();
  constexpr std::int64_t kSide = 4096;
  const Array x = d.ax(kiln::slice(0, kSide * kSide)).reshape({kSide, kSide});
  const Array y = d.ay(kiln::slice(0, kSide * kSide)).reshape({kSide, kSide});
  kiln::eval({x, y});
  const auto fast = [&](std::int64_t begin, std::int64_t end) {
    bench::fast::add_transposed(d.x.data(), d.y.data(), d.out.data(), kSide, begin, end);
  };
  bench::in_turn(state, {lazily("kiln", [&] { return x + y.T(); }),
                         {"fast", [&] { bench::share(kSide, 64, fast); }}});
}
BENCHMARK(add_transposed)->UseManualTime()->Iterations(7)->Unit(benchmark::kMillisecond);

void broadcast_add(benchmark::State& state) {
  Data& d = data();
  const Array x = d.ax.reshape({-1, kColumns});
  const Array column = d.ay(kiln::slice(0, d.n / kColumns)).reshape({-1, 1});
  kiln::eval(column);
  const auto fast = [&](std::int64_t begin, std::int64_t end) {
    bench::fast::broadcast_add(d.x.data(), d.g.data(), d.y.data(), d.out.data(), kColumns, begin,
                               end);
  };
  bench::in_turn(state, {lazily("kiln", [&] { return x + d.ag + column; }),
                         {"stream", [&] { stream_copy(d); }},
                         {"fast", [&] { bench::share(d.n / kColumns, 1, fast); }}});
  gigabytes(state, 2);
}
BENCHMARK(broadcast_add)->UseManualTime()->Iterations(7)->Unit(benchmark::kMillisecond);

}  // namespace
