#include "bench/measure.h"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <new>
#include <thread>

namespace bench {

double now() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

int threads() {
  const char* const given = std::getenv("KILN_THREADS");
  const int count = given != nullptr ? std::atoi(given) : 0;
  return count > 0 ? count : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

void share(std::int64_t count, std::int64_t unit,
           const std::function<void(std::int64_t, std::int64_t)>& f) {
  const std::int64_t workers = threads();
  const std::int64_t part = (count / unit + workers - 1) / workers * unit;
  std::vector<std::thread> others;
  for (std::int64_t w = 1; w < workers; ++w) {
    const std::int64_t begin = std::min(count, w * part);
    others.emplace_back(f, begin, w + 1 == workers ? count : std::min(count, begin + part));
  }
  f(0, workers == 1 ? count : std::min(count, part));
  for (std::thread& other : others) other.join();
}

namespace {
constexpr std::size_t kHugePage = std::size_t{2} << 20;
}

Memory::Memory(std::int64_t floats, float value) {
  const std::size_t bytes =
      (static_cast<std::size_t>(floats) * sizeof(float) + kHugePage - 1) / kHugePage * kHugePage;
  void* const memory = std::aligned_alloc(kHugePage, bytes);
  if (memory == nullptr) throw std::bad_alloc();
  madvise(memory, bytes, MADV_HUGEPAGE);
  data_ = static_cast<float*>(memory);
  std::fill(data_, data_ + floats, value);
}

Memory::~Memory() { std::free(data_); }

void in_turn(benchmark::State& state, const std::vector<Alternative>& alternatives) {
  std::vector<std::vector<double>> seconds(alternatives.size()), ratios(alternatives.size());
  for (const Alternative& alternative : alternatives) alternative.run();
  for (auto _ : state) {
    for (std::size_t i = 0; i < alternatives.size(); ++i) {
      const double start = now();
      alternatives[i].run();
      seconds[i].push_back(now() - start);
      ratios[i].push_back(seconds[i].back() / seconds[0].back());
    }
    state.SetIterationTime(seconds[0].back());
  }
  for (std::size_t i = 0; i < alternatives.size(); ++i) {
    const std::string& name = alternatives[i].name;
    state.counters[name + "_ms"] = median(seconds[i]) * 1e3;
    if (i > 0) state.counters["x_" + name] = median(ratios[i]);
  }
}

}  // namespace bench
