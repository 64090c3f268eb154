// How figures are taken: alternatives of one job run in turn, so that a machine that is busy with
// other things slows all of them alike; medians are reported.
#pragma once
#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bench {

double now();  // seconds
double median(std::vector<double> values);

// Threads of this process's kernels: KILN_THREADS, else one a core. The hand-written loops use as
// many.
int threads();
// Calls f(begin, end) on threads() threads, each with its share of [0, count) in multiples of
// `unit`.
void share(std::int64_t count, std::int64_t unit,
           const std::function<void(std::int64_t, std::int64_t)>& f);

// Memory for hand-written loops: huge pages, touched.
class Memory {
 public:
  explicit Memory(std::int64_t floats, float value = 1.0f);
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  float* data() const { return data_; }

 private:
  float* data_;
};

struct Alternative {
  std::string name;
  std::function<void()> run;
};
// Runs every alternative once to warm up and then all of them in turn, once an iteration. The first
// one's time is the benchmark's; counters give each one's median in milliseconds (<name>_ms), and
// the others' median over the first's (x_<name>: above 1, the first is faster), taken iteration by
// iteration.
void in_turn(benchmark::State& state, const std::vector<Alternative>& alternatives);

}  // namespace bench
