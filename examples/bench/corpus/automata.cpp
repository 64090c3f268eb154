// Grids whose cells follow rules, and an image.
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

constexpr int kDx[] = {0, 1, 0, -1, 0, 1, -1, -1, 1}, kDy[] = {0, 0, 1, 0, -1, 1, 1, -1, -1};
constexpr int kOpposite[] = {0, 3, 4, 1, 2, 7, 8, 5, 6};
constexpr float kWeight[] = {4.f / 9,  1.f / 9,  1.f / 9,  1.f / 9, 1.f / 9,
                             1.f / 36, 1.f / 36, 1.f / 36, 1.f / 36};

// Flow around a block: nine populations that stream by rolls, collide, and bounce back.
Values lattice_boltzmann(const Run& run) {
  Array x = kn::arange(run.n + 6), y = kn::arange(run.n)(_, kn::newaxis);
  Array solid = (x > 4) & (x < 9) & (y > 3) & (y < 8);
  std::vector<Array> f;
  for (int i = 0; i < 9; ++i)
    f.push_back(kWeight[i] * (1 + 0.3f * kDx[i] + kn::zeros({run.n, run.n + 6})));
  for (int step = 0; step < run.steps; ++step) {
    for (int i = 0; i < 9; ++i) f[i] = kn::roll(kn::roll(f[i], kDy[i], 0), kDx[i], 1);
    std::vector<Array> bounced;
    for (int i = 0; i < 9; ++i) bounced.push_back(f[kOpposite[i]]);
    Array rho = f[0], ux = kn::zeros_like(rho), uy = kn::zeros_like(rho);
    for (int i = 1; i < 9; ++i) {
      rho = rho + f[i];
      ux = ux + kDx[i] * f[i];
      uy = uy + kDy[i] * f[i];
    }
    ux = ux / rho;
    uy = uy / rho;
    Array square = 1.5f * (ux * ux + uy * uy);
    for (int i = 0; i < 9; ++i) {
      Array along = 3 * (kDx[i] * ux + kDy[i] * uy);
      Array equilibrium = kWeight[i] * rho * (1 + along + 0.5f * along * along - square);
      f[i] = kn::where(solid, bounced[i], f[i] + 0.8f * (equilibrium - f[i]));
    }
    run.keep(f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8]);
  }
  return joined({values(f[0]), values(f[1]), values(f[7])});
}

Values lattice_boltzmann_loops(const Run& run) {
  const std::int64_t h = run.n, w = run.n + 6;
  std::vector<Grid> f(9, Grid(h, w));
  for (int i = 0; i < 9; ++i) {
    std::fill(f[i].data.begin(), f[i].data.end(),
              kWeight[i] * (1 + 0.3f * static_cast<float>(kDx[i])));
  }
  std::vector<Grid> g = f;
  for (int step = 0; step < run.steps; ++step) {
    for (std::int64_t y = 0; y < h; ++y) {
      for (std::int64_t x = 0; x < w; ++x) {
        float here[9], rho = 0, ux = 0, uy = 0;
        for (int i = 0; i < 9; ++i) {
          here[i] = f[i].around(y - kDy[i], x - kDx[i]);
          rho += here[i];
          ux += static_cast<float>(kDx[i]) * here[i];
          uy += static_cast<float>(kDy[i]) * here[i];
        }
        ux /= rho;
        uy /= rho;
        const float square = 1.5f * (ux * ux + uy * uy);
        const bool solid = x > 4 && x < 9 && y > 3 && y < 8;
        for (int i = 0; i < 9; ++i) {
          const float along =
              3 * (static_cast<float>(kDx[i]) * ux + static_cast<float>(kDy[i]) * uy);
          const float equilibrium = kWeight[i] * rho * (1 + along + 0.5f * along * along - square);
          g[i](y, x) = solid ? here[kOpposite[i]] : here[i] + 0.8f * (equilibrium - here[i]);
        }
      }
    }
    std::swap(f, g);
  }
  return joined({values(f[0].data), values(f[1].data), values(f[7].data)});
}

// Conway's game.
Values life(const Run& run) {
  Array alive = Array(noise(run.n * (run.n + 4), 8), {run.n, run.n + 4}) < 0.35f;
  for (int step = 0; step < run.steps; ++step) {
    Array cells = alive.astype(kn::int32), count = kn::zeros_like(cells);
    for (const int dy : {-1, 0, 1}) {
      for (const int dx : {-1, 0, 1}) {
        if (dy != 0 || dx != 0) count += kn::roll(kn::roll(cells, dy, 0), dx, 1);
      }
    }
    alive = (count == 3) | (alive & (count == 2));
    run.keep(alive);
  }
  return values(alive);
}

Values life_loops(const Run& run) {
  Grid alive(run.n, run.n + 4);
  const Floats& start = noise(run.n * (run.n + 4), 8);
  std::transform(start.begin(), start.end(), alive.data.begin(),
                 [](float v) { return v < 0.35f ? 1.f : 0.f; });
  Grid next = alive;
  for (int step = 0; step < run.steps; ++step) {
    for (std::int64_t y = 0; y < alive.height; ++y) {
      for (std::int64_t x = 0; x < alive.width; ++x) {
        float count = -alive(y, x);
        for (const int dy : {-1, 0, 1}) {
          for (const int dx : {-1, 0, 1}) count += alive.around(y + dy, x + dx);
        }
        next(y, x) = count == 3 || (count == 2 && alive(y, x) == 1) ? 1.f : 0.f;
      }
    }
    std::swap(alive, next);
  }
  return values(alive.data);
}

// Points that have not escaped yet go on, until none is left.
Values mandelbrot(const Run& run) {
  Array cr = kn::linspace(-2, 0.6, run.n), ci = kn::linspace(-1.1, 1.15, run.n + 2)(_, kn::newaxis);
  Array zr = kn::zeros({run.n + 2, run.n}), zi = zr,
        count = kn::zeros({run.n + 2, run.n}, kn::int32);
  Array active = kn::ones({run.n + 2, run.n}, kn::bool_);
  for (int step = 0; step < run.steps; ++step) {
    Array next = zr * zr - zi * zi + cr;
    zi = kn::where(active, 2 * zr * zi + ci, zi);
    zr = kn::where(active, next, zr);
    active = active & (zr * zr + zi * zi < 4);
    count += active;
    run.keep(zr, zi, active, count);
    if (!kn::any(active)) break;
  }
  return values(count);
}

Values mandelbrot_loops(const Run& run) {
  const Floats cr = kn::linspace(-2, 0.6, run.n).to_vector<float>();
  const Floats ci = kn::linspace(-1.1, 1.15, run.n + 2).to_vector<float>();
  Values counts;
  for (const float i : ci) {
    for (const float r : cr) {
      float zr = 0, zi = 0;
      int count = 0;
      for (int step = 0; step < run.steps; ++step) {
        const float next = zr * zr - zi * zi + r;
        zi = 2 * zr * zi + i;
        zr = next;
        if (!(zr * zr + zi * zi < 4)) break;
        ++count;
      }
      counts.push_back(count);
    }
  }
  return counts;
}

// Connected components: the largest label of the neighbours wins, until nothing changes.
Values components(const Run& run) {
  const auto in = slice(1, -1);
  Array land = Array(noise(run.n * run.n, 10), {run.n, run.n}) < 0.55f;
  Array labels =
      kn::where(land, kn::arange(1, run.n * run.n + 1, 1, kn::int32).reshape({run.n, run.n}), 0);
  for (int step = 0; step < run.steps; ++step) {
    Array p = kn::pad(labels, {1});
    Array rows = kn::maximum(p(slice(_, -2), in), p(slice(2, _), in));
    Array columns = kn::maximum(p(in, slice(_, -2)), p(in, slice(2, _)));
    Array next = kn::where(land, kn::maximum(labels, kn::maximum(rows, columns)), 0);
    Array same = kn::all(next == labels);
    labels = next;
    run.keep(labels, same);
    if (same) break;
  }
  return values(labels);
}

Values components_loops(const Run& run) {
  const Floats& land = noise(run.n * run.n, 10);
  Grid labels(run.n, run.n);
  for (std::size_t i = 0; i < land.size(); ++i)
    labels.data[i] = land[i] < 0.55f ? static_cast<float>(i + 1) : 0.f;
  Grid next = labels;
  for (int step = 0; step < run.steps; ++step) {
    for (std::int64_t y = 0; y < run.n; ++y) {
      for (std::int64_t x = 0; x < run.n; ++x) {
        if (labels(y, x) == 0) continue;
        next(y, x) = std::max({labels(y, x), labels.padded(y - 1, x), labels.padded(y + 1, x),
                               labels.padded(y, x - 1), labels.padded(y, x + 1)});
      }
    }
    const bool same = next.data == labels.data;
    labels.data = next.data;
    if (same) break;
  }
  return values(labels.data);
}

// Grains topple while a place holds four.
Values sandpile(const Run& run) {
  const auto in = slice(1, -1);
  Array grains = kn::zeros({run.n, run.n}, kn::int32);
  grains.at(run.n / 2, run.n / 2) = 8 * run.steps;
  while (kn::any(grains >= 4)) {
    Array topples = kn::floor_divide(grains, 4), p = kn::pad(topples, {1});
    grains = grains - 4 * topples + p(slice(_, -2), in) + p(slice(2, _), in) + p(in, slice(_, -2)) +
             p(in, slice(2, _));
    run.keep(grains);
  }
  return values(grains);
}

Values sandpile_loops(const Run& run) {
  Grid grains(run.n, run.n), topples(run.n, run.n);
  grains(run.n / 2, run.n / 2) = static_cast<float>(8 * run.steps);
  for (bool moved = true; moved;) {
    moved = false;
    for (std::size_t i = 0; i < grains.data.size(); ++i) {
      topples.data[i] = std::floor(grains.data[i] / 4);
      moved = moved || topples.data[i] > 0;
    }
    for (std::int64_t y = 0; y < run.n; ++y) {
      for (std::int64_t x = 0; x < run.n; ++x) {
        grains(y, x) += topples.padded(y - 1, x) + topples.padded(y + 1, x) +
                        topples.padded(y, x - 1) + topples.padded(y, x + 1) - 4 * topples(y, x);
      }
    }
  }
  return values(grains.data);
}

// An image blurred and halved level by level, then put together again from what each level lost.
Values pyramid(const Run& run) {
  const auto blur = [](const Array& a) {
    Array p = kn::pad(a, {1}),
          rows = p(slice(_, -2), _) + 2 * p(slice(1, -1), _) + p(slice(2, _), _);
    return (rows(_, slice(_, -2)) + 2 * rows(_, slice(1, -1)) + rows(_, slice(2, _))) / 16;
  };
  const auto doubled = [](const Array& a, const Array& like) {
    Array large = kn::repeat(kn::repeat(a, 2, 0), 2, 1);
    return large(slice(_, like.shape(0)), slice(_, like.shape(1)));
  };
  Array image = Array(noise(run.n * (run.n + 8), 11), {run.n, run.n + 8});
  std::vector<Array> lost;
  while (image.shape(0) > 4) {
    Array small = blur(image)(slice(_, _, 2), slice(_, _, 2));
    lost.push_back(image - doubled(small, image));
    image = small;
    run.keep(image, lost.back());
  }
  for (int level = static_cast<int>(lost.size()) - 1; level >= 0; --level) {
    image = doubled(image, lost[level]) + 0.5f * lost[level];
    run.keep(image);
  }
  return values(image);
}

Values pyramid_loops(const Run& run) {
  Grid image(run.n, run.n + 8);
  image.data = noise(run.n * (run.n + 8), 11);
  std::vector<Grid> lost;
  while (image.height > 4) {
    Grid small((image.height + 1) / 2, (image.width + 1) / 2), rest = image;
    const auto rows = [&](std::int64_t y, std::int64_t x) {
      return image.padded(y - 1, x) + 2 * image.padded(y, x) + image.padded(y + 1, x);
    };
    for (std::int64_t y = 0; y < small.height; ++y) {
      for (std::int64_t x = 0; x < small.width; ++x) {
        small(y, x) =
            (rows(2 * y, 2 * x - 1) + 2 * rows(2 * y, 2 * x) + rows(2 * y, 2 * x + 1)) / 16;
      }
    }
    for (std::int64_t y = 0; y < rest.height; ++y) {
      for (std::int64_t x = 0; x < rest.width; ++x) rest(y, x) -= small(y / 2, x / 2);
    }
    lost.push_back(rest);
    image = small;
  }
  for (int level = static_cast<int>(lost.size()) - 1; level >= 0; --level) {
    Grid large = lost[level];
    for (std::int64_t y = 0; y < large.height; ++y) {
      for (std::int64_t x = 0; x < large.width; ++x)
        large(y, x) = image(y / 2, x / 2) + 0.5f * large(y, x);
    }
    image = large;
  }
  return values(image.data);
}

constexpr Program kPrograms[] = {
    {"lattice_boltzmann",
     "nine populations, rolls, a block",
     {21, 6},
     {63, 100},
     lattice_boltzmann,
     lattice_boltzmann_loops,
     1e-5,
     "zeros are added, one sum begins elsewhere"},
    {"life", "Conway's game", {31, 30}, {127, 200}, life, life_loops, 0, kSameOrder},
    {"mandelbrot",
     "a mask until none is left",
     {31, 20},
     {255, 200},
     mandelbrot,
     mandelbrot_loops,
     0,
     kSameOrder},
    {"components",
     "labels spread until nothing changes",
     {21, 60},
     {127, 300},
     components,
     components_loops,
     0,
     kSameOrder},
    {"sandpile",
     "topples while a place holds four",
     {21, 30},
     {63, 200},
     sandpile,
     sandpile_loops,
     0,
     kSameOrder},
    {"pyramid",
     "an image halved level by level and put together",
     {45, 0},
     {1023, 0},
     pyramid,
     pyramid_loops,
     0,
     kSameOrder},
};

}  // namespace

std::span<const Program> automata() { return kPrograms; }

}  // namespace corpus
