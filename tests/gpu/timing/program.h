// The programs that are timed, as a user of Kiln writes them.
#pragma once
#include <kiln/kiln.h>

#include <cstdint>
#include <string>
#include <vector>

namespace kiln::gpu {

namespace kn = kiln;
using kn::Array;
using Arrays = std::vector<Array>;
using Dims = std::vector<std::int64_t>;

struct Input {
  kn::Shape shape;
  kn::DType dtype = kn::float32;
  float low = -2, high = 2;  // integers are rounded towards zero
};
using Inputs = std::vector<Input>;

struct Program {
  std::string name;
  std::string dtype;  // of what it reads
  Dims dims;          // of the table
  Dims least;         // as small as it still makes sense: odd ones
  Inputs (*inputs)(const Dims&);
  Arrays (*run)(const Arrays&, const Dims&);
};

// In the order of the table of predictions.
const std::vector<Program>& programs();

// Smaller by about this factor: the first dimensions shrink first, none below the least.
Dims scaled(const Program& program, double scale);

// Values that depend on their positions and the input's number, made on the current device.
Arrays make_inputs(const Inputs& inputs);

std::vector<Program> pointwise_programs();
std::vector<Program> row_programs();
std::vector<Program> grid_programs();

}  // namespace kiln::gpu
