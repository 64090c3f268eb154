#include "bench/corpus/corpus.h"

#include <map>
#include <utility>

namespace corpus {

std::vector<Program> programs() {
  std::vector<Program> all;
  for (const auto part : {stencils(), automata(), solvers(), matrices(), tables(), streams(),
                          training(), clusters()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

const Floats& noise(std::int64_t count, unsigned seed) {
  static std::map<std::pair<std::int64_t, unsigned>, Floats> made;
  Floats& numbers = made[{count, seed}];
  if (numbers.empty()) {
    std::uint32_t state = seed * 2654435761u + 1;
    for (std::int64_t i = 0; i < count; ++i) {
      state = state * 1664525u + 1013904223u;
      const std::uint32_t mixed = (state ^ (state >> 15)) * 0x2c1b3c6du;
      numbers.push_back(static_cast<float>((mixed ^ (mixed >> 13)) >> 8) / 16777216.f);
    }
  }
  return numbers;
}

Floats centred(std::int64_t count, unsigned seed) {
  Floats numbers = noise(count, seed);
  for (float& number : numbers) number -= 0.5f;
  return numbers;
}

std::vector<int> letters(std::int64_t count, unsigned seed, int bound) {
  std::vector<int> numbers;
  for (const float number : noise(count, seed))
    numbers.push_back(static_cast<int>(number * static_cast<float>(bound)));
  return numbers;
}

float dot(const Floats& a, const Floats& b) {
  float sum = 0;
  for (Index i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

Values values(const kn::Array& x) {
  if (x.dtype() == kn::int64) return x.astype(kn::float64).to_vector<double>();
  return x.to_vector<double>();
}

Values values(const Floats& x) { return {x.begin(), x.end()}; }

Values joined(std::initializer_list<Values> parts) {
  Values all;
  for (const Values& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace corpus
