// Linear algebra.
#include <algorithm>
#include <cmath>
#include <utility>

#include "bench/corpus/corpus.h"

namespace corpus {

namespace {

using kn::_;
using kn::Array;
using kn::newaxis;
using kn::slice;

// A matrix of the loops.
struct Matrix {
  Matrix(Index h, Index w) : height(h), width(w), data(h * w) {}
  Matrix(Index h, Index w, Floats values) : height(h), width(w), data(std::move(values)) {}
  float& operator()(Index i, Index j) { return data[i * width + j]; }
  float operator()(Index i, Index j) const { return data[i * width + j]; }
  Index height, width;
  Floats data;
};

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c(a.height, b.width);
  for (Index i = 0; i < a.height; ++i) {
    for (Index k = 0; k < a.width; ++k) {
      for (Index j = 0; j < b.width; ++j) c(i, j) += a(i, k) * b(k, j);
    }
  }
  return c;
}

Floats product(const Matrix& a, const Floats& v) {
  Floats result(a.height);
  for (Index i = 0; i < a.height; ++i) {
    for (Index j = 0; j < a.width; ++j) result[i] += a(i, j) * v[j];
  }
  return result;
}

// Symmetric, with a heavy diagonal.
Matrix spd(const Run& run, unsigned seed) {
  Matrix a(extent(run), extent(run), noise(run.n * run.n, seed));
  for (Index i = 0; i < a.height; ++i) {
    for (Index j = 0; j < i; ++j) a(i, j) = a(j, i) = 0.5f * (a(i, j) + a(j, i));
    a(i, i) += static_cast<float>(run.n);
  }
  return a;
}

// The largest eigenvalue, until it stands.
Values power_iteration(const Run& run) {
  Array a = Array(spd(run, 21).data, {run.n, run.n}), v = kn::ones({run.n});
  float before = 0, eigenvalue = 0;
  for (int step = 0; step < run.steps; ++step) {
    Array w = kn::matmul(a, v);
    Array length = kn::sqrt(kn::sum(w * w));
    v = w / length;
    run.keep(v, length);
    eigenvalue = length.item<float>();
    if (std::abs(eigenvalue - before) < 1e-5f * eigenvalue) break;
    before = eigenvalue;
  }
  return joined({{eigenvalue}, values(v)});
}

Values power_iteration_loops(const Run& run) {
  const Matrix a = spd(run, 21);
  Floats v(a.height, 1.f);
  float before = 0, eigenvalue = 0;
  for (int step = 0; step < run.steps; ++step) {
    v = product(a, v);
    eigenvalue = std::sqrt(dot(v, v));
    for (float& value : v) value /= eigenvalue;
    if (std::abs(eigenvalue - before) < 1e-5f * eigenvalue) break;
    before = eigenvalue;
  }
  return joined({{eigenvalue}, values(v)});
}

// Gram-Schmidt: column after column is written, and read by those that follow.
Values gram_schmidt(const Run& run) {
  Array a = Array(noise(run.n * run.steps, 24), {run.n, run.steps}), q = kn::zeros_like(a);
  for (int j = 0; j < run.steps; ++j) {
    Array v = a(_, j);
    for (int i = 0; i < j; ++i) v = v - kn::sum(q(_, i) * v) * q(_, i);
    q.at(_, j) = v / kn::sqrt(kn::sum(v * v));
    run.keep(q);
  }
  return values(q);
}

Values gram_schmidt_loops(const Run& run) {
  const auto columns = static_cast<Index>(run.steps);
  const Matrix a(extent(run), columns, noise(run.n * run.steps, 24));
  Matrix q(a.height, columns);
  for (Index j = 0; j < columns; ++j) {
    Floats v(a.height);
    for (Index k = 0; k < a.height; ++k) v[k] = a(k, j);
    for (Index i = 0; i < j; ++i) {
      float sum = 0;
      for (Index k = 0; k < a.height; ++k) sum += q(k, i) * v[k];
      for (Index k = 0; k < a.height; ++k) v[k] -= sum * q(k, i);
    }
    const float length = std::sqrt(dot(v, v));
    for (Index k = 0; k < a.height; ++k) q(k, j) = v[k] / length;
  }
  return values(q.data);
}

// Cholesky's factor in place: a pivot, a column, and an update of what is right of them.
Values cholesky(const Run& run) {
  Array a = Array(spd(run, 25).data, {run.n, run.n});
  for (std::int64_t k = 0; k < run.n; ++k) {
    const auto rest = slice(k + 1, _);
    Array pivot = kn::sqrt(a(k, k));
    Array column = a(rest, k) / pivot;
    a.at(k, k) = pivot;
    a.at(rest, k) = column;
    a.at(rest, rest) -= kn::outer(column, column);
    run.keep(a);
  }
  return values(kn::tril(a));
}

Values cholesky_loops(const Run& run) {
  Matrix a = spd(run, 25);
  const Index n = a.height;
  for (Index k = 0; k < n; ++k) {
    a(k, k) = std::sqrt(a(k, k));
    for (Index i = k + 1; i < n; ++i) a(i, k) /= a(k, k);
    for (Index i = k + 1; i < n; ++i) {
      for (Index j = k + 1; j < n; ++j) a(i, j) -= a(i, k) * a(j, k);
    }
  }
  for (Index i = 0; i < n; ++i) {
    for (Index j = i + 1; j < n; ++j) a(i, j) = 0;
  }
  return values(a.data);
}

// Elimination with a pivot that is looked for, rows exchanged.
Values elimination(const Run& run) {
  Array a = Array(noise(run.n * (run.n + 1), 26), {run.n, run.n + 1});
  for (std::int64_t k = 0; k < run.n; ++k) {
    const std::int64_t pivot = k + kn::argmax(kn::abs(a(slice(k, _), k))).item<std::int64_t>();
    Array row = a(pivot) / a(pivot, k);
    if (pivot != k) a.at(pivot) = a(k);
    a.at(k) = row;
    Array factors = a(_, k);
    factors.at(k) = 0;
    a -= kn::outer(factors, row);
    run.keep(a);
  }
  return values(a(_, run.n));
}

Values elimination_loops(const Run& run) {
  Matrix a(extent(run), extent(run) + 1, noise(run.n * (run.n + 1), 26));
  for (Index k = 0; k < a.height; ++k) {
    Index pivot = k;
    for (Index i = k; i < a.height; ++i) {
      if (std::abs(a(i, k)) > std::abs(a(pivot, k))) pivot = i;
    }
    const float value = a(pivot, k);
    for (Index j = 0; j < a.width; ++j) {
      const float scaled = a(pivot, j) / value;
      a(pivot, j) = a(k, j);
      a(k, j) = scaled;
    }
    for (Index i = 0; i < a.height; ++i) {
      const float factor = i == k ? 0 : a(i, k);
      for (Index j = 0; j < a.width; ++j) a(i, j) -= factor * a(k, j);
    }
  }
  Floats result;
  for (Index i = 0; i < a.height; ++i) result.push_back(a(i, a.width - 1));
  return values(result);
}

// Thomas's algorithm for many tridiagonal systems at once: forward row by row, and back.
Values tridiagonal(const Run& run) {
  const int rows = run.steps;
  Array d = Array(noise(rows * run.n, 27), {rows, run.n}), c = kn::zeros_like(d),
        x = kn::zeros_like(d);
  c.at(0) = -0.4f;
  d.at(0) /= 2.5f;
  for (int i = 1; i < rows; ++i) {
    Array w = 2.5f + c(i - 1);
    c.at(i) = -1 / w;
    d.at(i) = (d(i) + d(i - 1)) / w;
    run.keep(c, d);
  }
  x.at(-1) = d(-1);
  for (int i = rows - 2; i >= 0; --i) {
    x.at(i) = d(i) - c(i) * x(i + 1);
    run.keep(x);
  }
  return values(x);
}

Values tridiagonal_loops(const Run& run) {
  const auto rows = static_cast<Index>(run.steps);
  Matrix d(rows, extent(run), noise(run.steps * run.n, 27)), c(rows, d.width), x(rows, d.width);
  for (Index j = 0; j < d.width; ++j) {
    c(0, j) = -0.4f;
    d(0, j) /= 2.5f;
    for (Index i = 1; i < rows; ++i) {
      const float w = 2.5f + c(i - 1, j);
      c(i, j) = -1 / w;
      d(i, j) = (d(i, j) + d(i - 1, j)) / w;
    }
    x(rows - 1, j) = d(rows - 1, j);
    for (Index i = rows - 1; i-- > 0;) x(i, j) = d(i, j) - c(i, j) * x(i + 1, j);
  }
  return values(x.data);
}

// An inverse by Newton-Schulz, until the residual is small.
Values inverse(const Run& run) {
  Array a = Array(spd(run, 28).data, {run.n, run.n}), identity = kn::eye(run.n);
  Array x = a.T() / (kn::max(kn::sum(kn::abs(a), 0)) * kn::max(kn::sum(kn::abs(a), 1)));
  for (int step = 0; step < run.steps; ++step) {
    Array product = kn::matmul(a, x);
    Array residual = kn::max(kn::abs(identity - product));
    x = kn::matmul(x, 2 * identity - product);
    run.keep(x, residual);
    if (residual.item<float>() < 1e-3f) break;
  }
  return values(x);
}

Values inverse_loops(const Run& run) {
  const Matrix a = spd(run, 28);
  Matrix x = a;
  float largest = 0;
  for (Index i = 0; i < a.height; ++i) {
    float sum = 0;
    for (Index j = 0; j < a.width; ++j) sum += std::abs(a(i, j));
    largest = std::max(largest, sum);
  }
  for (float& value : x.data) value /= largest * largest;
  for (int step = 0; step < run.steps; ++step) {
    Matrix rest = product(a, x);
    float residual = 0;
    for (Index i = 0; i < a.height; ++i) {
      for (Index j = 0; j < a.width; ++j) {
        residual = std::max(residual, std::abs((i == j ? 1.f : 0.f) - rest(i, j)));
        rest(i, j) = (i == j ? 2.f : 0.f) - rest(i, j);
      }
    }
    x = product(x, rest);
    if (residual < 1e-3f) break;
  }
  return values(x.data);
}

// All shortest paths: one more stop allowed each round.
Values floyd_warshall(const Run& run) {
  Array d = 0.01f + Array(noise(run.n * run.n, 29), {run.n, run.n});
  d = kn::where(kn::eye(run.n) == 1, 0, d * d);
  for (std::int64_t k = 0; k < run.n; ++k) {
    d = kn::minimum(d, d(_, k)(_, newaxis) + d(k));
    run.keep(d);
  }
  return values(d);
}

Values floyd_warshall_loops(const Run& run) {
  Matrix d(extent(run), extent(run), noise(run.n * run.n, 29));
  for (Index i = 0; i < d.height; ++i) {
    for (Index j = 0; j < d.height; ++j) {
      const float length = 0.01f + d(i, j);
      d(i, j) = i == j ? 0 : length * length;
    }
  }
  for (Index k = 0; k < d.height; ++k) {
    for (Index i = 0; i < d.height; ++i) {
      for (Index j = 0; j < d.height; ++j) d(i, j) = std::min(d(i, j), d(i, k) + d(k, j));
    }
  }
  return values(d.data);
}

// PageRank until the ranks stand.
Values pagerank(const Run& run) {
  Array links = (Array(noise(run.n * run.n, 30), {run.n, run.n}) < 0.1f).astype(kn::float32);
  Array out = kn::maximum(kn::sum(links, 1), 1),
        rank = kn::full({run.n}, 1.f / static_cast<float>(run.n));
  float change = 1;
  int step = 0;
  while (change > 1e-5f && step++ < run.steps) {
    Array next = 0.15f / static_cast<float>(run.n) + 0.85f * kn::matmul(links.T(), rank / out);
    Array moved = kn::sum(kn::abs(next - rank));
    rank = next;
    run.keep(rank, moved);
    change = moved.item<float>();
  }
  return values(rank);
}

Values pagerank_loops(const Run& run) {
  Matrix links(extent(run), extent(run), noise(run.n * run.n, 30));
  Floats out(links.height), rank(links.height, 1.f / static_cast<float>(run.n));
  for (Index i = 0; i < links.height; ++i) {
    for (Index j = 0; j < links.width; ++j) out[i] += links(i, j) = links(i, j) < 0.1f ? 1.f : 0.f;
    out[i] = std::max(out[i], 1.f);
  }
  float change = 1;
  int step = 0;
  while (change > 1e-5f && step++ < run.steps) {
    Floats next(links.height);
    for (Index i = 0; i < links.height; ++i) {
      for (Index j = 0; j < links.width; ++j) next[j] += links(i, j) * (rank[i] / out[i]);
    }
    change = 0;
    for (Index j = 0; j < next.size(); ++j) {
      next[j] = 0.15f / static_cast<float>(run.n) + 0.85f * next[j];
      change += std::abs(next[j] - rank[j]);
    }
    rank = next;
  }
  return values(rank);
}

constexpr Program kPrograms[] = {
    {"power_iteration",
     "a product of matrices until the eigenvalue stands",
     {51, 40},
     {301, 100},
     power_iteration,
     power_iteration_loops,
     1e-4,
     kSums},
    {"gram_schmidt",
     "columns written and read",
     {61, 7},
     {501, 25},
     gram_schmidt,
     gram_schmidt_loops,
     1e-5,
     kSums},
    {"cholesky",
     "a factor in place, windows written",
     {13, 0},
     {101, 0},
     cholesky,
     cholesky_loops,
     0,
     kSameOrder,
     kWindows},
    {"elimination",
     "a pivot looked for, rows exchanged",
     {15, 0},
     {101, 0},
     elimination,
     elimination_loops,
     1e-3,
     "a pivot may be found by a last digit"},
    {"tridiagonal",
     "rows written from the rows before",
     {65, 8},
     {2001, 100},
     tridiagonal,
     tridiagonal_loops,
     0,
     kSameOrder},
    {"inverse",
     "Newton-Schulz until the residual is small",
     {31, 40},
     {151, 60},
     inverse,
     inverse_loops,
     1e-4,
     kSums},
    {"floyd_warshall",
     "one more stop allowed each round",
     {21, 0},
     {151, 0},
     floyd_warshall,
     floyd_warshall_loops,
     0,
     kSameOrder},
    {"pagerank",
     "ranks until they stand",
     {51, 50},
     {501, 50},
     pagerank,
     pagerank_loops,
     1e-4,
     kSums},
};

}  // namespace

std::span<const Program> matrices() { return kPrograms; }

}  // namespace corpus
