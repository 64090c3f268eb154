#include <cstdio>
#include <vector>

#include "bench/corpus/passes.h"
#include "bench/corpus/report.h"

namespace corpus {

namespace {

std::string printed(const char* format, double first, double second) {
  char line[200];
  std::snprintf(line, sizeof line, format, first, second);
  return line;
}

// What no program may do, whatever is pending.
std::vector<std::string> faults(const Program& program, const Outcome& written,
                                const Outcome& evaluated) {
  std::vector<std::string> found;
  for (const auto& [name, value] : written.figures) {
    if (!name.ends_with(".off") || value <= program.tolerance) continue;
    found.push_back("wrong, " + name +
                    printed(" by %g, of which %g are allowed", value, program.tolerance));
  }
  const auto off = evaluated.figures.find("yard.off");
  if (off != evaluated.figures.end() && !(off->second <= program.tolerance)) {
    found.push_back("wrong with eval" +
                    printed(" by %g, of which %g are allowed", off->second, program.tolerance));
  }
  if (written.ended_badly) found.push_back(written.trouble);
  if (!evaluated.trouble.empty()) found.push_back("with eval: " + evaluated.trouble);
  return found;
}

// Bounds in counters, against the program with an eval of its state a step.
std::vector<std::string> unmet(const Outcome& written, const Outcome& evaluated) {
  if (!written.trouble.empty()) return {written.trouble};
  const auto& natural = written.figures;
  const auto& eval = evaluated.figures;
  std::vector<std::string> found;
  const auto demand = [&](const char* what, double seen, double bound) {
    if (!(seen <= bound)) found.push_back(what + printed(": %g, at most %g", seen, bound));
  };
  demand("kernels compiled", natural.at("first.compiled"), 2 * eval.at("yard.compiled") + 4);
  // What the first call has learnt, the second is planned with.
  demand("kernels compiled by the second call", natural.at("second.compiled"), 4);
  demand("plans built by the third call", natural.at("third.built"), 0);
  demand("kernels launched by the third call", natural.at("third.launched"),
         1.3 * eval.at("yard.launched") + 4);
  demand("operations recomputed by the third call", natural.at("third.recomputed"),
         2 * (eval.at("yard.recomputed") + eval.at("yard.launched")) + 100);
  return found;
}

}  // namespace

int check(const Options& options) {
  int wrong = 0, pending = 0, checked = 0;
  for (const Program& program : programs()) {
    if (std::string(program.name).find(options.filter) == std::string::npos) continue;
    const bool awaited = *program.pending != '\0';
    // One that is known not to end in its time need not have all of it.
    const int patience = awaited ? (2 * options.seconds + 4) / 5 : options.seconds;
    const Work work{.natural = program.natural, .loops = program.loops, .run = program.small};
    const Outcome written = as_written(work, 0, patience),
                  evaluated = alone(work, 0, 10 * patience);
    std::vector<std::string> found = faults(program, written, evaluated);
    const std::vector<std::string> bounds = found.empty() ? unmet(written, evaluated) : found;
    if (!awaited) found = bounds;
    if (awaited && bounds.empty()) found.push_back("holds all bounds now: it is no longer pending");
    for (const std::string& text : found) std::printf("%s: %s\n", program.name, text.c_str());
    if (found.empty() && awaited) {
      std::printf("%s: pending, %s; now: %s\n", program.name, program.pending, bounds[0].c_str());
    }
    wrong += !found.empty();
    pending += awaited;
    ++checked;
  }
  std::printf("%d programs, %d pending, %d not as they should be\n", checked, pending, wrong);
  return wrong + (checked == 0);
}

}  // namespace corpus
