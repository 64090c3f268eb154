#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <regex>

#include "tests/gpu/timing/gpu.h"
#include "tests/gpu/timing/program.h"
#include "tests/gpu/timing/timing.h"

namespace kiln::gpu {

namespace {

constexpr const char* kProfiled[] = {"axpy",
                                     "gelu",
                                     "gelu_bias_bf16",
                                     "black_scholes",
                                     "adam_50",
                                     "softmax_32",
                                     "softmax_1000",
                                     "softmax_4096",
                                     "softmax_64k",
                                     "layer_norm_4096",
                                     "cross_entropy",
                                     "sum_all",
                                     "row_argmax_1024",
                                     "column_sums_4096",
                                     "column_sums_1024",
                                     "batch_norm_statistics",
                                     "add_transposed",
                                     "distances",
                                     "gray_scott",
                                     "blur_5x5_uint8"};

std::string kernels_of(const Arrays& outputs) {
  std::string text;
  for (const auto& plan : nlohmann::json::parse(kn::explain(outputs).json())) {
    for (const auto& kernel : plan["kernels"]) {
      text += fmt::format("\t{}: {}", kernel["name"].get<std::string>(),
                          kernel["schedule"].get<std::string>());
    }
  }
  return text;
}

void profile(Gpu& gpu, const Program& program, const Dims& dims) {
  const Arrays in = make_inputs(program.inputs(dims));
  const Arrays first = program.run(in, dims);
  const std::string names = kernels_of(first);
  kn::eval(first);
  kn::eval(program.run(in, dims));
  kn::synchronize();
  gpu.start_profiler();
  kn::eval(program.run(in, dims));
  kn::synchronize();
  gpu.stop_profiler();
  fmt::print("{}{}\n", program.name, names);
  std::fflush(stdout);
}

}  // namespace

int kernels(const Arguments& arguments) {
  const double scale = std::stod(option(arguments, "--scale", "1"));
  const std::regex only(option(arguments, "--only"));
  Gpu gpu;
  const kn::Scope scope({.device = kn::cuda(),
                         .flush_after = 0,
                         .compile_budget = std::numeric_limits<double>::infinity()});
  int status = 0;
  for (const Program& program : programs()) {
    if (std::ranges::find(kProfiled, program.name) == std::end(kProfiled)) continue;
    if (!std::regex_search(program.name, only)) continue;
    try {
      profile(gpu, program, scaled(program, scale));
    } catch (const std::exception& error) {
      fmt::print("{}\tfailed: {}\n", program.name, error.what());
      status = 1;
    }
  }
  return status;
}

}  // namespace kiln::gpu
