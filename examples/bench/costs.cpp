// What the library itself costs: recording, evaluating again, compiling.
#include <benchmark/benchmark.h>
#include <dlfcn.h>
#include <kiln/kiln.h>

#include <cstdlib>
#include <filesystem>
#include <limits>

#include "bench/chains.h"
#include "bench/child.h"
#include "bench/measure.h"

namespace {

using kiln::Array;

const std::vector<float>& some_floats() {
  static const std::vector<float> data(64, 1.0f);
  return data;
}

// An operation on equal shapes while 10,000 are pending and nothing flushes.
void record(benchmark::State& state) {
  const kiln::Scope scope({.flush_after = 0});
  const Array a(some_floats());
  std::vector<double> recording, freeing;
  for (auto _ : state) {
    Array x(some_floats());
    constexpr int kBatches = 100, kOperations = 100;
    std::vector<double> batches;
    for (int batch = 0; batch < kBatches; ++batch) {
      const double start = bench::now();
      for (int i = 0; i < kOperations; ++i) x = x + a;
      batches.push_back((bench::now() - start) / kOperations);
    }
    recording.push_back(bench::median(batches));
    const double start = bench::now();
    x = Array();
    freeing.push_back((bench::now() - start) / (kBatches * kOperations));
    state.SetIterationTime(recording.back());
  }
  state.counters["ns_an_op"] = bench::median(recording) * 1e9;
  state.counters["ns_to_free"] = bench::median(freeing) * 1e9;
}
BENCHMARK(record)->UseManualTime()->Iterations(20);

// z = x + y; eval(z) on small arrays, once its plan is there.
void evaluate_again(benchmark::State& state) {
  const Array x(some_floats()), y(some_floats());
  kiln::eval(x + y);
  const kiln::Stats before = kiln::stats();
  std::vector<double> seconds, recording;
  for (auto _ : state) {
    const double start = bench::now();
    const Array z = x + y;
    const double recorded = bench::now();
    kiln::eval(z);
    const double done = bench::now();
    seconds.push_back(done - recorded);
    recording.push_back(recorded - start);
    state.SetIterationTime(done - recorded);
  }
  const kiln::Stats used = kiln::stats() - before;
  state.counters["us"] = bench::median(seconds) * 1e6;
  state.counters["us_to_record"] = bench::median(recording) * 1e6;
  state.counters["compiled"] = static_cast<double>(used.compiled);
  state.counters["planned"] = static_cast<double>(used.plans_built);
}
BENCHMARK(evaluate_again)->UseManualTime()->Iterations(20000);

// Steps of a stencil of three points, of eight operations each.
Array some_steps(const Array& x, int operations) {
  Array z = x;
  for (int i = 0; i < operations; i += 8) {
    const Array inner = z(kiln::slice(0, 62)) + z(kiln::slice(1, 63)) + z(kiln::slice(2, 64));
    z = kiln::pad(inner * x(kiln::slice(1, 63)), {{1, 1}});
  }
  return z;
}

// A graph of 1000 operations whose plan is there: arrays of one shape only, with scalars, with
// slices. What is counted is from eval to the freed nodes, kernels on 64 elements included.
void evaluate_graph_again(benchmark::State& state) {
  constexpr int kOperations = 1000;
  const Array x(some_floats()), y(some_floats());
  const auto program = [&] {
    if (state.range(0) == 2) return some_steps(x, kOperations);
    Array z = x;
    for (int i = 0; i < kOperations; i += 2) z = state.range(0) == 0 ? (z + y) * x : z * 0.5f + y;
    return z;
  };
  kiln::eval(program());
  const kiln::Stats before = kiln::stats();
  std::vector<double> seconds;
  for (auto _ : state) {
    const Array z = program();
    const double start = bench::now();
    kiln::eval(z);
    seconds.push_back(bench::now() - start);
    state.SetIterationTime(seconds.back());
  }
  state.counters["ns_a_node"] = bench::median(seconds) / kOperations * 1e9;
  state.counters["planned"] = static_cast<double>((kiln::stats() - before).plans_built);
}
BENCHMARK(evaluate_graph_again)->UseManualTime()->Arg(0)->Arg(1)->Arg(2)->Iterations(10000);

// A graph of about so many operations that was never seen, each time a step more, its kernels
// known: planned and run, on 64 elements.
void plan_steps(benchmark::State& state) {
  const kiln::Scope scope({.flush_after = 0});
  const Array x(some_floats());
  auto operations = static_cast<int>(state.range(0));
  kiln::eval(some_steps(x, operations));
  const kiln::Stats before = kiln::stats();
  std::vector<double> seconds;
  for (auto _ : state) {
    operations += 8;
    const Array z = some_steps(x, operations);
    const double start = bench::now();
    kiln::eval(z);
    const double took = bench::now() - start;
    seconds.push_back(took / operations);
    state.SetIterationTime(took);
  }
  const kiln::Stats used = kiln::stats() - before;
  state.counters["us_a_node"] = bench::median(seconds) * 1e6;
  state.counters["planned"] = static_cast<double>(used.plans_built);
  state.counters["compiled"] = static_cast<double>(used.compiled);
}
BENCHMARK(plan_steps)
    ->UseManualTime()
    ->Arg(1000)
    ->Arg(10000)
    ->Iterations(9)
    ->Unit(benchmark::kMillisecond);

// A chain of ten operations that was never seen, to its result: plan, compile, run.
void compile_chain(benchmark::State& state) {
  const Array x(some_floats()), y(some_floats());
  static std::uint64_t number = 0;
  for (int i = 0; i < 3; ++i) kiln::eval(bench::some_chain(x, y, ++number));
  const kiln::Stats before = kiln::stats();
  std::vector<double> seconds;
  for (auto _ : state) {
    const Array z = bench::some_chain(x, y, ++number * 7);
    const double start = bench::now();
    kiln::eval(z);
    seconds.push_back(bench::now() - start);
    state.SetIterationTime(seconds.back());
  }
  state.counters["ms"] = bench::median(seconds) * 1e3;
  state.counters["compiled"] = static_cast<double>((kiln::stats() - before).compiled);
}
BENCHMARK(compile_chain)->UseManualTime()->Iterations(30)->Unit(benchmark::kMillisecond);

// Such a chain into so many sines, their sum: what a function costs that a kernel uses often.
void compile_functions(benchmark::State& state) {
  const kiln::Scope scope({.compile_budget = std::numeric_limits<double>::infinity()});
  const Array x(some_floats()), y(some_floats());
  static std::uint64_t number = 0;
  const auto uses = static_cast<int>(state.range(0));
  std::vector<double> seconds;
  for (auto _ : state) {
    const Array chain = bench::some_chain(x, y, ++number * 7);
    Array z = kiln::sin(chain);
    for (int i = 1; i < uses; ++i) z = z + kiln::sin(chain * static_cast<float>(i + 1));
    const double start = bench::now();
    kiln::eval(z);
    seconds.push_back(bench::now() - start);
    state.SetIterationTime(seconds.back());
  }
  state.counters["ms"] = bench::median(seconds) * 1e3;
}
BENCHMARK(compile_functions)
    ->UseManualTime()
    ->Arg(1)
    ->Arg(2)
    ->Arg(8)
    ->Arg(32)
    ->Iterations(15)
    ->Unit(benchmark::kMillisecond);

// A chain as the first thing of a process, with an empty cache on disk and with a filled one.
void first_of_process(benchmark::State& state) {
  std::vector<double> first, second, from_disk, next_from_disk;
  for (auto _ : state) {
    const std::string folder = bench::make_folder();
    const bench::FirstKernels cold = bench::run_child(folder);
    const bench::FirstKernels warm = bench::run_child(folder);
    std::filesystem::remove_all(folder);
    if (cold.compiled != 2 || warm.compiled != 0 || warm.from_disk != 2) {
      state.SkipWithError("the cache on disk was not used as meant");
    }
    first.push_back(cold.first);
    second.push_back(cold.second);
    from_disk.push_back(warm.first);
    next_from_disk.push_back(warm.second);
    state.SetIterationTime(cold.first);
  }
  state.counters["first_ms"] = bench::median(first) * 1e3;
  state.counters["second_ms"] = bench::median(second) * 1e3;
  state.counters["disk_first_ms"] = bench::median(from_disk) * 1e3;
  state.counters["disk_second_ms"] = bench::median(next_from_disk) * 1e3;
}
BENCHMARK(first_of_process)->UseManualTime()->Iterations(9)->Unit(benchmark::kMillisecond);

// NVRTC's own calls, in its library's words.
struct Nvrtc {
  using Program = void*;
  int (*create)(Program*, const char*, const char*, int, const char* const*, const char* const*);
  int (*compile)(Program, int, const char* const*);
  int (*destroy)(Program*);
  bool there = false;

  Nvrtc() {
    void* library = nullptr;
    for (const std::string& path : places()) {
      library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
      if (library != nullptr) break;
    }
    if (library == nullptr) return;
    create = reinterpret_cast<decltype(create)>(dlsym(library, "nvrtcCreateProgram"));
    compile = reinterpret_cast<decltype(compile)>(dlsym(library, "nvrtcCompileProgram"));
    destroy = reinterpret_cast<decltype(destroy)>(dlsym(library, "nvrtcDestroyProgram"));
    there = create != nullptr && compile != nullptr && destroy != nullptr;
  }

  static std::vector<std::string> places() {
    std::vector<std::string> result{"libnvrtc.so", "libnvrtc.so.13", "libnvrtc.so.12",
                                    "/usr/local/cuda/lib64/libnvrtc.so"};
    if (const char* const given = std::getenv("KILN_NVRTC")) result.insert(result.begin(), given);
    return result;
  }
};

// NVRTC of such chains to PTX, after the process's first.
void nvrtc_chain(benchmark::State& state) {
  static const Nvrtc nvrtc;
  if (!nvrtc.there)
    return state.SkipWithError("NVRTC was not found (KILN_NVRTC names the library)");
  const Array x(some_floats()), y(some_floats());
  static std::uint64_t number = 0;
  const auto compile = [&] {
    const Array z = bench::some_chain(x, y, ++number * 7);
    const std::string text = kiln::cuda_source(z, "sm_80").at(0).text;
    const char* const options[] = {"--gpu-architecture=compute_80", "--std=c++17", "--fmad=false",
                                   "-minimal", "-lineinfo"};
    Nvrtc::Program program = nullptr;
    const double start = bench::now();
    bool good = nvrtc.create(&program, text.c_str(), "chain.cu", 0, nullptr, nullptr) == 0;
    good = good && nvrtc.compile(program, 5, options) == 0;
    const double took = bench::now() - start;
    nvrtc.destroy(&program);
    return good ? took : -1;
  };
  compile();
  std::vector<double> seconds;
  for (auto _ : state) {
    seconds.push_back(compile());
    if (seconds.back() < 0) return state.SkipWithError("NVRTC refused the source");
    state.SetIterationTime(seconds.back());
  }
  state.counters["ms"] = bench::median(seconds) * 1e3;
}
BENCHMARK(nvrtc_chain)->UseManualTime()->Iterations(9)->Unit(benchmark::kMillisecond);

}  // namespace
