// One way to compute the workloads: a peer. The process `kiln_bench --serve <peer>` is one of them;
// run.py talks to it and to the Python peers by the same lines (README.md).
#pragma once
#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/measure.h"

namespace bench {

// A workload at one size: its name without numbers, the numbers, and its float32 inputs.
struct Problem {
  std::string name;
  std::vector<std::int64_t> dims;
  std::vector<std::unique_ptr<Memory>> inputs;
  std::vector<std::vector<std::int64_t>> shapes;  // of the inputs

  const float* in(std::size_t k) const { return inputs[k]->data(); }
  std::int64_t dim(std::size_t k) const { return dims[k]; }
};

struct Values {
  const float* data;
  std::int64_t count;
};

// run() computes everything anew and returns when it is there, or, where there is a wait(), when
// that is under way; outputs() are the values of the latest run. All are valid while the Problem
// is.
struct Program {
  std::function<void()> run;
  std::function<std::vector<Values>()> outputs;
  std::function<void()> wait = {};
};

struct Peer {
  std::string name;
  std::string about;  // version and flags
  // Nothing where the peer has no program of that name.
  std::function<std::optional<Program>(const Problem&)> make;
};

Peer kiln_peer();
Peer unfused_peer();  // Kiln, each operation a kernel
Peer hand_peer();
Peer hand_fast_peer();  // the same loops with -ffast-math
Peer machine_peer();    // bandwidth and arithmetic rate: ceilings of the roofline
std::optional<Peer> eigen_peer();
std::optional<Peer> xtensor_peer();

// As share() of measure.h, but jobs too small for threads stay on this one.
void split(std::int64_t count, std::int64_t unit, std::int64_t work,
           const std::function<void(std::int64_t, std::int64_t)>& f);
// A program whose run() writes into `outputs`, which it keeps.
using Run = std::function<void()>;
using Pointers = std::vector<float*>;
Program writing(std::vector<std::int64_t> counts,
                const std::function<Run(const Pointers&)>& make_run);
// One whose outputs are as long as the first input, f(out, begin, end) a part, at `cost` operations
// an element.
template <class F>
Program elementwise(const Problem& p, std::size_t outputs, std::int64_t cost, F f) {
  const std::int64_t n = p.dim(0);
  return writing(std::vector<std::int64_t>(outputs, n), [=](const Pointers& out) -> Run {
    return [=] {
      split(n, 64, n * cost, [&](std::int64_t begin, std::int64_t end) { f(out, begin, end); });
    };
  });
}

// The sum of parts f(begin, end), each a float32 sum of so few elements that it keeps its digits.
template <class F>
double sum_of_blocks(std::int64_t begin, std::int64_t end, F f) {
  constexpr std::int64_t kBlock = 1 << 14;
  double total = 0;
  for (std::int64_t at = begin; at < end; at += kBlock) {
    total += static_cast<double>(f(at, std::min(at + kBlock, end)));
  }
  return total;
}

int serve(const std::string& peer);
// The .npy files of this folder are what inputs that name a file are read from.
int write_data(const std::string& folder);

}  // namespace bench
