#include <limits>

#include "bench/corpus/rows.h"

namespace corpus {

namespace {

double ratio(const Outcome& of, const char* name, const Outcome& to, const char* other) {
  const auto a = of.figures.find(name), b = to.figures.find(other);
  if (a == of.figures.end() || b == to.figures.end())
    return std::numeric_limits<double>::quiet_NaN();
  return a->second / b->second;
}

double figure(const Outcome& of, const char* name) {
  const auto found = of.figures.find(name);
  return found == of.figures.end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
}

}  // namespace

const char* text(Figure figure) {
  switch (figure) {
    case Figure::warm_over_yardstick:
      return "warm, over the yardstick";
    case Figure::cold_over_yardstick:
      return "cold, over the yardstick";
    case Figure::cold_beyond:
      return "s cold, beyond twice the yardstick";
    case Figure::cold:
      return "s cold";
    case Figure::warm:
      return "s warm";
    case Figure::each:
      return "us a step, warm";
    case Figure::growth:
      return "growth from a quarter of the size";
    case Figure::compiled:
      return "kernels compiled";
    case Figure::built:
      return "plans built";
    case Figure::compiled_second:
      return "compiled by the second call";
    case Figure::built_second:
      return "plans built by the second call";
    case Figure::compiled_third:
      return "compiled by the third call";
    case Figure::built_third:
      return "plans built by the third call";
    case Figure::peak_over_yardstick:
      return "peak memory, over the yardstick";
  }
  return "";
}

bool counts(Figure figure) {
  return figure >= Figure::compiled;  // the enumeration's second half
}

double seen(Figure what, const Row& row, const Outcome& written, const Outcome& yardstick) {
  switch (what) {
    case Figure::warm_over_yardstick:
      return ratio(written, "warm", yardstick, "warm");
    case Figure::cold_over_yardstick:
      return ratio(written, "first.seconds", yardstick, "first.seconds");
    case Figure::cold_beyond:
      return figure(written, "first.seconds") - 2 * figure(yardstick, "first.seconds");
    case Figure::cold:
      return figure(written, "first.seconds");
    case Figure::warm:
      return figure(written, "warm");
    case Figure::each:
      return figure(written, "warm") / row.work.run.steps * 1e6;
    case Figure::growth:
      return ratio(written, "warm", written, "quarter");
    case Figure::compiled:
      return figure(written, "first.compiled");
    case Figure::built:
      return figure(written, "first.built");
    case Figure::compiled_second:
      return figure(written, "second.compiled");
    case Figure::built_second:
      return figure(written, "second.built");
    case Figure::compiled_third:
      return figure(written, "third.compiled");
    case Figure::built_third:
      return figure(written, "third.built");
    case Figure::peak_over_yardstick:
      return ratio(written, "first.peak", yardstick, "first.peak");
  }
  return 0;
}

}  // namespace corpus
