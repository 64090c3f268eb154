// Filters, streams and walks.
#include <algorithm>
#include <cmath>

#include "bench/corpus/corpus.h"

namespace corpus {

namespace {

using kn::_;
using kn::Array;
using kn::slice;

// Kalman filters side by side: place and speed, three covariances, a measurement a step.
Values kalman(const Run& run) {
  Array measured = Array(noise(run.steps * run.n, 50), {run.steps, run.n});
  Array x = kn::zeros({run.n}), v = x, pxx = kn::ones({run.n}), pxv = x, pvv = pxx, worst = x;
  for (int t = 0; t < run.steps; ++t) {
    x = x + 0.1f * v;
    pxx = pxx + 0.2f * pxv + 0.01f * pvv + 0.001f;
    pxv = pxv + 0.1f * pvv;
    pvv = pvv + 0.01f;
    Array innovation = measured(t) - x;
    Array gain_x = pxx / (pxx + 0.5f), gain_v = pxv / (pxx + 0.5f);
    x = x + gain_x * innovation;
    v = v + gain_v * innovation;
    pvv = pvv - gain_v * pxv;
    pxv = (1 - gain_x) * pxv;
    pxx = (1 - gain_x) * pxx;
    worst = kn::maximum(worst, kn::abs(innovation));
    run.keep(x, v, pxx, pxv, pvv, worst);
  }
  return joined({values(x), values(v), values(pvv), values(worst)});
}

Values kalman_loops(const Run& run) {
  const Floats& measured = noise(run.steps * run.n, 50);
  const Index n = extent(run);
  Floats xs(n), vs(n), ps(n), worsts(n);
  for (Index i = 0; i < n; ++i) {
    float x = 0, v = 0, pxx = 1, pxv = 0, pvv = 1, worst = 0;
    for (int t = 0; t < run.steps; ++t) {
      x = x + 0.1f * v;
      pxx = pxx + 0.2f * pxv + 0.01f * pvv + 0.001f;
      pxv = pxv + 0.1f * pvv;
      pvv = pvv + 0.01f;
      const float innovation = measured[static_cast<Index>(t) * n + i] - x;
      const float gain_x = pxx / (pxx + 0.5f), gain_v = pxv / (pxx + 0.5f);
      x = x + gain_x * innovation;
      v = v + gain_v * innovation;
      pvv = pvv - gain_v * pxv;
      pxv = (1 - gain_x) * pxv;
      pxx = (1 - gain_x) * pxx;
      worst = std::max(worst, std::abs(innovation));
    }
    xs[i] = x;
    vs[i] = v;
    ps[i] = pvv;
    worsts[i] = worst;
  }
  return joined({values(xs), values(vs), values(ps), values(worsts)});
}

// The mean of a window that slides, by shifted slices.
Values moving_average(const Run& run) {
  const std::int64_t length = run.n - run.steps + 1;
  Array x = Array(noise(run.n, 51)), total = kn::zeros({length});
  for (int k = 0; k < run.steps; ++k) {
    total += x(slice(k, k + length));
    run.keep(total);
  }
  return values(total / run.steps);
}

Values moving_average_loops(const Run& run) {
  const Floats& x = noise(run.n, 51);
  Floats total(extent(run) - static_cast<Index>(run.steps) + 1);
  for (Index i = 0; i < total.size(); ++i) {
    for (int k = 0; k < run.steps; ++k) total[i] += x[i + static_cast<Index>(k)];
    total[i] /= static_cast<float>(run.steps);
  }
  return values(total);
}

// A filter of two poles, for many channels: row t from the rows before it.
Values biquad(const Run& run) {
  Array x = Array(noise(run.steps * run.n, 52), {run.steps, run.n}), y = kn::zeros_like(x);
  for (int t = 2; t < run.steps; ++t) {
    y.at(t) = 0.2f * x(t) + 0.3f * x(t - 1) + 0.2f * x(t - 2) + 0.6f * y(t - 1) - 0.3f * y(t - 2);
    run.keep(y);
  }
  return values(y);
}

Values biquad_loops(const Run& run) {
  const Floats& x = noise(run.steps * run.n, 52);
  const Index n = extent(run);
  Floats y(x.size());
  for (Index k = 2 * n; k < x.size(); ++k) {
    y[k] =
        0.2f * x[k] + 0.3f * x[k - n] + 0.2f * x[k - 2 * n] + 0.6f * y[k - n] - 0.3f * y[k - 2 * n];
  }
  return values(y);
}

// An exponential average of rows; each is put into a list.
Values exponential_average(const Run& run) {
  Array x = Array(noise(run.steps * run.n, 53), {run.steps, run.n}), average = x(0);
  std::vector<Array> all = {average};
  for (int t = 1; t < run.steps; ++t) {
    average = 0.9f * average + 0.1f * x(t);
    all.push_back(average);
    run.keep(average);
  }
  return values(kn::stack(all));
}

Values exponential_average_loops(const Run& run) {
  Floats x = noise(run.steps * run.n, 53);
  for (Index k = extent(run); k < x.size(); ++k) x[k] = 0.9f * x[k - extent(run)] + 0.1f * x[k];
  return values(x);
}

// A ring of the latest rows, of which each step wants the largest mean.
Values ring_buffer(const Run& run) {
  Array x = Array(noise(run.steps * run.n, 54), {run.steps, run.n}), ring = kn::zeros({5, run.n});
  Values largest;
  for (int t = 0; t < run.steps; ++t) {
    ring.at(t % 5) = x(t);
    Array peak = kn::max(kn::mean(ring, 0));
    run.keep(ring, peak);
    largest.push_back(peak.item<double>());
  }
  return largest;
}

Values ring_buffer_loops(const Run& run) {
  const Floats& x = noise(run.steps * run.n, 54);
  const Index n = extent(run);
  Floats ring(5 * n);
  Values largest;
  for (Index t = 0; t < static_cast<Index>(run.steps); ++t) {
    std::copy_n(x.begin() + static_cast<std::ptrdiff_t>(t * n), n,
                ring.begin() + static_cast<std::ptrdiff_t>(t % 5 * n));
    float peak = 0;
    for (Index i = 0; i < n; ++i) {
      peak = std::max(
          peak, (ring[i] + ring[n + i] + ring[2 * n + i] + ring[3 * n + i] + ring[4 * n + i]) / 5);
    }
    largest.push_back(peak);
  }
  return largest;
}

// Count, mean, variance and extremes of batches that come one after another.
Values stream_statistics(const Run& run) {
  Array data = Array(noise(run.steps * run.n, 55), {run.steps, run.n});
  Array mean = kn::zeros({}), squares = mean, low = kn::full({}, 9.f), high = -low;
  float count = 0;
  const float size = static_cast<float>(run.n);
  for (int t = 0; t < run.steps; ++t) {
    Array batch = data(t), batch_mean = kn::mean(batch), apart = batch_mean - mean;
    mean = mean + apart * (size / (count + size));
    squares = squares + kn::sum((batch - batch_mean) * (batch - batch_mean)) +
              apart * apart * (count * size / (count + size));
    count += size;
    low = kn::minimum(low, kn::min(batch));
    high = kn::maximum(high, kn::max(batch));
    run.keep(mean, squares, low, high);
  }
  return joined({values(mean), values(squares / count), values(low), values(high)});
}

Values stream_statistics_loops(const Run& run) {
  const Floats& data = noise(run.steps * run.n, 55);
  double mean = 0, variance = 0;
  for (const float value : data) mean += value;
  mean /= static_cast<double>(data.size());
  for (const float value : data) variance += (value - mean) * (value - mean);
  const auto [low, high] = std::minmax_element(data.begin(), data.end());
  return {mean, variance / static_cast<double>(data.size()), *low, *high};
}

// A histogram, a comparison for each bin.
Values histogram(const Run& run) {
  Array x = Array(noise(run.n, 56));
  x = x * x;
  Array counts = kn::zeros({run.steps}, kn::int64);
  for (int b = 0; b < run.steps; ++b) {
    const float low = static_cast<float>(b) / static_cast<float>(run.steps);
    const float high = static_cast<float>(b + 1) / static_cast<float>(run.steps);
    counts.at(b) = kn::count_nonzero((x >= low) & (x < high));
    run.keep(counts);
  }
  return values(counts);
}

Values histogram_loops(const Run& run) {
  Values counts(static_cast<Index>(run.steps));
  for (const float value : noise(run.n, 56)) {
    const float x = value * value;
    auto bin = static_cast<Index>(x * static_cast<float>(run.steps));
    // By the bounds themselves: the product may be rounded across one.
    while (x < static_cast<float>(bin) / static_cast<float>(run.steps)) --bin;
    while (x >= static_cast<float>(bin + 1) / static_cast<float>(run.steps)) ++bin;
    ++counts[bin];
  }
  return counts;
}

// A walk that a coin directs, looked at now and then.
Values coin_walk(const Run& run) {
  unsigned coin = 12345;
  Array x = Array(noise(run.n, 57));
  Values seen;
  for (int step = 0; step < run.steps; ++step) {
    coin = coin * 1664525u + 1013904223u;
    if (coin >> 31) {
      x = kn::abs(x - 0.75f);
    } else {
      x = 0.9f * x + 0.05f * x * x;
    }
    run.keep(x);
    if (step % 12 == 11) seen.push_back(kn::max(x).item<double>());
  }
  return joined({seen, values(x)});
}

Values coin_walk_loops(const Run& run) {
  unsigned coin = 12345;
  Floats x = noise(run.n, 57);
  Values seen;
  for (int step = 0; step < run.steps; ++step) {
    coin = coin * 1664525u + 1013904223u;
    for (float& v : x) v = coin >> 31 ? std::abs(v - 0.75f) : 0.9f * v + 0.05f * v * v;
    if (step % 12 == 11) seen.push_back(*std::max_element(x.begin(), x.end()));
  }
  return joined({seen, values(x)});
}

// Many walkers with random numbers of their own, hashed from their number and the step.
Values walkers(const Run& run) {
  Array id = kn::arange(run.n, kn::uint32), place = kn::zeros({run.n}, kn::int32), farthest = place;
  for (int step = 0; step < run.steps; ++step) {
    Array h = (id + static_cast<unsigned>(step) * 0x9e3779b9u) * 0x85ebca6bu;
    h = (h ^ (h >> 13)) * 0xc2b2ae35u;
    h = h ^ (h >> 16);
    place += kn::where((h & 1) == 1, 1, -1);
    farthest = kn::maximum(farthest, kn::abs(place));
    run.keep(place, farthest);
  }
  return joined({values(place), values(farthest)});
}

Values walkers_loops(const Run& run) {
  Floats place(extent(run)), farthest = place;
  for (std::uint32_t i = 0; i < place.size(); ++i) {
    for (unsigned step = 0; step < static_cast<unsigned>(run.steps); ++step) {
      std::uint32_t h = (i + step * 0x9e3779b9u) * 0x85ebca6bu;
      h = (h ^ (h >> 13)) * 0xc2b2ae35u;
      h = h ^ (h >> 16);
      place[i] += (h & 1) == 1 ? 1.f : -1.f;
      farthest[i] = std::max(farthest[i], std::abs(place[i]));
    }
  }
  return joined({values(place), values(farthest)});
}

// Running sums by doubling the distance.
Values prefix_sum(const Run& run) {
  Array x = Array(letters(run.n, 58, 10));
  for (std::int64_t far = 1; far < run.n; far *= 2) {
    x = x + kn::pad(x(slice(_, -far)), {{far, 0}});
    run.keep(x);
  }
  return values(x);
}

Values prefix_sum_loops(const Run& run) {
  Values sums;
  double sum = 0;
  for (const int value : letters(run.n, 58, 10)) sums.push_back(sum += value);
  return sums;
}

// The logistic map for many rates; how often each half was visited.
Values logistic_map(const Run& run) {
  Array rate = 2.5f + 1.5f * Array(noise(run.n, 62)), x = kn::full({run.n}, 0.5f),
        above = kn::zeros({run.n});
  for (int step = 0; step < run.steps; ++step) {
    x = rate * x * (1 - x);
    above += x > 0.5f;
    run.keep(x, above);
  }
  return joined({values(x), values(above)});
}

Values logistic_map_loops(const Run& run) {
  Floats xs, aboves;
  for (const float place : noise(run.n, 62)) {
    const float rate = 2.5f + 1.5f * place;
    float x = 0.5f, above = 0;
    for (int step = 0; step < run.steps; ++step) {
      x = rate * x * (1 - x);
      above += x > 0.5f ? 1.f : 0.f;
    }
    xs.push_back(x);
    aboves.push_back(above);
  }
  return joined({values(xs), values(aboves)});
}

// Autocorrelation, a lag after the other: slices that shrink.
Values autocorrelation(const Run& run) {
  Array x = Array(noise(run.n, 63)) - 0.5f;
  std::vector<Array> result;
  for (int lag = 1; lag <= run.steps; ++lag) {
    result.push_back(kn::sum(x(slice(lag, _)) * x(slice(_, -lag))));
    run.keep(result.back());
  }
  return values(kn::stack(result));
}

Values autocorrelation_loops(const Run& run) {
  Floats x = noise(run.n, 63), result;
  for (float& value : x) value -= 0.5f;
  for (Index lag = 1; lag <= static_cast<Index>(run.steps); ++lag) {
    float sum = 0;
    for (Index i = lag; i < x.size(); ++i) sum += x[i] * x[i - lag];
    result.push_back(sum);
  }
  return values(result);
}

constexpr Program kPrograms[] = {
    {"kalman",
     "filters side by side, read at the end",
     {101, 15},
     {10001, 100},
     kalman,
     kalman_loops,
     0,
     kSameOrder},
    {"moving_average",
     "shifted slices added",
     {201, 12},
     {100001, 60},
     moving_average,
     moving_average_loops,
     0,
     kSameOrder},
    {"biquad",
     "row t from the rows before",
     {31, 12},
     {501, 200},
     biquad,
     biquad_loops,
     0,
     kSameOrder},
    {"exponential_average",
     "a list of rows joined at the end",
     {31, 20},
     {1001, 200},
     exponential_average,
     exponential_average_loops,
     0,
     kSameOrder},
    {"ring_buffer",
     "rows written round and round, a maximum each step",
     {101, 11},
     {10001, 200},
     ring_buffer,
     ring_buffer_loops,
     1e-6,
     kSums},
    {"stream_statistics",
     "batches one after another",
     {101, 15},
     {10001, 100},
     stream_statistics,
     stream_statistics_loops,
     1e-5,
     "single precision against double"},
    {"histogram",
     "a comparison for each bin",
     {501, 11},
     {100001, 51},
     histogram,
     histogram_loops,
     0,
     "whole numbers"},
    {"coin_walk",
     "a branch by a coin, looked at now and then",
     {101, 60},
     {4097, 600},
     coin_walk,
     coin_walk_loops,
     0,
     kSameOrder},
    {"walkers",
     "random numbers by a hash",
     {101, 20},
     {10001, 200},
     walkers,
     walkers_loops,
     0,
     "whole numbers"},
    {"prefix_sum",
     "the distance doubled",
     {101, 0},
     {100001, 0},
     prefix_sum,
     prefix_sum_loops,
     0,
     "whole numbers"},
    {"logistic_map",
     "an ensemble, read at the end",
     {101, 50},
     {10001, 500},
     logistic_map,
     logistic_map_loops,
     0,
     kSameOrder},
    {"autocorrelation",
     "a sum for each lag",
     {201, 12},
     {20001, 60},
     autocorrelation,
     autocorrelation_loops,
     1e-5,
     kSums},
};

}  // namespace

std::span<const Program> streams() { return kPrograms; }

}  // namespace corpus
