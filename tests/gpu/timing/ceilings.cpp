#include "tests/gpu/timing/ceilings.h"

#include <fmt/format.h>
#include <kiln/kiln.h>

#include <algorithm>

#include "runtime/registry.h"

namespace kiln::gpu {

namespace runtime = kiln::runtime;

namespace {

// Each of `n` vectors once by a thread of its own, or by a grid that stays.
constexpr const char* kSource = R"(
constexpr int kChains = 8;
struct alignas(16) vec { float x, y, z, w; };
#define ONCE \
  const long long i = (long long)blockIdx.x * 256 + threadIdx.x; \
  if (i < n)
#define LOOP \
  _Pragma("unroll 4") \
  for (long long i = (long long)blockIdx.x * 256 + threadIdx.x; i < n; i += (long long)gridDim.x * 256)
#define TRIAD(a, b) vec{a.x + 3 * b.x, a.y + 3 * b.y, a.z + 3 * b.z, a.w + 3 * b.w}
#define ARGUMENTS long long n, const vec* __restrict__ x, const vec* __restrict__ y, vec* __restrict__ out
extern "C" __global__ void copy(ARGUMENTS) { ONCE out[i] = x[i]; }
extern "C" __global__ void copy_loop(ARGUMENTS) { LOOP out[i] = x[i]; }
extern "C" __global__ void triad(ARGUMENTS) { ONCE out[i] = TRIAD(x[i], y[i]); }
extern "C" __global__ void triad_loop(ARGUMENTS) { LOOP out[i] = TRIAD(x[i], y[i]); }
extern "C" __global__ void write(ARGUMENTS) { ONCE out[i] = vec{1, 2, 3, 4}; }
// The sum is not what this compares it with: always read, never written.
extern "C" __global__ void read(ARGUMENTS) {
  float sum = 0;
  LOOP sum += (x[i].x + x[i].y) + (x[i].z + x[i].w);
  if (sum == 0.123f) out[0] = vec{sum, 0, 0, 0};
}
extern "C" __global__ void empty(ARGUMENTS) {}
extern "C" __global__ void multiply_add(ARGUMENTS) {
  const float a = x[0].x, b = x[0].y;
  float c[kChains];
  for (int k = 0; k < kChains; ++k) c[k] = threadIdx.x + k;
  for (long long r = 0; r < n; ++r) {
    for (int k = 0; k < kChains; ++k) c[k] = __fmaf_rn(c[k], a, b);
  }
  float sum = 0;
  for (int k = 0; k < kChains; ++k) sum += c[k];
  if (sum == 0.123f) out[0] = vec{sum, 0, 0, 0};
}
// x is all zeros and y, seen as a number, how many vectors there are, a power of two.
extern "C" __global__ void trip(ARGUMENTS) {
  const long long mask = (long long)y - 1;
  long long at = 0;
  float sum = 0;
  for (long long r = 0; r < n; ++r) {
    const float word = x[at].x;
    at = (at * 6364136223846793005 + 1442695040888963407 + (long long)word) & mask;
    sum += word;
  }
  if (sum == 0.123f) out[0] = vec{sum, 0, 0, 0};
}
)";

constexpr int kThreads = 256;
constexpr std::int64_t kVector = 16;  // bytes

class Bench {
 public:
  Bench(Gpu& gpu, const Plan& plan, Results& results)
      : gpu_(gpu), plan_(plan), results_(results), vectors_(count(gpu, plan.scale)) {
    for (runtime::MemoryRef& array : arrays_) {
      array = gpu.device.allocate(vectors_ * kVector);
      gpu.device.fill_zero(*array, 0, vectors_ * kVector);
    }
  }

  bool run() {
    const std::int64_t once = (vectors_ + kThreads - 1) / kThreads, all = vectors_ * kVector;
    const std::int64_t stays = std::min<std::int64_t>(once, multiprocessors() * 8);
    bool good = moving("copy", once, 2 * all);
    good &= moving("copy_loop", stays, 2 * all);
    good &= moving("triad", once, 3 * all);
    good &= moving("triad_loop", stays, 3 * all);
    good &= moving("read", stays, all);
    good &= moving("write", once, all);
    good &= driver_copy();
    good &= add("empty", 1, 0, 0, [](Json&, double) {});
    good &= arithmetic();
    good &= trips();
    return good;
  }

 private:
  // Four times the second-level cache at least.
  static std::int64_t count(Gpu& gpu, double scale) {
    std::int64_t vectors = std::int64_t{1} << 24;
    while (vectors * kVector < 4 * gpu.device.caps().cache_bytes) vectors *= 2;
    for (; scale < 1 && vectors > 1024; scale *= 2) vectors /= 2;
    return vectors;
  }

  std::int64_t multiprocessors() const { return gpu_.device.caps().multiprocessors; }

  bool timed(const char* name, const std::function<void()>& f,
             const std::function<void(Json&, double)>& more) {
    if (!plan_.wanted(name)) return true;
    return results_.add("ceilings", name, [&] {
      const Loops loops = run_loops(gpu_, plan_.loops, f);
      Json row = described(loops);
      more(row, median(loops.seconds));
      return row;
    });
  }

  bool add(const char* name, std::int64_t blocks, std::int64_t n, std::uintptr_t y,
           const std::function<void(Json&, double)>& more) {
    if (!plan_.wanted(name)) return true;
    return results_.add("ceilings", name, [&] {
      OwnKernel kernel(gpu_, name, kSource);
      void* in = arrays_[0]->data();
      void* out = arrays_[2]->data();
      void* const arguments[] = {&n, &in, &y, &out};
      const Loops loops =
          run_loops(gpu_, plan_.loops, [&] { kernel.launch(blocks, kThreads, arguments); });
      Json row = described(loops);
      more(row, median(loops.seconds));
      return row;
    });
  }

  bool moving(const char* name, std::int64_t blocks, std::int64_t bytes) {
    const auto y = reinterpret_cast<std::uintptr_t>(arrays_[1]->data());
    return add(name, blocks, vectors_, y,
               [&](Json& row, double seconds) { note_bytes(row, bytes, seconds); });
  }

  static void note_bytes(Json& row, std::int64_t bytes, double seconds) {
    row["bytes"] = bytes;
    row["gb_per_s"] = 1e-9 * static_cast<double>(bytes) / seconds;
  }

  bool driver_copy() {
    const std::int64_t bytes = vectors_ * kVector;
    return timed(
        "copy_driver", [&] { gpu_.device.copy(*arrays_[2], 0, *arrays_[0], 0, bytes); },
        [&](Json& row, double seconds) { note_bytes(row, 2 * bytes, seconds); });
  }

  bool arithmetic() {
    const std::int64_t blocks = multiprocessors() * 8;
    const std::int64_t rounds = std::max<std::int64_t>(4, vectors_ >> 12);
    return add("multiply_add", blocks, rounds, 0, [&](Json& row, double seconds) {
      const double operations = 2.0 * 8 * kThreads * static_cast<double>(blocks * rounds);
      row["gop_per_s"] = 1e-9 * operations / seconds;
    });
  }

  bool trips() {
    const std::int64_t steps = std::max<std::int64_t>(16, vectors_ >> 13);
    return add("trip", 1, steps, static_cast<std::uintptr_t>(vectors_),
               [&](Json& row, double seconds) {
                 row["ns_a_trip"] = 1e9 * seconds / static_cast<double>(steps);
               });
  }

  Gpu& gpu_;
  const Plan& plan_;
  Results& results_;
  std::int64_t vectors_;
  runtime::MemoryRef arrays_[3];
};

}  // namespace

Json device_facts(Gpu& gpu) {
  const kiln::ir::Caps& caps = gpu.device.caps();
  const auto [major, minor] = runtime::registry().nvrtc().version();
  namespace cuda = runtime::cuda;
  return {{"device", gpu.device.model()},
          {"compute_capability", caps.compute_capability},
          {"memory_bytes", gpu.device.total_bytes()},
          {"free_bytes", gpu.device.free_bytes()},
          {"multiprocessors", caps.multiprocessors},
          {"cache_bytes", caps.cache_bytes},
          {"clock_khz", gpu.attribute(cuda::kClockRate)},
          {"memory_clock_khz", gpu.attribute(cuda::kMemoryClockRate)},
          {"bus_bits", gpu.attribute(cuda::kMemoryBusWidth)},
          {"pools", gpu.attribute(cuda::kPoolsSupported) != 0},
          {"driver", gpu.driver.version},
          {"driver_library", gpu.driver.library.path()},
          {"nvrtc", fmt::format("{}.{}", major, minor)},
          {"compiler", gpu.device.compiler()},
          {"model_bytes_a_second", caps.bandwidth},
          {"model_operations_a_second", caps.rate},
          {"model_launch_seconds", caps.launch_seconds},
          {"kiln", kiln::version()}};
}

bool ceilings(Gpu& gpu, const Plan& plan, Results& results) {
  try {
    return Bench(gpu, plan, results).run();
  } catch (const std::exception& error) {  // no memory for three arrays
    const std::string text = error.what();
    return results.add("ceilings", "arrays", [&]() -> Json { throw std::runtime_error(text); });
  }
}

}  // namespace kiln::gpu
