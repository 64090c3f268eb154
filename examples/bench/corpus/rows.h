// Loops that laziness once made slow, each with the figures that it must reach.
#pragma once
#include <span>
#include <vector>

#include "bench/corpus/passes.h"

namespace corpus {

enum class Figure : std::uint8_t {
  warm_over_yardstick,
  cold_over_yardstick,  // their first calls, in a process each
  cold_beyond,          // seconds of the first call beyond twice the yardstick's
  cold,                 // seconds
  warm,
  each,    // microseconds, over the steps
  growth,  // warm, over that of a quarter of the size
  // From here on counters.
  compiled,  // kernels, by the first call
  built,     // plans
  compiled_second,
  built_second,
  compiled_third,
  built_third,
  peak_over_yardstick
};

struct Demand {
  Figure figure;
  double bound;
};

struct Row {
  const char* name;
  const char* what;
  Work work;
  std::vector<Demand> demands;
  const char* pending = "";  // as a program's
};

std::vector<Row> rows();

const char* text(Figure figure);
// Whether it is the same in each run: a counter, not a clock.
bool counts(Figure figure);
// NaN where it is not known: a process did not come to its end.
double seen(Figure figure, const Row& row, const Outcome& written, const Outcome& yardstick);

}  // namespace corpus
