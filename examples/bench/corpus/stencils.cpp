// Stencils on grids.
#include <algorithm>
#include <cmath>
#include <utility>

#include "bench/corpus/corpus.h"
#include "bench/corpus/grid.h"

namespace corpus {

namespace {

using kn::_;
using kn::Array;
using kn::slice;

// Laplace's equation between a hot and three cold edges, until nothing moves any more.
Values jacobi_2d(const Run& run) {
  const auto in = slice(1, -1);
  Array u = kn::zeros({run.n, run.n + 2});
  u.at(0) = 1;
  for (int step = 0; step < run.steps; ++step) {
    Array next = u;
    next.at(in, in) = 0.25f * (u(slice(_, -2), in) + u(slice(2, _), in) + u(in, slice(_, -2)) +
                               u(in, slice(2, _)));
    Array change = kn::max(kn::abs(next - u));
    u = next;
    run.keep(u, change);
    if (change.item<float>() < 1e-3f) break;
  }
  return values(u);
}

Values jacobi_2d_loops(const Run& run) {
  Grid u(run.n, run.n + 2);
  std::fill_n(u.data.begin(), u.width, 1.f);
  for (int step = 0; step < run.steps; ++step) {
    Grid next = u;
    float change = 0;
    for (std::int64_t y = 1; y < u.height - 1; ++y) {
      for (std::int64_t x = 1; x < u.width - 1; ++x) {
        next(y, x) = 0.25f * (u(y - 1, x) + u(y + 1, x) + u(y, x - 1) + u(y, x + 1));
        change = std::max(change, std::abs(next(y, x) - u(y, x)));
      }
    }
    u = next;
    if (change < 1e-3f) break;
  }
  return values(u.data);
}

// Poisson's equation in a box, looked at every tenth step.
Values jacobi_3d(const Run& run) {
  const auto in = slice(1, -1), low = slice(_, -2), high = slice(2, _);
  Array f = Array(noise(run.n * run.n * run.n, 3), {run.n, run.n, run.n}), u = kn::zeros_like(f);
  for (int step = 0; step < run.steps; ++step) {
    Array p = kn::pad(u, {1});
    Array next = (p(low, in, in) + p(high, in, in) + p(in, low, in) + p(in, high, in) +
                  p(in, in, low) + p(in, in, high) + f) /
                 6;
    bool done = step % 10 == 9 && kn::all(kn::abs(next - u) < 1e-3f);
    u = next;
    run.keep(u);
    if (done) break;
  }
  return values(u);
}

Values jacobi_3d_loops(const Run& run) {
  const std::int64_t n = run.n, m = n + 2;
  const Floats& f = noise(n * n * n, 3);
  const auto at = [m](std::int64_t z, std::int64_t y, std::int64_t x) {
    return static_cast<std::size_t>(((z + 1) * m + y + 1) * m + x + 1);
  };
  Floats u(static_cast<std::size_t>(m * m * m)), next = u, result;
  for (int step = 0; step < run.steps; ++step) {
    float change = 0;
    for (std::int64_t z = 0, k = 0; z < n; ++z) {
      for (std::int64_t y = 0; y < n; ++y) {
        for (std::int64_t x = 0; x < n; ++x, ++k) {
          next[at(z, y, x)] =
              (u[at(z - 1, y, x)] + u[at(z + 1, y, x)] + u[at(z, y - 1, x)] + u[at(z, y + 1, x)] +
               u[at(z, y, x - 1)] + u[at(z, y, x + 1)] + f[static_cast<std::size_t>(k)]) /
              6;
          change = std::max(change, std::abs(next[at(z, y, x)] - u[at(z, y, x)]));
        }
      }
    }
    std::swap(u, next);
    if (step % 10 == 9 && change < 1e-3f) break;
  }
  for (std::int64_t z = 0; z < n; ++z) {
    for (std::int64_t y = 0; y < n; ++y) {
      for (std::int64_t x = 0; x < n; ++x) result.push_back(u[at(z, y, x)]);
    }
  }
  return values(result);
}

// Over-relaxed Gauss-Seidel: red points, then black ones, until the residual is small.
Values gauss_seidel(const Run& run) {
  const auto in = slice(1, -1);
  Array f = Array(noise(run.n * run.n, 4), {run.n, run.n}), u = kn::zeros_like(f);
  Array index = kn::arange(run.n), red = (index(_, kn::newaxis) + index) % 2 == 0;
  const auto neighbours = [&](const Array& v) {
    Array p = kn::pad(v, {1});
    return p(slice(_, -2), in) + p(slice(2, _), in) + p(in, slice(_, -2)) + p(in, slice(2, _));
  };
  for (int step = 0; step < run.steps; ++step) {
    u = kn::where(red, u + 1.5f * (0.25f * (neighbours(u) + f) - u), u);
    u = kn::where(red, u, u + 1.5f * (0.25f * (neighbours(u) + f) - u));
    Array residual = kn::max(kn::abs(neighbours(u) + f - 4 * u));
    run.keep(u, residual);
    if (residual.item<float>() < 1e-2f) break;
  }
  return values(u);
}

Values gauss_seidel_loops(const Run& run) {
  const Floats& f = noise(run.n * run.n, 4);
  Grid u(run.n, run.n);
  const auto neighbours = [&](std::int64_t y, std::int64_t x) {
    return u.padded(y - 1, x) + u.padded(y + 1, x) + u.padded(y, x - 1) + u.padded(y, x + 1);
  };
  for (int step = 0; step < run.steps; ++step) {
    for (const int colour : {0, 1}) {
      for (std::int64_t y = 0; y < run.n; ++y) {
        for (std::int64_t x = (y + colour) % 2; x < run.n; x += 2) {
          u(y, x) +=
              1.5f *
              (0.25f * (neighbours(y, x) + f[static_cast<std::size_t>(y * run.n + x)]) - u(y, x));
        }
      }
    }
    float residual = 0;
    for (std::int64_t y = 0; y < run.n; ++y) {
      for (std::int64_t x = 0; x < run.n; ++x) {
        residual = std::max(
            residual,
            std::abs(neighbours(y, x) + f[static_cast<std::size_t>(y * run.n + x)] - 4 * u(y, x)));
      }
    }
    if (residual < 1e-2f) break;
  }
  return values(u.data);
}

// Heat on a torus; nothing is looked at before the end.
Values heat_torus(const Run& run) {
  Array u = Array(noise(run.n * (run.n + 2), 5), {run.n, run.n + 2});
  for (int step = 0; step < run.steps; ++step) {
    u = u + 0.2f * (kn::roll(u, 1, 0) + kn::roll(u, -1, 0) + kn::roll(u, 1, 1) +
                    kn::roll(u, -1, 1) - 4 * u);
    run.keep(u);
  }
  return values(u);
}

Values heat_torus_loops(const Run& run) {
  Grid u(run.n, run.n + 2);
  u.data = noise(run.n * (run.n + 2), 5);
  Grid next = u;
  for (int step = 0; step < run.steps; ++step) {
    for (std::int64_t y = 0; y < u.height; ++y) {
      const std::int64_t above = (y + u.height - 1) % u.height, below = (y + 1) % u.height;
      for (std::int64_t x = 0; x < u.width; ++x) {
        const std::int64_t left = x == 0 ? u.width - 1 : x - 1,
                           right = x == u.width - 1 ? 0 : x + 1;
        next(y, x) =
            u(y, x) + 0.2f * (u(above, x) + u(below, x) + u(y, left) + u(y, right) - 4 * u(y, x));
      }
    }
    std::swap(u, next);
  }
  return values(u.data);
}

// The wave equation; a probe is noted each step, and the notes are joined at the end.
Values wave(const Run& run) {
  const auto in = slice(1, -1);
  Array u = Array(noise(run.n * run.n, 6), {run.n, run.n}), before = u;
  std::vector<Array> probes;
  for (int step = 0; step < run.steps; ++step) {
    Array p = kn::pad(u, {1});
    Array around =
        p(slice(_, -2), in) + p(slice(2, _), in) + p(in, slice(_, -2)) + p(in, slice(2, _));
    Array next = 2 * u - before + 0.25f * (around - 4 * u);
    before = u;
    u = next;
    probes.push_back(u(run.n / 2, run.n / 3));
    run.keep(u, before, probes.back());
  }
  return joined({values(u), values(kn::stack(probes))});
}

Values wave_loops(const Run& run) {
  Grid u(run.n, run.n);
  u.data = noise(run.n * run.n, 6);
  Grid before = u, next = u;
  Floats probes;
  for (int step = 0; step < run.steps; ++step) {
    for (std::int64_t y = 0; y < run.n; ++y) {
      for (std::int64_t x = 0; x < run.n; ++x) {
        const float around =
            u.padded(y - 1, x) + u.padded(y + 1, x) + u.padded(y, x - 1) + u.padded(y, x + 1);
        next(y, x) = 2 * u(y, x) - before(y, x) + 0.25f * (around - 4 * u(y, x));
      }
    }
    std::swap(before, u);
    std::swap(u, next);
    probes.push_back(u(run.n / 2, run.n / 3));
  }
  return joined({values(u.data), values(probes)});
}

// Two substances that react and spread.
Values gray_scott(const Run& run) {
  Array u = kn::ones({run.n, run.n}), v = 0.5f * Array(noise(run.n * run.n, 7), {run.n, run.n});
  const auto laplacian = [](const Array& a) {
    return kn::roll(a, 1, 0) + kn::roll(a, -1, 0) + kn::roll(a, 1, 1) + kn::roll(a, -1, 1) - 4 * a;
  };
  for (int step = 0; step < run.steps; ++step) {
    Array uvv = u * v * v;
    Array du = 0.16f * laplacian(u) - uvv + 0.035f * (1 - u);
    Array dv = 0.08f * laplacian(v) + uvv - 0.095f * v;
    u += du;
    v += dv;
    run.keep(u, v);
  }
  return joined({values(u), values(v)});
}

Values gray_scott_loops(const Run& run) {
  Grid u(run.n, run.n), v(run.n, run.n);
  std::fill(u.data.begin(), u.data.end(), 1.f);
  v.data = noise(run.n * run.n, 7);
  for (float& value : v.data) value *= 0.5f;
  Grid u2 = u, v2 = v;
  const auto laplacian = [](const Grid& a, std::int64_t y, std::int64_t x) {
    return a.around(y - 1, x) + a.around(y + 1, x) + a.around(y, x - 1) + a.around(y, x + 1) -
           4 * a(y, x);
  };
  for (int step = 0; step < run.steps; ++step) {
    for (std::int64_t y = 0; y < run.n; ++y) {
      for (std::int64_t x = 0; x < run.n; ++x) {
        const float uvv = u(y, x) * v(y, x) * v(y, x);
        u2(y, x) = u(y, x) + (0.16f * laplacian(u, y, x) - uvv + 0.035f * (1 - u(y, x)));
        v2(y, x) = v(y, x) + (0.08f * laplacian(v, y, x) + uvv - 0.095f * v(y, x));
      }
    }
    std::swap(u, u2);
    std::swap(v, v2);
  }
  return joined({values(u.data), values(v.data)});
}

// Maxwell's equations in two dimensions: three fields written through slices, and a source.
Values fdtd(const Run& run) {
  Array ez = kn::zeros({run.n, run.n}), hx = kn::zeros({run.n, run.n - 1}),
        hy = kn::zeros({run.n - 1, run.n});
  const auto in = slice(1, -1), up = slice(1, _), down = slice(_, -1);
  for (int step = 0; step < run.steps; ++step) {
    hx -= 0.5f * (ez(_, up) - ez(_, down));
    hy += 0.5f * (ez(up, _) - ez(down, _));
    ez.at(in, in) += 0.5f * (hy(up, in) - hy(down, in) - hx(in, up) + hx(in, down));
    ez.at(run.n / 2, run.n / 2) += std::sin(0.3f * static_cast<float>(step));
    run.keep(ez, hx, hy);
  }
  return joined({values(ez), values(hx)});
}

Values fdtd_loops(const Run& run) {
  const std::int64_t n = run.n;
  Grid ez(n, n), hx(n, n - 1), hy(n - 1, n);
  for (int step = 0; step < run.steps; ++step) {
    for (std::int64_t y = 0; y < n; ++y) {
      for (std::int64_t x = 0; x < n - 1; ++x) hx(y, x) -= 0.5f * (ez(y, x + 1) - ez(y, x));
    }
    for (std::int64_t y = 0; y < n - 1; ++y) {
      for (std::int64_t x = 0; x < n; ++x) hy(y, x) += 0.5f * (ez(y + 1, x) - ez(y, x));
    }
    for (std::int64_t y = 1; y < n - 1; ++y) {
      for (std::int64_t x = 1; x < n - 1; ++x) {
        ez(y, x) += 0.5f * (hy(y, x) - hy(y - 1, x) - hx(y, x) + hx(y, x - 1));
      }
    }
    ez(n / 2, n / 2) += std::sin(0.3f * static_cast<float>(step));
  }
  return joined({values(ez.data), values(hx.data)});
}

// Burgers' equation: the largest speed decides how far a step goes, until the time is over.
Values burgers(const Run& run) {
  Array u = 0.5f + Array(noise(run.n, 9));
  float time = 0;
  const float end = 0.2f * static_cast<float>(run.steps);
  while (time < end) {
    const float fastest = kn::max(kn::abs(u)).item<float>();
    const float dt = std::min(0.5f / fastest, end - time);
    u = u - dt * u * (u - kn::roll(u, 1)) + 0.1f * dt * (kn::roll(u, 1) - 2 * u + kn::roll(u, -1));
    time += dt;
    run.keep(u);
  }
  return values(u);
}

Values burgers_loops(const Run& run) {
  const std::size_t n = static_cast<std::size_t>(run.n);
  Floats u = noise(run.n, 9), next(n);
  for (float& value : u) value = 0.5f + value;
  float time = 0;
  const float end = 0.2f * static_cast<float>(run.steps);
  while (time < end) {
    float fastest = 0;
    for (const float value : u) fastest = std::max(fastest, std::abs(value));
    const float dt = std::min(0.5f / fastest, end - time);
    for (std::size_t i = 0; i < n; ++i) {
      const float left = u[i == 0 ? n - 1 : i - 1], right = u[i == n - 1 ? 0 : i + 1];
      next[i] = u[i] - dt * u[i] * (u[i] - left) + 0.1f * dt * (left - 2 * u[i] + right);
    }
    std::swap(u, next);
    time += dt;
  }
  return values(u);
}

constexpr Program kPrograms[] = {
    {"jacobi_2d",
     "Laplace to a tolerance, inner points written",
     {33, 30},
     {129, 400},
     jacobi_2d,
     jacobi_2d_loops,
     0,
     kSameOrder},
    {"jacobi_3d",
     "Poisson in a box, looked at every tenth step",
     {11, 60},
     {41, 200},
     jacobi_3d,
     jacobi_3d_loops,
     0,
     kSameOrder},
    {"gauss_seidel",
     "by colours, to a residual",
     {31, 15},
     {127, 200},
     gauss_seidel,
     gauss_seidel_loops,
     0,
     kSameOrder},
    {"heat_torus",
     "rolls, read at the end",
     {31, 50},
     {127, 500},
     heat_torus,
     heat_torus_loops,
     0,
     kSameOrder},
    {"wave",
     "two states, probes joined at the end",
     {31, 40},
     {127, 300},
     wave,
     wave_loops,
     0,
     kSameOrder},
    {"gray_scott",
     "two substances, rolls",
     {31, 30},
     {127, 200},
     gray_scott,
     gray_scott_loops,
     0,
     kSameOrder},
    {"fdtd",
     "three fields written through slices",
     {31, 30},
     {127, 200},
     fdtd,
     fdtd_loops,
     0,
     kSameOrder},
    {"burgers",
     "a step as long as the fastest allows",
     {101, 20},
     {10001, 200},
     burgers,
     burgers_loops,
     0,
     kSameOrder},
};

}  // namespace

std::span<const Program> stencils() { return kPrograms; }

}  // namespace corpus
