// Clusters, particles and searches.
#include <algorithm>
#include <cmath>

#include "bench/corpus/corpus.h"

namespace corpus {

namespace {

using kn::_;
using kn::Array;
using kn::newaxis;
using kn::slice;

// k-means: a mask and a mean for each cluster, until no centre moves.
Values kmeans(const Run& run) {
  constexpr int kClusters = 5;
  Array points = Array(noise(run.n * 2, 80), {run.n, 2}), centres = points(slice(0, kClusters));
  for (int step = 0; step < run.steps; ++step) {
    Array apart = points(_, newaxis) - centres;
    Array label = kn::argmin(kn::sum(apart * apart, -1), 1);
    Array next = centres;
    for (int c = 0; c < kClusters; ++c) {
      Array mask = (label == c).astype(kn::float32);
      next.at(c) = kn::sum(points * mask(_, newaxis), 0) / kn::maximum(kn::sum(mask), 1);
    }
    Array moved = kn::max(kn::abs(next - centres));
    centres = next;
    run.keep(centres, moved);
    if (moved.item<float>() < 1e-3f) break;
  }
  return values(centres);
}

Values kmeans_loops(const Run& run) {
  constexpr Index kClusters = 5;
  const Floats& points = noise(run.n * 2, 80);
  Floats centres(points.begin(), points.begin() + 2 * kClusters);
  for (int step = 0; step < run.steps; ++step) {
    Floats next(2 * kClusters), count(kClusters);
    for (Index i = 0; i < points.size(); i += 2) {
      Index best = 0;
      float nearest = 9;
      for (Index c = 0; c < kClusters; ++c) {
        const float dx = points[i] - centres[2 * c], dy = points[i + 1] - centres[2 * c + 1];
        if (dx * dx + dy * dy < nearest) {
          nearest = dx * dx + dy * dy;
          best = c;
        }
      }
      next[2 * best] += points[i];
      next[2 * best + 1] += points[i + 1];
      ++count[best];
    }
    float moved = 0;
    for (Index k = 0; k < next.size(); ++k) {
      next[k] /= std::max(count[k / 2], 1.f);
      moved = std::max(moved, std::abs(next[k] - centres[k]));
    }
    centres = next;
    if (moved < 1e-3f) break;
  }
  return values(centres);
}

// A mixture of two Gaussians by expectation and maximisation, until the likelihood stands.
Values mixture(const Run& run) {
  Array data = Array(noise(run.n, 81));
  data = kn::where(data < 0.4f, data * 0.5f, 1 + data);
  Array weight = {0.5f, 0.5f}, mean = {0.f, 1.f}, variance = {1.f, 1.f};
  float before = -1e30f;
  for (int step = 0; step < run.steps; ++step) {
    Array apart = data(_, newaxis) - mean;
    Array density =
        weight * kn::exp(-0.5f * apart * apart / variance) / kn::sqrt(6.2831853f * variance);
    Array total = kn::sum(density, 1, kn::keepdims), share = density / total;
    Array count = kn::sum(share, 0);
    weight = count / static_cast<float>(run.n);
    mean = kn::sum(share * data(_, newaxis), 0) / count;
    Array again = data(_, newaxis) - mean;
    variance = kn::sum(share * again * again, 0) / count + 1e-3f;
    Array likelihood = kn::mean(kn::log(total));
    run.keep(weight, mean, variance, likelihood);
    const float now = likelihood.item<float>();
    if (now - before < 1e-4f) break;
    before = now;
  }
  return joined({values(weight), values(mean), values(variance)});
}

Values mixture_loops(const Run& run) {
  Floats data = noise(run.n, 81), shares(2 * data.size());
  for (float& value : data) value = value < 0.4f ? value * 0.5f : 1 + value;
  float weight[] = {0.5f, 0.5f}, mean[] = {0, 1}, variance[] = {1, 1}, before = -1e30f;
  for (int step = 0; step < run.steps; ++step) {
    float count[2] = {}, sum[2] = {}, spread[2] = {}, now = 0;
    for (Index i = 0; i < data.size(); ++i) {
      float density[2];
      for (int c = 0; c < 2; ++c) {
        const float apart = data[i] - mean[c];
        density[c] = weight[c] * std::exp(-0.5f * apart * apart / variance[c]) /
                     std::sqrt(6.2831853f * variance[c]);
      }
      now += std::log(density[0] + density[1]);
      for (int c = 0; c < 2; ++c) {
        const float share = shares[2 * i + static_cast<Index>(c)] =
            density[c] / (density[0] + density[1]);
        count[c] += share;
        sum[c] += share * data[i];
      }
    }
    for (int c = 0; c < 2; ++c) {
      weight[c] = count[c] / static_cast<float>(run.n);
      mean[c] = sum[c] / count[c];
      for (Index i = 0; i < data.size(); ++i) {
        spread[c] +=
            shares[2 * i + static_cast<Index>(c)] * (data[i] - mean[c]) * (data[i] - mean[c]);
      }
      variance[c] = spread[c] / count[c] + 1e-3f;
    }
    now /= static_cast<float>(run.n);
    if (now - before < 1e-4f) break;
    before = now;
  }
  return {weight[0], weight[1], mean[0], mean[1], variance[0], variance[1]};
}

// Bodies that attract each other, every pair of them.
Values nbody(const Run& run) {
  Array place = Array(noise(run.n * 3, 82), {run.n, 3}), speed = kn::zeros_like(place);
  Array mass = (0.5f + Array(noise(run.n, 83))) / static_cast<float>(run.n);
  for (int step = 0; step < run.steps; ++step) {
    Array apart = place(newaxis) - place(_, newaxis);
    Array square = kn::sum(apart * apart, -1) + 0.01f;
    Array pull = mass / (square * kn::sqrt(square));
    speed += 0.01f * kn::sum(pull(kn::ellipsis, newaxis) * apart, 1);
    place += 0.01f * speed;
    run.keep(place, speed);
  }
  return joined({values(place), values(speed)});
}

Values nbody_loops(const Run& run) {
  const Index n = extent(run);
  Floats place = noise(run.n * 3, 82), speed(3 * n), mass = noise(run.n, 83);
  for (float& value : mass) value = (0.5f + value) / static_cast<float>(run.n);
  for (int step = 0; step < run.steps; ++step) {
    for (Index i = 0; i < n; ++i) {
      float force[3] = {};
      for (Index j = 0; j < n; ++j) {
        float apart[3], square = 0.01f;
        for (Index k = 0; k < 3; ++k) {
          apart[k] = place[3 * j + k] - place[3 * i + k];
          square += apart[k] * apart[k];
        }
        const float pull = mass[j] / (square * std::sqrt(square));
        for (Index k = 0; k < 3; ++k) force[k] += pull * apart[k];
      }
      for (Index k = 0; k < 3; ++k) speed[3 * i + k] += 0.01f * force[k];
    }
    for (Index k = 0; k < place.size(); ++k) place[k] += 0.01f * speed[k];
  }
  return joined({values(place), values(speed)});
}

// The first three principal components, one after the other, each taken out of the data.
Values principal_components(const Run& run) {
  Array data = Array(centred(run.n * 6, 85), {run.n, 6}) * (1 + kn::arange(6).astype(kn::float32));
  data = data - kn::mean(data, 0);
  Array matrix = kn::matmul(data.T(), data) / static_cast<float>(run.n);
  std::vector<Array> found;
  for (int c = 0; c < 3; ++c) {
    Array v = kn::ones({6});
    for (int step = 0; step < run.steps; ++step) {
      v = kn::matmul(matrix, v);
      v = v / kn::sqrt(kn::sum(v * v));
      run.keep(v);
    }
    Array variance = kn::sum(v * kn::matmul(matrix, v));
    matrix = matrix - variance * kn::outer(v, v);
    found.push_back(variance);
    run.keep(matrix, variance);
  }
  return values(kn::stack(found));
}

Values principal_components_loops(const Run& run) {
  const Index n = extent(run);
  Floats data = centred(run.n * 6, 85);
  double matrix[6][6] = {}, mean[6] = {};
  for (Index k = 0; k < data.size(); ++k) mean[k % 6] += data[k] *= static_cast<float>(1 + k % 6);
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < 6; ++j) {
      for (Index k = 0; k < 6; ++k) {
        matrix[j][k] += (data[i * 6 + j] - mean[j] / static_cast<double>(n)) * data[i * 6 + k] /
                        static_cast<double>(n);
      }
    }
  }
  Values found;
  for (int c = 0; c < 3; ++c) {
    double v[6] = {1, 1, 1, 1, 1, 1}, w[6], length = 0;
    for (int step = 0; step <= run.steps; ++step) {
      length = 0;
      for (Index j = 0; j < 6; ++j) {
        w[j] = 0;
        for (Index k = 0; k < 6; ++k) w[j] += matrix[j][k] * v[k];
        length += step < run.steps ? w[j] * w[j] : w[j] * v[j];
      }
      for (Index j = 0; j < 6 && step < run.steps; ++j) v[j] = w[j] / std::sqrt(length);
    }
    for (Index j = 0; j < 6; ++j) {
      for (Index k = 0; k < 6; ++k) matrix[j][k] -= length * v[j] * v[k];
    }
    found.push_back(length);
  }
  return found;
}

// Mean shift: points move to the middle of their neighbours until they stand.
Values mean_shift(const Run& run) {
  Array data = Array(noise(run.n * 2, 86), {run.n, 2}), x = data;
  for (int step = 0; step < run.steps; ++step) {
    Array apart = x(_, newaxis) - data;
    Array near = kn::exp(-20 * kn::sum(apart * apart, -1));
    Array next = kn::matmul(near, data) / kn::sum(near, 1, kn::keepdims);
    const bool still(kn::max(kn::abs(next - x)) < 1e-3f);
    x = next;
    run.keep(x);
    if (still) break;
  }
  return values(x);
}

Values mean_shift_loops(const Run& run) {
  const Floats& data = noise(run.n * 2, 86);
  Floats x = data, next = x;
  for (int step = 0; step < run.steps; ++step) {
    float moved = 0;
    for (Index i = 0; i < x.size(); i += 2) {
      float weight = 0, sum[2] = {};
      for (Index j = 0; j < data.size(); j += 2) {
        const float dx = x[i] - data[j], dy = x[i + 1] - data[j + 1];
        const float near = std::exp(-20 * (dx * dx + dy * dy));
        weight += near;
        sum[0] += near * data[j];
        sum[1] += near * data[j + 1];
      }
      for (Index k = 0; k < 2; ++k) {
        next[i + k] = sum[k] / weight;
        moved = std::max(moved, std::abs(next[i + k] - x[i + k]));
      }
    }
    x = next;
    if (moved < 1e-3f) break;
  }
  return values(x);
}

// A swarm: each particle is drawn to the best place of its own and to the best of all.
Values particle_swarm(const Run& run) {
  Array place = 4 * Array(centred(run.n * 3, 87), {run.n, 3}), speed = kn::zeros_like(place);
  const auto height = [](const Array& p) { return kn::sum(p * p + 0.3f * kn::abs(p), -1); };
  Array best = place, lowest = height(place);
  for (int step = 0; step < run.steps; ++step) {
    Array leader = best(kn::argmin(lowest).item<std::int64_t>());
    speed = 0.6f * speed + 0.3f * (best - place) + 0.4f * (leader - place);
    place = place + speed;
    Array now = height(place), better = now < lowest;
    best = kn::where(better(_, newaxis), place, best);
    lowest = kn::where(better, now, lowest);
    run.keep(place, speed, best, lowest);
  }
  return values(best);
}

Values particle_swarm_loops(const Run& run) {
  const Index n = extent(run);
  Floats place = centred(run.n * 3, 87), speed(place.size()), lowest(n);
  for (float& value : place) value *= 4;
  const auto height = [&](Index i) {
    float sum = 0;
    for (Index k = 3 * i; k < 3 * i + 3; ++k)
      sum += place[k] * place[k] + 0.3f * std::abs(place[k]);
    return sum;
  };
  Floats best = place;
  for (Index i = 0; i < n; ++i) lowest[i] = height(i);
  for (int step = 0; step < run.steps; ++step) {
    const auto leader =
        static_cast<Index>(std::min_element(lowest.begin(), lowest.end()) - lowest.begin());
    const Floats goal(best.begin() + static_cast<std::ptrdiff_t>(3 * leader),
                      best.begin() + static_cast<std::ptrdiff_t>(3 * leader + 3));
    for (Index i = 0; i < n; ++i) {
      for (Index k = 3 * i; k < 3 * i + 3; ++k) {
        speed[k] =
            0.6f * speed[k] + 0.3f * (best[k] - place[k]) + 0.4f * (goal[k - 3 * i] - place[k]);
        place[k] = place[k] + speed[k];
      }
      const float now = height(i);
      if (now < lowest[i]) {
        lowest[i] = now;
        std::copy_n(place.begin() + static_cast<std::ptrdiff_t>(3 * i), 3,
                    best.begin() + static_cast<std::ptrdiff_t>(3 * i));
      }
    }
  }
  return values(best);
}

constexpr Program kPrograms[] = {
    {"kmeans",
     "a mask and a mean for each cluster",
     {101, 15},
     {10001, 30},
     kmeans,
     kmeans_loops,
     1e-4,
     kSums},
    {"mixture",
     "two Gaussians until the likelihood stands",
     {101, 20},
     {10001, 50},
     mixture,
     mixture_loops,
     1e-2,
     "a sum in another order may end it a step sooner"},
    {"nbody", "every pair of bodies", {23, 10}, {301, 50}, nbody, nbody_loops, 1e-5, kSums},
    {"principal_components",
     "a component after the other",
     {101, 10},
     {10001, 50},
     principal_components,
     principal_components_loops,
     1e-4,
     "single precision against double"},
    {"mean_shift",
     "to the middle of the neighbours until they stand",
     {31, 20},
     {301, 50},
     mean_shift,
     mean_shift_loops,
     1e-2,
     "a sum in another order may end it a step sooner"},
    {"particle_swarm",
     "the best of all read each step",
     {31, 10},
     {3001, 100},
     particle_swarm,
     particle_swarm_loops,
     1e-4,
     kSums},
};

}  // namespace

std::span<const Program> clusters() { return kPrograms; }

}  // namespace corpus
