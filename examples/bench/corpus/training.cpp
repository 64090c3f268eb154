// Training by hand.
#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "bench/corpus/corpus.h"

namespace corpus {

namespace {

using kn::_;
using kn::Array;
using kn::newaxis;
using kn::slice;

// Two classes that a line divides, nearly.
Floats classes(const Floats& x, Index columns) {
  Floats result(x.size() / columns);
  for (Index i = 0; i < result.size(); ++i) {
    float sum = 0;
    for (Index j = 0; j < columns; ++j) sum += x[i * columns + j] * (j % 2 == 0 ? 1.f : -0.5f);
    result[i] = sum + 0.2f * x[i * columns] > 0 ? 1.f : 0.f;
  }
  return result;
}

// Logistic regression by gradient descent, the loss noted each step.
Values logistic_regression(const Run& run) {
  Array x = Array(centred(run.n * 9, 70), {run.n, 9}),
        y = Array(classes(centred(run.n * 9, 70), 9));
  Array w = kn::zeros({9});
  Values losses;
  for (int step = 0; step < run.steps; ++step) {
    Array p = kn::sigmoid(kn::matmul(x, w));
    Array loss = -kn::mean(y * kn::log(p + 1e-6f) + (1 - y) * kn::log(1 - p + 1e-6f));
    w -= 0.5f * kn::matmul(x.T(), p - y) / static_cast<float>(run.n);
    run.keep(w, loss);
    losses.push_back(loss.item<double>());
  }
  return joined({losses, values(w)});
}

Values logistic_regression_loops(const Run& run) {
  const Floats x = centred(run.n * 9, 70), y = classes(x, 9);
  Floats w(9);
  Values losses;
  for (int step = 0; step < run.steps; ++step) {
    Floats gradient(9);
    float loss = 0;
    for (Index i = 0; i < y.size(); ++i) {
      float sum = 0;
      for (Index j = 0; j < 9; ++j) sum += x[i * 9 + j] * w[j];
      const float p = 1 / (1 + std::exp(-sum));
      loss -= y[i] * std::log(p + 1e-6f) + (1 - y[i]) * std::log(1 - p + 1e-6f);
      for (Index j = 0; j < 9; ++j) gradient[j] += x[i * 9 + j] * (p - y[i]);
    }
    for (Index j = 0; j < 9; ++j) w[j] -= 0.5f * gradient[j] / static_cast<float>(run.n);
    losses.push_back(loss / static_cast<float>(run.n));
  }
  return joined({losses, values(w)});
}

constexpr int kIn = 8, kHidden = 16, kOut = 3;

// A network of two layers in batches, its gradients written out.
Values mlp(const Run& run) {
  Array x = Array(centred(run.n * kIn, 71), {run.n, kIn});
  Array label = kn::floor(Array(noise(run.n, 72)) * kOut).astype(kn::int32);
  Array target = (label(_, newaxis) == kn::arange(kOut)).astype(kn::float32);
  Array w1 = Array(centred(kIn * kHidden, 73), {kIn, kHidden}), b1 = kn::zeros({kHidden});
  Array w2 = Array(centred(kHidden * kOut, 74), {kHidden, kOut}), b2 = kn::zeros({kOut});
  const std::int64_t batch = run.n / 3;
  for (int step = 0; step < run.steps; ++step) {
    const auto rows = slice(step % 3 * batch, (step % 3 + 1) * batch);
    Array input = x(rows), hidden = kn::relu(kn::matmul(input, w1) + b1);
    Array out = kn::softmax(kn::matmul(hidden, w2) + b2);
    Array d_out = (out - target(rows)) / static_cast<float>(batch);
    Array d_hidden = kn::where(hidden > 0, kn::matmul(d_out, w2.T()), 0);
    w2 -= 0.3f * kn::matmul(hidden.T(), d_out);
    b2 -= 0.3f * kn::sum(d_out, 0);
    w1 -= 0.3f * kn::matmul(input.T(), d_hidden);
    b1 -= 0.3f * kn::sum(d_hidden, 0);
    run.keep(w1, b1, w2, b2);
  }
  return joined({values(w1), values(b1), values(w2), values(b2)});
}

Values mlp_loops(const Run& run) {
  const Floats x = centred(run.n * kIn, 71), &label = noise(run.n, 72);
  Floats w1 = centred(kIn * kHidden, 73), b1(kHidden), w2 = centred(kHidden * kOut, 74), b2(kOut);
  const Index batch = extent(run) / 3;
  for (int step = 0; step < run.steps; ++step) {
    Floats d1(w1.size()), e1(kHidden), d2(w2.size()), e2(kOut);
    for (Index r = static_cast<Index>(step % 3) * batch, end = r + batch; r < end; ++r) {
      float hidden[kHidden], out[kOut], largest = -1e30f, sum = 0;
      for (Index h = 0; h < kHidden; ++h) {
        hidden[h] = 0;
        for (Index i = 0; i < kIn; ++i) hidden[h] += x[r * kIn + i] * w1[i * kHidden + h];
        hidden[h] = std::max(hidden[h] + b1[h], 0.f);
      }
      for (Index o = 0; o < kOut; ++o) {
        out[o] = 0;
        for (Index h = 0; h < kHidden; ++h) out[o] += hidden[h] * w2[h * kOut + o];
        largest = std::max(largest, out[o] += b2[o]);
      }
      for (float& value : out) sum += value = std::exp(value - largest);
      for (Index o = 0; o < kOut; ++o) {
        out[o] =
            (out[o] / sum - (std::floor(label[r] * kOut) == static_cast<float>(o) ? 1.f : 0.f)) /
            static_cast<float>(batch);
        e2[o] += out[o];
        for (Index h = 0; h < kHidden; ++h) d2[h * kOut + o] += hidden[h] * out[o];
      }
      for (Index h = 0; h < kHidden; ++h) {
        float d = 0;
        for (Index o = 0; o < kOut; ++o) d += hidden[h] > 0 ? out[o] * w2[h * kOut + o] : 0.f;
        e1[h] += d;
        for (Index i = 0; i < kIn; ++i) d1[i * kHidden + h] += x[r * kIn + i] * d;
      }
    }
    for (Index k = 0; k < w1.size(); ++k) w1[k] -= 0.3f * d1[k];
    for (Index k = 0; k < w2.size(); ++k) w2[k] -= 0.3f * d2[k];
    for (Index h = 0; h < kHidden; ++h) b1[h] -= 0.3f * e1[h];
    for (Index o = 0; o < kOut; ++o) b2[o] -= 0.3f * e2[o];
  }
  return joined({values(w1), values(b1), values(w2), values(b2)});
}

// Adam on a curve with two parameters a point; its corrections are numbers that change each step.
Values adam(const Run& run) {
  Array goal = Array(noise(run.n, 75)), x = kn::zeros({run.n}), m = x, v = x;
  for (int t = 1; t <= run.steps; ++t) {
    Array g = 4 * x * (x * x - goal) + 0.1f * x;
    m = 0.9f * m + 0.1f * (g - 0.2f);
    v = 0.999f * v + 0.001f * (g - 0.2f) * (g - 0.2f);
    const float fix_m = 1 / (1 - std::pow(0.9f, static_cast<float>(t)));
    const float fix_v = 1 / (1 - std::pow(0.999f, static_cast<float>(t)));
    x -= 0.05f * (m * fix_m) / (kn::sqrt(v * fix_v) + 1e-8f);
    run.keep(x, m, v);
  }
  return values(x);
}

Values adam_loops(const Run& run) {
  const Floats& goal = noise(run.n, 75);
  Floats x(goal.size()), m = x, v = x;
  for (int t = 1; t <= run.steps; ++t) {
    const float fix_m = 1 / (1 - std::pow(0.9f, static_cast<float>(t)));
    const float fix_v = 1 / (1 - std::pow(0.999f, static_cast<float>(t)));
    for (Index i = 0; i < x.size(); ++i) {
      const float g = 4 * x[i] * (x[i] * x[i] - goal[i]) + 0.1f * x[i];
      m[i] = 0.9f * m[i] + 0.1f * (g - 0.2f);
      v[i] = 0.999f * v[i] + 0.001f * (g - 0.2f) * (g - 0.2f);
      x[i] -= 0.05f * (m[i] * fix_m) / (std::sqrt(v[i] * fix_v) + 1e-8f);
    }
  }
  return values(x);
}

// A recurrent network through time: states kept in a list, walked back.
Values recurrent(const Run& run) {
  constexpr int kSteps = 6, kStates = 7;
  Array x = Array(centred(kSteps * run.n, 76), {kSteps, run.n}), goal = kn::sum(x, 0)(_, newaxis);
  Array w = 0.5f * Array(centred(kStates * kStates, 77), {kStates, kStates});
  Array u = Array(centred(kStates, 78), {1, kStates}),
        out = Array(centred(kStates, 79), {kStates, 1});
  for (int epoch = 0; epoch < run.steps; ++epoch) {
    std::vector<Array> h = {kn::zeros({run.n, kStates})};
    for (int t = 0; t < kSteps; ++t) {
      h.push_back(kn::tanh(kn::matmul(h.back(), w) + x(t)(_, newaxis) * u));
    }
    Array error = (kn::matmul(h.back(), out) - goal) / static_cast<float>(run.n);
    Array d_out = kn::matmul(h.back().T(), error), d_w = kn::zeros_like(w), d_u = kn::zeros_like(u);
    Array d_h = kn::matmul(error, out.T());
    for (int t = kSteps; t > 0; --t) {
      Array d = d_h * (1 - h[t] * h[t]);
      d_w += kn::matmul(h[t - 1].T(), d);
      d_u += kn::sum(x(t - 1)(_, newaxis) * d, 0, kn::keepdims);
      d_h = kn::matmul(d, w.T());
    }
    w -= 0.3f * d_w;
    u -= 0.3f * d_u;
    out -= 0.3f * d_out;
    run.keep(w, u, out);
  }
  return joined({values(w), values(u), values(out)});
}

Values recurrent_loops(const Run& run) {
  constexpr Index kSteps = 6, kStates = 7;
  const Index n = extent(run);
  const Floats x = centred(kSteps * run.n, 76);
  Floats w = centred(kStates * kStates, 77), u = centred(kStates, 78), out = centred(kStates, 79);
  for (float& value : w) value *= 0.5f;
  for (int epoch = 0; epoch < run.steps; ++epoch) {
    Floats d_w(w.size()), d_u(kStates), d_out(kStates);
    for (Index r = 0; r < n; ++r) {
      float h[kSteps + 1][kStates] = {}, d[kStates], d_h[kStates], goal = 0, got = 0;
      for (Index t = 0; t < kSteps; ++t) {
        goal += x[t * n + r];
        for (Index j = 0; j < kStates; ++j) {
          float sum = 0;
          for (Index i = 0; i < kStates; ++i) sum += h[t][i] * w[i * kStates + j];
          h[t + 1][j] = std::tanh(sum + x[t * n + r] * u[j]);
        }
      }
      for (Index j = 0; j < kStates; ++j) got += h[kSteps][j] * out[j];
      const float error = (got - goal) / static_cast<float>(run.n);
      for (Index j = 0; j < kStates; ++j) {
        d_out[j] += h[kSteps][j] * error;
        d_h[j] = error * out[j];
      }
      for (Index t = kSteps; t > 0; --t) {
        for (Index j = 0; j < kStates; ++j) d[j] = d_h[j] * (1 - h[t][j] * h[t][j]);
        for (Index i = 0; i < kStates; ++i) {
          d_u[i] += x[(t - 1) * n + r] * d[i];
          d_h[i] = 0;
          for (Index j = 0; j < kStates; ++j) {
            d_w[i * kStates + j] += h[t - 1][i] * d[j];
            d_h[i] += d[j] * w[i * kStates + j];
          }
        }
      }
    }
    for (Index k = 0; k < w.size(); ++k) w[k] -= 0.3f * d_w[k];
    for (Index k = 0; k < kStates; ++k) u[k] -= 0.3f * d_u[k];
    for (Index k = 0; k < kStates; ++k) out[k] -= 0.3f * d_out[k];
  }
  return joined({values(w), values(u), values(out)});
}

// A support vector machine, a sample at a time: whether it learns from one depends on what it
// knows.
Values sample_by_sample(const Run& run) {
  Array x = Array(centred(run.n * run.steps, 84), {run.steps, run.n});
  const Floats side = classes(centred(run.n * run.steps, 84), extent(run));
  Array w = kn::zeros({run.n});
  int learnt = 0;
  for (int i = 0; i < run.steps; ++i) {
    const float y = side[static_cast<Index>(i)] * 2 - 1;
    Array margin = y * kn::sum(w * x(i));
    if (margin < 1.f) {
      w = 0.99f * w + 0.1f * y * x(i);
      ++learnt;
    } else {
      w *= 0.99f;
    }
    run.keep(w);
  }
  return joined({{static_cast<double>(learnt)}, values(w)});
}

Values sample_by_sample_loops(const Run& run) {
  const Index n = extent(run);
  const Floats x = centred(run.n * run.steps, 84), side = classes(x, n);
  Floats w(n);
  int learnt = 0;
  for (Index i = 0; i < side.size(); ++i) {
    const float y = side[i] * 2 - 1;
    float sum = 0;
    for (Index j = 0; j < n; ++j) sum += w[j] * x[i * n + j];
    const bool learns = y * sum < 1;
    learnt += learns;
    for (Index j = 0; j < n; ++j)
      w[j] = learns ? 0.99f * w[j] + 0.1f * y * x[i * n + j] : 0.99f * w[j];
  }
  return joined({{static_cast<double>(learnt)}, values(w)});
}

// Symbolic regression: every candidate is another expression, evaluated once. The generator writes
// an array expression here, a number there.
template <class T>
struct Candidates {
  std::mt19937 draw{7};
  std::function<T(int, const T&, const T&)> apply;

  T make(const T& x, const T& y, int depth) {
    if (depth == 0) return draw() % 2 == 0 ? x : y;
    const int kind = static_cast<int>(draw() % 7);
    const T first = make(x, y, depth - 1);
    return apply(kind, first, kind < 4 ? make(x, y, depth - 1) : first);
  }
};

Values symbolic_regression(const Run& run) {
  Array x = kn::linspace(0, 1, run.n), y = kn::linspace(1, 3, run.n), goal = kn::sin(x) * y;
  Candidates<Array> candidates;
  candidates.apply = [](int kind, const Array& a, const Array& b) -> Array {
    switch (kind) {
      case 0:
        return a + b;
      case 1:
        return a * b;
      case 2:
        return a - b;
      case 3:
        return kn::maximum(a, b);
      case 4:
        return kn::sin(a);
      case 5:
        return kn::exp(-kn::abs(a));
      default:
        return kn::sqrt(kn::abs(a));
    }
  };
  Values errors;
  for (int i = 0; i < run.steps; ++i) {
    Array error = candidates.make(x, y, 4) - goal;
    errors.push_back(kn::mean(kn::abs(error)).item<double>());
  }
  return errors;
}

Values symbolic_regression_loops(const Run& run) {
  const Floats x = kn::linspace(0, 1, run.n).to_vector<float>(),
               y = kn::linspace(1, 3, run.n).to_vector<float>();
  Candidates<Floats> candidates;
  candidates.apply = [](int kind, const Floats& a, const Floats& b) {
    Floats result(a.size());
    for (Index i = 0; i < a.size(); ++i) {
      switch (kind) {
        case 0:
          result[i] = a[i] + b[i];
          break;
        case 1:
          result[i] = a[i] * b[i];
          break;
        case 2:
          result[i] = a[i] - b[i];
          break;
        case 3:
          result[i] = std::max(a[i], b[i]);
          break;
        case 4:
          result[i] = std::sin(a[i]);
          break;
        case 5:
          result[i] = std::exp(-std::abs(a[i]));
          break;
        default:
          result[i] = std::sqrt(std::abs(a[i]));
      }
    }
    return result;
  };
  Values errors;
  for (int c = 0; c < run.steps; ++c) {
    const Floats guess = candidates.make(x, y, 4);
    double sum = 0;
    for (Index i = 0; i < guess.size(); ++i) sum += std::abs(guess[i] - std::sin(x[i]) * y[i]);
    errors.push_back(sum / static_cast<double>(guess.size()));
  }
  return errors;
}

constexpr Program kPrograms[] = {
    {"logistic_regression",
     "the loss noted each step",
     {201, 20},
     {10001, 200},
     logistic_regression,
     logistic_regression_loops,
     1e-4,
     kSums},
    {"mlp",
     "two layers in batches, gradients by hand",
     {99, 12},
     {3003, 200},
     mlp,
     mlp_loops,
     1e-5,
     kSums},
    {"adam",
     "corrections that change each step",
     {101, 20},
     {10001, 200},
     adam,
     adam_loops,
     1e-5,
     "powers of the host"},
    {"recurrent",
     "a network through time, states in a list",
     {51, 5},
     {501, 50},
     recurrent,
     recurrent_loops,
     1e-5,
     kSums},
    {"sample_by_sample",
     "learns from a sample, or does not",
     {31, 20},
     {1001, 400},
     sample_by_sample,
     sample_by_sample_loops,
     1e-5,
     kSums},
    {"symbolic_regression",
     "every candidate another expression",
     {101, 12},
     {10001, 300},
     symbolic_regression,
     symbolic_regression_loops,
     1e-5,
     kSums},
};

}  // namespace

std::span<const Program> training() { return kPrograms; }

}  // namespace corpus
