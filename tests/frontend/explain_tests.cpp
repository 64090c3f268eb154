// What explain says of plans: iteration space, times, boundaries, memory, caches, values computed
// again; and its page.
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "runtime/nvrtc.h"
#include "tests/folder.h"
#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;
using Json = nlohmann::json;

kn::Array data(const kn::Shape& shape) {
  const kn::Array x = kn::reshape(kn::arange(shape.size(), kn::float32), shape) / 77.f;
  kn::eval(x);
  return x;
}

Json explained(const kn::Arrays& arrays) { return Json::parse(kn::explain(arrays).json())[0]; }

TEST(Explain, AKernelHasItsSpaceItsTimeAndTheLeastBytes) {
  const kn::Scope scope({.device = kn::plan_only("sm_80")});
  const kn::Array x = data({40, 50}), y = kn::softmax(x);
  const Json plan = explained(y);
  EXPECT_EQ(plan["kernels"][0]["space"], "40 x [50]");
  EXPECT_EQ(plan["least_bytes"], 2 * 4 * 2000);
  EXPECT_GT(plan["kernels"][0]["estimated_seconds"].get<double>(), 1e-6);
  const std::string text = kn::explain(y).text();
  expect_contains(text, "over       40 x [50]");
  expect_contains(text, "16.0 kB the least possible");
  expect_contains(text, "time       ");
}

std::string expression(const kn::Array& x) {
  return explained(x)["kernels"][0]["expression"].get<std::string>();
}

TEST(Explain, SlicesHaveTheirBounds) {
  const kn::Scope scope({.device = kn::plan_only("cpu")});
  const kn::Array x = data({10, 12}).named("x");
  EXPECT_EQ(expression(x(kn::slice(2, 9, 3), kn::slice(1, kn::_)) * 2.f), "x[2:9:3, 1:12] * 2");
  EXPECT_EQ(expression(-x(kn::whole, kn::slice(0, 5))), "-x[:, 0:5]");
  EXPECT_EQ(expression(-x(3)), "-x[3:4]");
  EXPECT_EQ(expression(-kn::flip(x, 0)), "-x[9::-1]");
  EXPECT_EQ(expression(-x(kn::slice(8, 2, -2))), "-x[8:3:-2]");
  // Another request of the same class has its own.
  EXPECT_EQ(expression(-x(5)), "-x[5:6]");
}

TEST(Explain, NamesStandForNumbers) {
  const kn::Scope scope({.device = kn::plan_only("cpu")});
  const kn::Array x = data({6}).named("x"), step = kn::full({6}, 0.5f).named("step"),
                  one = kn::ones({6}).named("one");
  EXPECT_EQ(expression(x * step + one), "x * step + one");
}

TEST(Explain, ArraysOfOneNumberAreNotTakenForTheNumber) {
  const kn::Scope scope({.device = kn::plan_only("cpu")});
  const kn::Array x = data({1000}).named("x"), threes = kn::full({1000}, 3.f);
  EXPECT_EQ(expression(kn::sum(threes * threes)), "sum(full(3) * full(3))");
  EXPECT_EQ(expression(kn::sum(threes)), "sum(full(3))");
  EXPECT_EQ(expression(threes + 0.f), "full(3) + full(0)");
  EXPECT_EQ(expression(x * threes + 2.f), "x * 3 + 2");
  EXPECT_EQ(expression(kn::sum(kn::where(x > 1.f, x, threes))), "sum(select(1 < x, x, 3))");
}

TEST(Explain, AStoredValueSaysWhatFusingItWouldHaveCost) {
  const kn::Scope scope({.device = kn::plan_only("cpu")});
  kn::Array y = data({2000, 1000});
  for (int i = 0; i < 8; ++i) y = kn::sin(kn::exp(y));
  const kn::Array z = y(kn::slice(1, kn::_)) + y(kn::slice(kn::_, -1));
  const Json boundary = explained(z)["boundaries"].at(0);
  EXPECT_GT(boundary["fused_seconds"].get<double>(), boundary["stored_seconds"].get<double>());
  expect_contains(kn::explain(z).text(), "instead of");
}

// The one boundary whose reason has these words.
Json boundary(const Json& plan, const std::string& words) {
  Json found;
  for (const Json& b : plan["boundaries"]) {
    if (b["reason"].get<std::string>().find(words) == std::string::npos) continue;
    EXPECT_TRUE(found.is_null()) << plan["boundaries"];
    found = b;
  }
  EXPECT_FALSE(found.is_null()) << words << " in " << plan["boundaries"];
  return found;
}
double times(const Json& b) {
  return b["fused_seconds"].get<double>() / b["stored_seconds"].get<double>();
}

TEST(Explain, OperationsAreCountedAsOftenAsTheyAreDone) {
  const kn::Scope scope({.device = kn::plan_only("sm_80")});
  const kn::Array x = data({1001}), y = x + 1.f;
  const kn::Array twice = y(kn::slice(1, kn::_)) * y(kn::slice(kn::_, -1));
  EXPECT_EQ(explained(twice)["kernels"][0]["operations"], 3 * 1000);
  const kn::Array rows = data({40, 50});  // a sum a point, and an addition a row
  EXPECT_EQ(explained(kn::sum(rows, {1}) + 1.f)["kernels"][0]["operations"], 40 * 50 + 40);
}

TEST(Explain, ALibrarysOperandsAndResultsAreBoundariesWithoutAPrice) {
  const kn::Scope scope({.device = kn::plan_only("sm_80")});
  const kn::Array x = data({300, 300});
  const kn::Array y = kn::tanh(kn::matmul(x + 1.f, x)) * 2.f;
  const Json plan = explained(y);
  ASSERT_EQ(plan["boundaries"].size(), 2u);
  EXPECT_EQ(boundary(plan, "reads its operands")["fused_seconds"], 0);
  EXPECT_EQ(boundary(plan, "writes its result")["stored_seconds"], 0);
  expect_contains(kn::explain(y).text(), "fused      cannot be");
}

TEST(Explain, BoundariesBetweenSpacesHaveTheirPrice) {
  const kn::Scope scope({.device = kn::plan_only("sm_80")});
  {  // each of the points would sum a row again
    const kn::Array x = data({3000, 512}), rows = data({512, 20000});
    const Json b = boundary(explained(x - kn::sum(rows, {1})), "a reduction is complete before");
    EXPECT_GT(times(b), 10);
    EXPECT_GT(b["stored_seconds"].get<double>(), 6e-6);
  }
  {  // each multiprocessor would sum the row for itself
    const kn::Array x = data({1, 1 << 22});
    const Json b = boundary(explained(x - kn::mean(x, 1, kn::keepdims)), "too few rows");
    EXPECT_GT(times(b), 1.5);
    EXPECT_LT(times(b), 200);
  }
}

TEST(Explain, AChainThatIsCutWouldHaveBeenCheaper) {
  const kn::Scope scope({.device = kn::plan_only("sm_80")});
  const kn::Array x = data({1 << 16});
  const Json b = explained(kn::exp(kn::no_fuse(x + 1.f)))["boundaries"].at(0);
  EXPECT_LT(times(b), 1);
  EXPECT_GT(times(b), 0);
}

TEST(Explain, StoredValuesHaveNames) {
  const kn::Scope scope({.device = kn::plan_only("sm_80")});
  const kn::Array x = data({300, 512}).named("x"), rows = data({512, 100}).named("rows");
  const kn::Array total = kn::sum(rows, {1}).named("total");
  const kn::Array y = x - total;
  const Json plan = explained(y);
  ASSERT_EQ(plan["kernels"].size(), 2u);
  expect_contains(plan["kernels"][0]["expression"], "total = sum(rows, 1)");
  expect_contains(plan["kernels"][1]["expression"], " = x - total");
  expect_contains(plan["boundaries"][0]["producer"], "total = sum(rows, 1)");
  EXPECT_EQ(plan["boundaries"][0]["consumer"], "x - total");
  // One value alone has no need of a name.
  EXPECT_EQ(explained(x + 1.f)["kernels"][0]["expression"], "x + 1");
}

TEST(Explain, MemoryTakenOverIsNamed) {
  const kn::Scope scope({.device = kn::cpu()});
  kn::Array x = data({5000}).named("x");
  x = kn::sqrt(x) + 1.f;
  const Json plan = explained(x);
  EXPECT_EQ(plan["donated_bytes"], 20000);
  EXPECT_EQ(plan["peak_bytes"], 0);  // beside the input
  expect_contains(kn::explain(x).text(), "in the memory of ");
}

TEST(Explain, ReuseShowsInThePeak) {
  const kn::Scope scope({.device = kn::cpu(), .fusion = false});
  const kn::Array x = data({5000});
  kn::Array y = x;
  for (int i = 0; i < 6; ++i) y = kn::flip(y) + 1.f;
  const Json plan = explained(y);
  EXPECT_GE(plan["temporary_bytes"].get<int>(), 5 * 20000);
  EXPECT_LE(plan["peak_bytes"].get<int>(), 2 * 20000);
}

TEST(Explain, ANewClassIsNamedByWhatChanged) {
  const kn::Scope scope({.device = kn::cpu()});
  const auto program = [](std::int64_t n) {
    return kn::tanh(data({n}).named("x") * 3.f) - kn::cos(data({n}));
  };
  EXPECT_TRUE(explained(program(70))["class_changes"].empty());
  kn::eval(program(70));
  const kn::Array cached = program(90);
  EXPECT_EQ(explained(cached)["cached"], true);
  expect_contains(kn::explain(cached).text(), "code       in memory");
  const kn::Array larger = program(200);
  const Json plan = explained(larger);
  EXPECT_EQ(plan["cached"], false);
  ASSERT_FALSE(plan["class_changes"].empty());
  expect_contains(plan["class_changes"][0], "axis 0 of x");
  expect_contains(plan["class_changes"][0], "is in 128 to 255, was in 64 to 127");
  expect_contains(kn::explain(larger).text(), "planned before for another class");
}

TEST(Explain, AValueComputedAgainHasBothLinesAndTheRemedy) {
  const kn::Scope scope({.device = kn::cpu()});
  const kn::Array x = data({4000});
  const kn::Array t = x + 1.f;
  const int made = __LINE__ - 1;
  const kn::Array a = t * 2.f, b = t * 3.f;
  kn::eval(a);
  const int before = __LINE__ - 1;
  const std::string text = kn::explain(b).text();
  expect_contains(text, "computed again: ");
  expect_contains(text, "made       at explain_tests.cpp:" + std::to_string(made));
  expect_contains(text, "by the evaluation at explain_tests.cpp:" + std::to_string(before));
  expect_contains(text, "remedy     eval({...})");
  EXPECT_EQ(explained(b)["recomputed"].size(), 1u);
  EXPECT_TRUE(explained(kn::exp(x))["recomputed"].empty());
}

std::string page(const kn::Arrays& arrays) {
  const Folder folder;
  kn::explain(arrays).save_html(folder.file("page.html"));
  std::ifstream file(folder.file("page.html"));
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Where NVRTC is at hand, or says nothing.
TEST(Explain, WhatMachineCodeTakesIsSaidIfAsked) {
  kn::runtime::Config config;
  if (const char* const named = std::getenv("KILN_NVRTC")) config.nvrtc = named;
  kn::runtime::Nvrtc nvrtc{config};
  const kn::Scope scope({.device = kn::plan_only("sm_90")});
  // Sums of columns meet in shared memory: 8 warps of 32 columns.
  const kn::Array y = kn::sum(data({400, 300}), 0);
  EXPECT_EQ(kn::explain(y).text().find("takes"), std::string::npos);
  EXPECT_FALSE(explained(y)["kernels"][0].contains("resources"));
  const kn::Explanation asked = kn::explain(y).with_resources();
  const Json kernel = Json::parse(asked.json())[0]["kernels"][0];
  const std::string html = page(y);
  ASSERT_EQ(kernel.contains("resources"), nvrtc.available());
  if (!nvrtc.available()) {
    EXPECT_EQ(asked.text(), kn::explain(y).text());
    EXPECT_EQ(html.find("<th>takes"), std::string::npos);
    return;
  }
  const Json& takes = kernel["resources"];
  EXPECT_GT(takes["registers"], 8);
  EXPECT_LE(takes["registers"], 255);
  EXPECT_EQ(takes["shared_bytes"], 8 * 32 * 4);
  EXPECT_EQ(takes["spill_store_bytes"], 0);
  const std::string text = " registers and 0 B of stack a thread, 1024 B shared a block, no spills";
  expect_contains(asked.text(), "  takes      " + takes["registers"].dump() + text);
  expect_contains(html, "<th>takes</th><td>" + takes["registers"].dump() + text);
}

TEST(Explain, ThePageHasEverythingAndNeedsNothing) {
  const kn::Scope scope({.device = kn::cpu()});
  const kn::Array x = data({300, 200}).named("x<y>");
  const std::string html = page(kn::sum(kn::softmax(x) * x, 0));
  EXPECT_TRUE(html.starts_with("<!doctype html>"));
  expect_contains(html, "__global__");     // CUDA C of the same program
  expect_contains(html, "kernel cpu");     // IR
  expect_contains(html, "id=\"r-p0k0\"");  // a row for each kernel
  expect_contains(html, "class=\"card panel\" id=\"p1k0\"");
  expect_contains(html, "x&lt;y&gt;");
  EXPECT_EQ(html.find("src="), std::string::npos);
  EXPECT_EQ(html.find("href=\"http"), std::string::npos);
  expect_contains(page(x), "every value is in memory");
}

TEST(Explain, APageThatCannotBeWrittenIsAnError) {
  const kn::Array y = data({3}) + 1.f;
  expect_contains(
      message_of<kn::IoError>([&] { return kn::explain(y).save_html("/proc/none/page.html"); }),
      "cannot be written");
}

}  // namespace
