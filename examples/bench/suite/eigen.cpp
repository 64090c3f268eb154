// Eigen: expressions assigned to parts of arrays, a part a thread. Compiled as a user of it
// compiles
// (-O3 -march=native); elementwise expressions of Eigen have no threads of their own.
#include "bench/suite/peer.h"
#if __has_include(<eigen3/Eigen/Core>)
#include <atomic>
#include <eigen3/Eigen/Core>

namespace bench {

namespace {

using Eigen::Index;
using Part = Eigen::Map<Eigen::ArrayXf>;
using In = Eigen::Map<const Eigen::ArrayXf>;
using Rows = Eigen::Map<const Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
using OutRows = Eigen::Map<Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

template <class F>
Program by_rows(const Problem& p, std::int64_t width, F f) {
  const std::int64_t rows = p.dim(0), columns = p.dim(1);
  return writing({rows * width}, [=, &p](const Pointers& out) -> Run {
    return [=, &p] {
      split(rows, 1, rows * columns * 8, [&](std::int64_t begin, std::int64_t end) {
        f(Rows(p.in(0) + begin * columns, end - begin, columns),
          OutRows(out[0] + begin * width, end - begin, width));
      });
    };
  });
}

template <class A>
Eigen::ArrayXf normal_cdf(const A& x) {
  const Eigen::ArrayXf k = 1.f / (1.f + 0.2316419f * x.abs());
  const Eigen::ArrayXf tail =
      0.3989422804f * (-0.5f * x * x).exp() *
      (k * (0.319381530f +
            k * (-0.356563782f + k * (1.781477937f + k * (-1.821255978f + k * 1.330274429f)))));
  return (x >= 0.f).select(1.f - tail, tail);
}

void black_scholes(const Problem& p, const Pointers& out, std::int64_t begin, std::int64_t end) {
  constexpr Index kBlock = 1024;  // values between expressions stay in the cache
  for (Index at = begin; at < end; at += kBlock) {
    const Index n = std::min<Index>(kBlock, end - at);
    const In spot(p.in(0) + at, n), strike(p.in(1) + at, n), years(p.in(2) + at, n);
    const In rate(p.in(3) + at, n), sigma(p.in(4) + at, n);
    const Eigen::ArrayXf root = sigma * years.sqrt();
    const Eigen::ArrayXf d1 =
        ((spot / strike).log() + (rate + 0.5f * sigma * sigma) * years) / root;
    const Eigen::ArrayXf d2 = d1 - root;
    const Eigen::ArrayXf discounted = strike * (-rate * years).exp();
    Part(out[0] + at, n) = spot * normal_cdf(d1) - discounted * normal_cdf(d2);
    Part(out[1] + at, n) = discounted * normal_cdf(-d2) - spot * normal_cdf(-d1);
  }
}

Program squared_error(const Problem& p) {
  const std::int64_t n = p.dim(0);
  return writing({1}, [=, &p](const Pointers& out) -> Run {
    return [=, &p] {
      std::atomic<double> total = 0;
      split(n, 64, n, [&](std::int64_t begin, std::int64_t end) {
        total += sum_of_blocks(begin, end, [&](std::int64_t from, std::int64_t to) {
          return (In(p.in(0) + from, to - from) - In(p.in(1) + from, to - from)).square().sum();
        });
      });
      out[0][0] = static_cast<float>(total / static_cast<double>(n));
    };
  });
}

// Products of matrices use Eigen's own threads where it is compiled with OpenMP; here, parts.
Program distances(const Problem& p) {
  using Matrix =
      Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
  const std::int64_t left = p.dim(0), right = p.dim(1), width = p.dim(2);
  return writing({left * right}, [=, &p](const Pointers& out) -> Run {
    return [=, &p] {
      const Matrix b(p.in(1), right, width);
      const Eigen::RowVectorXf norms = b.rowwise().squaredNorm().transpose();
      split(left, 2, left * right * width, [&](std::int64_t begin, std::int64_t end) {
        const Matrix a(p.in(0) + begin * width, end - begin, width);
        Eigen::Map<Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> result(
            out[0] + begin * right, end - begin, right);
        result.noalias() = -2.f * a * b.transpose();
        result.colwise() += a.rowwise().squaredNorm();
        result.rowwise() += norms;
      });
    };
  });
}

Program heat(const Problem& p) {
  const std::int64_t n = p.dim(0);
  return writing({(n - 2) * (n - 2)}, [=, &p](const Pointers& out) -> Run {
    return [=, &p] {
      split(n - 2, 1, n * n, [&](std::int64_t begin, std::int64_t end) {
        const Index rows = end - begin;
        const Rows u(p.in(0) + begin * n, rows + 2, n);
        const auto part = [&](Index r, Index c) { return u.block(1 + r, 1 + c, rows, n - 2); };
        OutRows(out[0] + begin * (n - 2), rows, n - 2) =
            part(0, 0) +
            0.1f * (part(0, -1) + part(0, 1) + part(-1, 0) + part(1, 0) - 4.f * part(0, 0));
      });
    };
  });
}

Program add_transposed(const Problem& p) {
  const std::int64_t n = p.dim(0);
  return writing({n * n}, [=, &p](const Pointers& out) -> Run {
    return [=, &p] {
      split(n, 64, n * n, [&](std::int64_t begin, std::int64_t end) {
        const Rows x(p.in(0), n, n);
        OutRows(out[0] + begin * n, end - begin, n) =
            x.middleRows(begin, end - begin) + x.middleCols(begin, end - begin).transpose();
      });
    };
  });
}

std::optional<Program> make_elementwise(const Problem& p) {
  if (p.name == "axpy") {
    return elementwise(p, 1, 1, [&p](const Pointers& out, std::int64_t begin, std::int64_t end) {
      const Index n = end - begin;
      Part(out[0] + begin, n) = 2.5f * In(p.in(0) + begin, n) + In(p.in(1) + begin, n);
    });
  }
  if (p.name == "chain" && p.dim(1) == 1) {
    return elementwise(p, 1, 1, [&p](const Pointers& out, std::int64_t begin, std::int64_t end) {
      Part(out[0] + begin, end - begin) = 0.9375f * In(p.in(0) + begin, end - begin);
    });
  }
  if (p.name == "chain" && p.dim(1) == 10) {
    return elementwise(p, 1, 10, [&p](const Pointers& out, std::int64_t begin, std::int64_t end) {
      const In x(p.in(0) + begin, end - begin);
      constexpr float kTimes = 0.9375f;
      Part(out[0] + begin, end - begin) =
          ((((x * kTimes + x) * kTimes + x) * kTimes + x) * kTimes + x) * kTimes + x;
    });
  }
  if (p.name == "transcendental") {
    return elementwise(p, 1, 32, [&p](const Pointers& out, std::int64_t begin, std::int64_t end) {
      const In x(p.in(0) + begin, end - begin);
      Part(out[0] + begin, end - begin) = (x.sin().exp() - (1.f + x * x).log() * x.cos()).tanh();
    });
  }
  if (p.name == "black_scholes") {
    return elementwise(p, 2, 64, [&p](const Pointers& out, std::int64_t begin, std::int64_t end) {
      black_scholes(p, out, begin, end);
    });
  }
  return std::nullopt;
}

std::optional<Program> make(const Problem& p) {
  if (p.name == "mse") return squared_error(p);
  if (p.name == "softmax") {
    return by_rows(p, p.dim(1), [](const Rows& x, OutRows out) {
      for (Index r = 0; r < x.rows(); ++r) {
        out.row(r) = (x.row(r) - x.row(r).maxCoeff()).exp();
        out.row(r) /= out.row(r).sum();
      }
    });
  }
  if (p.name == "layer_norm") {
    return by_rows(p, p.dim(1), [&p](const Rows& x, OutRows out) {
      const In gain(p.in(1), x.cols()), shift(p.in(2), x.cols());
      for (Index r = 0; r < x.rows(); ++r) {
        out.row(r) = x.row(r) - x.row(r).mean();
        const float scale = 1 / std::sqrt(out.row(r).square().mean() + 1e-5f);
        out.row(r) = out.row(r) * scale * gain.transpose() + shift.transpose();
      }
    });
  }
  if (p.name == "logsumexp") {
    return by_rows(p, 1, [](const Rows& x, OutRows out) {
      for (Index r = 0; r < x.rows(); ++r) {
        const float top = x.row(r).maxCoeff();
        out(r, 0) = std::log((x.row(r) - top).exp().sum()) + top;
      }
    });
  }
  if (p.name == "distances") return distances(p);
  if (p.name == "heat") return heat(p);
  if (p.name == "add_transposed") return add_transposed(p);
  return make_elementwise(p);
}

}  // namespace

std::optional<Peer> eigen_peer() {
  return Peer{"eigen",
              "Eigen " + std::to_string(EIGEN_WORLD_VERSION) + "." +
                  std::to_string(EIGEN_MAJOR_VERSION) + "." + std::to_string(EIGEN_MINOR_VERSION) +
                  ", -O3 -march=native, a part a thread",
              make};
}

}  // namespace bench
#else
std::optional<bench::Peer> bench::eigen_peer() { return std::nullopt; }
#endif
