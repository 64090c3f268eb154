// Plans and their cache, what is stored, modes, explanations.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "frontend/access.h"
#include "tests/folder.h"
#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;

TEST(Plans, SizesAndScalarsWithinAClassReuseThem) {
  if (interpreting()) GTEST_SKIP() << "the interpreter makes no plans";
  const auto run = [](std::int64_t rows, std::int64_t columns, float scale) {
    const kn::Array x = kn::Array(std::vector<float>(static_cast<std::size_t>(rows * columns), 1.f))
                            .reshape({rows, columns});
    return kn::sum((x - kn::mean(x, 1, kn::keepdims)) * scale + x(kn::slice(0, 1)), 0)
        .to_vector<float>();
  };
  run(70, 33, 1.5f);
  const kn::Stats before = kn::stats();
  run(101, 61, 2.5f);
  run(65, 47, -7.f);
  run(127, 63, 0.25f);
  const kn::Stats spent = kn::stats() - before;
  EXPECT_EQ(spent.plans_built, 0);
  EXPECT_EQ(spent.compiled, 0);
  EXPECT_EQ(spent.plans_reused, 3);
}

TEST(Plans, AccidentalEqualityOfExtentsIsNoStructure) {
  const auto run = [](std::int64_t n, std::int64_t m) {
    const kn::Array a(std::vector<float>(static_cast<std::size_t>(n), 2.f)),
        b(std::vector<float>(static_cast<std::size_t>(m), 3.f));
    kn::eval({a * 2, b * 3});
  };
  run(22, 21);
  const kn::Stats before = kn::stats();
  run(21, 21);
  EXPECT_EQ((kn::stats() - before).plans_built, 0);
}

TEST(Plans, EqualityOfScalarsIsStructure) {
  const kn::Array x = {1.f, 2.f};
  const auto run = [&](float a, float b) { return ((x + a) * b).to_vector<float>(); };
  run(2, 3);
  const kn::Stats before = kn::stats();
  EXPECT_EQ(run(5, 7), (std::vector<float>{42, 49}));
  EXPECT_EQ((kn::stats() - before).plans_built, 0);
  EXPECT_EQ(run(4, 4), (std::vector<float>{20, 24}));
  EXPECT_EQ(run(6, 5), (std::vector<float>{35, 40}));
}

// Equal scalars are one node only while the table of operations remembers them: what it forgot must
// not show in the plan.
TEST(Plans, ScalarsRecordedFarApartAreTheSameStructure) {
  if (interpreting()) GTEST_SKIP() << "the interpreter makes no plans";
  const kn::Scope scope({.flush_after = 0});
  const kn::Array x = {1.f, 2.f};
  const auto run = [&](int between) {
    const kn::Array a = x * 2.f;
    std::vector<kn::Array> others;
    for (int i = 0; i < between; ++i) others.push_back(x * (3.f + static_cast<float>(i)));
    others.clear();
    return (a * 2.f).to_vector<float>();
  };
  const std::vector<float> expected = run(0);
  const kn::Stats before = kn::stats();
  for (const int between : {5, 500, 50'000}) EXPECT_EQ(run(between), expected);
  EXPECT_EQ((kn::stats() - before).plans_built, 0);
}

TEST(Evaluation, SeveralResultsAreOnePlan) {
  if (interpreting()) GTEST_SKIP() << "the interpreter makes no plans";
  const kn::Array x = {1.f, 2.f, 3.f}, y = kn::exp(x);
  const kn::Array a = y + 1, b = y * 2;
  const kn::Stats before = kn::stats();
  kn::eval({a, b, a});
  const kn::Stats spent = kn::stats() - before;
  EXPECT_EQ(spent.plans_built + spent.plans_reused, 1);
  EXPECT_EQ(spent.launched, 1);
  EXPECT_TRUE(a.evaluated() && b.evaluated());
  EXPECT_FALSE(y.evaluated());
}

TEST(Evaluation, DearValuesThatOthersNeedAreStored) {
  const kn::Array x = kn::reshape(kn::arange(12, kn::float32), {3, 4});
  kn::eval(x);
  const kn::Array total = kn::sum(x * 2), loss = total + 1, gradient = x * total;
  kn::eval(loss);
  EXPECT_TRUE(total.evaluated());
  const kn::Stats before = kn::stats();
  kn::eval(gradient);
  EXPECT_EQ((kn::stats() - before).recomputed, 0);
}

TEST(Evaluation, CheapValuesAreComputedAgainAndCounted) {
  const kn::Array x = {1.f, 2.f, 3.f, 4.f}, y = x + 1;
  const kn::Array a = y * 2, b = y * 3;
  kn::eval(a);
  EXPECT_FALSE(y.evaluated());
  const kn::Stats before = kn::stats();
  kn::eval(b);
  EXPECT_EQ((kn::stats() - before).recomputed, 1);
}

TEST(Evaluation, NamesAreAliases) {
  const kn::Array x = {1.f, 2.f}, u = (x * 3).named("u"), v = u + 1;
  kn::eval({v, u});
  EXPECT_EQ(values<float>(u), (std::vector<float>{3, 6}));
  EXPECT_EQ(values<float>(v), (std::vector<float>{4, 7}));
  const kn::Array w = v.named("w");
  EXPECT_TRUE(w.evaluated());
}

TEST(Evaluation, ZeroSizedAndScalarArraysWork) {
  const kn::Array none = kn::zeros({0, 5}), one = kn::Array(2.f);
  EXPECT_EQ(kn::exp(none + 1).to_vector<float>().size(), 0u);
  EXPECT_EQ(kn::concat({none, kn::ones({1, 5})}).to_vector<float>().size(), 5u);
  EXPECT_EQ((one * one + 1).item<float>(), 5);
  EXPECT_EQ(kn::sum(one).item<float>(), 2);
  kn::Array x = none;
  x.at(kn::slice(0, 3)) = 1;
  EXPECT_EQ(x.size(), 0);
}

TEST(Modes, EagerEvaluatesEachOperation) {
  const kn::Scope scope({.mode = kn::Mode::eager});
  const kn::Array x = {1.f, 2.f};
  const kn::Array y = x + 1;
  EXPECT_TRUE(y.evaluated());
  EXPECT_EQ(values<float>(kn::softmax(y) * 0 + y), (std::vector<float>{2, 3}));
}

TEST(Modes, CheckComparesBits) {
  const kn::Scope scope({.mode = kn::Mode::check});
  const kn::Array x = kn::reshape(kn::arange(600, kn::float32), {20, 30}) / 77.f;
  EXPECT_NEAR(kn::sum(kn::softmax(x)).item<float>(), 20, 1e-4);
  EXPECT_EQ(kn::matmul(x, x.T()).shape(), (kn::Shape{20, 20}));
  kn::eval(kn::matmul(x, x.T()) + 1);
}

TEST(Modes, FusionOffGivesTheSameBits) {
  if (interpreting()) GTEST_SKIP() << "the interpreter makes no plans";
  const kn::Array x = kn::reshape(kn::arange(3000, kn::float32), {100, 30}) / 777.f;
  const auto program = [&] { return kn::layer_norm(kn::exp(x) + x) * 3; };
  const kn::Stats before = kn::stats();
  const std::vector<float> fused = values<float>(program());
  const std::int64_t launched = (kn::stats() - before).launched;
  const kn::Scope scope({.fusion = false});
  EXPECT_EQ(values<float>(program()), fused);
  EXPECT_GT((kn::stats() - before).launched - launched, launched);
}

TEST(Modes, ScopesNestAndEnd) {
  {
    const kn::Scope outer({.device = kn::interpreter()});
    {
      const kn::Scope inner({.mode = kn::Mode::eager});
      EXPECT_EQ(kn::zeros({1}).device(), kn::interpreter());
      EXPECT_TRUE((kn::zeros({1}) + 1).evaluated());
    }
    EXPECT_FALSE((kn::zeros({1}) + 1).evaluated());
  }
  EXPECT_EQ(kn::zeros({1}).device(), kn::default_device());
}

TEST(Inspection, ExplainNamesKernelsAndEvaluatesNothing) {
  const kn::Array x = kn::Array(std::vector<float>(1000, 1.f)).named("x");
  const kn::Array y = kn::sqrt(x * 2 + 1);
  const kn::Explanation explanation = kn::explain(y);
  EXPECT_FALSE(y.evaluated());
  const std::string text = explanation.text();
  expect_contains(text, "1 kernels, 0 boundaries");
  expect_contains(text, "sqrt(");
  expect_contains(text, "evaluate_tests.cpp:");
  expect_contains(text, "reads      4000 B");
  expect_contains(explanation.json(), "\"compulsory_written\": 4000");
  kn::eval(y);
  expect_contains(kn::explain(y).text(), "nothing to compute");
}

TEST(Inspection, CudaSourceIsReadableText) {
  const kn::Array x = kn::Array(std::vector<float>(1000, 1.f)).named("x");
  const kn::Array y = kn::sqrt(x * 2 + 1);
  const std::vector<kn::Source> sources = kn::cuda_source(y);
  ASSERT_EQ(sources.size(), 1u);
  expect_contains(sources[0].text, "__global__");
}

TEST(Inspection, DumpWritesEveryStage) {
  const Folder folder;
  const kn::Array x(std::vector<float>(1000, 1.f));
  kn::dump(kn::sum(kn::exp(x)), folder.path());
  std::string names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (!entry.is_directory() && entry.path().filename() != "decisions.txt") {
      EXPECT_GT(entry.file_size(), 0u) << entry.path();
    }
    names += entry.path().filename().string() + "\n";
  }
  for (const char* part : {"plan-0000", "00-input.txt", "00-input.dot", "plan.json"})
    expect_contains(names, part);
  // For the device's architecture, or where there is none for sm_80.
  EXPECT_THAT(names, testing::ContainsRegex("sm_[0-9]+-kernel-00[^\n]*[.]cu"));
  expect_contains(message_of<kn::IoError>([&] { kn::dump(x + 1, "/proc/none"); }),
                  "cannot be written");
}

TEST(Statistics, TimeitGivesSeconds) {
  const kn::Array x = {1.f};
  const double seconds = kn::timeit([&] { kn::eval(x + 1); });
  EXPECT_GT(seconds, 0);
  EXPECT_LT(seconds, 1);
  EXPECT_GT(kn::stats().live_bytes, 0);
}

}  // namespace
