// The corpus: ordinary programs as somebody who knows NumPy writes them, without a thought of
// laziness, each beside the plain C++ loops that compute the same.
#pragma once
#include <kiln/kiln.h>

#include <cstdint>
#include <span>
#include <vector>

namespace corpus {

namespace kn = kiln;
using Floats = std::vector<float>;
using Values = std::vector<double>;
using Index = std::size_t;  // of the loops

// How large a program is, and how it runs.
struct Run {
  std::int64_t n = 0;  // of the arrays; odd
  int steps = 0;       // of its loop; where it ends by itself, at most
  bool evaluated = false;

  // Stands where a step is over. A program with an eval of its state a step is the same text,
  // evaluated here.
  template <class... State>
  void keep(const State&... state) const {
    if (evaluated) kn::eval({state...});
  }
};

struct Program {
  const char* name;
  const char* what;
  Run small, full;
  Values (*natural)(const Run&);
  Values (*loops)(const Run&);
  double tolerance;     // of the largest value of the loops
  const char* because;  // of the tolerance
  // Why the program does not hold what the corpus demands (README.md) at its small size. Empty
  // where it does; a reason that is no longer true fails.
  const char* pending = "";
};

std::span<const Program> automata();
std::span<const Program> clusters();
std::span<const Program> matrices();
std::span<const Program> solvers();
std::span<const Program> stencils();
std::span<const Program> streams();
std::span<const Program> tables();
std::span<const Program> training();
std::vector<Program> programs();  // all of them

// The tolerances that several have in common.
inline constexpr const char* kSameOrder = "the same operations in the same order";
inline constexpr const char* kSums = "sums in another order";
// And what some wait for.
inline constexpr const char* kWindows =
    "a write into memory that may be overwritten is a launch, and several small ones could be one";
// Numbers of [0, 1), the same ones for the same seed; made once a process. Around 0; whole and
// below a bound.
const Floats& noise(std::int64_t count, unsigned seed);
Floats centred(std::int64_t count, unsigned seed);
std::vector<int> letters(std::int64_t count, unsigned seed, int bound);

// For the loops.
inline Index extent(const Run& run) { return static_cast<Index>(run.n); }
float dot(const Floats& a, const Floats& b);

Values values(const kn::Array& x);
Values values(const Floats& x);
Values joined(std::initializer_list<Values> parts);

}  // namespace corpus
