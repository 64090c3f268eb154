// Programs whose kernels reduce.
#include "tests/gpu/timing/program.h"

namespace kiln::gpu {

namespace {

constexpr std::int64_t kMillions64 = std::int64_t{1} << 26;
constexpr std::int64_t kThousand64 = std::int64_t{1} << 16;

using In = const Arrays&;
using D = const Dims&;

Inputs one(D d) { return {{d}}; }
Inputs halves(D d) { return {{d, kn::float16}}; }

Arrays softmax(In in, D) { return {kn::softmax(in[0])}; }
Arrays row_sums(In in, D) { return {kn::sum(in[0], 1)}; }
Arrays column_sums(In in, D) { return {kn::sum(in[0], 0)}; }

Arrays layer_norm(In in, D) { return {kn::layer_norm(in[0]) * in[1] + in[2]}; }

Inputs layer_norm_inputs(D d, kn::DType dtype) {
  return {{d, dtype}, {{d[1]}, dtype, 0.5F, 1.5F}, {{d[1]}, dtype}};
}

// The mean over rows of -log softmax at the row's label.
Arrays cross_entropy(In in, D d) {
  const Array chosen = kn::equal(kn::arange(d[1], kn::int32), kn::expand_dims(in[1], 1));
  const Array logs = kn::log_softmax(in[0]);
  return {-kn::mean(kn::sum(kn::where(chosen, logs, 0.F), 1))};
}

Arrays batch_norm_statistics(In in, D) {
  return {kn::mean(in[0], {0, 2, 3}), kn::var(in[0], {0, 2, 3})};
}

Program matrix(const char* name, const char* dtype, Dims dims, Inputs (*inputs)(D),
               Arrays (*run)(In, D)) {
  return {name, dtype, std::move(dims), {5, 31}, inputs, run};
}

std::vector<Program> kept_rows() {
  return {
      matrix("softmax_32", "float32", {kMillions64 / 32, 32}, one, softmax),
      matrix("softmax_1000", "float32", {kMillions64 / 1000, 1000}, one, softmax),
      matrix("softmax_4096", "float32", {kMillions64 / 4096, 4096}, one, softmax),
      matrix("softmax_64k", "float32", {kMillions64 / kThousand64, kThousand64}, one, softmax),
      matrix("softmax_f16_4096", "float16", {kMillions64 / 4096, 4096}, halves, softmax),
      matrix("softmax_few_rows", "float32", {32, 32768}, one, softmax),
      matrix(
          "layer_norm_4096", "float32", {kMillions64 / 4096, 4096},
          [](D d) { return layer_norm_inputs(d, kn::float32); }, layer_norm),
      matrix(
          "layer_norm_bf16_4096", "bfloat16", {kMillions64 / 4096, 4096},
          [](D d) { return layer_norm_inputs(d, kn::bfloat16); }, layer_norm),
      matrix(
          "cross_entropy", "float32", {2048, 32768},
          [](D d) {
            const auto classes = static_cast<float>(d[1]);
            return Inputs{{d}, {{d[0]}, kn::int32, 0, classes}};
          },
          cross_entropy),
  };
}

}  // namespace

std::vector<Program> row_programs() {
  std::vector<Program> list = kept_rows();
  list.push_back({"sum_all", "float32", {kMillions64}, {1001}, one, [](In in, D) {
                    return Arrays{kn::sum(in[0])};
                  }});
  list.push_back({"mse",
                  "float32",
                  {kMillions64},
                  {1001},
                  [](D d) { return Inputs{{d}, {d}}; },
                  [](In in, D) { return Arrays{kn::mean(kn::square(in[0] - in[1]))}; }});
  list.push_back(matrix("row_sums_1024", "float32", {kThousand64, 1024}, one, row_sums));
  list.push_back(matrix("row_argmax_1024", "float32", {kThousand64, 1024}, one,
                        [](In in, D) { return Arrays{kn::argmax(in[0], 1)}; }));
  list.push_back({"argmax_all", "float32", {kMillions64}, {1001}, one, [](In in, D) {
                    return Arrays{kn::argmax(in[0])};
                  }});
  list.push_back(matrix("column_sums_4096", "float32", {16384, 4096}, one, column_sums));
  list.push_back(matrix("column_sums_1024", "float32", {kThousand64, 1024}, one, column_sums));
  list.push_back(matrix("column_sums_64k", "float32", {1024, kThousand64}, one, column_sums));
  list.push_back({"batch_norm_statistics",
                  "float32",
                  {64, 256, 56, 56},
                  {3, 5, 7, 9},
                  one,
                  batch_norm_statistics});
  return list;
}

}  // namespace kiln::gpu
