// Measure: what was done, and for which lines.
#include <thread>

#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;
using Kind = kn::Measure::Kind;

std::vector<kn::Measure::Row> of_kind(const kn::Measure& m, Kind kind) {
  std::vector<kn::Measure::Row> result;
  for (const kn::Measure::Row& row : m.rows()) {
    if (row.kind == kind) result.push_back(row);
  }
  return result;
}

bool names(const kn::Measure::Row& row, int line) {
  for (const kn::Where& where : row.lines) {
    if (where.line == line) return true;
  }
  return false;
}

TEST(Measure, CountsEvaluationsPlansAndKernelsByLine) {
  on_each_device([] {
    const kn::Scope scope({.mode = kn::Mode::lazy});
    const kn::Array x = kn::linspace(0.f, 1.f, 1000);
    kn::eval(x);
    const kn::Measure m;
    const int operation = __LINE__ + 1;
    const auto step = [&](float a) { return kn::sqrt(x * a) - kn::exp(x); };
    const int asked = __LINE__ + 1;
    for (int i = 0; i < 3; ++i) kn::eval(step(static_cast<float>(i)));
    const auto evaluations = of_kind(m, Kind::evaluation);
    ASSERT_EQ(evaluations.size(), 1u);
    EXPECT_EQ(evaluations[0].count, 3);
    EXPECT_TRUE(names(evaluations[0], asked));
    EXPECT_GT(evaluations[0].seconds, 0);
    EXPECT_LT(evaluations[0].seconds, m.seconds());
    if (interpreting() || kn::default_device() == kn::interpreter()) return;
    const kn::Stats s = m.stats();
    if (x.device() == kn::interpreter()) {
      EXPECT_EQ(s.launched, 0);
      return;
    }
    EXPECT_EQ(s.launched, 3);
    EXPECT_EQ(s.plans_built + s.plans_reused, 3);
    const auto kernels = of_kind(m, Kind::kernel);
    ASSERT_EQ(kernels.size(), 1u);
    EXPECT_EQ(kernels[0].count, 3);
    EXPECT_EQ(kernels[0].bytes, 3 * 2 * 4 * 1000);
    EXPECT_EQ(kernels[0].bytes, s.bytes_read + s.bytes_written);
    EXPECT_TRUE(names(kernels[0], operation));
    EXPECT_LE(kernels[0].seconds, evaluations[0].seconds);
    std::int64_t plans = 0;
    for (const auto& row : of_kind(m, Kind::plan)) plans += row.count;
    EXPECT_EQ(plans, s.plans_built);
  });
}

TEST(Measure, ListsCopiesWithTheirLines) {
  on_each_device([] {
    const kn::Scope scope({.mode = kn::Mode::lazy});
    const kn::Array x = kn::zeros({0});
    const bool crosses = x.device() != kn::cpu() && x.device() != kn::interpreter();
    const kn::Measure m;
    const int made = __LINE__ + 1;
    const kn::Array y = kn::Array{1.f, 2.f, 3.f};
    const kn::Array z = y * 2.f;
    const int read = __LINE__ + 1;
    EXPECT_EQ(values<float>(z)[1], 4.f);
    const auto uploads = of_kind(m, Kind::upload), downloads = of_kind(m, Kind::download);
    ASSERT_EQ(uploads.size(), crosses ? 1u : 0u);
    ASSERT_EQ(downloads.size(), crosses ? 1u : 0u);
    if (!crosses) return;
    EXPECT_EQ(uploads[0].bytes, 12);
    EXPECT_EQ(uploads[0].name, "an operand");
    EXPECT_TRUE(names(uploads[0], made));
    EXPECT_EQ(downloads[0].bytes, 12);
    EXPECT_EQ(downloads[0].name, "to_vector");
    EXPECT_EQ(m.stats().upload_bytes, 12);
    static_cast<void>(read);
  });
}

TEST(Measure, PrintsTextAndJson) {
  on_each_device([] {
    const kn::Scope scope({.mode = kn::Mode::lazy});
    const int start = __LINE__ + 1;
    const kn::Measure m;
    const int line = __LINE__ + 1;
    kn::eval(kn::sqrt(kn::linspace(0.f, 1.f, 77)));
    std::ostringstream out;
    out << m;
    const std::string at = "measure_tests.cpp:";
    expect_contains(out.str(), " from " + at + std::to_string(start) + " on\n");
    expect_contains(out.str(), " launches; kernels: ");
    expect_contains(out.str(), "evaluations, all in all, by the line that asked\n");
    expect_contains(out.str(), at + std::to_string(line));
    expect_contains(m.json(), "\"kind\": \"evaluation\"");
    expect_contains(m.json(), "\"" + at + std::to_string(line) + "\"");
    expect_contains(m.json(), "\"launched\": " + std::to_string(m.stats().launched));
  });
}

TEST(Measure, SeveralEachStartAtNothingAndSeeOtherThreads) {
  const kn::Scope scope({.mode = kn::Mode::lazy});
  const auto work = [] { kn::eval(kn::linspace(0.f, 1.f, 33) * 2.f); };
  const kn::Measure outer;
  work();
  {
    const kn::Measure inner;
    EXPECT_TRUE(inner.rows().empty());
    work();
    std::thread(work).join();
    const auto rows = of_kind(inner, Kind::evaluation);
    ASSERT_EQ(rows.size(), 1u) << "one line";
    EXPECT_EQ(rows[0].count, 2);
  }
  const auto rows = of_kind(outer, Kind::evaluation);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].count, 3);
}

TEST(Measure, ReadingWhatHasAValueIsNoEvaluation) {
  const kn::Array x = kn::linspace(0.f, 1.f, 33);
  kn::eval(x);
  const kn::Measure m;
  kn::eval(x);
  EXPECT_EQ(x.size(), 33);
  EXPECT_TRUE(of_kind(m, Kind::evaluation).empty());
}

TEST(Measure, AFailedEvaluationCountsAsWell) {
  const kn::Scope scope({.nan = kn::Nan::trap});
  const kn::Measure m;
  EXPECT_THROW(kn::eval(kn::log(kn::Array{-1.f})), kn::NanTrapped);
  EXPECT_EQ(of_kind(m, Kind::evaluation).size(), 1u);
}

}  // namespace
