// The table of programs: kernels and bytes planned at the stated sizes, in every spelling and at
// other sizes. `kiln_gates_tests --gtest_filter='Gates.StatedSizes'`
// prints it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <iostream>

#include "tests/gates/measure.h"
#include "tests/seed.h"

namespace kiln_gates {
namespace {

struct Target {
  const char* name;
  bool held;  // the figures are asked for; elsewhere they are only shown
};
constexpr Target kTargets[] = {{"cpu", true}, {"sm_80", true}, {"sm_90", false}, {"sm_120", false}};

std::string ratio(double bytes, double least) {
  return bytes < 0 ? "-" : fmt::format("{:.3f}", bytes / least);
}
std::string asked(const std::optional<double>& limit) {
  const double value = limit.value_or(-1);
  return value < 0 ? "-" : fmt::format("{:.2f}", value);
}

void check(Missed& missed, const std::string& what, const Target& target, const Stated& stated,
           const Figures& f) {
  const bool cuda = std::string_view(target.name) != "cpu";
  const auto figure = [&](const char* name, std::optional<double> limit, double value) {
    if (limit) missed.report(what + " | " + target.name + " | " + name, *limit, value);
  };
  figure("kernels", stated.kernels, f.kernels);
  figure("operations", stated.operations, f.operations);
  figure("bytes", stated.bytes, f.compulsory / f.least);
  figure("requested", stated.requested, f.requested / f.least);
  if (cuda) figure("requested", stated.requested_cuda, f.requested / f.least);
  if (cuda) figure("sectors", stated.sectors, f.sectors < 0 ? -1 : f.sectors / f.least);
  if (stated.temporary)
    figure("temporary", static_cast<double>(*stated.temporary), static_cast<double>(f.temporary));
}

TEST(Gates, StatedSizes) {
  Missed missed("stated sizes");
  constexpr const char* kLine = "{:<42} {:<18} {:<7} {:>4} {:>7}  {:>6} {:>7}  {:>6} {:>9} {:>8}\n";
  std::cout << fmt::format(kLine, "program", "size", "device", "asked", "kernels", "asked", "bytes",
                           "asked", "requested", "sectors");
  for (const Row& row : rows()) {
    for (const Stated& stated : row.stated) {
      for (const Target& target : kTargets) {
        const Figures f = measure(row, stated.dims, kn::plan_only(target.name), Spelling::plain);
        const bool cuda = std::string_view(target.name) != "cpu";
        const auto requested =
            cuda && stated.requested_cuda ? stated.requested_cuda : stated.requested;
        std::cout << fmt::format(kLine, row.name, to_text(stated.dims), target.name, stated.kernels,
                                 f.kernels, asked(stated.bytes), ratio(f.compulsory, f.least),
                                 asked(requested), ratio(f.requested, f.least),
                                 ratio(f.sectors, f.least));
        if (target.held) check(missed, row.name + " | " + to_text(stated.dims), target, stated, f);
      }
    }
  }
}

TEST(Gates, SpellingsTakeAsManyKernels) {
  Missed missed("spellings");
  for (const Row& row : rows()) {
    const Stated& stated = row.stated[row.stated.size() / 2];
    for (const Target& target : kTargets) {
      if (!target.held) continue;
      for (const Spelling spelling : kSpellings) {
        if (spelling == Spelling::plain) continue;
        const Figures f = measure(row, stated.dims, kn::plan_only(target.name), spelling);
        missed.report(row.name + " | " + name(spelling) + " | " + target.name + " | kernels",
                      stated.kernels, f.kernels);
      }
    }
  }
}

// Shapes with extents of 1, odd and prime ones.
void random_shapes(std::uint64_t count, const char* scope) {
  const std::uint64_t seed = kiln::testing::first_seed();
  Missed missed(scope);
  for (const Row& row : rows()) {
    if (!row.random) continue;
    std::mt19937_64 rng(seed);
    double over[2] = {0, 0};
    for (std::uint64_t i = 0; i < count; ++i) {
      const Dims dims = row.random(rng);
      for (int t = 0; t < 2; ++t) {
        const Figures f = measure(row, dims, kn::plan_only(kTargets[t].name), Spelling::plain);
        over[t] = std::max<double>(over[t], f.kernels);
      }
    }
    for (int t = 0; t < 2; ++t) {
      missed.report(row.name + " | " + kTargets[t].name + " | kernels", row.kernels_anywhere,
                    over[t]);
    }
  }
}

TEST(Gates, RandomShapes) { random_shapes(20, "random shapes"); }
TEST(HeavyGates, RandomShapes) { random_shapes(200, "200 random shapes"); }

}  // namespace
}  // namespace kiln_gates
