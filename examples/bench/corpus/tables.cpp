// Tables filled step by step: dynamic programming, sorting, numbers.
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

// Levenshtein's distance, one anti-diagonal of the table after another.
Values edit_distance(const Run& run) {
  const std::int64_t n = run.n, m = run.n + 4;
  Array a = Array(letters(n, 40, 4)), b = kn::flip(Array(letters(m, 41, 4)));
  Array before = kn::zeros({n + 1}, kn::int32), last = kn::zeros({n + 1}, kn::int32);
  last.at(slice(0, 2)) = 1;
  for (std::int64_t d = 2; d <= n + m; ++d) {
    const std::int64_t low = std::max<std::int64_t>(1, d - m), high = std::min(n, d - 1);
    Array differ = a(slice(low - 1, high)) != b(slice(m - d + low, m - d + high + 1));
    Array changed = kn::minimum(last(slice(low - 1, high)), last(slice(low, high + 1))) + 1;
    Array next = last;
    if (d <= m) next.at(0) = d;
    if (d <= n) next.at(d) = d;
    next.at(slice(low, high + 1)) = kn::minimum(changed, before(slice(low - 1, high)) + differ);
    before = last;
    last = next;
    run.keep(before, last);
  }
  return values(last(n));
}

Values edit_distance_loops(const Run& run) {
  const std::vector<int> a = letters(run.n, 40, 4), b = letters(run.n + 4, 41, 4);
  std::vector<int> row(b.size() + 1);
  for (Index j = 0; j < row.size(); ++j) row[j] = static_cast<int>(j);
  for (Index i = 1; i <= a.size(); ++i) {
    int diagonal = row[0];
    row[0] = static_cast<int>(i);
    for (Index j = 1; j <= b.size(); ++j) {
      const int above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1] ? 1 : 0)});
      diagonal = above;
    }
  }
  return {static_cast<double>(row.back())};
}

// The best of things that fit: each is taken or left.
Values knapsack(const Run& run) {
  const std::vector<int> weight = letters(run.steps, 42, 9);
  const Floats& worth = noise(run.steps, 43);
  Array best = kn::zeros({run.n});
  for (int i = 0; i < run.steps; ++i) {
    const int w = weight[i] + 1;
    Array taken = best(slice(_, -w)) + worth[i];
    best = kn::concat({best(slice(_, w)), kn::maximum(best(slice(w, _)), taken)});
    run.keep(best);
  }
  return values(best);
}

Values knapsack_loops(const Run& run) {
  const std::vector<int> weight = letters(run.steps, 42, 9);
  const Floats& worth = noise(run.steps, 43);
  Floats best(extent(run));
  for (Index i = 0; i < weight.size(); ++i) {
    const auto w = static_cast<Index>(weight[i] + 1);
    for (Index c = best.size(); c-- > w;) best[c] = std::max(best[c], best[c - w] + worth[i]);
  }
  return values(best);
}

// The likeliest path through a hidden Markov model; where each came from is kept in a list.
Values viterbi(const Run& run) {
  const std::vector<int> seen = letters(run.steps, 44, 8);
  Array move = kn::log(0.01f + Array(noise(run.n * run.n, 45), {run.n, run.n}));
  Array emit = kn::log(0.01f + Array(noise(run.n * 8, 46), {run.n, 8}));
  Array score = emit(_, seen[0]);
  std::vector<Array> from;
  for (int t = 1; t < run.steps; ++t) {
    Array reach = score(_, newaxis) + move;
    from.push_back(kn::argmax(reach, 0));
    score = kn::max(reach, 0) + emit(_, seen[t]);
    run.keep(score, from.back());
  }
  std::vector<std::int64_t> back = kn::stack(from).to_vector<std::int64_t>();
  std::int64_t state = kn::argmax(score).item<std::int64_t>();
  Values path = {static_cast<double>(state)};
  for (std::int64_t t = run.steps - 2; t >= 0; --t) {
    state = back[static_cast<Index>(t * run.n + state)];
    path.push_back(static_cast<double>(state));
  }
  return path;
}

Values viterbi_loops(const Run& run) {
  const std::vector<int> seen = letters(run.steps, 44, 8);
  const Index n = extent(run);
  Floats move = noise(run.n * run.n, 45), emit = noise(run.n * 8, 46), score(n), next(n);
  for (float& value : move) value = std::log(0.01f + value);
  for (float& value : emit) value = std::log(0.01f + value);
  for (Index i = 0; i < n; ++i) score[i] = emit[i * 8 + static_cast<Index>(seen[0])];
  std::vector<Index> from;
  for (Index t = 1; t < seen.size(); ++t) {
    for (Index j = 0; j < n; ++j) {
      Index best = 0;
      for (Index i = 1; i < n; ++i) {
        if (score[i] + move[i * n + j] > score[best] + move[best * n + j]) best = i;
      }
      from.push_back(best);
      next[j] = score[best] + move[best * n + j] + emit[j * 8 + static_cast<Index>(seen[t])];
    }
    std::swap(score, next);
  }
  Index state = static_cast<Index>(std::max_element(score.begin(), score.end()) - score.begin());
  Values path = {static_cast<double>(state)};
  for (Index t = seen.size() - 1; t-- > 0;) {
    state = from[t * n + state];
    path.push_back(static_cast<double>(state));
  }
  return path;
}

// The forward algorithm, scaled each step; the logarithm of the likelihood adds up.
Values forward_algorithm(const Run& run) {
  const std::vector<int> seen = letters(run.steps, 47, 8);
  Array move = Array(noise(run.n * run.n, 48), {run.n, run.n}),
        emit = Array(noise(run.n * 8, 49), {run.n, 8});
  move = move / kn::sum(move, 1, kn::keepdims);
  Array alpha = kn::full({run.n}, 1.f / static_cast<float>(run.n)), total = kn::zeros({});
  for (int t = 0; t < run.steps; ++t) {
    alpha = kn::matmul(alpha, move) * emit(_, seen[t]);
    Array scale = kn::sum(alpha);
    alpha = alpha / scale;
    total += kn::log(scale);
    run.keep(alpha, total);
  }
  return joined({values(total), values(alpha)});
}

Values forward_algorithm_loops(const Run& run) {
  const std::vector<int> seen = letters(run.steps, 47, 8);
  const Index n = extent(run);
  Floats move = noise(run.n * run.n, 48), alpha(n, 1.f / static_cast<float>(run.n)), next(n);
  const Floats& emit = noise(run.n * 8, 49);
  for (Index i = 0; i < n; ++i) {
    float sum = 0;
    for (Index j = 0; j < n; ++j) sum += move[i * n + j];
    for (Index j = 0; j < n; ++j) move[i * n + j] /= sum;
  }
  float total = 0;
  for (const int symbol : seen) {
    std::fill(next.begin(), next.end(), 0.f);
    for (Index i = 0; i < n; ++i) {
      for (Index j = 0; j < n; ++j) next[j] += alpha[i] * move[i * n + j];
    }
    float scale = 0;
    for (Index j = 0; j < n; ++j) scale += next[j] *= emit[j * 8 + static_cast<Index>(symbol)];
    for (Index j = 0; j < n; ++j) alpha[j] = next[j] / scale;
    total += std::log(scale);
  }
  return joined({{total}, values(alpha)});
}

// Neighbours exchanged, even pairs and odd ones in turn.
Values odd_even_sort(const Run& run) {
  Array x = Array(noise(run.n, 59));
  const std::int64_t even = run.n - 1;
  for (std::int64_t round = 0; round < run.n; ++round) {
    const bool odd = round % 2 == 1;
    Array pairs = (odd ? x(slice(1, _)) : x(slice(_, even))).reshape({even / 2, 2});
    Array low = kn::minimum(pairs(_, 0), pairs(_, 1)), high = kn::maximum(pairs(_, 0), pairs(_, 1));
    Array sorted = kn::stack({low, high}, 1).reshape({even});
    x = odd ? kn::concat({x(slice(_, 1)), sorted}) : kn::concat({sorted, x(slice(even, _))});
    run.keep(x);
  }
  return values(x);
}

Values odd_even_sort_loops(const Run& run) {
  Floats x = noise(run.n, 59);
  for (Index round = 0; round < x.size(); ++round) {
    for (Index i = round % 2; i + 1 < x.size(); i += 2) {
      if (x[i + 1] < x[i]) std::swap(x[i], x[i + 1]);
    }
  }
  return values(x);
}

// Eratosthenes' sieve.
Values sieve(const Run& run) {
  Array prime = kn::ones({run.n}, kn::bool_);
  prime.at(slice(0, 2)) = false;
  for (std::int64_t p = 2; p * p < run.n; ++p) {
    if (!prime(p)) continue;
    prime.at(slice(p * p, _, p)) = false;
    run.keep(prime);
  }
  return values(prime);
}

Values sieve_loops(const Run& run) {
  Values prime(extent(run), 1);
  prime[0] = prime[1] = 0;
  for (Index p = 2; p * p < prime.size(); ++p) {
    if (prime[p] == 0) continue;
    for (Index k = p * p; k < prime.size(); k += p) prime[k] = 0;
  }
  return prime;
}

// 3 n + 1, until all have come to one.
Values collatz(const Run& run) {
  Array n = kn::arange(1, run.n + 1), steps = kn::zeros({run.n}, kn::int64);
  while (kn::any(n != 1)) {
    Array going = n != 1;
    n = kn::where(going, kn::where(n % 2 == 0, kn::floor_divide(n, 2), 3 * n + 1), n);
    steps += going;
    run.keep(n, steps);
  }
  return values(steps);
}

Values collatz_loops(const Run& run) {
  Values steps;
  for (std::int64_t start = 1; start <= run.n; ++start) {
    int count = 0;
    for (std::int64_t n = start; n != 1; ++count) n = n % 2 == 0 ? n / 2 : 3 * n + 1;
    steps.push_back(count);
  }
  return steps;
}

// Divided differences: each round has one less.
Values divided_differences(const Run& run) {
  Array x = kn::arange(run.n).astype(kn::float32) * 0.5f, c = Array(noise(run.n, 60));
  Values result;
  for (std::int64_t k = 1; k <= run.steps; ++k) {
    c = (c(slice(1, _)) - c(slice(_, -1))) / (x(slice(k, _)) - x(slice(_, -k)));
    run.keep(c);
    if (k % 4 == 0) result.push_back(c(0).item<double>());
  }
  return joined({result, values(c)});
}

Values divided_differences_loops(const Run& run) {
  Floats c = noise(run.n, 60);
  Values result;
  for (Index k = 1; k <= static_cast<Index>(run.steps); ++k) {
    for (Index i = 0; i + k < extent(run); ++i) {
      c[i] = (c[i + 1] - c[i]) / (0.5f * static_cast<float>(i + k) - 0.5f * static_cast<float>(i));
    }
    c.pop_back();
    if (k % 4 == 0) result.push_back(c[0]);
  }
  return joined({result, values(c)});
}

// An American put on a tree: backwards, a leaf less each step.
Values binomial_option(const Run& run) {
  const float up = 1.01f, keep = 0.4995f;
  Array power = kn::arange(run.steps + 1).astype(kn::float32) * 2 - static_cast<float>(run.steps);
  Array strike = 0.8f + 0.4f * Array(noise(run.n, 61))(_, newaxis),
        price = kn::exp(power * std::log(up));
  Array value = kn::maximum(strike - price, 0);
  for (int step = run.steps; step > 0; --step) {
    price = price(slice(_, -1)) * up;
    value = kn::maximum(keep * (value(_, slice(1, _)) + value(_, slice(_, -1))), strike - price);
    run.keep(price, value);
  }
  return values(value);
}

Values binomial_option_loops(const Run& run) {
  const float up = 1.01f, keep = 0.4995f;
  const auto leaves = static_cast<Index>(run.steps) + 1;
  Values result;
  for (const float place : noise(run.n, 61)) {
    const float strike = 0.8f + 0.4f * place;
    Floats price(leaves), value(leaves);
    for (Index i = 0; i < leaves; ++i) {
      price[i] =
          std::exp((static_cast<float>(i) * 2 - static_cast<float>(run.steps)) * std::log(up));
      value[i] = std::max(strike - price[i], 0.f);
    }
    for (Index last = leaves - 1; last > 0; --last) {
      for (Index i = 0; i < last; ++i) {
        price[i] *= up;
        value[i] = std::max(keep * (value[i + 1] + value[i]), strike - price[i]);
      }
    }
    result.push_back(value[0]);
  }
  return result;
}

// Pascal's triangle, a row from the row before.
Values pascal(const Run& run) {
  Array t = kn::zeros({run.n, run.n}, kn::int64);
  t.at(0, 0) = 1;
  for (std::int64_t i = 1; i < run.n; ++i) {
    t.at(i) = t(i - 1) + kn::roll(t(i - 1), 1);
    run.keep(t);
  }
  return values(t);
}

Values pascal_loops(const Run& run) {
  const Index n = extent(run);
  Values t(n * n);
  t[0] = 1;
  for (Index i = 1; i < n; ++i) {
    for (Index j = 0; j < n; ++j)
      t[i * n + j] = t[(i - 1) * n + j] + (j > 0 ? t[(i - 1) * n + j - 1] : 0);
  }
  return t;
}

constexpr Program kPrograms[] = {
    {"edit_distance",
     "anti-diagonals of a table",
     {15, 0},
     {301, 0},
     edit_distance,
     edit_distance_loops,
     0,
     kSameOrder,
     kWindows},
    {"knapsack",
     "each thing taken or left, joined slices",
     {101, 12},
     {10001, 60},
     knapsack,
     knapsack_loops,
     0,
     kSameOrder},
    {"viterbi",
     "the likeliest path, what led there in a list",
     {13, 12},
     {61, 100},
     viterbi,
     viterbi_loops,
     0,
     kSameOrder,
     "a join of many is a launch or two more than in one kernel"},
    {"forward_algorithm",
     "a product and a scale a step",
     {13, 20},
     {101, 200},
     forward_algorithm,
     forward_algorithm_loops,
     1e-6,
     kSums},
    {"odd_even_sort",
     "pairs compared, joined again",
     {13, 0},
     {201, 0},
     odd_even_sort,
     odd_even_sort_loops,
     0,
     kSameOrder},
    {"sieve",
     "strided writes, an element read each round",
     {201, 0},
     {100001, 0},
     sieve,
     sieve_loops,
     0,
     "whole numbers"},
    {"collatz",
     "until all have come to one",
     {27, 0},
     {10001, 0},
     collatz,
     collatz_loops,
     0,
     "whole numbers"},
    {"divided_differences",
     "slices that shrink, now and then read",
     {41, 20},
     {1001, 60},
     divided_differences,
     divided_differences_loops,
     0,
     kSameOrder},
    {"binomial_option",
     "a tree backwards, a leaf less each step",
     {5, 20},
     {101, 200},
     binomial_option,
     binomial_option_loops,
     1e-5,
     "a logarithm and powers of it"},
    {"pascal",
     "a row from the row before",
     {13, 0},
     {51, 0},
     pascal,
     pascal_loops,
     0,
     "whole numbers"},
};

}  // namespace

std::span<const Program> tables() { return kPrograms; }

}  // namespace corpus
