#include "tests/gpu/timing/program.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace kiln::gpu {

namespace {

Array make_input(const Input& input, std::uint32_t number) {
  std::int64_t count = 1;
  for (const std::int64_t extent : input.shape) count *= extent;
  const std::uint32_t salt = number * 2654435769U;
  Array h = kn::arange(count, kn::uint32) * 2654435761U + salt;
  h = (h ^ (h >> 16)) * 2246822507U;
  h = h ^ (h >> 13);
  const Array unit = (h >> 8).astype(kn::float32) * 0x1p-24F;
  return kn::reshape(input.low + (input.high - input.low) * unit, input.shape).astype(input.dtype);
}

}  // namespace

Arrays make_inputs(const Inputs& inputs) {
  Arrays arrays;
  for (const Input& input : inputs) {
    arrays.push_back(make_input(input, static_cast<std::uint32_t>(arrays.size())));
    kn::eval(arrays.back());
  }
  return arrays;
}

Dims scaled(const Program& program, double scale) {
  Dims dims = program.dims;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const double whole = static_cast<double>(dims[i]);
    const auto wanted = static_cast<std::int64_t>(std::ceil(whole * std::min(scale, 1.0)));
    dims[i] = std::clamp(wanted, program.least[i], std::max(dims[i], program.least[i]));
    scale *= whole / static_cast<double>(dims[i]);
  }
  return dims;
}

const std::vector<Program>& programs() {
  static const std::vector<Program> all = [] {
    std::vector<Program> list = pointwise_programs();
    std::ranges::move(row_programs(), std::back_inserter(list));
    std::ranges::move(grid_programs(), std::back_inserter(list));
    return list;
  }();
  return all;
}

}  // namespace kiln::gpu
