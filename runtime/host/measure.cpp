#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "runtime/host/figures.h"
#include "runtime/host/workers.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace kiln::runtime {

namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

template <class Body>
double best_of(int times, const Body& body) {
  double best = 1e9;
  for (int i = 0; i < times; ++i) {
    const Clock::time_point begin = Clock::now();
    body();
    best = std::min(best, since(begin));
  }
  return best;
}

double rounded(double value) { return std::exp2(std::round(std::log2(value))); }

// Pages that go back to the system at the end, whatever the allocator would keep.
class Pages {
 public:
  explicit Pages(std::size_t bytes) : bytes_(bytes) {
    data_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data_ != MAP_FAILED) madvise(data_, bytes, MADV_HUGEPAGE);
  }
  ~Pages() {
    if (data_ != MAP_FAILED) munmap(data_, bytes_);
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  explicit operator bool() const { return data_ != MAP_FAILED; }
  float* floats() const { return static_cast<float*>(data_); }

 private:
  std::size_t bytes_;
  void* data_;
};

// z = x + a * y, past the cache as the kernels store large results.
void triad(float* z, const float* x, const float* y, std::int64_t begin, std::int64_t end) {
#if defined(__x86_64__)
  const __m128 a = _mm_set1_ps(0.5f);
  for (std::int64_t i = begin; i < end; i += 4) {
    _mm_stream_ps(z + i, _mm_add_ps(_mm_load_ps(x + i), _mm_mul_ps(a, _mm_load_ps(y + i))));
  }
  _mm_sfence();
#else
  for (std::int64_t i = begin; i < end; ++i) z[i] = x[i] + 0.5f * y[i];
#endif
}

// Bytes a second; 0 if there is no memory for it. Where the cache holds a third of a gigabyte, part
// of what is measured is the cache: more memory would take too long.
double measure_bandwidth(Workers& workers, std::int64_t cache_bytes) {
  constexpr std::int64_t kBlock = 1024;  // floats: a page
  const std::int64_t bytes = std::clamp<std::int64_t>(cache_bytes, 8 << 20, 32 << 20);
  const std::int64_t floats = bytes / 4 / kBlock * kBlock;
  const Pages pages(static_cast<std::size_t>(3 * floats) * 4);
  if (!pages) return 0;
  float* const x = pages.floats();
  const auto blocks = [&](const auto& body) {
    workers.run(floats / kBlock, 1, true,
                [&](std::int64_t begin, std::int64_t end) { body(begin * kBlock, end * kBlock); });
  };
  blocks([&](std::int64_t begin, std::int64_t end) {
    for (int k = 0; k < 3; ++k) std::fill(x + k * floats + begin, x + k * floats + end, 1.0f);
  });
  const double seconds = best_of(4, [&] {
    blocks([&](std::int64_t begin, std::int64_t end) {
      triad(x, x + floats, x + 2 * floats, begin, end);
    });
  });
  return 3.0 * static_cast<double>(floats) * 4 / seconds;
}

// Bytes a second of one thread among arrays that the second level does not hold, the last one does.
double measure_cached() {
  constexpr std::int64_t kFloats = 64 << 10;
  const Pages pages(3 * kFloats * 4);
  if (!pages) return 0;
  float* const z = pages.floats();
  std::fill(z, z + 3 * kFloats, 1.0f);
  const double seconds = best_of(30, [&] {
    const float *const x = z + kFloats, *const y = x + kFloats;
    for (std::int64_t i = 0; i < kFloats; ++i) z[i] = x[i] + 0.5f * y[i];
  });
  return 3.0 * kFloats * 4 / seconds;
}

// Independent chains of additions and of multiplications, as many as keep two units busy.
constexpr int kChains = 6;
constexpr std::int64_t kRounds = 1 << 16;
using Spin = float (*)(float start, std::int64_t rounds);

#if defined(__x86_64__)
__attribute__((target("avx2"))) float spin_256(float start, std::int64_t rounds) {
  const __m256 step = _mm256_set1_ps(start);
  __m256 sums[kChains], products[kChains];
  for (int c = 0; c < kChains; ++c) sums[c] = products[c] = step;
  for (std::int64_t i = 0; i < rounds; ++i) {
    for (int c = 0; c < kChains; ++c) {
      sums[c] = _mm256_add_ps(sums[c], step);
      products[c] = _mm256_mul_ps(products[c], step);
    }
  }
  for (int c = 0; c < kChains; ++c)
    sums[0] = _mm256_add_ps(sums[0], _mm256_add_ps(sums[c], products[c]));
  return _mm256_cvtss_f32(sums[0]);
}

__attribute__((target("avx512f"))) float spin_512(float start, std::int64_t rounds) {
  const __m512 step = _mm512_set1_ps(start);
  __m512 sums[kChains], products[kChains];
  for (int c = 0; c < kChains; ++c) sums[c] = products[c] = step;
  for (std::int64_t i = 0; i < rounds; ++i) {
    for (int c = 0; c < kChains; ++c) {
      sums[c] = _mm512_add_ps(sums[c], step);
      products[c] = _mm512_mul_ps(products[c], step);
    }
  }
  for (int c = 0; c < kChains; ++c)
    sums[0] = _mm512_add_ps(sums[0], _mm512_add_ps(sums[c], products[c]));
  return _mm512_cvtss_f32(sums[0]);
}
#endif

float spin_128(float start, std::int64_t rounds) {
  using Lanes [[gnu::vector_size(16)]] = float;
  const Lanes step = {start, start, start, start};
  Lanes sums[kChains], products[kChains];
  for (int c = 0; c < kChains; ++c) sums[c] = products[c] = step;
  for (std::int64_t i = 0; i < rounds; ++i) {
    for (int c = 0; c < kChains; ++c) {
      sums[c] += step;
      products[c] *= step;
    }
  }
  for (int c = 0; c < kChains; ++c) sums[0] += sums[c] + products[c];
  return sums[0][0];
}

// Operations a second: each thread the same chains.
double measure_rate(Workers& workers) {
  Spin spin = spin_128;
  int lanes = 4;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) spin = spin_256, lanes = 8;
  if (__builtin_cpu_supports("avx512f")) spin = spin_512, lanes = 16;
#endif
  volatile float start = 0.99999994f;
  const int threads = workers.threads();
  std::vector<float> results(static_cast<std::size_t>(threads) * 64);  // a cache line apart
  const double seconds = best_of(8, [&] {
    workers.run(threads, 1, true, [&](std::int64_t begin, std::int64_t end) {
      const float from = start;
      for (std::int64_t i = begin; i < end; ++i)
        results[static_cast<std::size_t>(i) * 64] = spin(from, kRounds);
    });
  });
  return 2.0 * kChains * lanes * static_cast<double>(kRounds) * threads / seconds;
}

// How much later than the work itself a piece of work for each thread ends, when the threads had
// nothing to do before: the lower quartile of some rounds, since others may be at work too.
double measure_wake(Workers& workers) {
  constexpr double kWork = 50e-6, kIdle = 300e-6;
  constexpr int kTimes = 15;
  const auto pass = [](double seconds) {
    for (const Clock::time_point begin = Clock::now(); since(begin) < seconds;) {
    }
  };
  std::vector<double> late;
  for (int i = 0; i < kTimes; ++i) {
    pass(kIdle);
    const Clock::time_point begin = Clock::now();
    workers.run(workers.threads(), 1, true, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t k = from; k < to; ++k) pass(kWork);
    });
    late.push_back(since(begin) - kWork);
  }
  std::ranges::nth_element(late, late.begin() + kTimes / 4);
  return std::clamp(late[kTimes / 4], 1e-6, 200e-6);
}

}  // namespace

HostFigures measure_figures(Workers& workers, std::int64_t cache_bytes) {
  HostFigures figures = fixed_figures(workers.threads());
  // First, while the threads have slept; and the clock of the processor is up by the second.
  if (workers.threads() > 1) figures.wake_seconds = rounded(measure_wake(workers));
  figures.rate = rounded(measure_rate(workers));
  const double cached = measure_cached();
  if (cached > 0) figures.cached = rounded(cached * workers.threads());
  const double bandwidth = measure_bandwidth(workers, cache_bytes);
  if (bandwidth > 0) figures.bandwidth = rounded(bandwidth);
  return figures;
}

}  // namespace kiln::runtime
