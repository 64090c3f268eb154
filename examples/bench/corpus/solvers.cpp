// Equations, solved until it is good enough.
#include <algorithm>
#include <cmath>

#include "bench/corpus/corpus.h"

namespace corpus {

namespace {

using kn::_;
using kn::Array;
using kn::slice;

// Conjugate gradient on a grid: the residual is watched, the solution is read at the end.
Values conjugate_gradient(const Run& run) {
  const auto in = slice(1, -1);
  const auto apply = [&](const Array& v) {
    Array p = kn::pad(v, {1});
    return 4.1f * v - p(slice(_, -2), in) - p(slice(2, _), in) - p(in, slice(_, -2)) -
           p(in, slice(2, _));
  };
  Array b = Array(noise(run.n * run.n, 20), {run.n, run.n}), x = kn::zeros_like(b);
  Array r = b, p = r, rr = kn::sum(r * r);
  for (int step = 0; step < run.steps; ++step) {
    Array q = apply(p);
    Array alpha = rr / kn::sum(p * q);
    x += alpha * p;
    r -= alpha * q;
    Array next = kn::sum(r * r);
    p = r + next / rr * p;
    rr = next;
    run.keep(x, r, p, rr);
    if (kn::sqrt(rr).item<float>() < 1e-3f) break;
  }
  return values(x);
}

Values conjugate_gradient_loops(const Run& run) {
  const std::int64_t n = run.n;
  const Floats& b = noise(n * n, 20);
  Floats x(b.size()), r = b, p = r, q(b.size());
  float rr = dot(r, r);
  for (int step = 0; step < run.steps; ++step) {
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        const auto k = static_cast<Index>(i * n + j), row = extent(run);
        q[k] = 4.1f * p[k] - (i > 0 ? p[k - row] : 0.f) - (i < n - 1 ? p[k + row] : 0.f) -
               (j > 0 ? p[k - 1] : 0.f) - (j < n - 1 ? p[k + 1] : 0.f);
      }
    }
    const float alpha = rr / dot(p, q);
    for (Index k = 0; k < x.size(); ++k) x[k] += alpha * p[k];
    for (Index k = 0; k < x.size(); ++k) r[k] -= alpha * q[k];
    const float next = dot(r, r);
    for (Index k = 0; k < x.size(); ++k) p[k] = r[k] + next / rr * p[k];
    rr = next;
    if (std::sqrt(rr) < 1e-3f) break;
  }
  return values(x);
}

// x^3 + x = a by Newton's method, for many a at once.
Values newton(const Run& run) {
  Array a = 10 * Array(noise(run.n, 22)), x = kn::ones_like(a);
  for (int step = 0; step < run.steps; ++step) {
    Array f = x * x * x + x - a;
    if (kn::all(kn::abs(f) < 1e-4f)) break;
    x = x - f / (3 * x * x + 1);
    run.keep(x);
  }
  return values(x);
}

Values newton_loops(const Run& run) {
  Floats x = noise(run.n, 22), a = x, f = x;
  for (Index i = 0; i < x.size(); ++i) {
    a[i] = 10 * x[i];
    x[i] = 1;
  }
  for (int step = 0; step < run.steps; ++step) {
    float largest = 0;
    for (Index i = 0; i < x.size(); ++i) {
      f[i] = x[i] * x[i] * x[i] + x[i] - a[i];
      largest = std::max(largest, std::abs(f[i]));
    }
    if (largest < 1e-4f) break;
    for (Index i = 0; i < x.size(); ++i) x[i] -= f[i] / (3 * x[i] * x[i] + 1);
  }
  return values(x);
}

// Roots between two bounds that close in, each element by its own sign.
Values bisection(const Run& run) {
  Array a = Array(noise(run.n, 23)), low = kn::zeros_like(a), high = kn::full_like(a, 2);
  for (int step = 0; step < run.steps; ++step) {
    Array middle = 0.5f * (low + high);
    Array below = middle * middle * middle + kn::sqrt(middle) < a;
    low = kn::where(below, middle, low);
    high = kn::where(below, high, middle);
    run.keep(low, high);
  }
  return values(low);
}

Values bisection_loops(const Run& run) {
  Floats result;
  for (const float a : noise(run.n, 23)) {
    float low = 0, high = 2;
    for (int step = 0; step < run.steps; ++step) {
      const float middle = 0.5f * (low + high);
      (middle * middle * middle + std::sqrt(middle) < a ? low : high) = middle;
    }
    result.push_back(low);
  }
  return values(result);
}

// Steepest descent; a step is halved as long as it leads uphill.
Values line_search(const Run& run) {
  Array target = Array(noise(run.n, 31)), x = kn::zeros_like(target);
  const auto cost = [&](const Array& v) {
    Array bend = v(slice(1, _)) - v(slice(_, -1));
    return kn::sum((v - target) * (v - target)) + 5 * kn::sum(bend * bend);
  };
  float before = cost(x).item<float>();
  for (int step = 0; step < run.steps; ++step) {
    Array bend = x(slice(1, _)) - x(slice(_, -1));
    Array gradient = 2 * (x - target) + 10 * (kn::pad(bend, {{1, 0}}) - kn::pad(bend, {{0, 1}}));
    float length = 0.25f;
    Array tried = x - length * gradient;
    float now = cost(tried).item<float>();
    while (now > before) {
      length /= 2;
      tried = x - length * gradient;
      now = cost(tried).item<float>();
    }
    x = tried;
    run.keep(x);
    if (before - now < 1e-4f * now) break;
    before = now;
  }
  return values(x);
}

Values line_search_loops(const Run& run) {
  const Floats& target = noise(run.n, 31);
  const Index n = target.size();
  Floats x(n), gradient(n), tried(n);
  const auto cost = [&](const Floats& v) {
    float near = 0, smooth = 0;
    for (Index i = 0; i < n; ++i) near += (v[i] - target[i]) * (v[i] - target[i]);
    for (Index i = 1; i < n; ++i) smooth += (v[i] - v[i - 1]) * (v[i] - v[i - 1]);
    return near + 5 * smooth;
  };
  float before = cost(x);
  for (int step = 0; step < run.steps; ++step) {
    for (Index i = 0; i < n; ++i) {
      gradient[i] = 2 * (x[i] - target[i]) +
                    10 * ((i > 0 ? x[i] - x[i - 1] : 0.f) - (i < n - 1 ? x[i + 1] - x[i] : 0.f));
    }
    float length = 0.5f, now = 0;
    do {
      length /= 2;
      for (Index i = 0; i < n; ++i) tried[i] = x[i] - length * gradient[i];
      now = cost(tried);
    } while (now > before);
    x = tried;
    if (before - now < 1e-4f * now) break;
    before = now;
  }
  return values(x);
}

// Lorenz's equations for many starts by Runge and Kutta; nothing is looked at before the end.
Values runge_kutta(const Run& run) {
  Array x = Array(noise(run.n, 32)), y = Array(noise(run.n, 33)), z = Array(noise(run.n, 34));
  const auto slope = [](const Array& a, const Array& b, const Array& c) {
    return std::vector<Array>{10 * (b - a), a * (28 - c) - b, a * b - 2.6f * c};
  };
  const float h = 0.002f;
  for (int step = 0; step < run.steps; ++step) {
    auto k1 = slope(x, y, z);
    auto k2 = slope(x + h / 2 * k1[0], y + h / 2 * k1[1], z + h / 2 * k1[2]);
    auto k3 = slope(x + h / 2 * k2[0], y + h / 2 * k2[1], z + h / 2 * k2[2]);
    auto k4 = slope(x + h * k3[0], y + h * k3[1], z + h * k3[2]);
    x += h / 6 * (k1[0] + 2 * k2[0] + 2 * k3[0] + k4[0]);
    y += h / 6 * (k1[1] + 2 * k2[1] + 2 * k3[1] + k4[1]);
    z += h / 6 * (k1[2] + 2 * k2[2] + 2 * k3[2] + k4[2]);
    run.keep(x, y, z);
  }
  return joined({values(x), values(y), values(z)});
}

Values runge_kutta_loops(const Run& run) {
  Floats s[3] = {noise(run.n, 32), noise(run.n, 33), noise(run.n, 34)};
  const float h = 0.002f;
  for (Index i = 0; i < extent(run); ++i) {
    float at[3], k[4][3];
    for (int step = 0; step < run.steps; ++step) {
      for (int stage = 0; stage < 4; ++stage) {
        const float far = stage == 3 ? h : h / 2;
        for (int v = 0; v < 3; ++v) at[v] = stage == 0 ? s[v][i] : s[v][i] + far * k[stage - 1][v];
        k[stage][0] = 10 * (at[1] - at[0]);
        k[stage][1] = at[0] * (28 - at[2]) - at[1];
        k[stage][2] = at[0] * at[1] - 2.6f * at[2];
      }
      for (int v = 0; v < 3; ++v)
        s[v][i] += h / 6 * (k[0][v] + 2 * k[1][v] + 2 * k[2][v] + k[3][v]);
    }
  }
  return joined({values(s[0]), values(s[1]), values(s[2])});
}

// Heun's method with a step that the error decides: taken and lengthened, or tried again, shorter.
Values adaptive(const Run& run) {
  Array y = Array(noise(run.n, 35)), rate = 1 + 4 * Array(noise(run.n, 36));
  float time = 0, h = 0.1f;
  const float end = 0.1f * static_cast<float>(run.steps);
  while (time < end) {
    h = std::min(h, end - time);
    Array k1 = rate * y * (1 - y);
    Array euler = y + h * k1;
    Array better = y + h / 2 * (k1 + rate * euler * (1 - euler));
    const float error = kn::max(kn::abs(better - euler)).item<float>();
    if (error < 1e-3f) {
      time += h;
      y = better;
      run.keep(y);
    }
    h *= error < 5e-4f ? 1.5f : error < 1e-3f ? 1.f : 0.5f;
  }
  return values(y);
}

Values adaptive_loops(const Run& run) {
  Floats y = noise(run.n, 35), rate = noise(run.n, 36), better = y;
  for (float& value : rate) value = 1 + 4 * value;
  float time = 0, h = 0.1f;
  const float end = 0.1f * static_cast<float>(run.steps);
  while (time < end) {
    h = std::min(h, end - time);
    float error = 0;
    for (Index i = 0; i < y.size(); ++i) {
      const float k1 = rate[i] * y[i] * (1 - y[i]);
      const float euler = y[i] + h * k1;
      better[i] = y[i] + h / 2 * (k1 + rate[i] * euler * (1 - euler));
      error = std::max(error, std::abs(better[i] - euler));
    }
    if (error < 1e-3f) {
      time += h;
      y = better;
    }
    h *= error < 5e-4f ? 1.5f : error < 1e-3f ? 1.f : 0.5f;
  }
  return values(y);
}

constexpr Program kPrograms[] = {
    {"conjugate_gradient",
     "the residual watched, the solution read at the end",
     {31, 60},
     {127, 300},
     conjugate_gradient,
     conjugate_gradient_loops,
     1e-5,
     kSums},
    {"newton",
     "roots of many cubic equations",
     {101, 20},
     {100001, 20},
     newton,
     newton_loops,
     0,
     kSameOrder},
    {"bisection",
     "bounds that close in, by where",
     {101, 20},
     {100001, 24},
     bisection,
     bisection_loops,
     0,
     kSameOrder},
    {"line_search",
     "a step halved as long as it leads uphill",
     {101, 15},
     {100001, 60},
     line_search,
     line_search_loops,
     1e-2,
     "a sum in another order may end it a step sooner"},
    {"runge_kutta",
     "an ensemble, read at the end",
     {101, 15},
     {2001, 200},
     runge_kutta,
     runge_kutta_loops,
     0,
     kSameOrder},
    {"adaptive",
     "a step that the error decides",
     {101, 10},
     {20001, 60},
     adaptive,
     adaptive_loops,
     0,
     kSameOrder},
};

}  // namespace

std::span<const Program> solvers() { return kPrograms; }

}  // namespace corpus
