#include "bench/corpus/report.h"

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include "bench/corpus/rows.h"

namespace corpus {

namespace {

constexpr int kPatience = 10;  // a yardstick may be so many times slower than what is allowed

std::string printed(const char* format, double first, double second) {
  char line[200];
  std::snprintf(line, sizeof line, format, first, second);
  return line;
}

// What no program may do, whatever is pending.
std::vector<std::string> faults(const Program& program, const Outcome& written,
                                const Outcome& evaluated) {
  std::vector<std::string> found;
  const auto compare = [&](const Outcome& of, const char* what) {
    for (const auto& [name, value] : of.figures) {
      if (!name.ends_with(".off") || value <= program.tolerance) continue;
      found.push_back(what + name +
                      printed(" by %g, of which %g are allowed", value, program.tolerance));
    }
  };
  compare(written, "wrong, ");
  compare(evaluated, "wrong with eval, ");
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
  demand("kernels compiled", natural.at("first.compiled"), 2 * eval.at("first.compiled") + 4);
  // What a call has learnt, the next is planned with.
  demand("kernels compiled by the second call", natural.at("second.compiled"), 4);
  demand("plans built by the fourth call", natural.at("fourth.built"), 0);
  demand("kernels launched by the fourth call", natural.at("fourth.launched"),
         1.3 * eval.at("first.launched") + 4);
  demand("operations recomputed by the fourth call", natural.at("fourth.recomputed"),
         2 * (eval.at("first.recomputed") + eval.at("first.launched")) + 100);
  return found;
}

// The same of a row, by its own demands. It has none if none is a counter.
std::vector<std::string> unmet(const Row& row, const Outcome& written, const Outcome& yardstick) {
  if (!written.trouble.empty()) return {written.trouble};
  std::vector<std::string> found;
  for (const Demand& demand : row.demands) {
    const double figure = seen(demand.figure, row, written, yardstick);
    if (!counts(demand.figure) || figure <= demand.bound) continue;
    found.push_back(text(demand.figure) + printed(": %g, at most %g", figure, demand.bound));
  }
  return found;
}

class Tally {
 public:
  explicit Tally(const Options& options) : options_(options) {}

  // Whether it is to be checked.
  bool begin(const char* name, const char* pending) {
    name_ = name;
    pending_ = pending;
    return std::string(name).find(options_.filter) != std::string::npos;
  }

  // Seconds: one that is known not to end in its time need not have all of it.
  [[nodiscard]] int patience() const {
    return *pending_ != '\0' ? (2 * options_.seconds + 4) / 5 : options_.seconds;
  }

  void end(std::vector<std::string> faults, const std::vector<std::string>& unmet) {
    const bool awaited = *pending_ != '\0';
    if (!awaited) faults.insert(faults.end(), unmet.begin(), unmet.end());
    if (awaited && faults.empty() && unmet.empty()) {
      faults.push_back("holds all bounds now: it is no longer pending");
    }
    for (const std::string& text : faults) std::printf("%s: %s\n", name_, text.c_str());
    if (faults.empty() && awaited) {
      std::printf("%s: pending, %s; now: %s\n", name_, pending_, unmet[0].c_str());
    }
    wrong_ += !faults.empty();
    pending_ones_ += awaited;
    ++checked_;
  }

  int result() const {
    std::printf("%d checked, %d pending, %d not as they should be\n", checked_, pending_ones_,
                wrong_);
    return wrong_ + (checked_ == 0);
  }

 private:
  const Options& options_;
  const char* name_ = "";
  const char* pending_ = "";
  int wrong_ = 0, pending_ones_ = 0, checked_ = 0;
};

}  // namespace

int check(const Options& options) {
  Tally tally(options);
  for (const Program& program : programs()) {
    if (!tally.begin(program.name, program.pending)) continue;
    const Work work{.natural = program.natural, .loops = program.loops, .run = program.small};
    const auto [written, evaluated] = measure(work, 0, tally.patience(), kPatience);
    std::vector<std::string> found = faults(program, written, evaluated);
    const bool sound = found.empty();
    tally.end(std::move(found), sound ? unmet(written, evaluated) : std::vector<std::string>());
  }
  for (const Row& row : rows()) {
    const bool by_counters =
        std::any_of(row.demands.begin(), row.demands.end(),
                    [](const Demand& demand) { return counts(demand.figure); });
    if (!by_counters || !tally.begin(row.name, row.pending)) continue;
    const auto [written, yardstick] = measure(row.work, 0, tally.patience(), kPatience);
    std::vector<std::string> found;
    if (written.ended_badly) found.push_back(written.trouble);
    if (!yardstick.trouble.empty()) found.push_back("its yardstick: " + yardstick.trouble);
    const bool sound = found.empty();
    tally.end(std::move(found),
              sound ? unmet(row, written, yardstick) : std::vector<std::string>());
  }
  return tally.result();
}

}  // namespace corpus
