// The programs whose kernels and bytes are promised, with the figures asked of each.
#pragma once
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/gates/programs.h"

namespace kiln_gates {

struct InputSpec {
  kn::Shape shape;
  kn::DType dtype = kn::float32;
};

// Sizes and what is asked there. Bytes are multiples of the least possible, each input read and
// each output written once.
struct Stated {
  Dims dims;
  int kernels = 1;                       // library calls aside
  std::optional<double> bytes = {};      // compulsory
  std::optional<double> requested = {};  // by load and store instructions, on every device held
  std::optional<double> requested_cuda = {};   // the same, on CUDA only
  std::optional<double> sectors = {};          // of 32 bytes requested, on CUDA
  std::optional<std::int64_t> temporary = {};  // most bytes of temporaries
  std::optional<double> operations = {};       // most of them
};

struct Row {
  std::string name;
  std::vector<Stated> stated;
  std::vector<Dims> small;  // for values
  // Where no size is stated: other ones, with at most kernels_anywhere kernels.
  std::function<Dims(std::mt19937_64&)> random;
  int kernels_anywhere = 1;
  std::function<std::vector<InputSpec>(const Dims&)> inputs;
  std::function<std::vector<kn::Array>(Speller&, const std::vector<kn::Array>&, const Dims&)>
      program;
  bool products = false;  // matrix products have the bits of a library
  bool outlive = false;   // every intermediate is held, in every spelling
  bool twice = false;     // the input counts as two for the least bytes
};

const std::vector<Row>& rows();

}  // namespace kiln_gates
