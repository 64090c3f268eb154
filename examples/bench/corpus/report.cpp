#include "bench/corpus/report.h"

#include <cmath>
#include <cstdio>

#include "bench/corpus/rows.h"

namespace corpus {

namespace {

constexpr double kOverEval = 1.3, kCold = 1;  // what is demanded of every program

bool chosen(const Options& options, const char* name) {
  return std::string(name).find(options.filter) != std::string::npos;
}

// Milliseconds, or nothing where there are none.
std::string milliseconds(const Outcome& of, const char* name) {
  const auto found = of.figures.find(name);
  if (found == of.figures.end()) return "";
  char text[32];
  std::snprintf(text, sizeof text, found->second < 0.1 ? "%.2f" : "%.0f", found->second * 1e3);
  return text;
}

std::string count(const Outcome& of, const char* name) {
  const auto found = of.figures.find(name);
  return found == of.figures.end() ? "" : std::to_string(static_cast<long long>(found->second));
}

// Products of ratios, for their geometric mean.
struct Mean {
  double logarithms = 0;
  int count = 0;

  std::string add(const Outcome& written, const Outcome& other, const char* name) {
    const auto a = written.figures.find("warm"), b = other.figures.find(name);
    if (a == written.figures.end() || b == other.figures.end()) return "";
    const double ratio = a->second / b->second;
    logarithms += std::log(ratio);
    ++count;
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", ratio);
    return text;
  }
  [[nodiscard]] double value() const { return count == 0 ? 0 : std::exp(logarithms / count); }
};

// What the program does not reach.
std::string remarks(const Program& program, const Outcome& written, const Outcome& evaluated) {
  std::string text = written.trouble;
  const auto add = [&](bool really, const char* what) {
    if (really) text += (text.empty() ? "" : ", ") + std::string(what);
  };
  const auto over = [&](const char* name, double bound) {
    const auto found = written.figures.find(name);
    return found != written.figures.end() && !(found->second <= bound);
  };
  add(over("first.off", program.tolerance) || over("second.off", program.tolerance), "**wrong**");
  add(over("first.seconds", kCold), "cold");
  const auto eval = evaluated.figures.find("warm");
  add(eval != evaluated.figures.end() && over("warm", kOverEval * eval->second), "warm");
  add(!evaluated.trouble.empty(), ("with eval: " + evaluated.trouble).c_str());
  return text;
}

}  // namespace

void report_programs(const Options& options) {
  std::printf(
      "Milliseconds of one thread; compiled and built: kernels and plans of the first call, + of "
      "the second. Must be: "
      "warm at most %g x with eval, cold below %g s, right.\n\n"
      "| program | cold | second | warm | with eval | loops | warm / eval | warm / loops | cold "
      "with eval | compiled | "
      "built | recomputed | not reached |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
      kOverEval, kCold);
  Mean over_eval, over_loops;
  int good = 0, all = 0;
  for (const Program& program : programs()) {
    if (!chosen(options, program.name)) continue;
    const Work work{.natural = program.natural,
                    .loops = program.loops,
                    .run = options.small ? program.small : program.full,
                    .processor = options.processor};
    const auto [written, evaluated] = measure(work, 3, options.seconds);
    const std::string missed = remarks(program, written, evaluated);
    std::printf("| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s + %s | %s + %s | %s | %s |\n",
                program.name, milliseconds(written, "first.seconds").c_str(),
                milliseconds(written, "second.seconds").c_str(),
                milliseconds(written, "warm").c_str(), milliseconds(evaluated, "warm").c_str(),
                milliseconds(evaluated, "loops").c_str(),
                over_eval.add(written, evaluated, "warm").c_str(),
                over_loops.add(written, evaluated, "loops").c_str(),
                milliseconds(evaluated, "first.seconds").c_str(),
                count(written, "first.compiled").c_str(), count(written, "second.compiled").c_str(),
                count(written, "first.built").c_str(), count(written, "second.built").c_str(),
                count(written, "second.recomputed").c_str(), missed.c_str());
    good += missed.empty();
    ++all;
  }
  std::printf(
      "\n%d of %d reach all; geometric means of %d that end: %.2f x with eval, %.2f x loops\n\n",
      good, all, over_eval.count, over_eval.value(), over_loops.value());
}

void report_rows(const Options& options) {
  std::printf("| row | what | figure | seen | must be at most | |\n|---|---|---|---|---|---|\n");
  int good = 0, all = 0;
  for (const Row& row : rows()) {
    if (!chosen(options, row.name)) continue;
    Work work = row.work;
    work.processor = options.processor;
    const auto [written, yardstick] = measure(work, 3, options.seconds);
    for (const Demand& demand : row.demands) {
      const double figure = seen(demand.figure, row, written, yardstick);
      const bool reached = figure <= demand.bound;
      const char* const why = reached                   ? ""
                              : !std::isnan(figure)     ? "over"
                              : written.trouble.empty() ? yardstick.trouble.c_str()
                                                        : written.trouble.c_str();
      char number[32] = "-";
      if (!std::isnan(figure)) std::snprintf(number, sizeof number, "%.4g", figure);
      std::printf("| %s | %s | %s | %s | %g | %s |\n", row.name, row.what, text(demand.figure),
                  number, demand.bound, why);
      good += reached;
      ++all;
    }
  }
  std::printf("\n%d of %d figures are within their bounds\n", good, all);
}

}  // namespace corpus
