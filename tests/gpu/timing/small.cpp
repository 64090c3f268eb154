#include <fmt/format.h>

#include <functional>
#include <limits>
#include <utility>

#include "tests/gpu/timing/program.h"
#include "tests/gpu/timing/timing.h"

namespace kiln::gpu {

namespace {

struct Small {
  const char* name;
  std::function<Arrays(const Array& x, const Array& y)> run;  // both (5, 33, 7)
};

std::vector<Small> reductions() {
  return {
      {"sums of each axis",
       [](const Array& x, const Array&) {
         return Arrays{kn::sum(x, 0), kn::sum(x, 1), kn::sum(x, 2), kn::sum(x, {0, 2})};
       }},
      {"products and means",
       [](const Array& x, const Array&) { return Arrays{kn::prod(x, 1), kn::mean(x, {1, 2})}; }},
      {"extremes of each axis",
       [](const Array& x, const Array& y) {
         return Arrays{kn::max(x, 0), kn::min(x, 1), kn::max(x * y, 2), kn::min(y)};
       }},
      {"indices of extremes of each axis",
       [](const Array& x, const Array& y) {
         return Arrays{kn::argmax(x, 0), kn::argmin(x, 1), kn::argmax(x, 2), kn::argmin(y)};
       }},
      {"deviations",
       [](const Array& x, const Array&) { return Arrays{kn::var(x, 0), kn::std(x, {0, 1})}; }},
      {"truth values",
       [](const Array& x, const Array& y) {
         return Arrays{kn::any(x > y, 0), kn::all(x < 9.F, 2), kn::count_nonzero(x > 0.F, 1)};
       }},
      {"logsumexp",
       [](const Array& x, const Array&) { return Arrays{kn::logsumexp(x), kn::logsumexp(x, 1)}; }},
      {"sums of bytes and of halves",
       [](const Array& x, const Array&) {
         return Arrays{kn::sum(x.astype(kn::int8), 1), kn::sum(x.astype(kn::float16), 1),
                       kn::sum(x.astype(kn::bfloat16), 0)};
       }},
      {"columns of doubles",
       [](const Array& x, const Array&) {
         return Arrays{kn::sum(kn::reshape(x.astype(kn::float64), {165, 7}), 0)};
       }},
  };
}

std::vector<Small> views() {
  return {
      {"where and clip",
       [](const Array& x, const Array& y) {
         return Arrays{kn::where(x > y, kn::exp(x), y), kn::clip(x, -1.F, 1.F)};
       }},
      {"concat and stack",
       [](const Array& x, const Array& y) {
         return Arrays{kn::concat({x, y * 2.F, x}, 1), kn::stack({x, y}, 2)};
       }},
      {"pad",
       [](const Array& x, const Array& y) {
         return Arrays{kn::pad(x, {{1, 2}, {0, 3}, {4, 0}}, 7.F) + 1.F, kn::pad(y, {1})};
       }},
      {"roll and flip",
       [](const Array& x, const Array& y) {
         return Arrays{kn::roll(x, 3, 1) + kn::flip(y, 2), kn::roll(y, -1)};
       }},
      {"slices with steps",
       [](const Array& x, const Array& y) {
         return Arrays{x(kn::whole, kn::slice(1, 32, 3)) * y(kn::whole, kn::slice(0, 31, 3))};
       }},
      {"transposes",
       [](const Array& x, const Array& y) {
         return Arrays{kn::permute_dims(x, {2, 0, 1}) + kn::permute_dims(y, {2, 0, 1}),
                       kn::matrix_transpose(x) * 2.F};
       }},
      {"repeat and tile",
       [](const Array& x, const Array& y) {
         return Arrays{kn::repeat(x, 3, 1) + 1.F, kn::tile(y, {2, 1, 2}) + 1.F};
       }},
      {"triangles",
       [](const Array& x, const Array& y) { return Arrays{kn::tril(x) + kn::triu(y, 1)}; }},
      {"writes of places",
       [](const Array& x, const Array& y) {
         Array z = x + 0.F;
         z.at(1, kn::slice(2, 9)) = y(1, kn::slice(2, 9));
         z.at(kn::slice(0, 5, 2)) += 3.F;
         z.at(kn::whole, 4).max(0.F);
         return Arrays{z};
       }},
  };
}

std::vector<Small> others() {
  return {
      {"casts",
       [](const Array& x, const Array&) {
         return Arrays{x.astype(kn::int8).astype(kn::float64), x.astype(kn::float16) * 2.F,
                       x.astype(kn::bool_).astype(kn::int64)};
       }},
      {"integers",
       [](const Array& x, const Array& y) {
         const Array i = (x * 100.F).astype(kn::int32), j = (y * 10.F).astype(kn::int32);
         return Arrays{kn::floor_divide(i, j), kn::remainder(i, j), (i << 3) ^ j};
       }},
      {"powers", [](const Array& x, const Array& y) { return Arrays{kn::pow(kn::abs(x), y)}; }},
      {"a product of whole numbers",
       [](const Array& x, const Array& y) {
         const auto whole = [](const Array& a) {
           return kn::reshape((a * 9.F).astype(kn::int32), {33, 35});
         };
         return Arrays{kn::matmul(whole(x), whole(y).T())};
       }},
      {"products of halves and of many matrices",
       [](const Array& x, const Array& y) {
         const Array a = x.astype(kn::float16), b = y.astype(kn::float16);
         return Arrays{kn::matmul(a, kn::matrix_transpose(b)),
                       kn::matmul(x, kn::matrix_transpose(y))};
       }},
      {"outer and vecdot",
       [](const Array& x, const Array& y) {
         return Arrays{kn::outer(x(0, 0), y(0, kn::whole, 0)), kn::vecdot(x, y)};
       }},
      {"ranges",
       [](const Array& x, const Array&) {
         return Arrays{kn::linspace(0, 1, 101) + kn::sum(x), kn::eye(9) * 2.F};
       }},
  };
}

bool runs(const std::string& name, const std::function<Arrays()>& make) {
  try {
    kn::eval(make());
    kn::synchronize();
    fmt::print("ok\t{}\n", name);
  } catch (const std::exception& error) {
    fmt::print("failed\t{}\t{}\n", name, error.what());
    std::fflush(stdout);
    return false;
  }
  std::fflush(stdout);
  return true;
}

}  // namespace

int small(const Arguments&) {
  const kn::Scope scope(
      {.device = kn::cuda(), .compile_budget = std::numeric_limits<double>::infinity()});
  bool good = true;
  const Arrays in = make_inputs({{{5, 33, 7}}, {{5, 33, 7}, kn::float32, 0.5F, 2.5F}});
  for (const std::vector<Small>& list : {reductions(), views(), others()}) {
    for (const Small& one : list) good &= runs(one.name, [&] { return one.run(in[0], in[1]); });
  }
  for (const Program& program : programs()) {
    good &= runs(program.name, [&] {
      const Dims& dims = program.least;
      return program.run(make_inputs(program.inputs(dims)), dims);
    });
  }
  return good ? 0 : 1;
}

}  // namespace kiln::gpu
