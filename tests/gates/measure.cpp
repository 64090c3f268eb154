#include "tests/gates/measure.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/source_folder.h"

namespace kiln_gates {

using kn::Array;

namespace {

std::string list_file() { return kiln::testing::source_folder() + "/tests/gates/missed.txt"; }
constexpr double kSlack = 1.0005;  // of figures that are ratios of bytes

std::int64_t bytes_of(kn::DType t) {
  switch (t) {
    case kn::bool_:
    case kn::int8:
    case kn::uint8:
      return 1;
    case kn::int16:
    case kn::uint16:
    case kn::float16:
    case kn::bfloat16:
      return 2;
    case kn::int64:
    case kn::uint64:
    case kn::float64:
      return 8;
    default:
      return 4;
  }
}

double bytes_of(const std::vector<Array>& arrays) {
  double sum = 0;
  for (const Array& x : arrays) sum += static_cast<double>(x.size() * bytes_of(x.dtype()));
  return sum;
}

}  // namespace

std::string to_text(const Dims& dims) {
  std::string text;
  for (std::size_t i = 0; i < dims.size() && i < 4; ++i) {
    text += (i > 0 ? " x " : "") + std::to_string(dims[i]);
  }
  return dims.size() > 4 ? std::to_string(dims.size()) + " extents" : text;
}

Figures measure(const Row& row, const Dims& dims, const kn::Device& device, Spelling spelling) {
  const kn::Scope scope({.device = device, .flush_after = 0});
  std::vector<Array> inputs;
  for (const InputSpec& spec : row.inputs(dims))
    inputs.push_back(kn::zeros(spec.shape, spec.dtype));
  kn::eval(inputs);
  Speller speller(row.outlive && spelling == Spelling::plain ? Spelling::held : spelling);
  const std::vector<Array> outputs = row.program(speller, inputs, dims);
  Figures f;
  f.least = bytes_of(inputs) * (row.twice ? 2 : 1) + bytes_of(outputs);
  const auto plans = nlohmann::json::parse(kn::explain(outputs).json());
  for (const auto& plan : plans) {
    f.temporary += plan["temporary_bytes"].get<std::int64_t>();
    for (const auto& kernel : plan["kernels"]) {
      if (!kernel["library"].get<bool>()) ++f.kernels;
      f.compulsory +=
          kernel["compulsory_read"].get<double>() + kernel["compulsory_written"].get<double>();
      f.requested +=
          kernel["requested_read"].get<double>() + kernel["requested_written"].get<double>();
      f.operations += kernel["operations"].get<double>();
      if (kernel.contains("requested_sectors")) {
        f.sectors = std::max(f.sectors, 0.0) + 32 * kernel["requested_sectors"].get<double>();
      }
    }
  }
  return f;
}

std::vector<Array> random_inputs(const Row& row, const Dims& dims, std::uint64_t seed) {
  std::mt19937_64 rng(seed);
  std::vector<Array> inputs;
  for (const InputSpec& spec : row.inputs(dims)) {
    const auto count = static_cast<std::size_t>(spec.shape.size());
    if (spec.dtype == kn::bool_) {
      std::vector<std::uint8_t> values(count);
      for (auto& v : values) v = static_cast<std::uint8_t>(rng() % 2);
      inputs.push_back((Array(values) != 0).reshape(spec.shape));
    } else if (spec.dtype == kn::int32) {  // labels: classes of the first input's rows
      const auto classes = static_cast<std::uint64_t>(inputs.empty() ? 1 : inputs[0].shape(-1));
      std::vector<int> values(count);
      for (int& v : values) v = static_cast<int>(rng() % classes);
      inputs.push_back(Array(values).reshape(spec.shape));
    } else {
      std::vector<float> values(count);
      for (float& v : values) v = static_cast<float>(rng() % 65536) / 16384.f + 0.0625f;
      inputs.push_back(Array(values).reshape(spec.shape));
    }
  }
  return inputs;
}

Missed::Missed(std::string scope)
    : scope_(std::move(scope)), update_(std::getenv("KILN_UPDATE_GOLDEN") != nullptr) {
  std::ifstream file(list_file());
  EXPECT_TRUE(file.good()) << list_file();
  for (std::string line; std::getline(file, line);) {
    const std::size_t last = line.rfind(" | "), first = line.rfind(" | ", last - 1);
    if (line.empty() || line[0] == '#' || first == std::string::npos) continue;
    known_[line.substr(0, first)] = {std::stod(line.substr(first + 3)),
                                     std::stod(line.substr(last + 3))};
  }
}

void Missed::report(const std::string& what, double asked, double measured) {
  const std::string name = scope_ + " | " + what;
  const bool met = measured >= 0 && measured <= asked * kSlack;
  if (!met) found_[name] = {asked, measured};
  if (update_) return;
  const auto known = known_.find(name);
  if (met) {
    if (known != known_.end())
      ADD_FAILURE() << name << " is met (" << measured << "): take it out of missed.txt";
    return;
  }
  if (known == known_.end()) {
    ADD_FAILURE() << name << ": asked " << asked << ", measured " << measured;
  } else if (const double before = known->second.measured;
             measured < 0 ? before >= 0 : before >= 0 && measured > before * kSlack) {
    ADD_FAILURE() << name << ": measured " << measured << ", was " << before;
  }
}

Missed::~Missed() {
  if (!update_) {
    for (const auto& [name, line] : known_) {
      if (name.starts_with(scope_ + " | ") && !found_.contains(name)) {
        ADD_FAILURE() << "missed.txt lists " << name << ", which nothing reports as missed";
      }
    }
    return;
  }
  std::erase_if(known_, [&](const auto& item) { return item.first.starts_with(scope_ + " | "); });
  known_.merge(found_);
  std::ofstream file(list_file());
  file << "# Figures not met yet: what | asked | measured (-1: the plan does not say).\n";
  for (const auto& [name, line] : known_) {
    file << name << " | " << fmt::format("{:.6g} | {:.6g}", line.asked, line.measured) << '\n';
  }
}

}  // namespace kiln_gates
